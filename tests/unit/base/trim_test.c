#include <criterion/criterion.h>
#include "base/clock.h"
#include "base/loop.h"
#include "base/trim.h"

static struct loop *loop;
static struct trim trim;

static void start(void)
{
    clock_freeze(100000, 0);
    loop = loop_new();
    trim_init(&trim, loop, 3);
}

static void stop(void)
{
    trim_fini(&trim);
    loop_free(loop);
}

static void pass(unsigned ms)
{
    clock_advance(ms);
    loop_turn(loop, false);
}

Test(trim, waits_until_it_is_worth_it_and_the_wave_is_over, .init = start, .fini = stop)
{
    trim_freed(&trim);
    trim_freed(&trim);
    cr_expect_not(timer_is_set(&trim.timer));
    trim_freed(&trim);
    cr_expect(timer_is_set(&trim.timer));
    pass(TRIM_MS / 2);
    trim_freed(&trim);
    cr_expect_eq(trim.freed, 4);
    pass(TRIM_MS);
    cr_expect_eq(trim.freed, 0, "it was done");
    cr_expect_not(timer_is_set(&trim.timer));
    trim_freed(&trim);
    cr_expect_not(timer_is_set(&trim.timer), "the next wave is counted anew");
}
