/* A walk over all keys, against a real Redis. */
#include "tests/unit/support/errand.inc"

#include <stdio.h>
#include "adapter/redis/sweep.h"
#include "tests/unit/support/redis_cluster_fixture.h"

TestSuite(redis_sweep, .init = errand_up, .fini = errand_down, .timeout = 60);

static struct adapter_script erase = {.name = "test",
                                      .text = "return redis.call('DEL', KEYS[1]) * ARGV[1]"};
static unsigned asked;

static bool on_key(void *ctx, struct str key, struct redis_visit *out)
{
    struct adapter_script *script = ctx;

    asked++;
    if (!str_starts(key, STR("a:{1"))) return false;
    out->script = script;
    out->words[0] = key;
    out->words[1] = STR("3");
    out->keys_count = 1;
    out->words_count = 2;
    return true;
}

static redis_told_fn *replies;

static int sweep(struct adapter_script *script)
{
    static const struct str patterns[] = {STR("a:*"), STR("none:*"), STR("b:*")};
    const struct redis_sweep_conf c = {.patterns = patterns,
                                       .patterns_count = 3,
                                       .on_key = on_key,
                                       .on_reply = replies,
                                       .ctx = script};
    char *why = NULL;
    int rc = redis_sweep(loop, &conf, &c, on_done, &got, &why);

    return errand_wait(rc, why);
}

static void fill(const char *head, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char key[24];
        const struct str set[] = {
            STR("SET"), str_of(key, (size_t)snprintf(key, sizeof key, "%s:{%u}", head, i)),
            STR("x")};

        (void)redis_fixture_say(&redis, set, 3);
    }
}

Test(redis_sweep, visits_every_key_that_is_wanted_and_no_other)
{
    static const struct str size[] = {STR("DBSIZE")};

    NEEDS_REDIS();
    fill("a", 1000);
    fill("b", 300);
    fill("c", 50);
    cr_assert_eq(sweep(&erase), OK, STR_FMT, STR_ARG(sb_view(&got.why)));
    cr_expect_eq(got.count, 3 * 111, "of 1, 1x and 1xx the script told 3 each");
    cr_expect_geq(asked, 1300, "each was shown");
    cr_expect_str_eq(redis_fixture_say(&redis, size, 1), ":1239\r\n");
    cr_assert_eq(sweep(&erase), OK);
    cr_expect_eq(got.count, 0);
}

static unsigned told;

static void on_reply(void *ctx, const struct str *reply, unsigned count)
{
    (void)ctx;
    cr_expect_eq(count, 2);
    cr_expect(str_starts(reply[0], STR("a:{1")));
    cr_expect(str_eq(reply[1], STR("7")));
    told++;
}

Test(redis_sweep, hands_over_replies_that_are_no_numbers)
{
    static struct adapter_script read = {
        .name = "test", .text = "if KEYS[1] == 'a:{1}' then return 5 end return {KEYS[1], 7}"};

    NEEDS_REDIS();
    fill("a", 300);
    replies = on_reply;
    cr_assert_eq(sweep(&read), OK);
    cr_expect_eq(told, 110);
    cr_expect_eq(got.count, 5, "what is a number is a number");
}

Test(redis_sweep, ends_at_once_where_nothing_is)
{
    NEEDS_REDIS();
    cr_expect_eq(sweep(&erase), OK);
    cr_expect_eq(got.count, 0);
    cr_expect_eq(asked, 0);
}

Test(redis_sweep, says_why_it_failed)
{
    static struct adapter_script refuses = {.name = "test",
                                            .text = "return redis.error_reply('NO no')"};
    static char nowhere[] = "unix:///nowhere.sock", bad[] = "ftp://x";

    NEEDS_REDIS();
    fill("a", 400);
    cr_expect_eq(sweep(&refuses), ERR_FORBIDDEN);
    cr_expect(str_starts(sb_view(&got.why), STR("NO no")));
    conf.redis_timeout_ms = 300;
    conf.redis_url = nowhere;
    cr_expect_eq(sweep(&erase), ERR_UNAVAILABLE);
    conf.redis_url = bad;
    cr_expect_eq(sweep(&erase), ERR_CONFIG);
}

Test(redis_sweep, goes_over_all_servers_of_a_redis_cluster)
{
    static struct redis_cluster_fixture cluster;
    unsigned at[REDIS_CLUSTER_SIZE] = {0};

    NEEDS_REDIS();
    redis_cluster_fixture_open(&cluster);
    conf.redis_url = cluster.url;
    conf.redis_timeout_ms = 30000; /* for three servers on a busy machine */
    for (int i = 100; i < 160; i++) {
        char words[32], key[16];
        int owner;

        (void)snprintf(key, sizeof key, "a:{%d}", i);
        (void)snprintf(words, sizeof words, "SET %s x", key);
        owner = redis_cluster_fixture_owner(&cluster, key);
        at[owner]++;
        cr_assert_str_eq(redis_cluster_fixture_say(&cluster, owner, words), "+OK\r\n");
    }
    for (int i = 0; i < REDIS_CLUSTER_SIZE; i++)
        cr_assert_gt(at[i], 0, "each has some");
    cr_expect_eq(sweep(&erase), OK, STR_FMT, STR_ARG(sb_view(&got.why)));
    cr_expect_eq(got.count, 3 * 60);
    redis_cluster_fixture_close(&cluster);
}
