#include "tests/unit/support/ask_rig.inc"

#include <stdio.h>
#include "node/features/private/private_export.h"

static struct private_id who;
static struct sb scratch, numbers;
static struct private_export_page page;
static unsigned lines;

static void down(void)
{
    private_id_fini(&who);
    private_export_page_fini(&page);
    sb_fini(&scratch);
    sb_fini(&numbers);
    ask_down();
}

TestSuite(private_export, .init = errand_up, .fini = down, .timeout = 60);

static void be(const char *id)
{
    private_id_fini(&who);
    cr_assert_eq(private_id_init(&who, str_z(id)), OK);
}

Test(private_export, knows_a_conversation_by_its_state)
{
    static const struct {
        const char *id, *key, *name;
    } rows[] = {
        {"\"u1\"", "ingoma:{conv:u1:u7}:state", "u1:u7"},
        {"\"u7\"", "ingoma:{conv:u1:u7}:state", "u1:u7"},
        {"\"u1\"", "ingoma:{conv:u1:u7}:log", NULL},
        {"\"u1\"", "ingoma:{conv:u11:u7}:state", NULL},
        {"\"7\"", "ingoma:{conv:#7:u1}:state", NULL},
        {"7", "ingoma:{conv:#7:u1}:state", "#7:u1"},
    };
    struct sb pattern = {0};
    struct str name;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool is_one;

        be(rows[i].id);
        is_one = private_export_key(&who, str_z(rows[i].key), &name);
        cr_expect_eq(is_one, rows[i].name != NULL, "row %zu", i);
        if (is_one && rows[i].name) cr_expect(str_eq(name, str_z(rows[i].name)));
    }
    be("\"a*b\"");
    private_export_pattern(&who, &pattern);
    cr_expect(str_eq(sb_view(&pattern), STR("ingoma:{conv:*a%2Ab*}:state")));
    sb_fini(&pattern);
}

/* ---- of the user ---- */

static void put_blocked(const struct str *reply, unsigned count, struct sb *out)
{
    lines = private_export_put_blocked(&who, reply, count, out);
}

static void put_unread(const struct str *reply, unsigned count, struct sb *out)
{
    lines = private_export_put_unread(&who, reply, count, out);
}

Test(private_export, whom_the_user_blocks_and_not_who_blocks)
{
    struct redis_visit v;

    NEEDS_REDIS();
    be("\"7\"");
    say("HSET ingoma:{user:7}:blocked 7~u9 \"u9\" #7~u8 \"u8\" 7~#5 5");
    private_export_blocked(&who, &v, &scratch);
    on_heard = put_blocked;
    cr_expect_str_eq(ask(&v), "{\"type\":\"blocked\",\"userId\":\"u9\"}\n"
                              "{\"type\":\"blocked\",\"userId\":5}\n");
    cr_expect_eq(lines, 2);
}

Test(private_export, unread_counts_of_the_user_alone)
{
    struct redis_visit v;

    NEEDS_REDIS();
    be("\"7\"");
    say("HSET ingoma:{user:7}:chats 7:u9 12~5~2~1700000000000~\"a~b\" #7:u9 1~1~1~1~\"u9\" 7:u8 "
        "nonsense");
    private_export_unread(&who, &v, &scratch);
    on_heard = put_unread;
    cr_expect_str_eq(ask(&v), "{\"type\":\"unread\",\"conversation\":\"7:u9\",\"unread\":3,"
                              "\"lastSeq\":12,\"userId\":\"a b\"}\n");
    cr_expect_eq(lines, 1);
}

/* ---- pages ---- */

static void read_page(const struct str *reply, unsigned count, struct sb *out)
{
    (void)out;
    cr_assert_eq(private_export_page_read(&page, reply, count), OK);
}

static void ask_page(uint64_t low)
{
    struct redis_visit v;

    private_export_page(&who, STR("u1:u7"), low, &v, &scratch, &numbers);
    cr_expect(key_fit(v.script->keys, v.script->keys_count, v.words, v.keys_count));
    on_heard = read_page;
    (void)ask(&v);
}

static const char *put(const struct archive_message *m, unsigned count, bool has_more)
{
    const struct archive_page archived = {.messages = m, .count = count, .has_more = has_more};

    heard.n = 0;
    lines = private_export_put_messages(&page, &archived, &heard);
    sb_char(&heard, '\0');
    return heard.p;
}

#define LINE(event) "{\"type\":\"message\",\"message\":" event "}\n"

static void add(unsigned seq, const char *from, int hidden, const char *event)
{
    char words[200];

    (void)snprintf(words, sizeof words,
                   "XADD ingoma:{conv:u1:u7}:log %u-0 t 1 f %s n 1 h %d i m b %s", seq, from,
                   hidden, event);
    say(words);
}

Test(private_export, a_conversation_page_by_page)
{
    unsigned seen = 0;

    NEEDS_REDIS();
    be("\"u1\"");
    for (unsigned seq = 1; seq <= 250; seq++)
        add(seq, "u7", 0, "{}");
    for (uint64_t low = 0;; low = page.seqs[page.count - 1] + 1) {
        ask_page(low);
        for (unsigned i = 0; i < page.count; i++)
            cr_expect_eq(page.seqs[i], ++seen);
        if (!page.has_more) break;
        cr_expect_eq(page.count, PRIVATE_EXPORT_PAGE);
    }
    cr_expect_eq(seen, 250);
    ask_page(251);
    cr_expect_eq(page.count, 0);
    cr_expect_not(page.has_more);
}

Test(private_export, cuts_a_page_by_bytes_but_gives_one)
{
    static char words[200100];
    struct str argv[] = {STR("XADD"), STR("ingoma:{conv:u1:u7}:log"),
                         STR("1-0"),  STR("t"),
                         STR("1"),    STR("f"),
                         STR("u7"),   STR("n"),
                         STR("1"),    STR("h"),
                         STR("0"),    STR("i"),
                         STR("m"),    STR("b"),
                         STR_NONE};

    NEEDS_REDIS();
    be("\"u1\"");
    memset(words, 'x', sizeof words);
    argv[14] = str_of(words, sizeof words);
    (void)redis_fixture_say(&redis, argv, 15);
    argv[2] = STR("2-0");
    (void)redis_fixture_say(&redis, argv, 15);
    ask_page(0);
    cr_expect_eq(page.count, 1);
    cr_expect(page.has_more);
    ask_page(2);
    cr_expect_eq(page.count, 1);
    cr_expect_not(page.has_more);
}

Test(private_export, the_line_of_a_conversation_has_the_cursors_of_both)
{
    NEEDS_REDIS();
    be("\"u1\"");
    say("HSET ingoma:{conv:u1:u7}:state seq 9 r~u1 3 r~u7 4 d~u1 5 d~u7 6 open~u1 9");
    ask_page(0);
    heard.n = 0;
    private_export_put_conversation(&who, STR("u1:u7"), &page, &heard);
    cr_expect(str_eq(sb_view(&heard),
                     STR("{\"type\":\"conversation\",\"conversation\":\"u1:u7\",\"userId\":\"u7\","
                         "\"lastSeq\":9,\"readSeq\":3,\"otherReadSeq\":4,\"deliveredSeq\":5,"
                         "\"otherDeliveredSeq\":6}\n")));
    heard.n = 0;
    private_export_put_conversation(&who, STR("#7:u1"), &page, &heard);
    cr_expect(strstr(heard.p, "\"userId\":7,"));
    heard.n = 0;
    private_export_put_conversation(&who, STR("a%20%22:u1"), &page, &heard);
    cr_expect(strstr(heard.p, "\"userId\":\"a \\\"\","));
}

Test(private_export, hidden_is_what_the_user_was_not_shown)
{
    NEEDS_REDIS();
    be("\"u1\"");
    add(1, "u7", 1, "{\"n\":1}");
    add(2, "u1", 1, "{\"n\":2}");
    ask_page(0);
    cr_expect_str_eq(
        put(NULL, 0, false),
        "{\"type\":\"message\",\"hidden\":true,\"message\":{\"n\":1}}\n" LINE("{\"n\":2}"));
    cr_expect_eq(lines, 2);
}

Test(private_export, redis_and_the_archive_are_one_without_doubles)
{
    static const struct archive_message first[] = {{.seq = 1, .event = STR("{\"n\":1}")},
                                                   {.seq = 3, .event = STR("{\"n\":3}")}},
                                        rest[] = {{.seq = 4, .event = STR("{\"n\":\"other\"}")},
                                                  {.seq = 4, .event = STR("{\"n\":4}")},
                                                  {.seq = 6, .event = STR("{\"n\":6}")}};

    NEEDS_REDIS();
    be("\"u1\"");
    add(2, "u7", 0, "{\"n\":2}"); /* the archive has let it go */
    add(3, "u7", 0, "{\"n\":3}");
    add(4, "u7", 0, "{\"n\":4}"); /* a number that was given twice */
    add(5, "u7", 0, "{\"n\":5}");
    add(7, "u7", 0, "{\"n\":7}"); /* not archived yet */
    ask_page(0);
    cr_expect_str_eq(put(first, 2, true), LINE("{\"n\":1}") LINE("{\"n\":2}") LINE("{\"n\":3}"));
    cr_expect_eq(lines, 3);
    cr_expect_str_eq(put(rest, 3, false), LINE("{\"n\":\"other\"}") LINE("{\"n\":4}") LINE(
                                              "{\"n\":5}") LINE("{\"n\":6}") LINE("{\"n\":7}"));
    cr_expect_eq(lines, 5);
}

Test(private_export, a_message_is_one_line_whatever_is_in_it)
{
    static const struct archive_message m = {.seq = 1, .event = STR("{\"a\":\r\n[1,\n2]}")};

    cr_expect_str_eq(put(&m, 1, false), LINE("{\"a\":  [1, 2]}"));
}

Test(private_export, refuses_a_reply_that_is_none)
{
    static const struct {
        struct str words[8];
        unsigned count;
    } rows[] = {
        {{STR("0"), STR("1")}, 2},
        {{STR("0"), STR("1"), STR("0"), STR("0"), STR("0"), STR("0"), STR("1")}, 7},
        {{STR("0"), STR("x"), STR("0"), STR("0"), STR("0"), STR("0")}, 6},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(private_export_page_read(&page, rows[i].words, rows[i].count), ERR_INTERNAL,
                     "row %zu", i);
}
