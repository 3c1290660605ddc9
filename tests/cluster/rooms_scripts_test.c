/* What the scripts of node/features/rooms do in a real Redis: rules, pace, members. */
#include <criterion/criterion.h>
#include <stdio.h>
#include "base/mem.h"
#include "node/features/rooms/rooms_priv.h"
#include "tests/unit/support/adapter_fixture.h"

static struct adapter_fixture f;
static struct rooms rooms[2];
static unsigned answers;
static char answer[4000]; /* words, each with a bar behind it */

static void on_told(void *ctx, int rc, const struct str *reply, unsigned count)
{
    size_t n = 0;

    (void)ctx;
    cr_assert_eq(rc, OK);
    answer[0] = '\0';
    for (unsigned i = 0; i < count; i++)
        n += (size_t)snprintf(answer + n, sizeof answer - n, STR_FMT "|", STR_ARG(reply[i]));
    answers++;
}

static const char *await_answer(unsigned before)
{
    cr_assert(adapter_fixture_await(&f, &answers, before + 1, 2000));
    return answer;
}

/* What follows the time in the text of the rules. */
static const char *rule(const char *what, uint64_t value, const char *key)
{
    unsigned before = answers;
    struct rooms_order o = {.what = what, .value = value, .key = str_z(key)};
    const char *text;

    rooms_rule(&rooms[0], STR("/:r"), &o, on_told, NULL);
    text = await_answer(before);
    return strchr(text, ' ') ? strchr(text, ' ') + 1 : text;
}

static const char *look(int node, unsigned most, const char *after, const char *changes[])
{
    struct rooms_room m = {.rooms = &rooms[node], .name = STR("/:r")};
    struct rooms_call c = {0};
    unsigned before = answers;

    rooms_look_begin(&c, &m, most, str_z(after));
    for (int i = 0; changes && changes[i]; i++)
        rooms_call_arg(&c, str_z(changes[i]));
    rooms_look_run(&rooms[node], &c, on_told, NULL);
    return await_answer(before);
}

static const char *redis(const char *a, const char *key, const char *b, const char *c)
{
    char name[80];
    struct str argv[] = {str_z(a), STR_NONE, str_z(b), str_z(c)};

    snprintf(name, sizeof name, "ingoma:{room:/:r%s", key);
    argv[1] = str_z(name);
    return redis_fixture_say(&f.redis, argv, b ? c ? 4 : 3 : 2);
}

static bool open_two(void)
{
    if (!adapter_fixture_open(&f, true)) return false;
    for (int i = 0; i < 2; i++)
        adapter_fixture_join(&f, i, NULL);
    cr_assert(adapter_fixture_await_all(&f, 2));
    for (int i = 0; i < 2; i++)
        rooms[i] = (struct rooms){.adapter = f.nodes[i].adapter};
    return true;
}

static void close_two(void)
{
    adapter_fixture_close(&f);
}

static uint64_t ttl(const char *key)
{
    uint64_t n = 0;
    struct str reply = str_z(redis("TTL", key, NULL, NULL));

    cr_assert_eq(str_u64(str_head(str_skip(reply, 1), reply.n - 3), UINT64_MAX, &n), OK);
    return n;
}

static void count(int node) /* somebody of this node is in */
{
    redis("HSET", "}:nodes", f.nodes[node].id, "1@1");
}

Test(rooms_scripts, keep_what_was_decided)
{
    if (!open_two()) cr_skip_test("redis-server is not installed");
    cr_expect_str_eq(rule("read", 0, ""), "0 0\n|");
    cr_expect_str_eq(rule("lock", 1, ""), "1 0\n|");
    cr_expect_str_eq(rule("slow", 5000, ""), "1 5000\n|");
    cr_expect_eq(strncmp(rule("m", 60000, "u\"a b\""), "1 5000\nm ", 9), 0);
    cr_expect_not_null(strstr(answer, " u\"a b\"\n"));
    cr_expect_not_null(strstr(rule("k", 90000, "u7"), "\nk 90000 u7\n"));
    cr_expect_eq(strncmp(redis("HLEN", "}:bars", NULL, NULL), ":2", 2), 0);
    cr_expect_geq(ttl("}:bars"), 89, "as long as the last of them");
    cr_expect_leq(ttl("}:rules"), 60, "nobody is in");
    cr_expect_null(strstr(rule("m", 0, "u\"a b\""), "\nm "));
    cr_expect_null(strstr(rule("k", 0, "u7"), "\nk "));
    cr_expect_str_eq(rule("lock", 0, ""), "0 5000\n|");
    cr_expect_str_eq(rule("slow", 0, ""), "0 0\n|");
    close_two();
}

Test(rooms_scripts, pass_over_what_has_ended_and_bound_the_rest)
{
    char key[20];

    if (!open_two()) cr_skip_test("redis-server is not installed");
    redis("HSET", "}:bars", "mu1", "5");
    cr_expect_str_eq(rule("read", 0, ""), "0 0\n|", "ended long ago");
    for (int i = 0; i < ROOMS_BARS_MAX; i++) {
        snprintf(key, sizeof key, "ku%d", i);
        redis("HSET", "}:bars", key, "99999999999999");
    }
    cr_expect_str_eq(rule("m", 5, "u2"), "limit|");
    cr_expect_str_neq(rule("k", 5, "u2"), "limit|", "it is in already");
    close_two();
}

Test(rooms_scripts, let_one_word_through_in_an_interval)
{
    unsigned before;

    if (!open_two()) cr_skip_test("redis-server is not installed");
    for (int i = 0; i < 3; i++) {
        before = answers;
        rooms_pace(&rooms[i % 2], STR("/:r"), STR("u7"), 60000, on_told, NULL);
        await_answer(before);
        if (i == 0)
            cr_expect_str_eq(answer, "0|");
        else
            cr_expect_eq(strlen(answer), 6, "some fifty thousand: %s", answer);
    }
    before = answers;
    rooms_pace(&rooms[0], STR("/:r"), STR("u8"), 60000, on_told, NULL);
    cr_expect_str_eq(await_answer(before), "0|", "somebody else");
    close_two();
}

Test(rooms_scripts, list_users_once_in_order_and_by_pages)
{
    if (!open_two()) cr_skip_test("redis-server is not installed");
    count(0);
    count(1);
    look(0, 0, "", (const char *[]){"+u7\nA", "+u8\nB", NULL});
    look(1, 0, "", (const char *[]){"+u8\nB2", "+u\"a b\"\nC", NULL});
    cr_expect_eq(strncmp(look(0, 9, "", NULL), "0|u8|u\"a b\"|C|u7|A|u8|B", 23), 0, "%s", answer);
    cr_expect_str_eq(look(0, 2, "", NULL), "1|u7|u\"a b\"|C|u7|A|");
    cr_expect_eq(strncmp(look(0, 2, "u7", NULL), "0|u8|u8|B", 9), 0, "%s", answer);
    cr_expect_str_eq(look(0, 2, "u8", NULL), "0||");
    look(0, 0, "", (const char *[]){"-u8\n", "-u7\n", NULL});
    cr_expect_str_eq(look(0, 9, "", NULL), "0|u8|u\"a b\"|C|u8|B2|", "the other device");
    look(1, 0, "", (const char *[]){"+u8\nlater", NULL});
    cr_expect_str_eq(look(0, 9, "u7", NULL), "0|u8|u8|B2|", "it keeps its time");
    close_two();
}

Test(rooms_scripts, pass_over_rows_of_nodes_without_a_count)
{
    char member[20];

    if (!open_two()) cr_skip_test("redis-server is not installed");
    count(0);
    count(1);
    look(0, 0, "", (const char *[]){"+u7\nA", NULL});
    look(1, 0, "", (const char *[]){"+u8\nB", NULL});
    redis("HDEL", "}:nodes", f.nodes[1].id, NULL); /* it died */
    cr_expect_str_eq(look(0, 9, "", NULL), "0|u7|u7|A|");
    cr_expect_eq(strncmp(redis("HLEN", "}:rows", NULL, NULL), ":2", 2), 0, "perhaps it comes back");
    snprintf(member, sizeof member, "u8 %s", f.nodes[1].id);
    redis("HSET", "}:rows", member, "1000@B"); /* a minute later */
    look(0, 9, "", NULL);
    cr_expect_eq(strncmp(redis("HLEN", "}:rows", NULL, NULL), ":1", 2), 0);
    cr_expect_eq(strncmp(redis("ZCARD", "}:members", NULL, NULL), ":1", 2), 0);
    close_two();
}

Test(rooms_scripts, end_an_empty_room_in_a_minute)
{
    if (!open_two()) cr_skip_test("redis-server is not installed");
    count(0);
    redis("SET", "}:log", "what was said", NULL);
    look(0, 0, "", (const char *[]){"+u7\nA", NULL});
    rule("lock", 1, "");
    cr_expect_gt(ttl("}:log"), 3000);
    cr_expect_gt(ttl("}:members"), 3000);
    cr_expect_gt(ttl("}:rules"), 3000);
    redis("DEL", "}:nodes", NULL, NULL);
    look(0, 0, "", NULL);
    cr_expect_leq(ttl("}:log"), 60);
    cr_expect_leq(ttl("}:members"), 60);
    cr_expect_leq(ttl("}:rules"), 60);
    count(1);
    look(1, 0, "", NULL);
    cr_expect_gt(ttl("}:log"), 3000, "somebody came in time");
    close_two();
}
