#include "node/features/private/private_erase.h"

#include <criterion/criterion.h>
#include "adapter/key.h"
#include "tests/unit/support/redis_fixture.h"

static struct private_erase e;
static struct redis_fixture redis;

static void down(void)
{
    private_erase_fini(&e);
    if (redis.pid) redis_fixture_close(&redis);
}

TestSuite(private_erase, .fini = down, .timeout = 60);

Test(private_erase, knows_which_keys_may_have_something)
{
    static const struct {
        const char *id, *key, *script;
    } rows[] = {
        {"\"u1\"", "ingoma:{conv:u1:u7}:log", "private_erase_conversation"},
        {"\"u7\"", "ingoma:{conv:u1:u7}:ids", "private_erase_conversation"},
        {"\"u1\"", "ingoma:{conv:u11:u7}:log", NULL},
        {"\"u1\"", "ingoma:{conv:#1:u7}:log", NULL},
        {"7", "ingoma:{conv:#7:u1}:state", "private_erase_conversation"},
        {"\"7\"", "ingoma:{conv:#7:u1}:state", NULL},
        {"\"u1\"", "ingoma:{user:u9}:inbox", "private_erase_inbox"},
        {"\"u1\"", "ingoma:{user:u9}:chats", "private_erase_chats"},
        {"\"u1\"", "ingoma:{user:u9}:blocked", "private_erase_blocked"},
        {"\"u1\"", "ingoma:{user:u9}:inbox-state", NULL},
        {"\"u1\"", "ingoma:{user:u1}:inbox-state", "private_erase_inbox_state"},
        {"\"u1\"", "ingoma:{user:u1}:presence", NULL}, /* not ours */
        {"\"u1\"", "ingoma:{user:u1}:nodes", NULL},
        {"\"u1\"", "elsewhere", NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct redis_visit out = {0};
        bool is_wanted;

        cr_assert_eq(private_erase_init(&e, str_z(rows[i].id)), OK);
        is_wanted = private_erase_key(&e, str_z(rows[i].key), &out);
        cr_expect_eq(is_wanted, rows[i].script != NULL, "row %zu", i);
        if (is_wanted && rows[i].script) cr_expect_str_eq(out.script->name, rows[i].script);
        if (is_wanted)
            cr_expect(key_fit(out.script->keys, out.script->keys_count, out.words, out.keys_count));
        private_erase_fini(&e);
    }
}

Test(private_erase, refuses_who_is_nobody)
{
    cr_expect_eq(private_erase_init(&e, STR("\"\"")), ERR_SCHEMA);
    private_erase_fini(&e);
    cr_expect_eq(private_erase_init(&e, STR("u1")), ERR_SCHEMA);
}

Test(private_erase, looks_where_its_name_may_be)
{
    cr_assert_eq(private_erase_init(&e, STR("\"a*b\"")), OK);
    cr_expect(str_eq(e.patterns[0], STR("ingoma:{conv:*a%2Ab*}:*")));
    cr_expect(str_eq(e.patterns[1], STR("ingoma:{user:*}:*")));
}

/* ---- what the scripts do ---- */

static const char *say(const char *words)
{
    return redis_fixture_words(&redis, words);
}

static void run(const char *key, const char *want)
{
    struct redis_visit out;
    struct str argv[3 + REDIS_VISIT_WORDS] = {STR("EVAL")};
    char count[2] = "0";

    cr_assert(private_erase_key(&e, str_z(key), &out), "%s", key);
    count[0] = (char)('0' + out.keys_count);
    argv[1] = str_z(out.script->text);
    argv[2] = str_z(count);
    memcpy(argv + 3, out.words, out.words_count * sizeof *argv);
    cr_expect_str_eq(redis_fixture_say(&redis, argv, 3 + out.words_count), want, "%s", key);
}

Test(private_erase, takes_out_what_is_of_the_user_and_leaves_the_rest)
{
    if (!redis_fixture_is_there()) cr_skip_test("redis-server is not installed");
    redis_fixture_open(&redis);
    cr_assert_eq(private_erase_init(&e, STR("\"7\"")), OK);
    say("XADD ingoma:{user:u9}:inbox 1-0 c 7:u9 s 1 h 0 f 7 i m to u9 b {}");
    say("XADD ingoma:{user:u9}:inbox 2-0 c #7:u9 s 1 h 0 f 7 i m to u9 b {}");
    say("XADD ingoma:{user:u9}:inbox 3-0 c 77:u9 s 1 h 0 f 77 i m to u9 b {}");
    run("ingoma:{user:u9}:inbox", ":1\r\n");
    cr_expect_str_eq(say("XLEN ingoma:{user:u9}:inbox"), ":2\r\n");
    say("HSET ingoma:{user:u9}:chats 7:u9 x #7:u9 x 77:u9 x");
    run("ingoma:{user:u9}:chats", ":1\r\n");
    cr_expect_str_eq(say("HLEN ingoma:{user:u9}:chats"), ":2\r\n");
    say("HSET ingoma:{user:u9}:blocked u9~7 x u9~#7 x 7~u9 x");
    run("ingoma:{user:u9}:blocked", ":2\r\n");
    cr_expect_str_eq(say("HLEN ingoma:{user:u9}:blocked"), ":1\r\n");
    say("HSET ingoma:{user:7}:inbox-state p 9 d~7 9 dp~7 9 d~#7 8");
    run("ingoma:{user:7}:inbox-state", ":2\r\n");
    cr_expect_str_eq(say("HLEN ingoma:{user:7}:inbox-state"), ":2\r\n", "the other one's");
    say("HDEL ingoma:{user:7}:inbox-state d~#7");
    run("ingoma:{user:7}:inbox-state", ":1\r\n");
    cr_expect_str_eq(say("EXISTS ingoma:{user:7}:inbox-state"), ":0\r\n");
    say("HSET ingoma:{conv:7:u9}:state seq 1");
    say("SET ingoma:{conv:7:u9}:log x");
    run("ingoma:{conv:7:u9}:log", ":2\r\n");
    cr_expect_str_eq(say("EXISTS ingoma:{conv:7:u9}:state"), ":0\r\n");
}

Test(private_erase, empties_an_inbox_of_many_pages)
{
    if (!redis_fixture_is_there()) cr_skip_test("redis-server is not installed");
    redis_fixture_open(&redis);
    cr_assert_eq(private_erase_init(&e, STR("\"u1\"")), OK);
    for (int i = 0; i < 450; i++)
        say("XADD ingoma:{user:u1}:inbox * c u1:u7 s 1 h 0 f u7 i m to u1 b {}");
    run("ingoma:{user:u1}:inbox", ":450\r\n");
    cr_expect_str_eq(say("EXISTS ingoma:{user:u1}:inbox"), ":0\r\n");
}
