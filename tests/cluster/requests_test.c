/* Requests between nodes, the same over every driver: who gets an order, when a question is
 * complete, who is named when it is not. */
#include <criterion/criterion.h>
#include <stdio.h>
#include "base/clock.h"
#include "base/mem.h"
#include "tests/unit/support/adapter_fixture.h"
#include "tests/unit/support/hex.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

static struct adapter_fixture f;

#define OVER(suite, driver, name)                                                                  \
    Test(suite, name)                                                                              \
    {                                                                                              \
        if (!adapter_fixture_open_with(&f, driver)) cr_skip_test("redis-server is not installed"); \
        name();                                                                                    \
        sb_fini(&log_of_answers);                                                                  \
        adapter_fixture_close(&f);                                                                 \
    }
#define CONTRACT(name)                                                                             \
    static void name(void);                                                                        \
    OVER(requests_local, "local", name)                                                            \
    OVER(requests_redis, "redis", name)                                                            \
    OVER(requests_sharded, "redis-sharded", name)                                                  \
    OVER(requests_redis_cluster, "redis cluster", name)                                            \
    OVER(requests_sharded_cluster, "redis-sharded cluster", name)                                  \
    OVER(requests_streams, "redis-streams", name)                                                  \
    static void name(void)

static const struct str a_room[] = {STR("a"), STR("b\" \xc3\xa9")}, more[] = {STR("x"), STR("y")};
static const struct adapter_target all = {.nsp = STR("/")}, some = {.nsp = STR("/"),
                                                                    .rooms = a_room,
                                                                    .rooms_count = 2,
                                                                    .except = more,
                                                                    .except_count = 1};

static struct sb log_of_answers;
static unsigned dones, counts;
static struct {
    int rc;
    unsigned asked, answered, missing_count, clients;
    char missing[64];
} last;

static void on_each(void *ctx, struct str json, const struct str *attachments, unsigned count)
{
    (void)ctx, (void)attachments, (void)count;
    sb_str(&log_of_answers, json);
    sb_char(&log_of_answers, ' ');
}

static void on_count(void *ctx, unsigned clients)
{
    (void)ctx;
    counts++;
    last.clients += clients;
}

static void on_done(void *ctx, const struct adapter_result *r)
{
    struct sb names = {0};

    (void)ctx;
    dones++;
    last.rc = r->rc;
    last.asked = r->asked;
    last.answered = r->answered;
    last.missing_count = r->missing_count;
    for (unsigned i = 0; i < r->missing_count; i++)
        sb_printf(&names, STR_FMT ",", STR_ARG(r->missing[i]));
    snprintf(last.missing, sizeof last.missing, STR_FMT, STR_ARG(sb_view(&names)));
    sb_fini(&names);
}

static void on_servers(void *ctx, int rc, unsigned count)
{
    (void)ctx;
    dones++;
    last.rc = rc;
    last.asked = count;
}

static struct adapter_ask ask_of(uint64_t timeout_ms)
{
    dones = counts = 0;
    last.clients = 0;
    log_of_answers.n = 0;
    return (struct adapter_ask){
        .timeout_ms = timeout_ms, .each = on_each, .on_count = on_count, .done = on_done};
}

static bool answers_are(const char *one, const char *other) /* in either order */
{
    return str_eq(sb_view(&log_of_answers), str_z(one)) ||
           str_eq(sb_view(&log_of_answers), str_z(other));
}

static void join(int count)
{
    for (int i = 0; i < count; i++)
        adapter_fixture_join(&f, i, "/");
    cr_assert(adapter_fixture_await_all(&f, count), "the nodes have found each other");
}

static void fetch(uint64_t timeout_ms)
{
    struct adapter_ask ask = ask_of(timeout_ms);

    adapter_fetch(f.nodes[0].adapter, &all, &ask);
}

static void emit(uint64_t timeout_ms)
{
    struct adapter_ask ask = ask_of(timeout_ms);

    adapter_server_emit(f.nodes[0].adapter, STR("/"), STR("[\"e\",1]"), &ask);
}

CONTRACT(orders_reach_all_others_in_order)
{
    struct adapter *a;

    join(3);
    a = f.nodes[0].adapter;
    adapter_join(a, &some, more, 2);
    adapter_publish(a, &(struct adapter_cast){.nsp = STR("/"), .array = STR("[\"x\"]")});
    adapter_leave(a, &all, more, 1);
    adapter_disconnect(a, &some, true);
    adapter_disconnect(a, &all, false);
    adapter_server_emit(a, STR("/"), STR("[\"e\",{\"k\":[1.5]}]"), NULL);
    for (int i = 1; i < 3; i++) {
        cr_expect(adapter_fixture_await(&f, &f.nodes[i].requests, 5, 1000), "node %d", i);
        cr_expect_str_eq(adapter_fixture_log(&f.nodes[i]),
                         "join / rooms=a,b\" \xc3\xa9 except=x more=x,y;"
                         "cast / [\"x\"] rooms= except= flags=0 att=;"
                         "leave / rooms= except= more=x;"
                         "disconnect / rooms=a,b\" \xc3\xa9 except=x close;"
                         "disconnect / rooms= except=;"
                         "emit / [\"e\",{\"k\":[1.5]}];",
                         "node %d", i);
    }
    cr_assert(adapter_fixture_fence(&f, 0, 1) && adapter_fixture_fence(&f, 1, 0));
    cr_expect_eq(f.nodes[0].requests, 0, "nobody obeys himself");
    cr_expect_eq(metric_get(M_REDIS_GARBAGE), 0);
}

CONTRACT(a_question_is_complete_when_all_others_have_answered)
{
    join(3);
    fetch(2000);
    cr_expect_eq(dones, 0, "nobody is called back from within his call");
    cr_assert(adapter_fixture_await(&f, &dones, 1, 1000));
    cr_expect_eq(last.rc, OK);
    cr_expect_eq(last.asked, 2);
    cr_expect_eq(last.answered, 2);
    cr_expect(
        answers_are("{\"id\":\"n001\",\"rooms\":[\"a\"]} {\"id\":\"n002\",\"rooms\":[\"a\"]} ",
                    "{\"id\":\"n002\",\"rooms\":[\"a\"]} {\"id\":\"n001\",\"rooms\":[\"a\"]} "));
    emit(0);
    cr_assert(adapter_fixture_await(&f, &dones, 1, 1000));
    cr_expect_eq(last.rc, OK);
    cr_expect(answers_are("\"n001\" \"n002\" ", "\"n002\" \"n001\" "));
    adapter_server_count(f.nodes[0].adapter, STR("/"), on_servers, NULL);
    cr_assert(adapter_fixture_await(&f, &dones, 2, 1000));
    cr_expect_eq(last.rc, OK);
    cr_expect_eq(last.asked, 3);
    cr_assert(adapter_fixture_fence(&f, 0, 1) && adapter_fixture_fence(&f, 1, 0));
    cr_expect_eq(dones, 2);
}

CONTRACT(alone_a_question_is_complete_at_once)
{
    join(1);
    fetch(3600000);
    cr_assert(adapter_fixture_await(&f, &dones, 1, 2000), "not after its time");
    cr_expect_eq(last.rc, OK);
    cr_expect_eq(last.asked, 0);
}

CONTRACT(a_cast_with_ack_brings_counts_and_then_every_ack)
{
    struct adapter_cast c = {.nsp = STR("/"),
                             .array = STR("[\"q\",{\"_placeholder\":true,\"num\":0}]"),
                             .rooms = a_room,
                             .rooms_count = 2,
                             .flags = ADAPTER_VOLATILE,
                             .attachments = more,
                             .attachments_count = 1};
    struct adapter_ask ask = ask_of(60000);

    join(3);
    f.nodes[1].clients = 3;
    f.nodes[2].clients = 0;
    adapter_publish_ack(f.nodes[0].adapter, &c, &ask);
    cr_assert(adapter_fixture_await(&f, &dones, 1, 1000));
    cr_expect_eq(last.rc, OK);
    cr_expect_eq(counts, 2);
    cr_expect_eq(last.clients, 3);
    cr_expect(str_eq(sb_view(&log_of_answers), STR("\"n001\" \"n001\" \"n001\" ")));
    cr_expect_str_eq(
        adapter_fixture_log(&f.nodes[2]),
        "60000 ms cast / [\"q\",{\"_placeholder\":true,\"num\":0}] rooms=a,b\" \xc3\xa9 "
        "except= flags=1 att=78.;");
}

CONTRACT(who_stays_silent_is_named_and_the_rest_is_given)
{
    join(3);
    f.nodes[2].is_silent = true;
    emit(1000);
    cr_assert(adapter_fixture_await(&f, &dones, 1, 1000));
    cr_expect_eq(last.rc, ERR_TIMEOUT);
    cr_expect_eq(last.asked, 2);
    cr_expect_eq(last.answered, 1);
    cr_expect_str_eq(last.missing, "n002,");
    cr_expect(str_eq(sb_view(&log_of_answers), STR("\"n001\" ")));
    cr_assert(adapter_fixture_await(&f, &f.nodes[2].requests, 1, 1000));
    adapter_answer(f.nodes[2].kept, STR("\"late\""), NULL, 0);
    cr_assert(adapter_fixture_fence(&f, 2, 0));
    cr_expect(str_eq(sb_view(&log_of_answers), STR("\"n001\" ")), "late answers are nobody's");
    cr_expect_eq(dones, 1);
}

CONTRACT(a_node_that_leaves_is_no_longer_waited_for)
{
    join(3);
    f.nodes[2].is_silent = true;
    emit(3600000);
    for (int i = 1; i < 3; i++) {
        cr_assert(adapter_fixture_await(&f, &f.nodes[i].requests, 1, 1000));
        cr_assert(adapter_fixture_fence(&f, i, 0));
    }
    cr_expect_eq(dones, 0);
    adapter_fixture_leave(&f, 2);
    cr_assert(adapter_fixture_await(&f, &dones, 1, 2000), "not after its time");
    cr_expect_eq(last.rc, OK);
    cr_expect_eq(last.asked, 1);
    cr_expect_eq(last.missing_count, 0);
    cr_expect(str_eq(sb_view(&log_of_answers), STR("\"n001\" ")));
}

CONTRACT(without_the_cluster_a_question_fails_soon)
{
    join(2);
    f.nodes[1].is_silent = true;
    emit(3600000);
    cr_assert(adapter_fixture_await(&f, &f.nodes[1].requests, 1, 1000));
    adapter_fixture_break(&f);
    cr_assert(adapter_fixture_await(&f, &dones, 1, 1000), "what was open");
    cr_expect_eq(last.rc, ERR_UNAVAILABLE);
    fetch(3600000);
    cr_expect_eq(dones, 0, "nobody is called back from within his call");
    cr_assert(adapter_fixture_await(&f, &dones, 1, 1000), "what is asked now");
    cr_expect_eq(last.rc, ERR_UNAVAILABLE);
    adapter_server_count(f.nodes[0].adapter, STR("/"), on_servers, NULL);
    cr_expect_eq(dones, 1);
    cr_assert(adapter_fixture_await(&f, &dones, 2, 1000));
    cr_expect_eq(last.rc, ERR_UNAVAILABLE);
    adapter_join(f.nodes[0].adapter, &all, more, 1); /* dropped and counted */
    adapter_fixture_run(&f, 30);
    if (!f.bus) adapter_fixture_mend(&f);
}

CONTRACT(closing_ends_questions_of_both_sides)
{
    join(2);
    f.nodes[1].is_silent = true;
    emit(3600000);
    cr_assert(adapter_fixture_await(&f, &f.nodes[1].requests, 1, 1000));
    adapter_fixture_leave(&f, 1);
    adapter_answer(f.nodes[1].kept, STR("1"), NULL, 0); /* leads nowhere, and is safe */
    cr_assert(adapter_fixture_await(&f, &dones, 1, 1000));
    f.nodes[1].is_silent = false;
    adapter_fixture_join(&f, 1, "/");
    cr_assert(adapter_fixture_await(&f, &f.nodes[0].ups, 2, 1000));
    fetch(5000);
    adapter_server_count(f.nodes[0].adapter, STR("/"), on_servers, NULL);
    adapter_fixture_leave(&f, 0);
    cr_expect_eq(dones, 2);
    cr_expect_eq(last.rc, ERR_UNAVAILABLE);
}

/* ---- members that misbehave, on the local bus ---- */

Test(requests_local, a_doubled_answer_counts_once)
{
    cr_assert(adapter_fixture_open_with(&f, "local"));
    join(3);
    f.nodes[2].is_silent = true;
    local_bus_knobs(f.bus, &(struct local_bus_knobs){.duplicate_each = 1});
    emit(1000);
    cr_assert(adapter_fixture_await(&f, &dones, 1, 1000));
    cr_expect_eq(last.rc, ERR_TIMEOUT);
    cr_expect_eq(last.answered, 1);
    cr_expect_str_eq(last.missing, "n002,");
    cr_expect(str_eq(sb_view(&log_of_answers), STR("\"n001\" ")));
    sb_fini(&log_of_answers);
    adapter_fixture_close(&f);
}

Test(requests_local, a_node_that_is_cut_off_dies_and_is_no_longer_waited_for)
{
    cr_assert(adapter_fixture_open_with(&f, "local"));
    join(3);
    local_bus_cut(f.bus, STR("n000"), STR("n002"));
    fetch(3600000);
    cr_assert(adapter_fixture_await(&f, &dones, 1, 2000), "dead after DEAD_MS");
    cr_expect_eq(last.rc, OK);
    cr_expect_eq(last.asked, 1);
    sb_fini(&log_of_answers);
    adapter_fixture_close(&f);
}

Test(requests_local, answers_that_are_slow_come_in_time_or_not)
{
    cr_assert(adapter_fixture_open_with(&f, "local"));
    join(2);
    local_bus_knobs(f.bus, &(struct local_bus_knobs){.delay_ms = 300});
    fetch(30000);
    cr_assert(adapter_fixture_await(&f, &dones, 1, 1000));
    cr_expect_eq(last.rc, OK);
    fetch(50);
    cr_assert(adapter_fixture_await(&f, &dones, 1, 1000));
    cr_expect_eq(last.rc, ERR_TIMEOUT);
    cr_expect_str_eq(last.missing, "n001,");
    sb_fini(&log_of_answers);
    adapter_fixture_close(&f);
}

/* ---- Redis only ---- */

static const char *awaited;

static bool is_all_logged(void)
{
    return f.nodes[0].log.n >= strlen(awaited);
}

Test(requests_redis, old_forms_and_the_emitter_are_understood)
{
    static const struct {
        const char *bytes, *want;
    } rows[] = {
        {"{\"type\":2,\"opts\":{\"rooms\":[\"r\"],\"except\":[]},\"rooms\":[\"r9\"]}",
         "join / rooms=r except= more=r9;"},
        {"{\"uid\":\"emitter\",\"type\":6,\"data\":[\"sse\",1]}", "emit / [\"sse\",1];"},
        {"{\"requestId\":\"q1\",\"type\":3,\"sid\":\"s1\",\"room\":\"x\"}",
         "fetch / rooms=s1 except=;leave / rooms=s1 except= more=x;"},
        {"{\"requestId\":\"q2\",\"type\":4,\"sid\":\"s1\",\"close\":true}",
         "fetch / rooms=s1 except=;disconnect / rooms=s1 except= close;"},
        {"{\"uid\":\"u\",\"requestId\":\"q3\",\"type\":1}", "fetch / rooms= except=;"},
        {"{\"uid\":\"u\",\"requestId\":\"q4\",\"type\":0,\"rooms\":[\"a\",7]}",
         "fetch / rooms=a,7 except=;"},
    };

    if (!adapter_fixture_open_with(&f, "redis")) cr_skip_test("redis-server is not installed");
    join(1);
    for (size_t i = 0; i < ROWS(rows); i++) {
        redis_fixture_publish(&f.redis, "socket.io-request#/#", str_z(rows[i].bytes));
        awaited = rows[i].want;
        cr_expect(adapter_fixture_await_that(&f, is_all_logged));
        cr_expect_str_eq(adapter_fixture_log(&f.nodes[0]), rows[i].want, "row %zu", i);
    }
    cr_expect_eq(metric_get(M_REDIS_GARBAGE), 0);
    adapter_fixture_close(&f);
}
