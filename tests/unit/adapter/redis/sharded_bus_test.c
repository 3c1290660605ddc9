/* The redis-sharded driver's wire, as a Node server of the same cluster sees it. Needs
 * redis-server 7. */
#include <criterion/criterion.h>
#include "base/mem.h"
#include "tests/unit/support/adapter_fixture.h"
#include "tests/unit/support/hex.h"

static struct adapter_fixture f;

#define SKIP_OR_OPEN()                                                                             \
    if (!adapter_fixture_open_with(&f, "redis-sharded"))                                           \
    cr_skip_test("redis-server is not installed")

static void set_mode(const char *mode)
{
    mem_free(f.conf.adapter_subscription_mode);
    f.conf.adapter_subscription_mode = str_dup(str_z(mode));
}

static void join(int count)
{
    for (int i = 0; i < count; i++)
        adapter_fixture_join(&f, i, "/");
    cr_assert(adapter_fixture_await_all(&f, count));
}

static void publish(int i, const char *room, const char *array)
{
    struct str name = str_z(room);

    adapter_publish(f.nodes[i].adapter, &(struct adapter_cast){.nsp = STR("/"),
                                                               .array = str_z(array),
                                                               .rooms = &name,
                                                               .rooms_count = room ? 1 : 0});
}

static void room(int i, const char *name, bool open)
{
    if (open)
        adapter_room_open(f.nodes[i].adapter, STR("/"), str_z(name));
    else
        adapter_room_close(f.nodes[i].adapter, STR("/"), str_z(name));
}

static const char *channels(void)
{
    const struct str argv[] = {STR("PUBSUB"), STR("SHARDCHANNELS")};

    return redis_fixture_say(&f.redis, argv, 2);
}

static bool is_heard(const char *channel)
{
    const struct str argv[] = {STR("PUBSUB"), STR("SHARDNUMSUB"), str_z(channel)};

    return str_contains(str_z(redis_fixture_say(&f.redis, argv, 3)), STR("\r\n:1\r\n"));
}

static bool are_two_left(void) /* the namespace's own */
{
    return str_starts(str_z(channels()), STR("*2\r\n"));
}

static void on_ready(void *ctx)
{
    ++*(unsigned *)ctx;
}

static unsigned ready;

static void await_room(int i, const char *name)
{
    ready = 0;
    room(i, name, true);
    adapter_room_ready(f.nodes[i].adapter, STR("/"), str_z(name), on_ready, &ready);
    cr_assert(adapter_fixture_await(&f, &ready, 1, 1000));
}

#define SID "Xk3jH9_aB-cDeFgHiJkL"

Test(redis_sharded_bus, uses_the_channels_that_the_peers_expect)
{
    static const struct {
        const char *mode, *room, *channel;
    } rows[] = {
        {"dynamic", NULL, "socket.io#/#"},
        {"dynamic", "r1", "socket.io#/#r1#"},
        {"dynamic", SID, "socket.io#/#"},
        {"static", "r1", "socket.io#/#"},
        {"dynamic-private", "r1", "socket.io#/#r1#"},
        {"dynamic-private", SID, "socket.io#/#" SID "#"},
    };
    struct str listen[] = {STR("SSUBSCRIBE"), STR_NONE};

    SKIP_OR_OPEN();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sb want = {0};

        set_mode(rows[i].mode);
        adapter_fixture_join(&f, 0, "/");
        cr_assert(adapter_fixture_await(&f, &f.nodes[0].connects, (unsigned)i + 1, 1000));
        listen[1] = str_z(rows[i].channel);
        redis_fixture_say(&f.redis, listen, 2);
        publish(0, rows[i].room, "[\"x\"]");
        loop_turn(f.loop, false);
        sb_printf(&want, "$%zu\r\n%s\r\n$", strlen(rows[i].channel), rows[i].channel);
        redis_fixture_read_until(&f.redis, "\"opts\"");
        cr_expect(str_contains(sb_view(&f.redis.reply), sb_view(&want)), "row %zu", i);
        cr_expect(str_contains(sb_view(&f.redis.reply),
                               STR("{\"type\":3,\"data\":{\"packet\":{\"type\":2,\"data\":[\"x\"]}"
                                   ",\"opts\":{\"rooms\":[")));
        listen[0] = STR("SUNSUBSCRIBE");
        redis_fixture_say(&f.redis, listen, 2);
        listen[0] = STR("SSUBSCRIBE");
        adapter_fixture_leave(&f, 0);
        sb_fini(&want);
    }
    adapter_fixture_close(&f);
}

Test(redis_sharded_bus, subscribes_to_what_its_mode_says)
{
    static const struct {
        const char *mode, *count; /* besides the namespace's two */
    } rows[] = {{"static", "*2\r\n"}, {"dynamic", "*3\r\n"}, {"dynamic-private", "*4\r\n"}};

    SKIP_OR_OPEN();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        set_mode(rows[i].mode);
        adapter_fixture_join(&f, 0, "/");
        room(0, "r1", true);
        room(0, SID, true);
        cr_assert(adapter_fixture_await(&f, &f.nodes[0].connects, (unsigned)i + 1, 1000));
        cr_expect(str_starts(str_z(channels()), str_z(rows[i].count)), "%s", channels());
        room(0, "r1", false);
        room(0, SID, false);
        cr_expect(adapter_fixture_await_that(&f, are_two_left), "%s", channels());
        adapter_fixture_leave(&f, 0);
    }
    adapter_fixture_close(&f);
}

Test(redis_sharded_bus, refuses_a_mode_that_nobody_has)
{
    static const struct adapter_handler none;
    struct adapter *a = NULL;
    char *why = NULL;

    SKIP_OR_OPEN();
    set_mode("often");
    cr_expect_eq(adapter_open(f.loop, &f.conf, STR("n000"), &none, NULL, &a, &why), ERR_CONFIG);
    cr_expect_str_eq(why, "ADAPTER_SUBSCRIPTION_MODE must be static, dynamic or dynamic-private");
    mem_free(why);
    adapter_fixture_close(&f);
}

static bool is_r1_left(void)
{
    return !is_heard("socket.io#/#r1#");
}

Test(redis_sharded_bus, a_node_hears_only_rooms_it_has_members_in)
{
    int64_t received;

    SKIP_OR_OPEN();
    f.conf.beat_ms = 60000; /* no beats among what is counted */
    f.conf.dead_ms = 180000;
    join(2);
    for (int i = 0; i < 2; i++) /* and all that they answered each other */
        cr_assert(adapter_fixture_fence(&f, i, 1 - i));
    received = metric_get(M_REDIS_RECEIVED);
    for (int i = 0; i < 100; i++)
        publish(0, "r1", "[\"x\"]");
    cr_assert(adapter_fixture_fence(&f, 0, 1));
    cr_expect_eq(metric_get(M_REDIS_RECEIVED), ++received, "nobody is in it");
    await_room(1, "r1");
    publish(0, "r1", "[\"x\"]");
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, 1, 1000));
    cr_expect_eq(metric_get(M_REDIS_RECEIVED), ++received, "one node is");
    room(1, "r1", false);
    cr_expect(adapter_fixture_await_that(&f, is_r1_left));
    publish(0, "r1", "[\"x\"]");
    cr_assert(adapter_fixture_fence(&f, 0, 1));
    cr_expect_eq(metric_get(M_REDIS_RECEIVED), ++received, "and no longer");
    adapter_fixture_close(&f);
}

Test(redis_sharded_bus, a_message_right_after_ready_arrives)
{
    char name[] = "r00";

    SKIP_OR_OPEN();
    join(2);
    for (unsigned i = 0; i < 50; i++) {
        name[1] = (char)('0' + i / 10);
        name[2] = (char)('0' + i % 10);
        await_room(1, name);
        publish(0, name, "[\"x\"]");
        cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, i + 1, 1000), "%s", name);
    }
    adapter_fixture_close(&f);
}

Test(redis_sharded_bus, nothing_is_left_of_a_thousand_rooms)
{
    struct sb name = {0};

    SKIP_OR_OPEN();
    join(1);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < 1000; i++) {
            name.n = 0;
            sb_printf(&name, "room-%d", i);
            room(0, to_z(&name), pass == 0);
        }
        ready = 0;
        adapter_room_ready(f.nodes[0].adapter, STR("/"), STR("room-999"), on_ready, &ready);
        cr_expect(adapter_fixture_await(&f, &ready, 1, 2000));
        if (pass) cr_expect(adapter_fixture_await_that(&f, are_two_left), "%s", channels());
        cr_expect_eq(is_heard("socket.io#/#room-0#"), pass == 0);
        cr_expect_eq(is_heard("socket.io#/#room-999#"), pass == 0);
    }
    cr_expect_eq(f.nodes[0].disconnects, 0);
    sb_fini(&name);
    adapter_fixture_close(&f);
}

Test(redis_sharded_bus, rooms_are_heard_again_after_a_cut_and_a_restart)
{
    const struct str kill[] = {STR("CLIENT"), STR("KILL"), STR("TYPE"), STR("pubsub")};

    SKIP_OR_OPEN();
    join(2);
    await_room(1, "r1");
    redis_fixture_say(&f.redis, kill, 4);
    cr_expect(adapter_fixture_await(&f, &f.nodes[0].connects, 2, 2000));
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].connects, 2, 2000));
    publish(0, "r1", "[\"x\"]");
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, 1, 1000), "CLIENT KILL");
    redis_fixture_kill(&f.redis);
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].disconnects, 2, 1000));
    room(1, "r2", true); /* while Redis is away */
    ready = 0;
    adapter_room_ready(f.nodes[1].adapter, STR("/"), STR("r2"), on_ready, &ready);
    /* The subscriber may learn of the death a moment after the link of the commands. */
    cr_expect(adapter_fixture_await(&f, &ready, 1, 1000), "nobody waits for what may never come");
    room(1, "r3", true);
    room(1, "r3", false);
    redis_fixture_start(&f.redis);
    cr_expect(adapter_fixture_await(&f, &f.nodes[0].connects, 3, 2000));
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].connects, 3, 2000));
    publish(0, "r1", "[\"x\"]");
    publish(0, "r2", "[\"x\"]");
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, 3, 1000), "restart");
    cr_expect(str_starts(str_z(channels()), STR("*5\r\n")), "%s", channels());
    adapter_fixture_close(&f);
}

Test(redis_sharded_bus, casts_of_a_room_keep_their_order)
{
    struct sb want = {0}, text = {0};

    SKIP_OR_OPEN();
    join(2);
    await_room(1, "r1");
    for (int i = 0; i < 300; i++) {
        const struct str bytes = STR("\x01"), name = STR("r1");

        text.n = 0;
        sb_printf(&text, "[\"x\",%d,{\"_placeholder\":true,\"num\":0}]", i);
        if (i % 2 == 0) text.n = 0;
        if (i % 2 == 0) sb_printf(&text, "[\"x\",%d]", i);
        adapter_publish(f.nodes[0].adapter,
                        &(struct adapter_cast){.nsp = STR("/"),
                                               .array = sb_view(&text),
                                               .rooms = &name,
                                               .rooms_count = 1,
                                               .attachments = &bytes,
                                               .attachments_count = i % 2 ? 1 : 0});
        sb_printf(&want, "cast / " STR_FMT " rooms=r1 except= flags=0 att=%s;",
                  STR_ARG(sb_view(&text)), i % 2 ? "01." : "");
    }
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, 300, 2000));
    cr_expect_str_eq(adapter_fixture_log(&f.nodes[1]), to_z(&want));
    sb_fini(&want);
    sb_fini(&text);
    adapter_fixture_close(&f);
}

/* Whoever joins on another node's order subscribes after he has read it. */
Test(redis_sharded_bus, casts_right_behind_a_remote_join_are_not_lost)
{
    static const struct str rooms[] = {STR("r1"), STR("r2")};
    struct adapter_target all = {.nsp = STR("/")};

    SKIP_OR_OPEN();
    join(2);
    publish(0, "r2", "[\"before\"]");
    adapter_join(f.nodes[0].adapter, &all, rooms, 2);
    publish(0, "r2", "[\"behind\"]");
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, 1, 1000));
    cr_expect_str_eq(adapter_fixture_log(&f.nodes[1]),
                     "join / rooms= except= more=r1,r2;cast / [\"behind\"] rooms=r2 except= "
                     "flags=0 att=;");
    adapter_fixture_run(&f, 1050);
    publish(0, "r2", "[\"later\"]"); /* its own channel again, which node 1 did not open */
    cr_assert(adapter_fixture_fence(&f, 0, 1));
    cr_expect_eq(f.nodes[1].casts, 1);
    adapter_fixture_close(&f);
}

static unsigned counts, last_count;

static void on_count(void *ctx, int rc, unsigned count)
{
    (void)ctx;
    counts++;
    last_count = rc == OK ? count : 99;
}

static bool is_admin_heard(void)
{
    return is_heard("socket.io#/admin#");
}

Test(redis_sharded_bus, counts_the_servers_of_a_namespace)
{
    SKIP_OR_OPEN();
    join(3);
    adapter_nsp_open(f.nodes[1].adapter, STR("/admin"));
    cr_assert(adapter_fixture_await_that(&f, is_admin_heard));
    adapter_server_count(f.nodes[0].adapter, STR("/"), on_count, NULL);
    cr_expect(adapter_fixture_await(&f, &counts, 1, 1000));
    cr_expect_eq(last_count, 3);
    adapter_server_count(f.nodes[1].adapter, STR("/admin"), on_count, NULL);
    cr_expect(adapter_fixture_await(&f, &counts, 2, 1000));
    cr_expect_eq(last_count, 1);
    adapter_fixture_close(&f);
}

static unsigned sent;

static bool is_all_garbage_seen(void)
{
    return metric_get(M_REDIS_GARBAGE) >= sent;
}

Test(redis_sharded_bus, garbage_on_every_channel_is_counted_and_ignored)
{
    static const char *const targets[] = {"socket.io#/#", "socket.io#/#r1#"};
    static const char *const garbage[] = {"",
                                          "garbage",
                                          "{",
                                          "\x93",
                                          "\xc1",
                                          "null",
                                          "{\"type\":3,\"uid\":\"u\",\"nsp\":"
                                          "\"/\"}"};

    SKIP_OR_OPEN();
    join(1);
    await_room(0, "r1");
    redis_fixture_publish(&f.redis, "socket.io#/#", STR("not a shard channel"));
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++)
        for (size_t j = 0; j < 2; j++, sent++) {
            struct str argv[] = {STR("SPUBLISH"), str_z(targets[j]), str_z(garbage[i])};

            redis_fixture_say(&f.redis, argv, 3);
        }
    cr_expect(adapter_fixture_await_that(&f, is_all_garbage_seen));
    cr_expect_eq(metric_get(M_REDIS_GARBAGE), sent);
    cr_expect_eq(f.nodes[0].casts, 0);
    cr_expect_eq(f.nodes[0].disconnects, 0);
    adapter_fixture_close(&f);
}
