#include "node/features/presence/presence_erase.h"

#include <criterion/criterion.h>
#include "adapter/key.h"
#include "tests/unit/support/redis_fixture.h"

static struct redis_fixture redis;
static struct sb scratch;

static void down(void)
{
    sb_fini(&scratch);
    if (redis.pid) redis_fixture_close(&redis);
}

TestSuite(presence_erase, .fini = down, .timeout = 60);

Test(presence_erase, knows_which_keys_may_have_something)
{
    static const struct {
        const char *key, *script;
    } rows[] = {
        {"ingoma:{user:u1}:presence", "presence_erase_seen"},
        {"ingoma:{user:u11}:presence", NULL},
        {"ingoma:{presence:p}:left", "presence_erase_left"},
        {"ingoma:{presence:p}:times", "presence_erase_left"},
        {"ingoma:{presence:p}:rows", NULL},
        {"ingoma:{presence:p}:here", NULL},
        {"ingoma:{user:u1}:nodes", NULL},
        {"elsewhere", NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct redis_visit out = {0};
        bool is_wanted = presence_erase_key(STR("u1"), str_z(rows[i].key), &out, &scratch);

        cr_expect_eq(is_wanted, rows[i].script != NULL, "row %zu", i);
        if (!is_wanted || !rows[i].script) continue;
        cr_expect_str_eq(out.script->name, rows[i].script);
        cr_expect(key_fit(out.script->keys, out.script->keys_count, out.words, out.keys_count));
    }
}

static const char *say(const char *words)
{
    return redis_fixture_words(&redis, words);
}

static void run(const char *want)
{
    struct str argv[3 + REDIS_VISIT_WORDS] = {STR("EVAL")};
    struct redis_visit v;

    cr_assert(presence_erase_key(STR("u1"), STR("ingoma:{presence:p}:left"), &v, &scratch));
    argv[1] = str_z(v.script->text);
    argv[2] = STR("3");
    memcpy(argv + 3, v.words, v.words_count * sizeof *argv);
    cr_expect_str_eq(redis_fixture_say(&redis, argv, 3 + v.words_count), want);
}

Test(presence_erase, takes_a_leave_out_so_that_nobody_misses_it)
{
    if (!redis_fixture_is_there()) cr_skip_test("redis-server is not installed");
    redis_fixture_open(&redis);
    say("HSET ingoma:{presence:p}:rows :seq 9 :floor 3");
    say("ZADD ingoma:{presence:p}:left 4 u1 5 u11");
    say("HSET ingoma:{presence:p}:times u1 1 u11 1");
    run(":2\r\n");
    cr_expect_str_eq(say("HGET ingoma:{presence:p}:rows :floor"), "$1\r\n4\r\n");
    cr_expect_str_eq(say("ZRANGE ingoma:{presence:p}:left 0 -1"), "*1\r\n$3\r\nu11\r\n");
    cr_expect_str_eq(say("HKEYS ingoma:{presence:p}:times"), "*1\r\n$3\r\nu11\r\n");
    run(":0\r\n");
    say("ZADD ingoma:{presence:p}:left 2 u1");
    run(":1\r\n");
    cr_expect_str_eq(say("HGET ingoma:{presence:p}:rows :floor"), "$1\r\n4\r\n", "it never sinks");
    say("DEL ingoma:{presence:p}:rows");
    say("ZADD ingoma:{presence:p}:left 7 u1");
    run(":1\r\n");
    cr_expect_str_eq(say("EXISTS ingoma:{presence:p}:rows"), ":0\r\n", "nothing is made anew");
}
