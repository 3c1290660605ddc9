/* Jobs at a time: three nodes over a real Redis. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include "base/clock.h"
#include "tests/unit/support/due_fixture.h"

#define SKIP_OR_OPEN()                                                                             \
    if (!due_fixture_open()) cr_skip_test("redis-server is not installed")
#define FAR 600000

static struct due_runner *const at = due_fix.at;

Test(due, runs_once_with_three_nodes)
{
    SKIP_OR_OPEN();
    due_fixture_join(3);
    cr_expect_eq(due_fixture_put(1, "a", 50, "\"x\""), OK);
    cr_expect(due_fixture_await(&due_fix.ran, 1));
    cr_expect(due_fixture_await_none());
    cr_expect_eq(due_fix.ran, 1);
    cr_expect_eq(metric_get(M_DUE_TAKEN), 1);
    cr_expect_eq(metric_get(M_DUE_TAKEN_OVER), 0);
    cr_expect_eq(metric_get(M_DUE_LATE_SECONDS), 1);
    due_fixture_close();
}

Test(due, survives_the_node_that_put_it)
{
    SKIP_OR_OPEN();
    due_fixture_join(2);
    cr_expect_eq(due_fixture_put(0, "a", 300, "x"), OK);
    due_fixture_leave(0);
    cr_expect(due_fixture_await(&at[1].ran, 1));
    cr_expect_str_eq(due_fixture_log(&at[1].log), "a=x#1;");
    cr_expect(due_fixture_await_none());
    due_fixture_close();
}

Test(due, survives_all_nodes)
{
    SKIP_OR_OPEN();
    due_fixture_join(1);
    cr_expect_eq(due_fixture_put(0, "a", 50, "x"), OK);
    due_fixture_leave(0);
    adapter_fixture_join(&due_fix.f, 1, NULL);
    due_fixture_runs(1);
    cr_expect(due_fixture_await(&at[1].ran, 1), "a node that connects later looks");
    due_fixture_close();
}

Test(due, nobody_knew_of_are_found_when_a_node_dies)
{
    SKIP_OR_OPEN();
    due_fixture_join(2);
    cr_expect(due_fixture_await_evals(2));
    due_fixture_say("HSET ingoma:{due:socket.io:mail}:payloads a x"); /* its message was lost */
    due_fixture_say("ZADD K 1 a");
    due_fixture_leave(0);
    cr_expect(due_fixture_await(&at[1].ran, 1));
    cr_expect(due_fixture_await_none());
    due_fixture_close();
}

Test(due, of_one_moment_runs_each_once_over_three_nodes)
{
    enum { JOBS = 1000 };
    static unsigned seen[JOBS];
    struct str rest, id;
    unsigned told;

    SKIP_OR_OPEN();
    due_fixture_join(3);
    for (unsigned i = 0; i < JOBS; i++) {
        char name[8];
        int n = snprintf(name, sizeof name, "%u", i);
        struct due_entry e = {.id = str_of(name, (size_t)n), .delay_ms = 100};

        cr_assert_eq(due_put(at[i % 3].due, &e, due_fixture_told, &at[i % 3]), OK);
    }
    for (int i = 0; i < 3; i++) {
        told = i == 0 ? 334 : 333;
        cr_expect(due_fixture_await(&at[i].told, told));
        cr_expect_eq(at[i].last_rc, OK);
    }
    cr_expect(due_fixture_await(&due_fix.ran, JOBS));
    cr_expect(due_fixture_await_none());
    cr_expect_eq(due_fix.ran, JOBS);
    for (rest = sb_view(&due_fix.log); str_next(&rest, ';', &id);) {
        uint64_t number = 0;

        if (id.n && str_u64(id, JOBS - 1, &number) == OK) seen[number]++;
    }
    for (unsigned i = 0; i < JOBS; i++)
        cr_expect_eq(seen[i], 1, "job %u", i);
    due_fixture_close();
}

Test(due, run_in_the_order_of_their_times)
{
    static const struct {
        const char *id;
        uint64_t delay_ms;
    } rows[] = {{"c", 250}, {"a", 50}, {"d", 350}, {"b", 150}};

    SKIP_OR_OPEN();
    due_fixture_join(1);
    for (unsigned i = 0; i < 4; i++) {
        struct due_entry e = {.id = str_z(rows[i].id), .delay_ms = rows[i].delay_ms};

        cr_expect_eq(due_put(at[0].due, &e, NULL, NULL), OK);
    }
    cr_expect(due_fixture_await(&due_fix.ran, 4));
    cr_expect_str_eq(due_fixture_log(&due_fix.log), "a;b;c;d;");
    due_fixture_close();
}

Test(due, put_again_gets_the_new_time_and_payload)
{
    SKIP_OR_OPEN();
    due_fixture_join(2);
    cr_expect_eq(due_fixture_put(0, "a", FAR, "old"), OK);
    cr_expect_eq(due_fixture_put(1, "a", 30, "new"), OK);
    cr_expect(due_fixture_await(&due_fix.ran, 1));
    cr_expect(due_fixture_await_none());
    cr_expect_str_eq(due_fixture_log(at[0].ran ? &at[0].log : &at[1].log), "a=new#1;");
    due_fixture_close();
}

Test(due, cancelled_never_runs)
{
    SKIP_OR_OPEN();
    due_fixture_join(2);
    cr_expect_eq(due_fixture_put(0, "a", 200, "x"), OK);
    cr_expect_eq(due_fixture_put(0, "b", 300, "x"), OK);
    cr_expect_eq(due_fixture_cancel(1, "a"), OK);
    cr_expect_eq(due_fixture_cancel(1, "a"), ERR_NOT_FOUND);
    cr_expect(due_fixture_await(&due_fix.ran, 1));
    cr_expect(due_fixture_await_none());
    cr_expect_str_eq(due_fixture_log(&due_fix.log), "b;");
    due_fixture_close();
}

Test(due, is_taken_first_by_the_node_that_put_it)
{
    SKIP_OR_OPEN();
    due_fixture_join(3);
    cr_expect(due_fixture_await_evals(3));
    for (unsigned i = 0; i < 10; i++) {
        char id[2] = {(char)('a' + i), 0};

        cr_expect_eq(due_fixture_put((int)(i % 3), id, 5, "x"), OK);
        cr_expect(due_fixture_await(&due_fix.ran, i + 1));
    }
    /* half a second of lead: only a stall of this process could turn one of them */
    cr_expect_geq(at[0].ran, 3);
    cr_expect_geq(at[1].ran, 2);
    cr_expect_geq(at[2].ran, 2);
    cr_expect(due_fixture_await_none());
    cr_expect_leq(due_fixture_evals(), 3 + 10 * 3 + 10,
                  "put, take, end; the others look now and then");
    due_fixture_close();
}

Test(due, earlier_than_what_was_first_is_told_to_the_others)
{
    struct due_conf c = {.kind = STR("mail")};
    struct due *puts;

    SKIP_OR_OPEN();
    due_fixture_join(1);
    adapter_fixture_join(&due_fix.f, 2, NULL);
    cr_assert(adapter_fixture_await_all(&due_fix.f, 1));
    cr_assert(adapter_fixture_await(&due_fix.f, &due_fix.f.nodes[2].connects, 1, 3000));
    cr_expect(due_fixture_await_evals(1));           /* it has looked, and found nothing */
    puts = due_open(due_fix.f.nodes[2].adapter, &c); /* of a node that runs none itself */
    cr_expect_eq(due_put(puts, &(struct due_entry){.id = STR("far"), .delay_ms = FAR}, NULL, NULL),
                 OK);
    cr_expect_eq(due_put(puts, &(struct due_entry){.id = STR("near"), .delay_ms = 300},
                         due_fixture_told, &at[0]),
                 OK);
    cr_expect(due_fixture_await(&at[0].told, 1));
    cr_expect(due_fixture_await(&at[0].ran, 1));
    cr_expect_str_eq(due_fixture_log(&at[0].log), "near=#1;");
    cr_expect_gt(due_fixture_time("far"), 0);
    due_close(puts);
    due_fixture_close();
}

Test(due, whose_time_came_while_redis_hung_run_when_it_is_back)
{
    const char *log;
    uint64_t start;

    SKIP_OR_OPEN();
    due_fix.f.conf.dead_ms = 3000;
    due_fixture_join(2);
    cr_expect_eq(due_fixture_put(0, "a", 600, "x"), OK);
    kill(due_fix.f.redis.pid, SIGSTOP);
    start = clock_us();
    cr_expect_neq(due_fixture_put(0, "b", 10, "x"), OK);
    cr_expect_eq(due_fixture_put(0, "c", 10, "x"), ERR_UNAVAILABLE);
    cr_expect_lt(clock_us() - start, 5000000, "within the deadline of 400 ms");
    cr_expect(due_fixture_await(&due_fix.f.nodes[1].disconnects, 1));
    while (clock_us() - start < 700000)
        loop_turn(due_fix.f.loop, true); /* past the time of a */
    cr_expect_eq(due_fix.ran, 0);
    kill(due_fix.f.redis.pid, SIGCONT);
    cr_expect(due_fixture_await(&due_fix.ran, 1));
    cr_expect(due_fixture_await_none());
    log = due_fixture_log(&due_fix.log); /* b was on its way, c never left */
    cr_expect(strcmp(log, "a;") == 0 || strcmp(log, "a;b;") == 0 || strcmp(log, "b;a;") == 0, "%s",
              log);
    due_fixture_close();
}

Test(due, outlive_a_restart_of_a_redis_that_keeps_its_data)
{
    char dump[64];

    SKIP_OR_OPEN();
    due_fix.f.conf.dead_ms = 3000;
    due_fixture_join(2);
    cr_expect_eq(due_fixture_put(0, "a", 100, "x"), OK);
    at[0].is_holding = at[1].is_holding = true;
    cr_expect_eq(due_fixture_put(0, "b", FAR, "x"), OK);
    cr_expect_str_eq(due_fixture_say("SAVE"), "+OK\r\n");
    redis_fixture_kill(&due_fix.f.redis);
    at[0].is_holding = at[1].is_holding = false;
    if (at[0].held) due_done(at[0].held); /* it was quick; Redis learns of it afterwards */
    if (at[1].held) due_done(at[1].held);
    redis_fixture_start(&due_fix.f.redis);
    cr_expect(due_fixture_await(&due_fix.ran, 1));
    cr_expect(due_fixture_await(&due_fix.f.nodes[0].connects, 2));
    cr_expect_eq(due_fixture_cancel(0, "b"), OK, "the scripts were lost, and sent again");
    cr_expect(due_fixture_await_none());
    cr_expect_eq(due_fix.ran, 1);
    snprintf(dump, sizeof dump, "%s/dump.rdb", due_fix.f.redis.dir);
    unlink(dump);
    due_fixture_close();
}

Test(due, refuses_what_is_too_large_or_has_no_name)
{
    static char text[DUE_PAYLOAD_BYTES + 1];
    static const struct {
        struct due_entry entry;
        int want;
    } rows[] = {
        {{.id = {text, DUE_ID_BYTES}, .payload = {text, DUE_PAYLOAD_BYTES}, .delay_ms = FAR}, OK},
        {{.id = STR("a\0;\r\n"), .payload = STR("\0\n\xff"), .delay_ms = FAR}, OK},
        {{.id = STR("b"), .delay_ms = DUE_DELAY_MAX_MS}, OK},
        {{.id = STR("")}, ERR_PROTO},
        {{.id = {text, DUE_ID_BYTES + 1}}, ERR_TOO_BIG},
        {{.id = STR("a"), .payload = {text, DUE_PAYLOAD_BYTES + 1}}, ERR_TOO_BIG},
        {{.id = STR("a"), .delay_ms = DUE_DELAY_MAX_MS + 1}, ERR_TOO_BIG},
    };
    unsigned told = 0;

    SKIP_OR_OPEN();
    due_fixture_join(1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(due_put(at[0].due, &rows[i].entry, due_fixture_told, &at[0]), rows[i].want,
                     "row %zu", i);
        if (rows[i].want == OK) cr_expect(due_fixture_await(&at[0].told, ++told));
        cr_expect_eq(at[0].last_rc, OK);
    }
    cr_expect_eq(at[0].told, told);
    cr_expect_eq(due_cancel(at[0].due, STR(""), NULL, NULL), ERR_PROTO);
    cr_expect_eq(due_cancel(at[0].due, (struct str){text, 201}, NULL, NULL), ERR_TOO_BIG);
    due_fixture_close();
}

Test(due, closing_tells_who_waits_and_the_other_nodes_run_them)
{
    SKIP_OR_OPEN();
    due_fixture_join(2);
    cr_expect_eq(due_put(at[0].due, &(struct due_entry){.id = STR("a")}, due_fixture_told, &at[0]),
                 OK);
    due_close(at[0].due);
    cr_expect_eq(at[0].told, 1);
    cr_expect_eq(at[0].last_rc, ERR_CLOSED);
    at[0].due = NULL;
    cr_expect(due_fixture_await(&at[1].ran, 1));
    cr_expect_eq(at[0].told, 1);
    cr_expect_eq(at[0].ran, 0);
    due_fixture_close();
}

static void close_own(struct due_runner *r)
{
    due_close(r->due);
    r->due = NULL;
}

Test(due, closed_by_a_handler_gives_the_rest_back)
{
    SKIP_OR_OPEN();
    due_fixture_join(2);
    at[0].on_run = close_own;
    for (unsigned i = 0; i < 5; i++) {
        char id[2] = {(char)('a' + i), 0};
        struct due_entry e = {.id = str_z(id), .delay_ms = 100};

        cr_expect_eq(due_put(at[0].due, &e, NULL, NULL), OK);
    }
    cr_expect(due_fixture_await(&due_fix.ran, 5));
    cr_expect(due_fixture_await_none());
    cr_expect_eq(due_fix.ran, 5);
    cr_expect_leq(at[0].ran, 1);
    due_fixture_close();
}

Test(due, without_jobs_cost_one_look_a_node)
{
    SKIP_OR_OPEN();
    due_fixture_join(3);
    cr_expect(due_fixture_await_evals(3));
    adapter_fixture_run(&due_fix.f, 1200);
    cr_expect_eq(due_fixture_evals(), 3);
    cr_expect_eq(due_fixture_put(0, "a", FAR, "x"), OK);
    adapter_fixture_run(&due_fix.f, 1200);
    cr_expect_eq(due_fixture_evals(), 4, "and one that is far away costs its put");
    due_fixture_close();
}

Test(due, do_not_exist_without_redis)
{
    struct due_conf c = {.kind = STR("mail")};
    struct due *d;

    cr_assert(adapter_fixture_open(&due_fix.f, false));
    adapter_fixture_join(&due_fix.f, 0, NULL);
    cr_expect(adapter_fixture_await(&due_fix.f, &due_fix.f.nodes[0].connects, 1, 500));
    d = due_open(due_fix.f.nodes[0].adapter, &c);
    cr_expect_eq(due_put(d, &(struct due_entry){.id = STR("a")}, due_fixture_told, &at[0]), OK);
    cr_expect_eq(at[0].told, 0, "not from within the call");
    cr_expect(due_fixture_await(&at[0].told, 1));
    cr_expect_eq(at[0].last_rc, ERR_UNAVAILABLE);
    adapter_fixture_leave(&due_fix.f, 0);
    cr_expect_eq(due_put(d, &(struct due_entry){.id = STR("a")}, NULL, NULL), ERR_UNAVAILABLE);
    due_close(d);
    due_fixture_close();
}

static unsigned counts;
static int count_rc;
static uint64_t counted_jobs;

static void on_counted(void *ctx, int rc, uint64_t jobs)
{
    (void)ctx;
    counts++;
    count_rc = rc;
    counted_jobs = jobs;
}

Test(due, are_counted_over_all_nodes)
{
    SKIP_OR_OPEN();
    due_fixture_join(2);
    cr_expect_eq(due_fixture_put(0, "a", FAR, ""), OK);
    cr_expect_eq(due_fixture_put(1, "b", FAR, ""), OK);
    cr_expect_eq(due_count(at[1].due, on_counted, NULL), OK);
    cr_expect(due_fixture_await(&counts, 1));
    cr_expect_eq(count_rc, OK);
    cr_expect_eq(counted_jobs, 2);
    due_fixture_close();
}
