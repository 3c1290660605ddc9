/* Questions one after the other, against a real Redis. */
#include "tests/unit/support/ask_rig.inc"

#include <signal.h>

TestSuite(redis_ask, .init = errand_up, .fini = ask_down, .timeout = 60);

static struct adapter_script script = {.name = "test"};
static struct redis_visit visit = {.script = &script,
                                   .words = {STR("{t}:k"), STR("one"), STR("two")},
                                   .keys_count = 1,
                                   .words_count = 3};

static void join(const struct str *reply, unsigned count, struct sb *out)
{
    for (unsigned i = 0; i < count; i++) {
        sb_str(out, reply[i]);
        sb_char(out, ' ');
    }
}

Test(redis_ask, gets_numbers_and_texts_as_texts)
{
    NEEDS_REDIS();
    on_heard = join;
    script.text = "return {KEYS[1], ARGV[2], 7, {'in'}}";
    cr_expect_str_eq(ask(&visit), "{t}:k two 7 in ");
    script.text = "return 'alone'";
    cr_expect_str_eq(ask(&visit), "alone ");
    script.text = "return {}";
    cr_expect_str_eq(ask(&visit), "");
}

static unsigned answers;

static void again(void *ctx, const struct str *reply, unsigned count)
{
    uint64_t n;

    (void)ctx;
    cr_assert_eq(count, 1);
    cr_expect(str_u64(reply[0], UINT64_MAX, &n) == OK && n == ++answers);
    if (answers < 100)
        redis_ask(asker, &visit, again, NULL);
    else
        redis_ask_end(asker);
}

static void begin(void *ctx)
{
    (void)ctx;
    redis_ask(asker, &visit, again, NULL);
}

static int run(void)
{
    const struct redis_ask_conf c = {.up = begin, .done = on_done, .ctx = &got};
    char *why = NULL;
    int rc = redis_ask_open(loop, &conf, &c, &asker, &why);

    return errand_wait(rc, why);
}

Test(redis_ask, asks_again_from_within_an_answer)
{
    NEEDS_REDIS();
    script.text = "return redis.call('INCR', KEYS[1])";
    cr_expect_eq(run(), OK);
    cr_expect_eq(answers, 100);
}

Test(redis_ask, says_why_it_failed)
{
    static char nowhere[] = "unix:///nowhere.sock", bad[] = "ftp://x";

    NEEDS_REDIS();
    script.text = "return redis.error_reply('NO no')";
    cr_expect_eq(run(), ERR_FORBIDDEN);
    cr_expect(str_starts(sb_view(&got.why), STR("NO no")));
    conf.redis_timeout_ms = 300;
    conf.redis_url = nowhere;
    cr_expect_eq(run(), ERR_UNAVAILABLE);
    conf.redis_url = bad;
    cr_expect_eq(run(), ERR_CONFIG);
    cr_expect_eq(answers, 0);
}

static void stop(void *ctx)
{
    kill(redis.pid, SIGSTOP);
    begin(ctx);
}

Test(redis_ask, a_redis_that_hangs_costs_its_deadline)
{
    const struct redis_ask_conf c = {.up = stop, .done = on_done, .ctx = &got};
    char *why = NULL;

    NEEDS_REDIS();
    conf.redis_timeout_ms = 300;
    script.text = "return 1";
    cr_assert_eq(redis_ask_open(loop, &conf, &c, &asker, &why), OK);
    cr_expect_eq(errand_wait(OK, why), ERR_TIMEOUT, STR_FMT, STR_ARG(sb_view(&got.why)));
    kill(redis.pid, SIGCONT);
}
