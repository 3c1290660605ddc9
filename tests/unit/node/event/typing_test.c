#include <criterion/criterion.h>
#include "base/clock.h"
#include "base/loop.h"
#include "node/event/typing.h"

static struct loop *loop;
static struct typing typing;
static struct sb ended;

static void on_ended(void *ctx, struct str socket_id, struct str room)
{
    (void)ctx;
    sb_printf(&ended, STR_FMT "/" STR_FMT ";", STR_ARG(socket_id), STR_ARG(room));
}

static void up(void)
{
    clock_freeze(1000, 1000);
    loop = loop_new();
    typing_init(&typing, loop, on_ended, NULL);
}

static void down(void)
{
    typing_fini(&typing);
    loop_free(loop);
    sb_fini(&ended);
}

static struct str after(uint64_t ms)
{
    ended.n = 0;
    clock_advance(ms);
    loop_turn(loop, false);
    return sb_view(&ended);
}

TestSuite(typing, .init = up, .fini = down);

Test(typing, ends_by_itself_six_seconds_after_the_last_word)
{
    (void)typing_start(&typing, STR("a"), STR("r 1"));
    clock_advance(1000);
    (void)typing_start(&typing, STR("b"), STR("r 1"));
    clock_advance(1000);
    (void)typing_start(&typing, STR("a"), STR("r 1"));
    cr_expect(str_eq(after(5000), STR("b/r 1;")));
    cr_expect(str_eq(after(999), STR("")));
    cr_expect(str_eq(after(2), STR("a/r 1;")));
    cr_expect(str_eq(after(60000), STR("")));
}

Test(typing, is_forgotten_when_it_was_said_to_end)
{
    (void)typing_start(&typing, STR("a"), STR("r"));
    (void)typing_start(&typing, STR("a"), STR("s"));
    (void)typing_stop(&typing, STR("a"), STR("r"));
    (void)typing_stop(&typing, STR("a"), STR("unknown"));
    cr_expect(str_eq(after(6001), STR("a/s;")));
}

Test(typing, is_told_once_in_two_seconds)
{
    cr_expect(typing_start(&typing, STR("a"), STR("r")));
    for (int ms = 0; ms < 1999; ms += 100) {
        cr_expect_not(typing_start(&typing, STR("a"), STR("r")), "after %d ms", ms);
        clock_advance(100);
    }
    cr_expect(typing_start(&typing, STR("a"), STR("r")));
    cr_expect(typing_start(&typing, STR("a"), STR("s")), "another room");
    cr_expect(typing_start(&typing, STR("b"), STR("r")), "another socket");
}

Test(typing, tells_an_end_once_and_no_new_start_right_after_it)
{
    cr_expect_not(typing_stop(&typing, STR("a"), STR("r")), "there was no start");
    cr_expect(typing_start(&typing, STR("a"), STR("r")));
    cr_expect(typing_stop(&typing, STR("a"), STR("r")));
    for (int i = 0; i < 10; i++) {
        cr_expect_not(typing_start(&typing, STR("a"), STR("r")));
        cr_expect_not(typing_stop(&typing, STR("a"), STR("r")));
    }
    cr_expect_not(typing_start(&typing, STR("a"), STR("r")));
    cr_expect(str_eq(after(6010), STR("")), "nobody was told of it");
    cr_expect(typing_start(&typing, STR("a"), STR("r")));
    cr_expect(str_eq(after(6010), STR("a/r;")));
}

Test(typing, leaves_nothing_behind)
{
    (void)typing_start(&typing, STR("a"), STR("r"));
}
