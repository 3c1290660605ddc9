/* What is missed between an offset and now, out of a stream of a real Redis. */
#include "adapter/session.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include "adapter/session_wire.h"
#include "tests/unit/support/adapter_fixture.h"

#define SID "S2345678901234567890"
#define PID "P2345678901234567890"
#define SAY(...)                                                                                   \
    redis_fixture_say(&f.redis, (const struct str[]){__VA_ARGS__},                                 \
                      sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str))
#define OPEN(count)                                                                                \
    if (!open(count)) cr_skip_test("redis-server is not installed")

static struct adapter_fixture f;
static struct {
    unsigned done, sessions, missed, late;
    unsigned heard; /* by on_cast until it was done */
    int rc;
    bool refuse;
    struct sb casts, late_casts; /* the arrays */
    char last[64];               /* offset */
} got;

static bool on_session(void *ctx, const struct session *s)
{
    (void)ctx;
    got.sessions++;
    cr_expect(str_eq(s->sid, STR(SID)));
    return !got.refuse;
}

static void on_missed(void *ctx, const struct adapter_cast *c, bool is_late)
{
    (void)ctx;
    got.missed += !is_late;
    got.late += is_late;
    sb_str(is_late ? &got.late_casts : &got.casts, c->array);
    cr_assert(c->offset.n && c->offset.n < sizeof got.last);
    memcpy(got.last, c->offset.p, c->offset.n);
    got.last[c->offset.n] = 0;
}

static void on_done(void *ctx, int rc)
{
    (void)ctx;
    got.done++;
    got.rc = rc;
    got.heard = f.nodes[0].casts;
}

static bool open(int count)
{
    if (!adapter_fixture_open_with(&f, "redis-streams")) return false;
    f.conf.recovery_ms = 60000;
    for (int i = 0; i < count; i++)
        adapter_fixture_join(&f, i, "/");
    cr_assert(adapter_fixture_await_all(&f, count));
    return true;
}

static void close_all(void)
{
    adapter_fixture_close(&f);
    sb_fini(&got.casts);
    sb_fini(&got.late_casts);
}

static void store(const char *since)
{
    const struct session s = {.sid = STR(SID), .pid = STR(PID), .since = str_z(since)};
    struct sb value = {0};

    session_wire_encode(&s, &value);
    SAY(STR("SET"), STR("sio:session:" PID), sb_view(&value));
    sb_fini(&value);
}

static void say(int i, const char *array)
{
    unsigned before = f.nodes[i].casts;

    cr_assert(adapter_keep(f.nodes[i].adapter,
                           &(struct adapter_cast){.nsp = STR("/"), .array = str_z(array)}));
    cr_assert(adapter_fixture_await(&f, &f.nodes[i].casts, before + 1, 5000), "it comes back");
}

static void begin(const char *offset)
{
    got.done = 0;
    session_restore(f.nodes[0].adapter, STR("/"), STR(PID), str_z(offset),
                    &(struct session_restore){
                        .on_session = on_session, .on_missed = on_missed, .done = on_done});
    cr_expect_eq(got.done, 0, "never within the call");
}

static int restore(const char *offset)
{
    begin(offset);
    cr_assert(adapter_fixture_await(&f, &got.done, 1, 10000));
    return got.rc;
}

static const char *here(void) /* the offset of node 0 */
{
    static char text[64];
    struct str offset = adapter_offset(f.nodes[0].adapter, STR("/"));

    cr_assert_lt(offset.n, sizeof text);
    memcpy(text, offset.p, offset.n);
    text[offset.n] = 0;
    return text;
}

Test(stream_restore, gives_what_came_after_the_offset)
{
    char offset[64];

    OPEN(1);
    say(0, "[\"before\"]");
    snprintf(offset, sizeof offset, "%s", here());
    say(0, "[\"x\",1]");
    adapter_publish(f.nodes[0].adapter, &(struct adapter_cast){.nsp = STR("/"),
                                                               .array = STR("[\"volatile\"]"),
                                                               .flags = ADAPTER_VOLATILE});
    SAY(STR("XADD"), STR("socket.io"), STR("*"), STR("nsp"), STR("/other"), STR("type"), STR("3"),
        STR("data"), STR("{\"packet\":{\"type\":2,\"data\":[\"other\"]}}"));
    SAY(STR("XADD"), STR("socket.io"), STR("*"), STR("nsp"), STR("/"), STR("garbage"), STR("3"));
    say(0, "[\"y\",2]");
    store("");
    cr_expect_eq(restore(offset), OK);
    cr_expect(str_eq(sb_view(&got.casts), STR("[\"x\",1][\"y\",2]")));
    cr_expect_str_eq(got.last, here());
    cr_expect_eq(restore(offset), ERR_NOT_FOUND, "once");
    close_all();
}

Test(stream_restore, reads_page_by_page)
{
    char offset[64];

    OPEN(1);
    say(0, "[\"before\"]");
    snprintf(offset, sizeof offset, "%s", here());
    for (int i = 0; i < 100; i++) /* one page to the entry, and one more */
        say(0, "[1]");
    store("");
    cr_expect_eq(restore(offset), OK);
    cr_expect_eq(got.missed, 100);
    for (int i = 0; i < 201; i++)
        say(0, "[1]");
    store("");
    got.missed = 0;
    cr_expect_eq(restore(offset), OK);
    cr_expect_eq(got.missed, 301);
    close_all();
}

Test(stream_restore, refuses_what_it_cannot_give_in_full)
{
    static const char *const rows[] = {
        "x",   "-",  "1-", "18446744073709551616-0", "18446744073709551615-18446744073709551615",
        "1-0", "0-0"};
    char offset[64];

    OPEN(1);
    say(0, "[\"a\"]");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        store("");
        cr_expect_eq(restore(rows[i]), ERR_NOT_FOUND, "row %zu", i);
    }
    snprintf(offset, sizeof offset, "%s", here());
    say(0, "[\"b\"]");
    store("");
    SAY(STR("XTRIM"), STR("socket.io"), STR("MAXLEN"), STR("1"));
    cr_expect_eq(restore(offset), ERR_NOT_FOUND, "trimmed");
    cr_expect_eq(got.casts.n, 0);
    close_all();
}

Test(stream_restore, begins_where_it_was_connected_without_an_offset)
{
    char since[64];

    OPEN(1);
    store("0-0"); /* the stream was empty */
    cr_expect_eq(restore(""), OK, "and still is");
    say(0, "[\"a\"]");
    store("0-0");
    cr_expect_eq(restore(""), OK);
    cr_expect(str_eq(sb_view(&got.casts), STR("[\"a\"]")));
    snprintf(since, sizeof since, "%s", here());
    say(0, "[\"b\"]");
    store(since);
    cr_expect_eq(restore("1-0"), OK, "nor before it");
    cr_expect(str_eq(sb_view(&got.casts), STR("[\"a\"][\"b\"]")));
    store("");
    cr_expect_eq(restore(""), ERR_NOT_FOUND, "of Node: nobody knows");
    SAY(STR("XTRIM"), STR("socket.io"), STR("MAXLEN"), STR("1"));
    store("0-0");
    cr_expect_eq(restore(""), ERR_NOT_FOUND, "no longer all of it");
    close_all();
}

Test(stream_restore, asks_whether_it_is_the_one)
{
    OPEN(1);
    say(0, "[\"a\"]");
    got.refuse = true;
    store("");
    cr_expect_eq(restore(here()), ERR_FORBIDDEN);
    SAY(STR("SET"), STR("sio:session:" PID), STR("garbage"));
    cr_expect_eq(restore(here()), ERR_NOT_FOUND);
    cr_expect_eq(got.sessions, 1);
    session_restore(f.nodes[0].adapter, STR("/"), STR("short"), STR_NONE,
                    &(struct session_restore){.done = on_done});
    cr_assert(adapter_fixture_await(&f, &got.done, 2, 5000));
    cr_expect_eq(got.rc, ERR_NOT_FOUND);
    close_all();
}

/* Half of them are in the stream when it begins, half come while it reads: each once, in order. */
Test(stream_restore, has_neither_a_gap_nor_a_double_while_others_talk)
{
    char offset[64], text[32];
    unsigned seen, with_late = 0, with_missed = 0;
    struct sb want = {0};

    OPEN(2);
    say(0, "[\"before\"]");
    snprintf(offset, sizeof offset, "%s", here());
    for (int round = 0; round < 10; round++) {
        store("");
        got.casts.n = got.late_casts.n = 0;
        got.missed = got.late = 0;
        seen = f.nodes[0].casts;
        snprintf(offset, sizeof offset, "%s", here());
        for (int i = 0; i < 400; i++) {
            snprintf(text, sizeof text, "[%d]", i);
            cr_assert(adapter_keep(f.nodes[1].adapter,
                                   &(struct adapter_cast){.nsp = STR("/"), .array = str_z(text)}));
            if (i == 20 * round) begin(offset);
            if (i % 40 == 39) loop_turn(f.loop, false);
        }
        cr_assert(adapter_fixture_await(&f, &got.done, 1, 10000));
        cr_expect_eq(got.rc, OK);
        cr_expect_eq(got.missed + got.late, got.heard - seen, "all that on_cast had by then");
        sb_str(&got.casts, sb_view(&got.late_casts));
        for (unsigned i = 0; i < got.heard - seen; i++)
            sb_printf(&want, "[%u]", i);
        cr_expect(str_eq(sb_view(&got.casts), sb_view(&want)), "in order");
        want.n = 0;
        with_late += got.late != 0;
        with_missed += got.missed != 0;
        cr_assert(adapter_fixture_await(&f, &f.nodes[0].casts, seen + 400, 10000));
    }
    cr_log_info("%u of 10 rounds with late ones, %u with others", with_late, with_missed);
    sb_fini(&want);
    close_all();
}

Test(stream_restore, ends_with_the_adapter)
{
    OPEN(1);
    say(0, "[\"a\"]");
    store("");
    begin(here());
    adapter_fixture_leave(&f, 0);
    cr_expect_eq(got.done, 1);
    cr_expect_eq(got.rc, ERR_CLOSED);
    close_all();
}

Test(stream_restore, is_not_for_who_keeps_nothing)
{
    if (!adapter_fixture_open_with(&f, "redis-streams"))
        cr_skip_test("redis-server is not installed");
    adapter_fixture_join(&f, 0, "/");
    cr_assert(adapter_fixture_await_all(&f, 1));
    cr_expect_eq(restore("1-0"), ERR_UNAVAILABLE);
    cr_expect_eq(adapter_offset(f.nodes[0].adapter, STR("/")).n, 0);
    cr_expect_not(adapter_keep(f.nodes[0].adapter,
                               &(struct adapter_cast){.nsp = STR("/"), .array = STR("[1]")}));
    close_all();
}
