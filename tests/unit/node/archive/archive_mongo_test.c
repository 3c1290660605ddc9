#include "tests/unit/support/archive_rig.inc"

#include <mongoc/mongoc.h>

TestSuite(archive_mongo, .init = ar_up, .fini = ar_down, .timeout = 120);

Test(archive_mongo, a_message_is_there_once_however_often_it_is_appended)
{
    struct archive_message two[] = {ar_message(1, "msg_1", "{\"n\":1}"),
                                    ar_message(2, "msg_2", "{\"n\":2}")};
    const struct archive_query q = ar_query(1, 9, 5);

    cr_expect_eq(ar_append(two, 1), OK);
    cr_expect_eq(ar_append(two, 2), OK);
    two[0].event = STR("{\"n\":\"other\"}");
    cr_expect_eq(ar_append(two, 2), OK);
    cr_expect_str_eq(ar_page(&q), "1 {\"n\":1}\n2 {\"n\":2}\n");
    cr_expect_not(ar.has_more);
}

Test(archive_mongo, gives_pages_in_both_directions)
{
    static const struct {
        uint64_t low, high;
        unsigned most;
        bool is_forth, has_more;
        const char *want;
    } rows[] = {
        {1, 9, 2, false, true, "4 {\"n\":4}\n5 {\"n\":5}\n"},
        {1, 3, 2, false, true, "2 {\"n\":2}\n3 {\"n\":3}\n"},
        {1, 1, 2, false, false, "1 {\"n\":1}\n"},
        {1, 9, 2, true, true, "1 {\"n\":1}\n2 {\"n\":2}\n"},
        {3, 4, 2, true, false, "3 {\"n\":3}\n4 {\"n\":4}\n"},
        {6, 9, 2, true, false, ""},
    };

    ar_fill(1, 5);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct archive_query q = ar_query(rows[i].low, rows[i].high, rows[i].most);

        q.is_forth = rows[i].is_forth;
        cr_expect_str_eq(ar_page(&q), rows[i].want, "row %zu", i);
        cr_expect_eq(ar.has_more, rows[i].has_more, "row %zu", i);
    }
}

Test(archive_mongo, cuts_a_page_by_bytes_but_gives_one)
{
    struct archive_query q = ar_query(1, 9, 5);

    ar_fill(1, 3);
    q.most_bytes = 15;
    cr_expect_str_eq(ar_page(&q), "2 {\"n\":2}\n3 {\"n\":3}\n");
    cr_expect(ar.has_more);
    q.most_bytes = 1;
    cr_expect_str_eq(ar_page(&q), "3 {\"n\":3}\n");
    cr_expect(ar.has_more);
}

Test(archive_mongo, shows_a_hidden_message_to_its_sender_alone)
{
    struct archive_message two[] = {ar_message(1, "msg_1", "{\"n\":1}"),
                                    ar_message(2, "msg_2", "{\"n\":2}")};
    struct archive_query q = ar_query(1, 9, 5);

    two[1].is_hidden = true;
    cr_expect_eq(ar_append(two, 2), OK);
    cr_expect_str_eq(ar_page(&q), "1 {\"n\":1}\n");
    q.viewer = STR("u1");
    cr_expect_str_eq(ar_page(&q), "1 {\"n\":1}\n2 {\"n\":2}\n");
    q.conversation = STR("u1:u8");
    cr_expect_str_eq(ar_page(&q), "");
}

/* A Redis that lost its last second gives numbers again. */
Test(archive_mongo, keeps_both_messages_of_one_number_on_one_page)
{
    struct archive_message all[] = {
        ar_message(1, "msg_1", "{\"n\":1}"), ar_message(2, "msg_2", "{\"n\":2}"),
        ar_message(2, "msg_b", "{\"n\":\"b\"}"), ar_message(3, "msg_3", "{\"n\":3}")};
    struct archive_query q = ar_query(1, 9, 2);

    cr_expect_eq(ar_append(all, 4), OK);
    cr_expect_str_eq(ar_page(&q), "3 {\"n\":3}\n", "not one of the two");
    cr_expect(ar.has_more);
    q.high = 2;
    cr_expect(strstr(ar_page(&q), "2 {\"n\":\"b\"}\n"));
    cr_expect(strstr(ar.seen.p, "2 {\"n\":2}\n"));
}

Test(archive_mongo, keeps_any_text_as_it_is)
{
    const char *event =
        "{\"message\":\"\\u0000 \xe2\x82\xac $set.a \\\" \",\"$where\":{\"a.b\":1}}";
    struct archive_message m = ar_message(1, "msg_1", event);
    const struct archive_query q = ar_query(1, 9, 2);

    cr_expect_eq(ar_append(&m, 1), OK);
    cr_expect_str_eq(
        str_skip(str_z(ar_page(&q)), 2).p,
        "{\"message\":\"\\u0000 \xe2\x82\xac $set.a \\\" \",\"$where\":{\"a.b\":1}}\n");
}

static void insert(mongoc_collection_t *c, bson_t *doc)
{
    bson_error_t e;

    cr_assert(mongoc_collection_insert_one(c, doc, NULL, NULL, &e), "%s", e.message);
    bson_destroy(doc);
}

Test(archive_mongo, passes_over_what_is_no_message)
{
    mongoc_client_t *client = mongoc_client_new(mongo_fixture_uri());
    mongoc_collection_t *c = mongoc_client_get_collection(
        client, strrchr(mongo_fixture_uri(), '/') + 1, "private_messages");
    const struct archive_query q = ar_query(1, 90, 3);

#define FOREIGN(...) insert(c, BCON_NEW("conversation", "u1:u7", __VA_ARGS__))
    FOREIGN("seq", BCON_INT32(2));
    FOREIGN("seq", BCON_INT32(3), "event", BCON_INT32(1));
    FOREIGN("seq", BCON_INT32(4), "event", BCON_UTF8("not json"));
    FOREIGN("seq", BCON_INT32(5), "event", BCON_UTF8("[1]"));
    FOREIGN("seq", BCON_INT32(6), "event", BCON_UTF8("\"text\""));
    FOREIGN("seq", BCON_DOUBLE(7.0), "event", BCON_UTF8("{\"n\":\"by hand\"}"));
    FOREIGN("seq", "8", "event", BCON_UTF8("{}"));
    FOREIGN("event", BCON_UTF8("{}"));
    ar_fill(1, 1);
    ar_fill(9, 9);
    cr_expect_str_eq(ar_page(&q), "1 {\"n\":1}\n7 {\"n\":\"by hand\"}\n9 {\"n\":9}\n");
    cr_expect_eq(metric_get(M_ARCHIVE_FOREIGN), 5);
    mongoc_collection_destroy(c);
    mongoc_client_destroy(client);
}

Test(archive_mongo, erases_all_conversations_of_one_user)
{
    static const struct archive_message m = {
        .seq = 1, .from = STR("u2"), .id = STR("msg_x"), .event = STR("{\"n\":\"other\"}")};
    const struct archive_batch rows[] = {
        {.conversation = STR("u1:u3"), .users = {STR("u1"), STR("u3")}},
        {.conversation = STR("u2:u3"), .users = {STR("u2"), STR("u3")}},
        {.conversation = STR("u11:u3"), .users = {STR("u11"), STR("u3")}}, /* u1 is its beginning */
    };
    struct archive_query q = ar_query(1, 9, 5);

    ar_fill(1, 3);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct archive_batch b = rows[i];
        unsigned want = ar.answers + 1;

        b.messages = &m;
        b.count = 1;
        archive_append(ar.archive, &b, ar_done, NULL);
        ar_await(&ar.answers, want);
        cr_assert_eq(ar.rc, OK);
    }
    cr_expect_eq(ar_erase("u1"), 4);
    cr_expect_eq(ar_erase("u1"), 0);
    cr_expect_str_eq(ar_page(&q), "");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        q.conversation = rows[i].conversation;
        cr_expect_str_eq(ar_page(&q), i ? "1 {\"n\":\"other\"}\n" : "", "row %zu", i);
    }
}

Test(archive_mongo, shows_an_operator_what_was_hidden_and_from_whom)
{
    struct archive_message two[] = {ar_message(1, "msg_1", "{\"n\":1}"),
                                    ar_message(2, "msg_2", "{\"n\":2}")};
    struct archive_query q = ar_query(1, 9, 5);

    two[1].is_hidden = true;
    cr_expect_eq(ar_append(two, 2), OK);
    q.with_hidden = true;
    cr_expect_str_eq(ar_page(&q), "1 {\"n\":1}\n2 {\"n\":2} hidden\n");
    q.viewer = STR("u1");
    cr_expect_str_eq(ar_page(&q), "1 {\"n\":1}\n2 {\"n\":2}\n", "the sender is not told");
}

static const char *names(const char *user, const char *after)
{
    unsigned want = ar.answers + 1;

    archive_names(ar.archive, str_z(user), str_z(after), ar_names, NULL);
    ar_await(&ar.answers, want);
    cr_expect_eq(ar.rc, OK);
    return ar.seen.p;
}

Test(archive_mongo, names_the_conversations_of_a_user)
{
    static const struct archive_message m = {
        .seq = 1, .from = STR("u1"), .id = STR("msg_x"), .event = STR("{}")};

    cr_expect_str_eq(names("u1", ""), "");
    ar_fill(1, 3);
    for (unsigned i = 0; i < ARCHIVE_NAMES_MAX + 10; i++) {
        char name[16];
        const struct archive_batch b = {
            .conversation = str_of(name, (size_t)snprintf(name, sizeof name, "p%03u:u1", i)),
            .users = {str_of(name, 4), STR("u1")},
            .messages = &m,
            .count = 1};
        unsigned want = ar.answers + 1;

        archive_append(ar.archive, &b, ar_done, NULL);
        ar_await(&ar.answers, want);
        cr_assert_eq(ar.rc, OK);
    }
    cr_expect_str_eq(names("u7", ""), "u1:u7\n");
    cr_expect_str_eq(names("p003", ""), "p003:u1\n");
    cr_expect(str_starts(str_z(names("u1", "")), STR("p000:u1\np001:u1\n")));
    cr_expect_eq(strlen(ar.seen.p), 8 * ARCHIVE_NAMES_MAX, "a page of them");
    cr_expect(str_starts(str_z(names("u1", "p199:u1")), STR("p200:u1\n")));
    cr_expect(strstr(ar.seen.p, "p209:u1\nu1:u7\n"));
    cr_expect_str_eq(names("u1", "u1:u7"), "");
}
