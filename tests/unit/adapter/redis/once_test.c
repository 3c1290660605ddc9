/* An errand: what it says when Redis is not there, does not answer, refuses or answers. */
#include "tests/unit/support/errand.inc"

#include <hiredis/hiredis.h>
#include "adapter/redis/hub_priv.h"
#include "adapter/redis/once_priv.h"

static struct redis_once once;
static struct str words[3];
static unsigned words_count, freed;

static void on_reply(void *ctx, int rc, const struct redisReply *r)
{
    struct redis_once *o = ctx;

    if (redis_once_is_answer(o, rc, r)) redis_once_end(o, OK, (unsigned)r->integer, STR_NONE);
    cr_expect_not(redis_once_is_answer(o, rc, r), "it has ended");
}

static void go(struct redis_once *o)
{
    o->is_sent = true;
    cr_expect_eq(redis_hub_send(o->hub, STR("k"), words, words_count, on_reply, o), OK);
}

static void on_free(struct redis_once *o)
{
    redis_url_fini(&o->url);
    freed++;
}

TestSuite(redis_once, .init = errand_up, .fini = errand_down, .timeout = 60);

static int run(const char *url, unsigned count, struct str a, struct str b, struct str c)
{
    char *why = NULL;

    once = (struct redis_once){.doubt = "who knows", .go = go, .free = on_free};
    words[0] = a, words[1] = b, words[2] = c;
    words_count = count;
    freed = 0;
    cr_assert_eq(redis_url_parse(str_z(url), &once.url, &why), OK);
    redis_once_open(&once, loop, &conf, "test", on_done, &got);
    cr_expect_eq(errand_wait(OK, NULL), got.rc);
    cr_expect_eq(freed, 1);
    return got.rc;
}

Test(redis_once, hands_on_the_answer)
{
    NEEDS_REDIS();
    cr_expect_eq(run(redis.url, 3, STR("INCRBY"), STR("k"), STR("7")), OK);
    cr_expect_eq(got.count, 7);
}

Test(redis_once, says_what_redis_refused)
{
    NEEDS_REDIS();
    cr_expect_eq(run(redis.url, 2, STR("INCRBY"), STR("k"), STR_NONE), ERR_FORBIDDEN);
    cr_expect(str_starts(sb_view(&got.why), STR("ERR wrong number")));
}

Test(redis_once, tells_nowhere_from_perhaps)
{
    NEEDS_REDIS();
    conf.redis_timeout_ms = 300;
    cr_expect_eq(run("unix:///nowhere.sock", 2, STR("GET"), STR("k"), STR_NONE), ERR_UNAVAILABLE);
    cr_expect(str_eq(sb_view(&got.why), STR("Redis cannot be reached")));
    cr_expect_eq(run(redis.url, 3, STR("BLPOP"), STR("none"), STR("0")), ERR_TIMEOUT);
    cr_assert_gt(got.why.n, 11);
    cr_expect(str_eq(str_skip(sb_view(&got.why), got.why.n - 11), STR("; who knows")));
}
