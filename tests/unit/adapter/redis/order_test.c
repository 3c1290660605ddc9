/* A script from outside, against a real Redis. */
#include "tests/unit/support/errand.inc"

#include "adapter/message.h"
#include "adapter/redis/order.h"
#include "tests/unit/support/redis_cluster_fixture.h"

static void set_up(void)
{
    static char prefix[] = "p";

    conf = (struct conf){.adapter_prefix = prefix};
    errand_up();
}

TestSuite(redis_order, .init = set_up, .fini = errand_down, .timeout = 60);

static int order(const char *script)
{
    struct adapter_script s = {.name = "test", .text = script};
    const struct str key = STR("{t}:k"), args[] = {STR("one"), STR("")};
    const struct redis_order o = {.script = &s,
                                  .keys = &key,
                                  .args = args,
                                  .keys_count = 1,
                                  .args_count = 2,
                                  .say = ADAPTER_DENIED};
    char *why = NULL;
    int rc = redis_order_once(loop, &conf, &o, on_done, &got, &why);

    return errand_wait(rc, why);
}

Test(redis_order, runs_the_script_and_tells_the_nodes)
{
    static const struct str subscribe[] = {STR("SUBSCRIBE"), STR("ingoma:p:nodes")};
    const char *heard;

    NEEDS_REDIS();
    (void)redis_fixture_say(&redis, subscribe, 2);
    cr_assert_eq(order("return redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2])"), OK, STR_FMT,
                 STR_ARG(sb_view(&got.why)));
    cr_expect_eq(got.count, 1);
    heard = redis_fixture_read_until(&redis, "\x04----");
    cr_expect(strstr(heard, "\x04----"), "%s", heard);
}

Test(redis_order, says_when_nobody_listens)
{
    NEEDS_REDIS();
    cr_expect_eq(order("return 1"), OK);
    cr_expect_eq(got.count, 0);
}

Test(redis_order, says_why_it_failed)
{
    static char nowhere[] = "unix:///nowhere.sock", bad[] = "ftp://x";

    NEEDS_REDIS();
    cr_expect_eq(order("return redis.error_reply('NO no')"), ERR_FORBIDDEN);
    cr_expect(str_starts(sb_view(&got.why), STR("NO no")));
    conf.redis_timeout_ms = 300;
    conf.redis_url = nowhere;
    cr_expect_eq(order("return 1"), ERR_UNAVAILABLE);
    conf.redis_url = bad;
    cr_expect_eq(order("return 1"), ERR_CONFIG);
}

Test(redis_order, finds_the_server_in_a_redis_cluster)
{
    static struct redis_cluster_fixture cluster;

    NEEDS_REDIS();
    redis_cluster_fixture_open(&cluster);
    conf.redis_url = cluster.url;
    conf.redis_timeout_ms = 30000; /* for three servers on a busy machine */
    cr_expect_eq(order("return redis.call('SET', KEYS[1], ARGV[1])"), OK, STR_FMT,
                 STR_ARG(sb_view(&got.why)));
    cr_expect_str_eq(redis_cluster_fixture_say(
                         &cluster, redis_cluster_fixture_owner(&cluster, "{t}:k"), "GET {t}:k"),
                     "$3\r\none\r\n");
    redis_cluster_fixture_close(&cluster);
}
