/* The scripts: what they write, what they answer, what they refuse. */
#include <criterion/criterion.h>
#include "adapter/due_priv.h"
#include "tests/unit/support/due_fixture.h"

#define SKIP_OR_OPEN()                                                                             \
    if (!due_fixture_open()) cr_skip_test("redis-server is not installed")
#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

static const struct str a = STR("a"), token = STR("n000abcdefghijklmnop"),
                        other = STR("n001abcdefghijklmnop");
static struct due_store store;
static unsigned answers;
static struct sb got; /* status, is first, (time of the first), ms until then, holder, jobs */

static void join(void)
{
    adapter_fixture_join(&due_fix.f, 0, NULL);
    cr_assert(adapter_fixture_await_all(&due_fix.f, 1));
    due_store_init(&store, due_fix.f.nodes[0].adapter, STR("n000"), STR("socket.io:mail"));
}

static void leave(void)
{
    due_store_fini(&store);
    sb_fini(&got);
    due_fixture_close();
}

static void on_answer(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct due_reply r;

    (void)ctx;
    answers++;
    got.n = 0;
    cr_assert_eq(rc, OK);
    cr_assert_eq(due_store_read(reply, count, &r), OK);
    sb_printf(&got, "%u %d %s %s " STR_FMT, (unsigned)r.status, r.is_first,
              r.head.n ? "head" : "none", r.delay_ms ? "later" : "now", STR_ARG(r.holder));
    for (unsigned i = 0; i < r.jobs_count; i++)
        for (unsigned k = 0; k < DUE_REPLY_FIELDS; k++)
            if (k != DUE_REPLY_LATE_MS)
                sb_printf(&got, "%c" STR_FMT, k ? ',' : ' ',
                          STR_ARG(r.jobs[i * DUE_REPLY_FIELDS + k]));
}

static const char *answer(void)
{
    static unsigned seen;

    cr_assert(due_fixture_await(&answers, ++seen));
    return due_fixture_log(&got);
}

static bool keeps_earlier;

static const char *put(const char *id, uint64_t delay_ms, bool is_ours)
{
    struct due_entry e = {
        .id = str_z(id), .delay_ms = delay_ms, .payload = STR("p"), .keeps_earlier = keeps_earlier};

    due_store_put(&store, &e, is_ours, on_answer, NULL);
    return answer();
}

static const char *take(struct str by, unsigned most)
{
    struct due_take t = {.token = by, .lease_ms = 30000, .most = most};

    due_store_take(&store, &t, on_answer, NULL);
    return answer();
}

static const char *end(enum due_end how, struct str by, uint64_t delay_ms)
{
    struct due_ending e = {.how = how, .id = a, .token = by, .delay_ms = delay_ms};

    due_store_end(&store, &e, on_answer, NULL);
    return answer();
}

Test(due_store, says_who_is_first_and_whose_it_is)
{
    SKIP_OR_OPEN();
    join();
    cr_expect_str_eq(take(token, 9), "0 0 none now ");
    cr_expect_str_eq(put("a", 60000, true), "1 1 head later n000");
    cr_expect_str_eq(put("b", 90000, false), "1 0 head later n000");
    cr_expect_str_eq(put("c", 30000, false), "1 1 head later ");
    cr_expect_str_eq(put("c", 80000, false), "1 0 head later n000", "the first one goes back");
    cr_expect_str_eq(take(token, 9), "0 0 head later n000");
    due_store_cancel(&store, a, on_answer, NULL);
    cr_expect_str_eq(answer(), "1 0 head later ");
    due_store_cancel(&store, a, on_answer, NULL);
    cr_expect_str_eq(answer(), "0 0 head later ");
    leave();
}

Test(due_store, gives_a_job_to_one_token)
{
    SKIP_OR_OPEN();
    join();
    put("a", 0, true);
    put("b", 0, true);
    cr_expect_str_eq(take(token, 1), "1 0 head now n000 a,p,1,n000");
    cr_expect_str_eq(take(other, 9), "1 0 head later n000abcdefghijklmnop b,p,1,n000");
    cr_expect_str_eq(end(DUE_DONE, other, 0), "0 0 head later n000abcdefghijklmnop");
    cr_expect_str_eq(end(DUE_AGAIN, other, 0), "0 0 head later n000abcdefghijklmnop");
    cr_expect_str_eq(end(DUE_KEEP, other, 9), "0 0 head later n000abcdefghijklmnop");
    cr_expect_str_eq(end(DUE_KEEP, token, 60000), "1 0 head later n001abcdefghijklmnop");
    cr_expect_str_eq(end(DUE_AGAIN, token, 5000), "1 1 head later n000");
    cr_expect_str_eq(end(DUE_DONE, token, 0), "0 0 head later n000", "it holds it no more");
    due_fixture_say("ZADD K 1 a");
    cr_expect_str_eq(take(other, 9), "1 0 head later n001abcdefghijklmnop a,p,2,n000");
    cr_expect_str_eq(end(DUE_DONE, other, 0), "1 0 head later n001abcdefghijklmnop");
    leave();
}

Test(due_store, drops_a_time_whose_payload_was_evicted)
{
    SKIP_OR_OPEN();
    join();
    put("a", 0, true);
    due_fixture_say("DEL ingoma:{due:socket.io:mail}:payloads");
    cr_expect_str_eq(take(token, 9), "0 0 none now ");
    cr_expect(due_fixture_await_none());
    put("a", 0, true);
    due_fixture_say("DEL ingoma:{due:socket.io:mail}:states");
    cr_expect_str_eq(take(token, 9), "1 0 head later n000abcdefghijklmnop a,p,1,",
                     "its payload is enough");
    leave();
}

Test(due_store, is_bounded)
{
    SKIP_OR_OPEN();
    join();
    store.most = 1;
    cr_expect_str_eq(put("a", 60000, true), "1 1 head later n000");
    cr_expect_str_eq(put("b", 0, true), "2 0 head later n000");
    cr_expect_str_eq(put("a", 50000, true), "1 1 head later n000", "put again is no more");
    leave();
}

Test(due_store_read, refuses_what_no_script_answers)
{
    static const struct {
        const char *reply[10];
        unsigned count;
        int want;
    } rows[] = {
        {{"1", "0", "", "0", ""}, 5, OK},
        {{"1", "1", "17", "5", "n000", "a", "p", "1", "0", ""}, 10, OK},
        {{NULL}, 0, ERR_PROTO},
        {{"1", "0", "", "0"}, 4, ERR_PROTO},
        {{"1", "0", "", "0", "", "a"}, 6, ERR_PROTO},
        {{"", "0", "", "0", ""}, 5, ERR_PROTO},
        {{"1", "2", "", "0", ""}, 5, ERR_PROTO},
        {{"1", "0", "", "-1", ""}, 5, ERR_PROTO},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct due_reply r;
        struct str reply[10];

        for (unsigned k = 0; k < rows[i].count; k++)
            reply[k] = str_z(rows[i].reply[k]);
        cr_expect_eq(due_store_read(reply, rows[i].count, &r), rows[i].want, "row %zu", i);
    }
}

Test(due_store, put_again_may_keep_an_earlier_time_unless_it_runs)
{
    uint64_t early, late;

    SKIP_OR_OPEN();
    join();
    keeps_earlier = true;
    cr_expect_str_eq(put("a", 5000, true), "1 1 head later n000");
    early = due_fixture_time("a");
    cr_expect_str_eq(put("a", 60000, true), "1 0 head later n000");
    cr_expect_eq(due_fixture_time("a"), early, "the later time is not taken");
    cr_expect_str_eq(put("a", 0, true), "1 1 head now n000");
    cr_expect_lt(due_fixture_time("a"), early, "the sooner one is");
    cr_expect_str_eq(take(token, 5), "1 0 head later n000abcdefghijklmnop a,p,1,n000");
    cr_expect_str_eq(put("a", 60000, true), "1 0 head later n000");
    late = due_fixture_time("a");
    cr_expect_gt(late, early + 30000, "what runs runs again: its lease is no time of its own");
    cr_expect_str_eq(end(DUE_DONE, token, 0), "0 0 head later n000");
    cr_expect_eq(due_fixture_time("a"), late);
    leave();
}
