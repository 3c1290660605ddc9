/* The turn: order of its parts, descriptors, signals, names. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metric.h"

static struct loop *loop;
static char trace[64]; /* what happened, a letter each */
static size_t trace_n;

static void note(char c)
{
    if (trace_n < sizeof trace - 1) trace[trace_n++] = c;
}

static void setup(void)
{
    loop = loop_new();
}

static void teardown(void)
{
    loop_free(loop);
}

TestSuite(loop, .init = setup, .fini = teardown, .timeout = 20);

struct job {
    struct loop_task task;
    char letter;
    int again;         /* times it sets itself again */
    struct job *other; /* set when this one runs */
    bool is_free;
};

static void run_job(struct loop_task *t)
{
    struct job *j = (struct job *)(void *)t;

    note(j->letter);
    if (j->again > 0) {
        j->again--;
        loop_at_end(loop, t);
    }
    if (j->other) loop_at_end(loop, &j->other->task);
}

static void init_job(struct job *j, char letter)
{
    *j = (struct job){.letter = letter};
    loop_task_init(&j->task, run_job);
}

static void on_bytes(void *ctx, int what)
{
    struct job *j = ctx;

    cr_assert_eq(what, LOOP_READ);
    note('r');
    loop_at_end(loop, &j->task);
}

static struct timer timer;

static void on_timer(struct timer *t)
{
    (void)t;
    note('t');
}

Test(loop, does_events_then_timers_then_writes_then_frees)
{
    struct job write_job, free_job;
    struct loop_fd *w;
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    init_job(&write_job, 'w');
    init_job(&free_job, 'f');
    clock_freeze(clock_ms(), 0);
    w = loop_fd_new(loop, fds[0], on_bytes, &write_job);
    loop_fd_want(w, LOOP_READ);
    timer_init(&timer, on_timer);
    timer_start(loop_timers(loop), &timer, clock_ms(), 0);
    clock_advance(100);
    loop_free_at_end(loop, &free_job.task);
    cr_assert_eq(write(fds[1], "x", 1), 1);
    loop_turn(loop, false);
    cr_expect_str_eq(trace, "rtwf");
    loop_fd_free(w);
    close(fds[0]);
    close(fds[1]);
}

Test(loop, a_task_set_twice_runs_once)
{
    struct job j;

    init_job(&j, 'w');
    loop_at_end(loop, &j.task);
    loop_at_end(loop, &j.task);
    loop_turn(loop, false);
    loop_turn(loop, false);
    cr_expect_str_eq(trace, "w");
}

Test(loop, a_task_that_sets_itself_runs_in_the_next_turn_without_sleep)
{
    struct job j;

    init_job(&j, 'w');
    j.again = 2;
    loop_at_end(loop, &j.task);
    loop_turn(loop, true);
    cr_expect_str_eq(trace, "w");
    loop_turn(loop, true);
    cr_expect_str_eq(trace, "ww");
    loop_turn(loop, true);
    cr_expect_str_eq(trace, "www");
}

Test(loop, a_task_set_by_a_task_runs_in_the_same_turn)
{
    struct job a, b;

    init_job(&a, 'a');
    init_job(&b, 'b');
    a.other = &b;
    b.other = &a; /* a has run: it waits */
    loop_at_end(loop, &a.task);
    loop_turn(loop, false);
    cr_expect_str_eq(trace, "ab");
    a.other = b.other = NULL;
    loop_turn(loop, true);
    cr_expect_str_eq(trace, "aba");
}

Test(loop, a_cancelled_task_does_not_run)
{
    struct job a;

    init_job(&a, 'a');
    loop_task_cancel(&a.task);
    loop_at_end(loop, &a.task);
    loop_task_cancel(&a.task);
    loop_free_at_end(loop, &a.task);
    loop_task_cancel(&a.task);
    loop_turn(loop, false);
    cr_expect_str_empty(trace);
}

static struct loop_fd *suicide;

static void free_itself(void *ctx, int what)
{
    (void)ctx;
    (void)what;
    note('x');
    loop_fd_free(suicide);
}

Test(loop, a_watch_may_be_freed_in_its_own_callback)
{
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    close(fds[0]); /* the writing end is ready and broken: both bits at once */
    suicide = loop_fd_new(loop, fds[1], free_itself, NULL);
    loop_fd_want(suicide, LOOP_READ | LOOP_WRITE);
    loop_turn(loop, false);
    loop_turn(loop, false);
    cr_expect_str_eq(trace, "x");
    close(fds[1]);
}

static struct loop_fd *victims[2];

static void free_both(void *ctx, int what)
{
    (void)ctx;
    (void)what;
    note('x');
    loop_fd_free(victims[0]);
    loop_fd_free(victims[1]);
}

Test(loop, a_watch_that_is_ready_may_be_freed_by_another)
{
    int fds[2], readers[2];

    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(write(fds[1], "x", 1), 1);
    for (int i = 0; i < 2; i++) {
        readers[i] = dup(fds[0]);
        victims[i] = loop_fd_new(loop, readers[i], free_both, NULL);
        loop_fd_want(victims[i], LOOP_READ);
    }
    loop_turn(loop, false);
    loop_turn(loop, false);
    cr_expect_str_eq(trace, "x");
    close(readers[0]);
    close(readers[1]);
    close(fds[0]);
    close(fds[1]);
}

static int seen_what;

static void note_what(void *ctx, int what)
{
    (void)ctx;
    seen_what |= what;
}

Test(loop, a_watch_gets_only_what_it_wants)
{
    static const int wants[] = {0, LOOP_READ, LOOP_WRITE, LOOP_READ | LOOP_WRITE, LOOP_WRITE, 0};
    struct loop_fd *w;
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(write(fds[1], "x", 1), 1);
    w = loop_fd_new(loop, fds[0], note_what, NULL);
    for (size_t i = 0; i < 2; i++) {
        loop_fd_want(w, wants[i]);
        seen_what = 0;
        loop_turn(loop, false);
        cr_expect_eq(seen_what, wants[i], "row %zu", i);
    }
    loop_fd_free(w);
    w = loop_fd_new(loop, fds[1], note_what, NULL);
    for (size_t i = 2; i < sizeof wants / sizeof wants[0]; i++) {
        loop_fd_want(w, wants[i]);
        loop_fd_want(w, wants[i]);
        seen_what = 0;
        loop_turn(loop, false);
        cr_expect_eq(seen_what, wants[i] & LOOP_WRITE, "row %zu", i);
    }
    loop_fd_free(w);
    close(fds[0]);
    close(fds[1]);
}

static void stop_at_timer(struct timer *t)
{
    (void)t;
    note('t');
    loop_stop(loop);
}

Test(loop, sleeps_until_the_next_timer)
{
    uint64_t before = clock_ms();
    int64_t turns = metric_get(M_LOOP_SECONDS);

    timer_init(&timer, stop_at_timer);
    loop_timer(loop, &timer, 30);
    loop_run(loop);
    cr_expect_str_eq(trace, "t");
    cr_expect_geq(clock_ms() - before, 30);
    cr_expect_lt(metric_get(M_LOOP_SECONDS) - turns, 10, "it slept");
}

Test(loop, a_nearer_timer_shortens_the_sleep)
{
    static struct timer far;

    timer_init(&far, stop_at_timer);
    timer_init(&timer, stop_at_timer);
    loop_timer(loop, &far, 3600000);
    loop_turn(loop, false);
    loop_timer(loop, &timer, 10);
    loop_run(loop);
    cr_expect(timer_is_set(&far));
    loop_timer_stop(loop, &far);
    loop_timer(loop, &timer, 10);
    loop_run(loop);
    cr_expect_str_eq(trace, "tt");
}

static void stop_at_signal(void *ctx, int signo)
{
    cr_expect_eq(signo, SIGUSR1);
    cr_expect_eq(ctx, &loop);
    loop_stop(loop);
}

Test(loop, a_signal_wakes_it)
{
    loop_signal(loop, SIGUSR1, stop_at_signal, &loop);
    raise(SIGUSR1);
    loop_run(loop);
}

Test(loop, a_broken_pipe_does_not_end_the_program)
{
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    close(fds[0]);
    cr_expect_eq(write(fds[1], "x", 1), -1);
    close(fds[1]);
}

static char resolved[64];
static int resolved_rc = 1;

static void on_resolved(void *ctx, int rc, const char *address)
{
    struct sb text = {.p = resolved, .cap = sizeof resolved};

    cr_expect_eq(ctx, &resolved);
    resolved_rc = rc;
    if (address) sb_put(&text, address, strlen(address) + 1);
    loop_stop(loop);
}

Test(loop, numeric_hosts_are_answered_in_this_turn)
{
    static const char *const rows[] = {"127.0.0.1", "::1", "2001:db8::42"};

    for (size_t i = 0; i < 3; i++) {
        resolved_rc = 1;
        loop_resolve(loop, rows[i], on_resolved, &resolved);
        cr_expect_eq(resolved_rc, 1, "not before it returns");
        loop_turn(loop, true);
        cr_expect_eq(resolved_rc, OK);
        cr_expect_str_eq(resolved, rows[i]);
    }
}

Test(loop, names_of_the_hosts_file_need_no_server)
{
    loop_resolve(loop, "localhost", on_resolved, &resolved);
    loop_run(loop);
    cr_expect_eq(resolved_rc, OK);
    cr_expect(str_eq(str_z(resolved), STR("127.0.0.1")) || str_eq(str_z(resolved), STR("::1")));
}

Test(loop, lookups_that_are_under_way_end_with_it)
{
    struct loop *mine = loop_new();

    loop_resolve(mine, "10.1.2.3", on_resolved, NULL);
    loop_resolve(mine, "host.invalid", on_resolved, NULL);
    loop_resolve(mine, "localhost", on_resolved, NULL);
    loop_free(mine);
    cr_expect_eq(resolved_rc, 1, "nobody is told");
}

static void on_pause(struct loop_pause *p)
{
    (void)p;
    note('p');
}

static void on_pause_timer(struct timer *t)
{
    (void)t;
    note('t');
}

Test(loop, says_first_of_all_that_it_was_stopped)
{
    struct loop_pause p;
    struct timer t;

    clock_freeze(clock_ms(), 0);
    timer_init(&t, on_pause_timer);
    loop_turn(loop, false);
    loop_pause_watch(loop, &p, 1000, on_pause);
    loop_timer(loop, &t, 500);
    clock_advance(999);
    loop_turn(loop, false);
    cr_expect_str_eq(trace, "t");
    loop_timer(loop, &t, 500);
    clock_advance(1000);
    loop_turn(loop, false);
    cr_expect_str_eq(trace, "tpt");
    loop_turn(loop, false);
    loop_pause_end(&p);
    clock_advance(5000);
    loop_turn(loop, false);
    cr_expect_str_eq(trace, "tpt");
}

Test(loop, counts_its_turns)
{
    int64_t before = metric_get(M_LOOP_SECONDS);

    loop_turn(loop, false);
    loop_turn(loop, false);
    cr_expect_eq(metric_get(M_LOOP_SECONDS), before + 2);
    cr_expect_lt(loop_last_turn_us(loop), 1000000);
}
