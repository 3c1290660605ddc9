/* The redis driver's wire, as a Node server of the same cluster sees it. Needs redis-server. */
#include <criterion/criterion.h>
#include "tests/unit/support/adapter_fixture.h"
#include "tests/unit/support/hex.h"

static struct adapter_fixture f;

#define SKIP_OR_OPEN()                                                                             \
    if (!adapter_fixture_open(&f, true)) cr_skip_test("redis-server is not installed")

static void join(void)
{
    adapter_fixture_join(&f, 0, "/");
    adapter_nsp_open(f.nodes[0].adapter, STR("/admin"));
    adapter_nsp_open(f.nodes[0].adapter, STR("/admin")); /* twice is once */
    cr_assert(adapter_fixture_await_all(&f, 1));
}

static void expect_subscriptions(void)
{
    const struct str numsub[] = {STR("PUBSUB"),
                                 STR("NUMSUB"),
                                 STR("socket.io-request#/#"),
                                 STR("socket.io-request#/admin#"),
                                 STR("socket.io-response#/#"),
                                 STR("ingoma:socket.io:nodes"),
                                 STR("ingoma:socket.io:node:n000")};
    const struct str numpat[] = {STR("PUBSUB"), STR("NUMPAT")},
                     channels[] = {STR("PUBSUB"), STR("CHANNELS")};
    const char *reply = redis_fixture_say(&f.redis, numsub, 7);

    cr_expect_str_eq(
        reply,
        "*10\r\n$20\r\nsocket.io-request#/#\r\n:1\r\n$25\r\nsocket.io-request#/admin#\r\n:1\r\n"
        "$21\r\nsocket.io-response#/"
        "#\r\n:1\r\n$22\r\ningoma:socket.io:nodes\r\n:1\r\n$26\r\ningoma:socket.io:node:n000\r\n:"
        "1\r\n");
    cr_expect_str_eq(redis_fixture_say(&f.redis, numpat, 2), ":2\r\n");
    cr_expect(str_starts(str_z(redis_fixture_say(&f.redis, channels, 2)),
                         STR("*8\r\n"))); /* with the two of our uids */
}

Test(redis_bus, subscribes_once_to_each_and_again_after_a_cut)
{
    const struct str kill[] = {STR("CLIENT"), STR("KILL"), STR("TYPE"), STR("pubsub")};

    SKIP_OR_OPEN();
    join();
    expect_subscriptions();
    redis_fixture_say(&f.redis, kill, 4);
    cr_assert(adapter_fixture_await(&f, &f.nodes[0].connects, 2, 2000));
    expect_subscriptions();
    adapter_fixture_close(&f);
}

Test(redis_bus, publishes_on_the_channel_that_the_peers_expect)
{
    static const struct str rooms[] = {STR("r1"), STR("r2")};
    const struct str psubscribe[] = {STR("PSUBSCRIBE"), STR("socket.io#/*")};
    struct sb got = {0};

    SKIP_OR_OPEN();
    join();
    redis_fixture_say(&f.redis, psubscribe, 2);
    for (unsigned count = 0; count <= 2; count++)
        adapter_publish(f.nodes[0].adapter, &(struct adapter_cast){.nsp = STR("/"),
                                                                   .array = STR("[\"x\"]"),
                                                                   .rooms = rooms,
                                                                   .rooms_count = count});
    adapter_publish(f.nodes[0].adapter, &(struct adapter_cast){.nsp = STR("/other"),
                                                               .array = STR("[\"never opened\"]")});
    adapter_publish(f.nodes[0].adapter,
                    &(struct adapter_cast){.nsp = STR("/admin"), .array = STR("[\"x\"]")});
    loop_turn(f.loop, false);
    redis_fixture_read_until(&f.redis, "$17\r\nsocket.io#/admin#\r\n");
    sb_str(&got, sb_view(&f.redis.reply));
    cr_expect(str_contains(sb_view(&got), STR("$12\r\nsocket.io#/#\r\n$52\r\n\x93\xa6")));
    cr_expect(str_contains(sb_view(&got), STR("$15\r\nsocket.io#/#r1#\r\n$55\r\n\x93\xa6")));
    cr_expect(str_contains(sb_view(&got), STR("$12\r\nsocket.io#/#\r\n$58\r\n\x93\xa6")));
    cr_expect(str_contains(sb_view(&got), STR("$17\r\nsocket.io#/admin#\r\n")));
    cr_expect_not(str_contains(sb_view(&got), STR("never opened")));
    cr_expect_eq(f.nodes[0].casts, 0, "its own do not come back");
    sb_fini(&got);
    adapter_fixture_close(&f);
}

static bool is_garbage_seen(void)
{
    return metric_get(M_REDIS_GARBAGE) > 0;
}

Test(redis_bus, hears_peers_and_emitters)
{
    struct sb b = {0};

    SKIP_OR_OPEN();
    join();
    redis_fixture_publish(
        &f.redis, "socket.io#/#",
        hex(&b, "93a64a517659634283a47479706502a46461746194a568656c6c6f01a13281a13391c3a36e7370a12f"
                "83a5726f6f6d7390a665786365707490a5666c61677380"));
    redis_fixture_publish(
        &f.redis, "socket.io#/admin#r#",
        hex(&b, "93a7656d697474657283a47479706502a46461746191a178a36e7370a62f61646d696e"
                "83a5726f6f6d7391a172a5666c61677380a665786365707490"));
    cr_expect(adapter_fixture_await(&f, &f.nodes[0].casts, 2, 1000));
    cr_expect_str_eq(adapter_fixture_log(&f.nodes[0]),
                     "cast / [\"hello\",1,\"2\",{\"3\":[true]}] rooms= except= flags=0 att=;"
                     "cast /admin [\"x\"] rooms=r except= flags=0 att=;");
    /* a DISCONNECT, another namespace's packet, an unknown type: passed over, no garbage */
    redis_fixture_publish(&f.redis, "socket.io#/#",
                          hex(&b, "93a17583a47479706501a46461746190a36e7370a12fc0"));
    redis_fixture_publish(&f.redis, "socket.io#/#",
                          hex(&b, "93a17583a47479706502a46461746191a178a36e7370a22f78c0"));
    redis_fixture_publish(&f.redis, "socket.io#/#", STR("garbage"));
    cr_expect(adapter_fixture_await_that(&f, is_garbage_seen));
    cr_expect_eq(f.nodes[0].casts, 2);
    cr_expect_eq(metric_get(M_REDIS_GARBAGE), 1);
    sb_fini(&b);
    adapter_fixture_close(&f);
}

Test(redis_bus, a_subscription_that_is_refused_is_asked_for_again)
{
    const struct str deny[] = {STR("ACL"), STR("SETUSER"), STR("default"), STR("resetchannels")};
    const struct str allow[] = {STR("ACL"), STR("SETUSER"), STR("default"), STR("allchannels")};

    SKIP_OR_OPEN();
    redis_fixture_say(&f.redis, deny, 4);
    adapter_fixture_join(&f, 0, "/");
    adapter_fixture_run(&f, 200);
    cr_expect_eq(f.nodes[0].connects, 0);
    redis_fixture_say(&f.redis, allow, 4);
    cr_expect(adapter_fixture_await(&f, &f.nodes[0].connects, 1, 2000));
    adapter_fixture_close(&f);
}
