/* The redis-streams driver's wire, as a Node server of the same cluster sees it. Needs
 * redis-server 7. */
#include <criterion/criterion.h>
#include "adapter/sharded.h"
#include "base/clock.h"
#include "base/mem.h"
#include "tests/unit/support/adapter_fixture.h"
#include "tests/unit/support/hex.h"

#define PATIENCE_MS 5000
#define NO_OPTS "\"opts\":{\"rooms\":[],\"except\":[],\"flags\":{}}"
#define SAY(...)                                                                                   \
    redis_fixture_say(&f.redis, (const struct str[]){__VA_ARGS__},                                 \
                      sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str))

static struct adapter_fixture f;

#define SKIP_OR_OPEN()                                                                             \
    if (!adapter_fixture_open_with(&f, "redis-streams"))                                           \
    cr_skip_test("redis-server is not installed")

static void join(int count)
{
    for (int i = 0; i < count; i++)
        adapter_fixture_join(&f, i, "/");
    cr_assert(adapter_fixture_await_all(&f, count));
}

static bool await(const unsigned *number, unsigned want)
{
    return adapter_fixture_await(&f, number, want, PATIENCE_MS);
}

static bool await_metric(enum metric m, int64_t want)
{
    uint64_t end = clock_us() + PATIENCE_MS * 1000;

    while (metric_get(m) < want && clock_us() < end)
        loop_turn(f.loop, true);
    return metric_get(m) >= want;
}

static void publish(int i, const char *nsp, const char *array)
{
    adapter_publish(f.nodes[i].adapter,
                    &(struct adapter_cast){.nsp = str_z(nsp), .array = str_z(array)});
}

static void add(const char *stream, const char *uid, const char *nsp, const char *type,
                const char *data)
{
    SAY(STR("XADD"), str_z(stream), STR("*"), STR("uid"), str_z(uid), STR("nsp"), str_z(nsp),
        STR("type"), str_z(type), STR("data"), str_z(data));
}

#define CAST(event) "{\"packet\":{\"type\":2,\"data\":[\"" event "\"]}," NO_OPTS "}"

static const char *bulk(const char *text, struct sb *out) /* as RESP has it */
{
    out->n = 0;
    sb_printf(out, "$%zu\r\n%s\r\n", strlen(text), text);
    return to_z(out);
}

Test(redis_streams_bus, writes_the_entries_that_the_peers_expect)
{
    static const struct str room[] = {STR("room1")}, more[] = {STR("r2"), STR("r3")},
                            bytes[] = {STR("\x01\x02\x03\x04")};
    struct adapter_target all = {.nsp = STR("/")};
    static const char *const wanted[] = {
        "{\"packet\":{\"type\":2,\"data\":[\"x\"]}," NO_OPTS "}",
        "gqZwYWNrZXSCpHR5cGUCpGRhdGGTo2JpbsQEAQIDBMCkb3B0c4Olcm9vbXORpXJvb20xpmV4Y2VwdJClZmxhZ3OA",
        "{" NO_OPTS ",\"rooms\":[\"r2\",\"r3\"]}",
        "{" NO_OPTS ",\"rooms\":[\"r2\"]}",
        "{" NO_OPTS ",\"close\":false}",
    };
    static const char *const types[] = {"3", "3", "4", "5", "6"};
    struct sb text = {0};
    struct str got;

    SKIP_OR_OPEN();
    join(2);
    publish(0, "/", "[\"x\"]");
    adapter_publish(
        f.nodes[0].adapter,
        &(struct adapter_cast){.nsp = STR("/"),
                               .array = STR("[\"bin\",{\"_placeholder\":true,\"num\":0},null]"),
                               .rooms = room,
                               .rooms_count = 1,
                               .attachments = bytes,
                               .attachments_count = 1});
    adapter_join(f.nodes[0].adapter, &all, more, 2);
    adapter_leave(f.nodes[0].adapter, &all, more, 1);
    adapter_disconnect(f.nodes[0].adapter, &all, false);
    cr_assert(await(&f.nodes[1].requests, 3));
    cr_expect_eq(f.nodes[1].casts, 2);
    cr_expect_eq(f.nodes[0].casts + f.nodes[0].requests, 0, "nobody hears himself");
    got = str_z(SAY(STR("XRANGE"), STR("socket.io"), STR("-"), STR("+")));
    cr_expect(str_starts(got, STR("*5\r\n")));
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        struct sb want = {0};

        sb_z(&want, "*8\r\n$3\r\nuid\r\n$16\r\n");
        cr_expect(str_contains(got, sb_view(&want)));
        want.n = 0;
        sb_printf(&want, "$3\r\nnsp\r\n$1\r\n/\r\n$4\r\ntype\r\n$1\r\n%s\r\n$4\r\ndata\r\n%s",
                  types[i], bulk(wanted[i], &text));
        cr_expect(str_contains(got, sb_view(&want)), "row %zu: %s", i, got.p);
        sb_fini(&want);
    }
    sb_fini(&text);
    adapter_fixture_close(&f);
}

Test(redis_streams_bus, keeps_about_as_many_entries_as_it_is_told)
{
    struct str reply;

    SKIP_OR_OPEN();
    f.conf.adapter_stream_maxlen = 100;
    join(2);
    for (unsigned i = 1; i <= 1000; i++) {
        publish(0, "/", "[\"x\"]");
        if (i % 50 == 0) cr_assert(await(&f.nodes[1].casts, i));
    }
    reply = str_z(SAY(STR("XLEN"), STR("socket.io"))); /* Redis trims whole nodes of 100 entries */
    cr_expect(reply.n == 6, "%s", reply.p);
    cr_expect_eq(metric_get(M_REDIS_STREAM_MISSED), 0);
    adapter_fixture_close(&f);
}

Test(redis_streams_bus, who_falls_behind_the_trim_knows_how_many_it_missed)
{
    SKIP_OR_OPEN();
    f.conf.adapter_stream_maxlen = 100;
    join(2);
    for (unsigned i = 0; i < 3000; i++) /* more than is kept, before anybody reads */
        publish(0, "/", "[\"x\"]");
    adapter_server_emit(f.nodes[0].adapter, STR("/"), STR("[\"end\"]"), NULL);
    cr_assert(await(&f.nodes[1].requests, 1), "behind all that is left");
    cr_expect_lt(f.nodes[1].casts, 3000);
    cr_expect_geq(f.nodes[1].casts, 100);
    /* node 0 read as badly as node 1, on the same metric */
    cr_expect(await_metric(M_REDIS_STREAM_MISSED, 1));
    adapter_fixture_close(&f);
}

Test(redis_streams_bus, publishes_questions_and_answers_as_messagepack)
{
    static struct sharded s;
    struct str got, head = STR("socket.io#/#\r\n$");
    size_t at;

    SKIP_OR_OPEN();
    join(2);
    SAY(STR("SUBSCRIBE"), STR("socket.io#/#"));
    adapter_server_emit(f.nodes[0].adapter, STR("/"), STR("[\"e\",1]"), NULL);
    cr_assert(await(&f.nodes[1].requests, 1));
    redis_fixture_read(&f.redis);
    got = sb_view(&f.redis.reply);
    for (at = 0; at + head.n < got.n && !str_starts(str_skip(got, at), head); at++)
        ;
    got = str_skip(got, at + head.n);
    got = str_skip(got, str_find(got, '\n') + 1);
    cr_assert(got.n > 2);
    while (got.n && (got.p[got.n - 1] == 0 || got.p[got.n - 1] == '\n'))
        got.n--;
    got.n--;
    cr_expect_eq((unsigned char)got.p[0], 0x84, "a map of four");
    cr_assert_eq(sharded_decode(got, STR("own"), STR("/"), &s), OK);
    cr_expect_eq(s.data.wire.type, WIRE_EMIT);
    cr_expect(str_eq(s.data.wire.json, STR("[\"e\",1]")));
    sharded_fini(&s);
    adapter_fixture_close(&f);
}

/* Each has its own connection: without the gate the questions would overtake (reference 10.17). */
Test(redis_streams_bus, a_question_comes_behind_what_was_said_before_it)
{
    struct sb want = {0};

    SKIP_OR_OPEN();
    join(2);
    for (unsigned round = 0; round < 20; round++) {
        want.n = 0;
        for (unsigned i = 0; i < 20; i++) {
            publish(0, "/", "[\"x\"]");
            sb_z(&want, "cast / [\"x\"] rooms= except= flags=0 att=;");
        }
        adapter_server_emit(f.nodes[0].adapter, STR("/"), STR("[\"e\"]"), NULL);
        sb_z(&want, "emit / [\"e\"];");
        cr_assert(await(&f.nodes[1].requests, round + 1));
        cr_expect_str_eq(adapter_fixture_log(&f.nodes[1]), to_z(&want));
    }
    sb_fini(&want);
    adapter_fixture_close(&f);
}

/* `/notifications` hashes below zero: Node writes to a stream that no server of Node reads. */
Test(redis_streams_bus, many_streams_are_those_that_node_writes_to)
{
    static const struct {
        const char *nsp, *stream;
    } rows[] = {{"/", "socket.io-3"},
                {"/admin", "socket.io-0"},
                {"/chat", "socket.io-3"},
                {"/notifications", "socket.io--3"}};
    unsigned casts = 0;

    SKIP_OR_OPEN();
    f.conf.adapter_stream_count = 4;
    for (int i = 0; i < 2; i++) {
        adapter_fixture_join(&f, i, NULL);
        for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
            adapter_nsp_open(f.nodes[i].adapter, str_z(rows[r].nsp));
    }
    cr_assert(adapter_fixture_await_all(&f, 2));
    cr_expect_eq(metric_get(M_REDIS_CONNECTED), 2 * (2 + 3), "a reader for each stream in use");
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        publish(0, rows[r].nsp, "[\"x\"]");
        cr_expect(await(&f.nodes[1].casts, ++casts), "row %zu", r);
        add(rows[r].stream, "90ef7bc304ad2191", rows[r].nsp, "3", CAST("y"));
        cr_expect(await(&f.nodes[1].casts, ++casts), "row %zu", r);
    }
    adapter_fixture_close(&f);
}

Test(redis_streams_bus, hears_emitters_and_takes_none_for_a_server)
{
    SKIP_OR_OPEN();
    join(1);
    add("socket.io", "emitter", "/", "3", CAST("hello"));
    add("socket.io", "emitter", "/", "4", "{" NO_OPTS ",\"rooms\":[\"a\"]}");
    add("socket.io", "emitter", "/", "9", "{\"packet\":[\"e\",1]}");
    add("socket.io", "893b8a7be6a8eeda", "/", "1", ""); /* the beat of a 0.2 server */
    cr_assert(await(&f.nodes[0].requests, 2));
    cr_expect_str_eq(adapter_fixture_log(&f.nodes[0]),
                     "cast / [\"hello\"] rooms= except= flags=0 att=;"
                     "join / rooms= except= more=a;emit / [\"e\",1];");
    cr_expect_eq(adapter_nodes(f.nodes[0].adapter), 1);
    cr_expect_eq(metric_get(M_REDIS_GARBAGE), 0);
    adapter_fixture_close(&f);
}

Test(redis_streams_bus, garbage_in_the_stream_and_on_channels_is_counted_and_ignored)
{
    static const char *const garbage[] = {"garbage", "{", "gMA=", "[]"};
    static const char *const payloads[] = {"", "garbage", "{", "\x93", "\xc1", "null"};
    unsigned sent = 0;

    SKIP_OR_OPEN();
    join(1);
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++, sent++)
        add("socket.io", "u", "/", "3", garbage[i]);
    add("socket.io", "u", "/", "no number", "{}");
    SAY(STR("XADD"), STR("socket.io"), STR("*"), STR("of"), STR("another program"));
    SAY(STR("XADD"), STR("socket.io"), STR("*"), STR("nsp"), STR("/"));
    sent += 3;
    add("socket.io", "u", "/elsewhere", "3", "not for us");
    add("socket.io", "u", "/", "77", "{}");
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++, sent++)
        redis_fixture_publish(&f.redis, "socket.io#/#", str_z(payloads[i]));
    add("socket.io", "u", "/", "3", CAST("whole"));
    cr_assert(await(&f.nodes[0].casts, 1));
    cr_assert(await_metric(M_REDIS_GARBAGE, sent));
    adapter_fixture_run(&f, 20);
    cr_expect_eq(metric_get(M_REDIS_GARBAGE), sent);
    cr_expect_eq(f.nodes[0].casts, 1);
    cr_expect_eq(f.nodes[0].disconnects, 0);
    adapter_fixture_close(&f);
}

Test(redis_streams_bus, is_connected_when_the_stream_can_be_read)
{
    SKIP_OR_OPEN();
    SAY(STR("ACL"), STR("SETUSER"), STR("default"), STR("resetkeys"));
    adapter_fixture_join(&f, 0, "/");
    adapter_fixture_run(&f, 300);
    cr_expect_eq(f.nodes[0].connects, 0);
    SAY(STR("ACL"), STR("SETUSER"), STR("default"), STR("allkeys"));
    cr_expect(await(&f.nodes[0].connects, 1));
    adapter_fixture_close(&f);
}

Test(redis_streams_bus, a_stream_that_joins_late_does_not_disconnect_the_node)
{
    SKIP_OR_OPEN();
    f.conf.adapter_stream_count = 4;
    join(2);
    SAY(STR("SET"), STR("socket.io-2"), STR("no stream"));
    adapter_nsp_open(f.nodes[1].adapter, STR("/a")); /* of that name, and never read */
    adapter_fixture_run(&f, 100);
    publish(0, "/", "[\"x\"]");
    cr_expect(await(&f.nodes[1].casts, 1));
    adapter_fixture_run(&f, 20);
    cr_expect_eq(f.nodes[1].disconnects, 0);
    adapter_fixture_close(&f);
}

/* What the publications of the other drivers cannot do. */
Test(redis_streams_bus, what_was_said_while_a_node_was_away_is_read_when_it_is_back)
{
    SKIP_OR_OPEN();
    join(2);
    SAY(STR("MULTI"));
    SAY(STR("CLIENT"), STR("KILL"), STR("TYPE"), STR("normal"), STR("SKIPME"), STR("yes"));
    add("socket.io", "90ef7bc304ad2191", "/", "3", CAST("in between"));
    SAY(STR("EXEC"));
    cr_assert(await(&f.nodes[0].disconnects, 1));
    cr_assert(await(&f.nodes[0].connects, 2));
    for (int i = 0; i < 2; i++) {
        cr_expect(await(&f.nodes[i].casts, 1));
        cr_expect_str_eq(adapter_fixture_log(&f.nodes[i]),
                         "cast / [\"in between\"] rooms= except= flags=0 att=;");
    }
    adapter_fixture_close(&f);
}

Test(redis_streams_bus, goes_on_after_a_restart_without_data)
{
    SKIP_OR_OPEN();
    join(2);
    publish(0, "/", "[\"before\"]");
    cr_assert(await(&f.nodes[1].casts, 1));
    redis_fixture_kill(&f.redis);
    cr_assert(await(&f.nodes[0].disconnects, 1));
    cr_assert(await(&f.nodes[1].disconnects, 1));
    redis_fixture_start(&f.redis);
    cr_assert(await(&f.nodes[0].connects, 2));
    cr_assert(await(&f.nodes[1].connects, 2));
    publish(0, "/", "[\"after\"]");
    cr_expect(await(&f.nodes[1].casts, 2));
    cr_expect_eq(metric_get(M_REDIS_STREAM_MISSED), 0);
    adapter_fixture_close(&f);
}

static unsigned counts, last_count;

static void on_count(void *ctx, int rc, unsigned count)
{
    (void)ctx;
    counts++;
    last_count = rc == OK ? count : 99;
}

Test(redis_streams_bus, counts_the_servers_of_a_namespace)
{
    SKIP_OR_OPEN();
    join(3);
    adapter_server_count(f.nodes[0].adapter, STR("/"), on_count, NULL);
    cr_expect(await(&counts, 1));
    cr_expect_eq(last_count, 3);
    adapter_fixture_close(&f);
}

Test(redis_streams_bus, with_recovery_gives_back_its_own_in_the_order_of_all)
{
    struct adapter_cast say = {.nsp = STR("/"), .array = STR("[\"x\"]")};

    SKIP_OR_OPEN();
    f.conf.recovery_ms = 60000;
    join(2);
    cr_expect(adapter_keep(f.nodes[0].adapter, &say));
    cr_assert(await(&f.nodes[0].casts, 1));
    cr_assert(await(&f.nodes[1].casts, 1));
    say.flags = ADAPTER_VOLATILE; /* those were delivered at once */
    adapter_publish(f.nodes[0].adapter, &say);
    adapter_disconnect(f.nodes[0].adapter, &(struct adapter_target){.nsp = STR("/")}, false);
    cr_assert(await(&f.nodes[1].requests, 1));
    say.flags = 0;
    cr_expect(adapter_keep(f.nodes[0].adapter, &say));
    cr_assert(await(&f.nodes[0].casts, 2));
    cr_assert(await(&f.nodes[1].casts, 3));
    cr_expect_eq(f.nodes[0].casts, 2);
    cr_expect_eq(f.nodes[0].requests, 0);
    cr_expect(str_contains(adapter_offset(f.nodes[0].adapter, STR("/")), STR("-")));
    cr_expect_eq(adapter_offset(f.nodes[0].adapter, STR("/other")).n, 0);
    say.nsp = STR("/other"); /* not open */
    cr_expect_not(adapter_keep(f.nodes[0].adapter, &say));
    adapter_fixture_break(&f);
    cr_assert(await(&f.nodes[0].disconnects, 1));
    say.nsp = STR("/");
    cr_expect_not(adapter_keep(f.nodes[0].adapter, &say), "deliver it yourself");
    adapter_fixture_mend(&f);
    adapter_fixture_close(&f);
}
