/* A job that runs: its lease, its end, and who may still say so. */
#include <criterion/criterion.h>
#include <signal.h>
#include "base/clock.h"
#include "tests/unit/support/due_fixture.h"

#define SKIP_OR_OPEN()                                                                             \
    if (!due_fixture_open()) cr_skip_test("redis-server is not installed")
#define FAR 600000

static struct due_runner *const at = due_fix.at;

/* Node 0 runs the job and does not end it. */
static void hold(uint64_t lease_ms)
{
    due_fix.lease_ms = lease_ms;
    due_fixture_join(2);
    cr_assert(due_fixture_await_evals(2));
    at[0].is_holding = true;
    cr_assert_eq(due_fixture_put(0, "a", 5, "x"), OK);
    cr_assert(due_fixture_await(&at[0].ran, 1));
}

Test(due_job, of_a_node_that_dies_in_the_middle_runs_once_more)
{
    SKIP_OR_OPEN();
    hold(300);
    due_fixture_leave(0);
    cr_expect(due_fixture_await(&at[1].ran, 1));
    cr_expect_str_eq(due_fixture_log(&at[1].log), "a=x#2;");
    cr_expect_eq(metric_get(M_DUE_TAKEN_OVER), 1);
    cr_expect(due_fixture_await_none());
    due_done(at[0].held); /* the handle stays good, and leads nowhere */
    cr_expect_eq(due_fix.ran, 2);
    due_fixture_close();
}

Test(due_job, keeps_its_lease_for_as_long_as_it_runs)
{
    uint64_t first, end = clock_us() + DUE_FIXTURE_WAIT_MS * 1000ULL;

    SKIP_OR_OPEN();
    hold(600);
    first = due_fixture_time("a");
    while (due_fixture_time("a") < first + 1500 && clock_us() < end)
        loop_turn(due_fix.f.loop, true);
    cr_expect_geq(due_fixture_time("a"), first + 1500, "renewed beyond two leases");
    cr_expect_eq(due_fix.ran, 1);
    due_done(at[0].held);
    cr_expect(due_fixture_await_none());
    due_fixture_close();
}

Test(due_job, whose_lease_went_to_another_cannot_be_ended_by_the_first)
{
    struct due_job *old;

    SKIP_OR_OPEN();
    hold(0);
    old = at[0].held;
    at[1].is_holding = true;
    cr_expect_str_eq(due_fixture_say("ZADD K 1 a"), ":0\r\n"); /* the lease ends */
    cr_expect_eq(due_fixture_put(1, "b", 5, "x"), OK);         /* so node 1 looks */
    cr_expect(due_fixture_await(&due_fix.ran, 3));
    due_done(old);
    cr_expect_eq(due_fixture_cancel(0, "b"), OK); /* behind it on the same connection */
    cr_expect_gt(due_fixture_time("a"), 0, "it is the other's");
    due_fixture_close();
}

Test(due_job, put_again_while_it_runs_runs_again)
{
    struct due_job *old;

    SKIP_OR_OPEN();
    hold(0);
    old = at[0].held;
    at[0].is_holding = false;
    cr_expect_eq(due_fixture_put(1, "a", 200, "new"), OK);
    due_done(old);
    cr_expect(due_fixture_await(&due_fix.ran, 2));
    cr_expect_str_eq(due_fixture_log(at[1].ran ? &at[1].log : &at[0].log),
                     at[1].ran ? "a=new#1;" : "a=x#1;a=new#1;");
    cr_expect(due_fixture_await_none());
    due_fixture_close();
}

Test(due_job, cancelled_while_it_runs_is_over)
{
    SKIP_OR_OPEN();
    hold(0);
    cr_expect_eq(due_fixture_cancel(1, "a"), OK);
    due_again(at[0].held, 0);
    cr_expect_eq(due_fixture_put(0, "b", FAR, "x"), OK); /* behind it */
    cr_expect_eq(due_fixture_time("a"), 0);
    cr_expect_eq(due_fix.ran, 1);
    due_fixture_close();
}

Test(due_job, again_counts_its_runs)
{
    SKIP_OR_OPEN();
    due_fixture_join(1);
    at[0].again = 2;
    cr_expect_eq(due_fixture_put(0, "a", 5, "x"), OK);
    cr_expect(due_fixture_await(&due_fix.ran, 3));
    cr_expect(due_fixture_await_none());
    cr_expect_str_eq(due_fixture_log(&at[0].log), "a=x#1;a=x#2;a=x#3;");
    cr_expect_eq(metric_get(M_DUE_TAKEN_OVER), 0);
    due_fixture_close();
}

Test(due_job, that_ends_while_redis_hangs_is_ended_when_it_is_back)
{
    SKIP_OR_OPEN();
    due_fix.f.conf.dead_ms = 3000;
    hold(0);
    kill(due_fix.f.redis.pid, SIGSTOP);
    cr_expect(due_fixture_await(&due_fix.f.nodes[0].disconnects, 1));
    due_done(at[0].held);
    adapter_fixture_run(&due_fix.f, 20);
    kill(due_fix.f.redis.pid, SIGCONT);
    cr_expect(due_fixture_await_none());
    cr_expect_eq(due_fix.ran, 1);
    due_fixture_close();
}

Test(due_job, whose_lease_ended_while_redis_hung_is_ended_before_this_node_takes_more)
{
    uint64_t start;

    SKIP_OR_OPEN();
    due_fix.f.conf.dead_ms = 5000;
    due_fix.f.conf.redis_timeout_ms = 400;
    due_fix.lease_ms = 1800; /* the hang is noticed long before */
    due_fixture_join(1);
    at[0].is_holding = true;
    cr_assert_eq(due_fixture_put(0, "a", 5, "x"), OK);
    cr_assert(due_fixture_await(&at[0].ran, 1));
    at[0].is_holding = false;
    kill(due_fix.f.redis.pid, SIGSTOP);
    start = clock_us();
    cr_expect(due_fixture_await(&due_fix.f.nodes[0].disconnects, 1));
    due_done(at[0].held);
    while (clock_us() - start < 2000000)
        loop_turn(due_fix.f.loop, true); /* longer than the lease */
    kill(due_fix.f.redis.pid, SIGCONT);
    cr_expect(due_fixture_await_none());
    cr_expect_eq(due_fix.ran, 1);
    due_fixture_close();
}
