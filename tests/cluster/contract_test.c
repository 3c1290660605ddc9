/* What every driver promises: one suite, run over the local bus and over a real Redis. */
#include <criterion/criterion.h>
#include <signal.h>
#include "base/clock.h"
#include "base/mem.h"
#include "tests/unit/support/adapter_fixture.h"
#include "tests/unit/support/hex.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

static struct adapter_fixture f;

#define SKIP_OR_OPEN(driver)                                                                       \
    if (!adapter_fixture_open_with(&f, driver)) cr_skip_test("redis-server is not installed")
#define OVER(suite, driver, name)                                                                  \
    Test(suite, name)                                                                              \
    {                                                                                              \
        SKIP_OR_OPEN(driver);                                                                      \
        name();                                                                                    \
        adapter_fixture_close(&f);                                                                 \
    }
#define CONTRACT(name)                                                                             \
    static void name(void);                                                                        \
    OVER(contract_local, "local", name)                                                            \
    OVER(contract_redis, "redis", name)                                                            \
    OVER(contract_sharded, "redis-sharded", name)                                                  \
    OVER(contract_redis_cluster, "redis cluster", name)                                            \
    OVER(contract_sharded_cluster, "redis-sharded cluster", name)                                  \
    OVER(contract_streams, "redis-streams", name)                                                  \
    static void name(void)

static const struct str room_a[] = {STR("a")}, rooms_ab[] = {STR("a"), STR("b")},
                        room_c[] = {STR("c")}, bytes[] = {STR("\x01\x00\x02"), STR("")};

/* Everybody has members in room a; connected is said when its channel, too, is subscribed. */
static void join(int count)
{
    for (int i = 0; i < count; i++) {
        adapter_fixture_join(&f, i, "/");
        adapter_room_open(f.nodes[i].adapter, STR("/"), STR("a"));
    }
    cr_assert(adapter_fixture_await_all(&f, count), "the nodes have found each other");
}

static void publish(int i, const char *array)
{
    adapter_publish(f.nodes[i].adapter,
                    &(struct adapter_cast){.nsp = STR("/"), .array = str_z(array)});
}

CONTRACT(casts_reach_all_others_exactly_once)
{
    static const struct {
        struct adapter_cast cast;
        const char *want;
    } rows[] = {
        {{.nsp = STR("/"), .array = STR("[\"x\",1.5,null,\"\xc3\xa9\",{\"k\":[true,-1]}]")},
         "cast / [\"x\",1.5,null,\"\xc3\xa9\",{\"k\":[true,-1]}] rooms= except= flags=0 att=;"},
        {{.nsp = STR("/"), .array = STR("[\"x\"]"), .rooms = room_a, .rooms_count = 1},
         "cast / [\"x\"] rooms=a except= flags=0 att=;"},
        {{.nsp = STR("/"),
          .array = STR("[\"x\"]"),
          .rooms = rooms_ab,
          .rooms_count = 2,
          .except = room_c,
          .except_count = 1,
          .flags = ADAPTER_VOLATILE},
         "cast / [\"x\"] rooms=a,b except=c flags=1 att=;"},
        {{.nsp = STR("/"),
          .array =
              STR("[\"x\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]"),
          .flags = ADAPTER_NO_COMPRESS,
          .attachments = bytes,
          .attachments_count = 2},
         "cast / [\"x\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}] "
         "rooms= except= flags=2 att=010002..;"},
    };

    join(3);
    for (size_t i = 0; i < ROWS(rows); i++) {
        adapter_publish(f.nodes[0].adapter, &rows[i].cast);
        cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, (unsigned)i + 1, 1000), "row %zu",
                  i);
        cr_expect(adapter_fixture_await(&f, &f.nodes[2].casts, (unsigned)i + 1, 1000), "row %zu",
                  i);
        cr_expect_str_eq(adapter_fixture_log(&f.nodes[1]), rows[i].want, "row %zu", i);
        cr_expect_str_eq(adapter_fixture_log(&f.nodes[2]), rows[i].want, "row %zu", i);
    }
    for (int i = 1; i < 3; i++)
        cr_assert(adapter_fixture_fence(&f, 0, i) && adapter_fixture_fence(&f, i, 0));
    cr_expect_eq(f.nodes[0].casts, 0);
    cr_expect_eq(f.nodes[1].casts, ROWS(rows));
    cr_expect_eq(metric_get(M_REDIS_GARBAGE), 0);
}

static unsigned servers;

static void on_servers(void *ctx, int rc, unsigned count)
{
    *(bool *)ctx = false;
    servers = rc == OK ? count : 0;
}

static bool is_axx_open(void) /* asks again and again */
{
    static bool is_asking;

    if (is_asking || servers) return servers > 0;
    is_asking = true;
    adapter_server_count(f.nodes[1].adapter, STR("/axx"), on_servers, &is_asking);
    return false;
}

CONTRACT(a_namespace_hears_only_its_own)
{
    join(2);
    adapter_nsp_open(f.nodes[0].adapter, STR("/admin"));
    adapter_nsp_open(f.nodes[0].adapter, STR("/a*[x]"));
    adapter_publish(f.nodes[0].adapter,
                    &(struct adapter_cast){.nsp = STR("/admin"), .array = STR("[\"no\"]")});
    publish(0, "[\"yes\"]");
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, 1, 1000));
    cr_expect_str_eq(adapter_fixture_log(&f.nodes[1]),
                     "cast / [\"yes\"] rooms= except= flags=0 att=;");
    adapter_nsp_open(f.nodes[1].adapter, STR("/a*[x]"));
    adapter_room_open(f.nodes[1].adapter, STR("/a*[x]"), STR("a"));
    adapter_nsp_open(f.nodes[1].adapter, STR("/axx")); /* behind the others */
    cr_assert(adapter_fixture_await_that(&f, is_axx_open));
    adapter_publish(f.nodes[0].adapter, &(struct adapter_cast){.nsp = STR("/a*[x]"),
                                                               .array = STR("[\"odd\"]"),
                                                               .rooms = room_a,
                                                               .rooms_count = 1});
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, 2, 1000));
    cr_expect_str_eq(adapter_fixture_log(&f.nodes[1]),
                     "cast /a*[x] [\"odd\"] rooms=a except= flags=0 att=;");
    cr_assert(adapter_fixture_fence(&f, 0, 1));
    cr_expect_eq(f.nodes[1].casts, 2);
}

/* Lines of the log that begin with a word; returned terminated, of the builder. */
static const char *lines_of(const char *log, struct str word, struct sb *out)
{
    struct str rest = str_z(log), line;

    out->n = 0;
    while (str_next(&rest, ';', &line))
        if (str_starts(line, word)) sb_printf(out, STR_FMT ";", STR_ARG(line));
    return to_z(out);
}

/* Casts in the order of casts, messages in that of messages; both in one order where they take one
 * connection: entries of a stream have their own, channels of a Redis Cluster their server's. */
static void expect_in_order(const char *log, const char *want)
{
    static const struct str words[] = {STR("cast"), STR("message")};
    struct sb a = {0}, b = {0};

    if (!f.is_cluster && !str_eq(str_z(f.conf.adapter), STR("redis-streams")))
        cr_expect_str_eq(log, want);
    for (size_t i = 0; i < ROWS(words); i++)
        cr_expect_str_eq(lines_of(log, words[i], &a), lines_of(want, words[i], &b));
    sb_fini(&a);
    sb_fini(&b);
}

CONTRACT(casts_and_messages_keep_their_order)
{
    struct sb want = {0}, text = {0};

    join(2);
    for (int i = 0; i < 300; i++) {
        text.n = 0;
        sb_printf(&text, "[\"x\",%d]", i);
        publish(0, to_z(&text));
        sb_printf(&want, "cast / [\"x\",%d] rooms= except= flags=0 att=;", i);
        text.n = 0;
        sb_i64(&text, i);
        adapter_send(f.nodes[0].adapter, STR("n001"), ADAPTER_PIPE, sb_view(&text),
                     adapter_fixture_sent, &f.nodes[0]);
        sb_printf(&want, "message n000 1 %d;", i);
    }
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].messages, 300, 2000));
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, 300, 2000));
    cr_expect(adapter_fixture_await(&f, &f.nodes[0].answers, 300, 2000));
    expect_in_order(adapter_fixture_log(&f.nodes[1]), to_z(&want));
    sb_fini(&want);
    sb_fini(&text);
}

CONTRACT(a_message_to_one_node_says_whether_it_was_taken)
{
    struct fixture_node *a = &f.nodes[0];
    struct sb large = {0};

    join(3);
    adapter_send(a->adapter, STR("n002"), ADAPTER_PIPE, STR("a\0b"), adapter_fixture_sent, a);
    cr_expect_eq(a->answers, 0, "nobody is called back from within his call");
    cr_expect(adapter_fixture_await(&f, &a->answers, 1, 1000));
    cr_expect_eq(a->last_rc, OK);
    cr_expect(adapter_fixture_await(&f, &f.nodes[2].messages, 1, 1000));
    cr_expect(str_eq(sb_view(&f.nodes[2].log), STR("message n000 1 a\0b;")));
    adapter_send(a->adapter, STR("none"), ADAPTER_PIPE, STR("x"), adapter_fixture_sent, a);
    cr_expect(adapter_fixture_await(&f, &a->answers, 2, 1000));
    cr_expect_eq(a->last_rc, ERR_NOT_FOUND);
    adapter_send(a->adapter, STR("toolong"), ADAPTER_PIPE, STR("x"), adapter_fixture_sent, a);
    cr_expect(adapter_fixture_await(&f, &a->answers, 3, 1000));
    cr_expect_eq(a->last_rc, ERR_NOT_FOUND);
    adapter_send(a->adapter, STR("n000"), ADAPTER_PIPE, STR("x"), adapter_fixture_sent, a);
    cr_expect(adapter_fixture_await(&f, &a->answers, 4, 1000));
    cr_expect_eq(a->last_rc, ERR_INTERNAL, "to oneself");
    for (int i = 0; i < 1000000; i++)
        sb_char(&large, (char)i);
    f.nodes[2].log.n = 0;
    adapter_send(a->adapter, STR("n002"), ADAPTER_PIPE, sb_view(&large), adapter_fixture_sent, a);
    adapter_send(a->adapter, STR("n002"), ADAPTER_PIPE, STR_NONE, NULL, NULL);
    cr_expect(adapter_fixture_await(&f, &f.nodes[2].messages, 3, 2000));
    cr_expect_str_eq(adapter_fixture_log(&f.nodes[2]),
                     "message n000 1 1000000 bytes;message n000 1 ;");
    cr_expect_eq(f.nodes[1].messages, 0);
    sb_fini(&large);
}

/* One server of a Redis Cluster may learn of its end a moment after another has brought us the BYE.
 */
static bool is_unheard(void)
{
    static bool is_asking;

    if (is_asking && !f.nodes[0].answers) return false;
    is_asking = !f.nodes[0].answers || f.nodes[0].last_rc != ERR_NOT_FOUND;
    f.nodes[0].answers = 0;
    if (is_asking)
        adapter_send(f.nodes[0].adapter, STR("n002"), ADAPTER_PIPE, STR("x"), adapter_fixture_sent,
                     &f.nodes[0]);
    return !is_asking;
}

CONTRACT(a_flush_is_answered_when_what_came_before_is_out)
{
    struct fixture_node *a = &f.nodes[0];

    join(2);
    adapter_publish(a->adapter, &(struct adapter_cast){.nsp = STR("/"), .array = STR("[\"x\"]")});
    adapter_flush(a->adapter, adapter_fixture_sent, a);
    cr_expect_eq(a->answers, 0, "nobody is called back from within his call");
    cr_expect(adapter_fixture_await(&f, &a->answers, 1, 1000));
    cr_expect_eq(a->last_rc, OK);
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, 1, 1000));
}

CONTRACT(a_node_that_says_bye_is_forgotten_at_once)
{
    f.conf.dead_ms = 3600000; /* nobody dies of being silent */
    join(3);
    cr_expect_eq(adapter_nodes(f.nodes[0].adapter), 3);
    cr_expect(adapter_is_alive(f.nodes[0].adapter, STR("n002")));
    cr_expect(adapter_is_alive(f.nodes[0].adapter, STR("n000")));
    cr_expect_not(adapter_is_alive(f.nodes[0].adapter, STR("none")));
    adapter_fixture_leave(&f, 2);
    cr_expect(adapter_fixture_await(&f, &f.nodes[0].downs, 1, 1000));
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].downs, 1, 1000));
    cr_expect_eq(adapter_nodes(f.nodes[0].adapter), 2);
    cr_expect_not(adapter_is_alive(f.nodes[0].adapter, STR("n002")));
    cr_expect(adapter_fixture_await_that(&f, is_unheard));
    adapter_fixture_join(&f, 2, "/");
    cr_expect(adapter_fixture_await(&f, &f.nodes[0].ups, 3, 1000),
              "and known again when it is back");
}

static void say_to_nodes(struct str bytes)
{
    struct str argv[] = {STR("SPUBLISH"), STR("ingoma:socket.io:nodes"), bytes};
    int owner;

    if (!f.is_cluster) {
        redis_fixture_publish(&f.redis, argv[1].p, bytes);
        return;
    }
    owner = redis_cluster_fixture_owner(&f.cluster, argv[1].p);
    redis_fixture_say(&f.cluster.servers[owner], argv, 3);
}

CONTRACT(a_silent_node_dies_and_a_beating_one_does_not)
{
    struct sb b = {0};

    join(2);
    if (f.bus) {
        adapter_fixture_join(&f, 2, "/");
        cr_assert(adapter_fixture_await(&f, &f.nodes[0].ups, 2, 1000));
        local_bus_cut(f.bus, STR("n000"), STR("n002"));
        local_bus_cut(f.bus, STR("n001"), STR("n002"));
    } else { /* one beat of a node that nobody ever hears again */
        say_to_nodes(hex(&b, "11 67686f73 0000000000000001 01 67"));
        cr_assert(adapter_fixture_await(&f, &f.nodes[0].ups, 2, 1000));
    }
    cr_expect_eq(adapter_nodes(f.nodes[0].adapter), 3);
    cr_expect(adapter_fixture_await(&f, &f.nodes[0].downs, 1, 1000));
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].downs, 1, 1000));
    adapter_fixture_run(&f, 500);
    cr_expect_eq(f.nodes[0].downs, 1);
    cr_expect_eq(adapter_nodes(f.nodes[0].adapter), 2);
    cr_expect(adapter_is_alive(f.nodes[0].adapter, STR("n001")));
    sb_fini(&b);
}

CONTRACT(what_carries_us_goes_away_and_comes_back)
{
    struct fixture_node *a = &f.nodes[0], *b = &f.nodes[1];
    f.conf.dead_ms = 3000; /* one may come back a back-off, a second at most, before the other */
    join(2);
    adapter_fixture_break(&f);
    cr_expect(adapter_fixture_await(&f, &a->disconnects, 1, 1000));
    cr_expect(adapter_fixture_await(&f, &b->disconnects, 1, 1000));
    cr_expect_not(adapter_is_connected(a->adapter));
    publish(0, "[\"lost\"]");
    adapter_send(a->adapter, STR("n001"), ADAPTER_PIPE, STR("x"), adapter_fixture_sent, a);
    cr_expect(adapter_fixture_await(&f, &a->answers, 1, 1000));
    cr_expect_eq(a->last_rc, ERR_UNAVAILABLE);
    a->last_rc = OK;
    adapter_flush(a->adapter, adapter_fixture_sent, a);
    cr_expect(adapter_fixture_await(&f, &a->answers, 2, 1000));
    cr_expect_eq(a->last_rc, ERR_UNAVAILABLE);
    a->answers = 1;
    adapter_fixture_run(&f, 3200); /* more than DEAD_MS */
    cr_expect_eq(a->disconnects, 1, "said once");
    cr_expect_eq(a->downs, 0, "nobody died of our deafness");
    adapter_fixture_mend(&f);
    cr_expect(adapter_fixture_await(&f, &a->connects, 2, 2000));
    cr_expect(adapter_fixture_await(&f, &b->connects, 2, 2000));
    publish(0, "[\"back\"]");
    cr_expect(adapter_fixture_await(&f, &b->casts, 1, 1000));
    cr_expect_str_eq(adapter_fixture_log(b), "cast / [\"back\"] rooms= except= flags=0 att=;");
    adapter_send(a->adapter, STR("n001"), ADAPTER_PIPE, STR("x"), adapter_fixture_sent, a);
    cr_expect(adapter_fixture_await(&f, &a->answers, 2, 1000));
    cr_expect_eq(a->last_rc, OK);
    adapter_fixture_run(&f, 400);
    cr_expect_eq(a->downs, 0);
    cr_expect_eq(a->connects, 2);
}

CONTRACT(closing_answers_what_is_open)
{
    struct adapter_script s = {.name = "one", .text = "return 1"};
    struct fixture_node *a = &f.nodes[0];

    join(2);
    adapter_send(a->adapter, STR("n001"), ADAPTER_PIPE, STR("x"), adapter_fixture_sent, a);
    adapter_send(a->adapter, STR("none"), ADAPTER_PIPE, STR("x"), adapter_fixture_sent, a);
    adapter_send(a->adapter, STR("n000"), ADAPTER_PIPE, STR("x"), adapter_fixture_sent, a);
    adapter_eval(a->adapter, &s, NULL, 0, NULL, 0, adapter_fixture_done, a);
    adapter_flush(a->adapter, adapter_fixture_sent, a);
    adapter_fixture_leave(&f, 0);
    cr_expect_eq(a->answers, 5);
    adapter_fixture_run(&f, 50);
    cr_expect_eq(a->answers, 5);
}

Test(contract_local, a_lost_and_a_doubled_message_are_seen_as_such)
{
    SKIP_OR_OPEN("local");
    join(2);
    local_bus_knobs(f.bus, &(struct local_bus_knobs){.drop_each = 1});
    publish(0, "[\"lost\"]");
    adapter_fixture_run(&f, 30);
    cr_expect_eq(f.nodes[1].casts, 0);
    local_bus_knobs(f.bus, &(struct local_bus_knobs){.duplicate_each = 1});
    publish(0, "[\"twice\"]");
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, 2, 500));
    adapter_fixture_close(&f);
}

Test(contract_local, a_node_alone_is_connected_and_has_no_scripts)
{
    struct adapter_script s = {.name = "one", .text = "return 1"};

    SKIP_OR_OPEN("local");
    local_bus_free(f.bus);
    f.bus = NULL; /* as the gateway opens it: by the option */
    adapter_fixture_join(&f, 0, "/");
    cr_expect(adapter_fixture_await(&f, &f.nodes[0].connects, 1, 500));
    adapter_eval(f.nodes[0].adapter, &s, NULL, 0, NULL, 0, adapter_fixture_done, &f.nodes[0]);
    cr_expect(adapter_fixture_await(&f, &f.nodes[0].answers, 1, 500));
    cr_expect_eq(f.nodes[0].last_rc, ERR_UNAVAILABLE);
    adapter_fixture_leave(&f, 0);
    f.bus = local_bus_new(f.loop);
    adapter_fixture_close(&f);
}

/* ---- Redis only ---- */

static unsigned sent;

static bool is_all_garbage_seen(void)
{
    return metric_get(M_REDIS_GARBAGE) >= sent;
}

Test(contract_redis, garbage_on_every_channel_is_counted_and_ignored)
{
    static const char *const casts[] = {"socket.io#/#", "socket.io#/#room#", "socket.io#/#x"};
    static const char *const others[] = {"socket.io-request#/#", "socket.io-response#/#",
                                         "ingoma:socket.io:nodes", "ingoma:socket.io:node:n000"};
    static const char *const garbage[] = {"",     "garbage",          "{",           "\x93",
                                          "\xc1", "\xff\xff\xff\xff", "\x13n000\x01"};

    SKIP_OR_OPEN("redis");
    join(1);
    for (size_t i = 0; i < ROWS(garbage); i++) {
        for (size_t j = 0; j < ROWS(casts); j++, sent++)
            redis_fixture_publish(&f.redis, casts[j], str_z(garbage[i]));
        for (size_t j = 0; j < ROWS(others); j++, sent++)
            redis_fixture_publish(&f.redis, others[j], str_z(garbage[i]));
    }
    /* not garbage: requests of peers, which nobody answers yet */
    redis_fixture_publish(&f.redis, "socket.io-request#/#",
                          STR("{\"uid\":\"JQvYcB\",\"requestId\":\"DNm71z\",\"type\":5,\"opts\":{"
                              "\"rooms\":[],\"except\":[]}}"));
    redis_fixture_publish(&f.redis, "socket.io-request#/#", STR("\x81\xa1k\x01"));
    redis_fixture_publish(&f.redis, casts[0], STR("garbage")), sent++; /* behind them */
    cr_expect(adapter_fixture_await_that(&f, is_all_garbage_seen));
    cr_expect_eq(metric_get(M_REDIS_GARBAGE), sent);
    cr_expect_eq(f.nodes[0].casts + f.nodes[0].messages, 0);
    cr_expect_eq(f.nodes[0].disconnects, 0);
    adapter_fixture_join(&f, 1, "/");
    cr_expect(adapter_fixture_await_all(&f, 2));
    publish(1, "[\"x\"]");
    cr_expect(adapter_fixture_await(&f, &f.nodes[0].casts, 1, 1000));
    adapter_fixture_close(&f);
}

Test(contract_redis, a_killed_connection_comes_back)
{
    const struct str rows[2][4] = {{STR("CLIENT"), STR("KILL"), STR("TYPE"), STR("pubsub")},
                                   {STR("CLIENT"), STR("KILL"), STR("TYPE"), STR("normal")}};
    unsigned casts = 0;

    SKIP_OR_OPEN("redis");
    join(2);
    for (unsigned i = 0; i < 4; i++) {
        redis_fixture_say(&f.redis, rows[i % 2], 4); /* spares the one that asks */
        cr_expect(adapter_fixture_await(&f, &f.nodes[0].disconnects, i + 1, 1000), "kill %u", i);
        cr_expect(adapter_fixture_await(&f, &f.nodes[0].connects, i + 2, 2000), "kill %u", i);
        cr_expect(adapter_fixture_await(&f, &f.nodes[1].connects, i + 2, 2000), "kill %u", i);
        publish(0, "[\"x\"]");
        cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, ++casts, 1000), "kill %u", i);
        publish(1, "[\"x\"]");
        cr_expect(adapter_fixture_await(&f, &f.nodes[0].casts, casts, 1000), "kill %u", i);
    }
    cr_expect_eq(f.nodes[0].downs, 0);
    cr_expect_eq(metric_get(M_REDIS_CONNECTED), 4);
    cr_expect_eq(metric_get(M_REDIS_RECONNECTS), 8);
    adapter_fixture_close(&f);
}

Test(contract_redis, a_redis_that_hangs_is_noticed_and_forgiven)
{
    SKIP_OR_OPEN("redis");
    f.conf.redis_timeout_ms = 1000;
    f.conf.dead_ms =
        4000; /* a hung Redis is noticed within 1.75 deadlines: before anybody is dead */
    join(2);
    kill(f.redis.pid, SIGSTOP);
    cr_expect(adapter_fixture_await(&f, &f.nodes[0].disconnects, 1, 1500),
              "the probe has a deadline");
    adapter_fixture_run(&f, 1500);
    kill(f.redis.pid, SIGCONT);
    cr_expect(adapter_fixture_await(&f, &f.nodes[0].connects, 2, 2000));
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].connects, 2, 2000));
    publish(0, "[\"x\"]");
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, 1, 1000));
    cr_expect_eq(f.nodes[0].downs, 0);
    adapter_fixture_close(&f);
}

Test(contract_redis, what_waits_for_a_hung_redis_is_bounded)
{
    struct sb text = {0};

    SKIP_OR_OPEN("redis");
    f.conf.redis_queue_bytes = 65536;
    join(1);
    kill(f.redis.pid, SIGSTOP);
    sb_z(&text, "[\"x\",\"");
    for (int i = 0; i < 10000; i++)
        sb_char(&text, 'x');
    sb_z(&text, "\"]");
    for (int i = 0; i < 20; i++)
        publish(0, to_z(&text));
    cr_expect_gt(metric_get(M_REDIS_DROPPED), 10);
    kill(f.redis.pid, SIGCONT);
    sb_fini(&text);
    adapter_fixture_close(&f);
}

Test(contract_redis, password_and_database_of_the_url_are_used)
{
    const struct str auth[] = {STR("AUTH"), STR("s3cret/")}, list[] = {STR("CLIENT"), STR("LIST")};
    struct sb url = {0};
    const char *reply;

    f.redis.has_tcp = true;
    f.redis.password = "s3cret/";
    SKIP_OR_OPEN("redis");
    mem_free(f.conf.redis_url);
    sb_printf(&url, "redis://:s3cret%%2f@localhost:%d/3", f.redis.port);
    f.conf.redis_url = str_dup(sb_view(&url));
    join(1);
    redis_fixture_say(&f.redis, auth, 2);
    reply = redis_fixture_say(&f.redis, list, 2);
    cr_expect(strstr(reply, "name=ingoma-n000-commands"));
    cr_expect(strstr(reply, "name=ingoma-n000-subscriber"));
    cr_expect(strstr(reply, "db=3"));
    mem_free(f.conf.redis_url);
    url.n = 0;
    sb_printf(&url, "redis://:wrong@127.0.0.1:%d/3", f.redis.port);
    f.conf.redis_url = str_dup(sb_view(&url));
    adapter_fixture_join(&f, 1, "/");
    adapter_fixture_run(&f, 300);
    cr_expect_eq(f.nodes[1].connects, 0);
    sb_fini(&url);
    adapter_fixture_close(&f);
}
