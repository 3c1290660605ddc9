/* Member counts of two nodes in one real Redis: what the script of rooms_state.c does there. */
#include <criterion/criterion.h>
#include <stdio.h>
#include "node/features/rooms/rooms_state.h"
#include "tests/unit/support/adapter_fixture.h"

static struct adapter_fixture f;
static struct rooms_state *states[2];
static struct {
    unsigned answers;
    uint64_t members;
    char type[33];
} told[2];

static void on_told(void *ctx, int rc, const struct rooms_count *count)
{
    int i = *(const int *)ctx;

    cr_assert_eq(rc, OK);
    told[i].members = count->members;
    snprintf(told[i].type, sizeof told[i].type, STR_FMT, STR_ARG(count->type));
    told[i].answers++;
}

/* One more member at node i; how many there are then, in the answer. */
static uint64_t enter(int i, const char *type)
{
    static int indexes[] = {0, 1};
    unsigned before = told[i].answers;

    rooms_state_enter(states[i], STR("/"), STR("r"), str_z(type));
    rooms_state_ask(states[i], STR("/"), STR("r"), on_told, &indexes[i]);
    cr_assert(adapter_fixture_await(&f, &told[i].answers, before + 1, 2000));
    return told[i].members;
}

static const char *redis(const char *a, const char *b, const char *c, const char *d)
{
    const struct str argv[] = {str_z(a), STR("ingoma:{room:/:r}:nodes"), str_z(b), str_z(c),
                               str_z(d)};
    unsigned count = 2;

    while (count < 5 && argv[count].p)
        count++;
    return redis_fixture_say(&f.redis, argv, count);
}

static bool is_written(int i)
{
    return str_eq(str_z(redis("HEXISTS", f.nodes[i].id, NULL, NULL)), STR(":1\r\n"));
}

static bool has_exited(void) /* node 0 */
{
    return !is_written(0);
}

static bool is_nothing_left(void)
{
    return str_eq(str_z(redis("EXISTS", NULL, NULL, NULL)), STR(":0\r\n")) &&
           rooms_state_size(states[0]) + rooms_state_size(states[1]) == 0;
}

static bool are_both_written(void)
{
    return is_written(0) && is_written(1);
}

static bool open_two(void)
{
    if (!adapter_fixture_open(&f, true)) return false;
    for (int i = 0; i < 2; i++) {
        adapter_fixture_join(&f, i, NULL);
    }
    cr_assert(adapter_fixture_await_all(&f, 2));
    for (int i = 0; i < 2; i++)
        states[i] = rooms_state_new(&(struct rooms_state_conf){
            .loop = f.loop, .adapter = f.nodes[i].adapter, .dead_ms = 1000});
    return true;
}

static void close_two(void)
{
    for (int i = 0; i < 2; i++)
        rooms_state_free(states[i]);
    adapter_fixture_close(&f);
}

Test(rooms_count, sums_over_nodes_and_keeps_the_first_type)
{
    if (!open_two()) cr_skip_test("redis-server is not installed");
    cr_expect_eq(enter(0, "chat"), 1);
    cr_expect_eq(enter(1, "quiz"), 2);
    cr_expect_str_eq(told[1].type, "chat");
    cr_expect_eq(enter(0, ""), 3);
    cr_expect_str_eq(redis("TTL", NULL, NULL, NULL), ":3600\r\n");
    close_two();
}

Test(rooms_count, leaves_nothing_behind_when_all_have_gone)
{
    if (!open_two()) cr_skip_test("redis-server is not installed");
    enter(0, "chat");
    enter(1, "");
    rooms_state_exit(states[0], STR("/"), STR("r"));
    cr_assert(adapter_fixture_await_that(&f, has_exited));
    cr_expect_eq(enter(1, ""), 2, "both on the other node");
    rooms_state_exit(states[1], STR("/"), STR("r"));
    rooms_state_exit(states[1], STR("/"), STR("r"));
    cr_expect(adapter_fixture_await_that(&f, is_nothing_left));
    close_two();
}

Test(rooms_count, drops_old_counts_of_unknown_nodes_and_garbage)
{
    if (!open_two()) cr_skip_test("redis-server is not installed");
    redis("HSET", "dead", "7@1000000000", NULL);  /* written long ago, and nobody alive */
    redis("HSET", "new1", "5@99999999999", NULL); /* just come up: not known here yet */
    redis("HSET", "what", "nonsense", NULL);
    cr_expect_eq(enter(0, ""), 6);
    cr_expect_str_eq(redis("HGET", "dead", NULL, NULL), "$-1\r\n");
    cr_expect_str_eq(redis("HGET", "what", NULL, NULL), "$-1\r\n");
    cr_expect_str_eq(redis("HGET", "new1", NULL, NULL), "$13\r\n5@99999999999\r\n");
    close_two();
}

Test(rooms_count, writes_its_counts_again_after_redis_lost_everything)
{
    if (!open_two()) cr_skip_test("redis-server is not installed");
    enter(0, "chat");
    enter(1, "");
    redis("DEL", NULL, NULL, NULL);
    rooms_state_refresh(states[0]);
    rooms_state_refresh(states[1]);
    cr_expect(adapter_fixture_await_that(&f, are_both_written));
    cr_expect_eq(enter(1, ""), 3);
    close_two();
}
