/* A cast from outside, against a real Redis: which channel, which bytes, and what is said when
 * nobody hears it or Redis is not there. */
#include "tests/unit/support/errand.inc"

#include <stdio.h>
#include "adapter/classic.h"
#include "adapter/redis/emit.h"
#include "adapter/sharded.h"

static void set_up(void)
{
    static char adapter[] = "redis", prefix[] = "socket.io", mode[] = "dynamic";

    conf = (struct conf){
        .adapter = adapter, .adapter_prefix = prefix, .adapter_subscription_mode = mode};
    errand_up();
}

TestSuite(redis_emit, .init = set_up, .fini = errand_down, .timeout = 60);

static int emit(const struct adapter_cast *c)
{
    char *why = NULL;
    int rc = redis_emit_once(loop, &conf, c, on_done, &got, &why);

    return errand_wait(rc, why);
}

/* What the fixture's subscription was handed: its last bulk string when the one before it is the
 * channel; STR_NONE otherwise. */
static struct str payload_of(const char *channel)
{
    struct str rest = sb_view(&redis.reply), payload;
    char head[80];
    const char *at;

    (void)snprintf(head, sizeof head, "$%zu\r\n%s\r\n$", strlen(channel), channel);
    at = strstr(rest.p, head);
    if (!at) return STR_NONE;
    payload = str_skip(rest, (size_t)(at - rest.p) + strlen(head));
    payload = str_skip(payload, str_find(payload, '\n') + 1);
    while (payload.n && (payload.p[payload.n - 1] == 0 || payload.p[payload.n - 1] == '\n'))
        payload.n--;
    payload.n--; /* the carriage return */
    return payload;
}

static void expect_same(const struct adapter_cast *got_cast, const struct adapter_cast *want)
{
    cr_expect(str_eq(got_cast->array, want->array), STR_FMT, STR_ARG(got_cast->array));
    cr_expect_eq(got_cast->rooms_count, want->rooms_count);
    cr_expect_eq(got_cast->except_count, want->except_count);
    cr_expect_eq(got_cast->flags, want->flags);
}

Test(redis_emit, goes_to_the_channel_of_its_rooms_as_the_emitter_does)
{
    const struct str a = STR("a"), rooms[] = {a, STR("b")}, except[] = {STR("c")};
    const struct {
        struct adapter_cast cast;
        const char *channel;
    } rows[] = {
        {{.nsp = STR("/"), .array = STR("[\"x\",1]")}, "socket.io#/#"},
        {{.nsp = STR("/"), .array = STR("[\"x\"]"), .rooms = &a, .rooms_count = 1},
         "socket.io#/#a#"},
        {{.nsp = STR("/n"), .array = STR("[\"x\"]"), .rooms = rooms, .rooms_count = 2},
         "socket.io#/n#"},
        {{.nsp = STR("/"),
          .array = STR("[\"x\",{\"y\":[null]}]"),
          .except = except,
          .except_count = 1,
          .flags = ADAPTER_VOLATILE},
         "socket.io#/#"},
    };
    static const struct str subscribe[] = {STR("PSUBSCRIBE"), STR("*")};

    NEEDS_REDIS();
    (void)redis_fixture_say(&redis, subscribe, 2);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct adapter_cast *want = &rows[i].cast;
        struct classic c = {0};

        cr_assert_eq(emit(want), OK, "row %zu: " STR_FMT, i, STR_ARG(sb_view(&got.why)));
        cr_expect_eq(got.count, 1);
        (void)redis_fixture_read(&redis);
        cr_assert_eq(classic_decode(payload_of(rows[i].channel), STR("abcdef"), want->nsp, &c), OK,
                     "row %zu: %s", i, redis.reply.p);
        cr_expect(str_eq(c.uid, STR("emitter")));
        expect_same(&c.cast, want);
        classic_fini(&c);
    }
}

Test(redis_emit, speaks_the_sharded_wire_on_the_channel_of_the_mode)
{
    const struct str a = STR("a"), id = STR("0123456789abcdefghij"), rooms[] = {a, id};
    const struct {
        const char *mode;
        const struct str *rooms;
        unsigned count;
        const char *channel;
    } rows[] = {
        {"dynamic", NULL, 0, "socket.io#/#"},
        {"dynamic", rooms, 2, "socket.io#/#"},
        {"dynamic", &a, 1, "socket.io#/#a#"},
        {"dynamic", &id, 1, "socket.io#/#"},
        {"dynamic-private", &a, 1, "socket.io#/#a#"},
        {"static", &a, 1, "socket.io#/#"},
        {"dynamic-private", &id, 1, "socket.io#/#0123456789abcdefghij#"},
    };
    static const struct str subscribe[] = {STR("SSUBSCRIBE"), STR("socket.io#/#"),
                                           STR("socket.io#/#a#"),
                                           STR("socket.io#/#0123456789abcdefghij#")};
    static char sharded[] = "redis-sharded";

    NEEDS_REDIS();
    conf.adapter = sharded;
    for (unsigned n = 1; n <= 3; n++) {
        const struct str argv[] = {subscribe[0], subscribe[n]};

        (void)redis_fixture_say(&redis, argv, 2);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct adapter_cast want = {.nsp = STR("/"),
                                          .array = STR("[\"x\",{\"y\":[null]}]"),
                                          .rooms = rows[i].rooms,
                                          .rooms_count = rows[i].count};
        struct sharded s = {0};
        char mode[16];

        (void)snprintf(mode, sizeof mode, "%s", rows[i].mode);
        conf.adapter_subscription_mode = mode;
        cr_assert_eq(emit(&want), OK, "row %zu: " STR_FMT, i, STR_ARG(sb_view(&got.why)));
        cr_expect_eq(got.count, 1, "row %zu", i);
        (void)redis_fixture_read(&redis);
        cr_assert_eq(sharded_decode(payload_of(rows[i].channel), STR("abcdef"), want.nsp, &s), OK,
                     "row %zu: %s", i, redis.reply.p);
        cr_expect(str_eq(s.data.wire.uid, STR("emitter")));
        expect_same(&s.data.wire.cast, &want);
        sharded_fini(&s);
    }
}

Test(redis_emit, adds_an_entry_to_the_stream_of_the_namespace)
{
    static const struct str room = STR("a"), subscribe[] = {STR("SUBSCRIBE"), STR("socket.io#/#")},
                            range[] = {STR("XRANGE"), STR("s-3"), STR("-"), STR("+")};
    const struct adapter_cast cast = {
        .nsp = STR("/"), .array = STR("[\"x\"]"), .rooms = &room, .rooms_count = 1};
    static char streams[] = "redis-streams", name[] = "s";
    struct str entries;

    NEEDS_REDIS();
    conf.adapter = streams;
    conf.adapter_stream_name = name;
    conf.adapter_stream_count = 4;
    conf.adapter_stream_maxlen = 1000;
    cr_expect_eq(emit(&cast), OK);
    cr_expect_eq(got.count, 0, "nobody holds the channel");
    entries = str_z(redis_fixture_say(&redis, range, 4));
    cr_expect(str_starts(entries, STR("*1\r\n")), "an entry all the same");
    cr_expect(str_contains(entries, STR("*8\r\n$3\r\nuid\r\n$7\r\nemitter\r\n$3\r\nnsp\r\n$1\r\n/"
                                        "\r\n$4\r\ntype\r\n$1\r\n3\r\n$4\r\ndata\r\n")));
    cr_expect(str_contains(entries, STR("{\"packet\":{\"type\":2,\"data\":[\"x\"]},\"opts\":{"
                                        "\"rooms\":[\"a\"],\"except\":[],\"flags\":{}}}")));
    (void)redis_fixture_say(&redis, subscribe, 2);
    cr_expect_eq(emit(&cast), OK);
    cr_expect_eq(got.count, 1);
}

Test(redis_emit, nobody_hears_it_and_that_is_said)
{
    const struct adapter_cast cast = {.nsp = STR("/"), .array = STR("[\"x\"]")};

    NEEDS_REDIS();
    cr_expect_eq(emit(&cast), OK);
    cr_expect_eq(got.count, 0);
}

Test(redis_emit, a_redis_that_is_away_ends_it_in_time)
{
    const struct adapter_cast cast = {.nsp = STR("/"), .array = STR("[\"x\"]")};
    char url[] = "unix:///nowhere/redis.sock";

    conf.redis_url = url;
    cr_expect_eq(emit(&cast), ERR_UNAVAILABLE);
    cr_expect(str_eq(sb_view(&got.why), STR("Redis cannot be reached")));
}

Test(redis_emit, what_redis_refuses_is_told_in_its_words)
{
    const struct adapter_cast cast = {.nsp = STR("/"), .array = STR("[\"x\"]")};
    static const struct str forbid[] = {STR("ACL"), STR("SETUSER"), STR("default"),
                                        STR("-publish")};

    NEEDS_REDIS();
    (void)redis_fixture_say(&redis, forbid, 4);
    cr_expect_eq(emit(&cast), ERR_FORBIDDEN);
    cr_expect(str_starts(sb_view(&got.why), STR("NOPERM")), STR_FMT, STR_ARG(sb_view(&got.why)));
}

Test(redis_emit, refuses_before_it_connects)
{
    static char other[] = "local", bad[] = "http://redis";
    const struct adapter_cast cast = {.nsp = STR("/"), .array = STR("[\"x\"]")},
                              broken = {.nsp = STR("/"), .array = STR("[\"x\"")};
    struct conf before = conf;
    char url[] = "unix:///nowhere/redis.sock";

    conf.redis_url = url;
    cr_expect_eq(emit(&broken), ERR_PROTO);
    conf.adapter = other;
    cr_expect_eq(emit(&cast), ERR_CONFIG);
    cr_expect(str_contains(sb_view(&got.why), STR("POST /emit")));
    conf = before;
    conf.redis_url = bad;
    cr_expect_eq(emit(&cast), ERR_CONFIG);
    cr_expect(got.why.n);
}
