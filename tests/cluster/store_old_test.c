/* What the old service wrote into MongoDB is read, changed, and still readable by it. */
#include <mongoc/mongoc.h>
#include "tests/unit/support/store_contract.h"

#define OLD_ID "65f0a1b2c3d4e5f60718293a"

/* The collection as the old service sees it. */
static mongoc_client_t *client;
static mongoc_collection_t *contacts;

static void open_old(void)
{
    mongoc_init();
    client = mongoc_client_new(mongo_fixture_uri());
    contacts =
        mongoc_client_get_collection(client, strrchr(mongo_fixture_uri(), '/') + 1, "contacts");
}

static void close_old(void)
{
    mongoc_collection_destroy(contacts);
    mongoc_client_destroy(client);
}

#define OLD(name)                                                                                  \
    static void name(void);                                                                        \
    Test(store_old, name, .timeout = 120)                                                          \
    {                                                                                              \
        if (!mongo_fixture_uri()) cr_skip_test("no MongoDB-wire server: %s", mongo_fixture_why()); \
        store_fixture_open(&f, mongo_fixture_uri(), 2);                                            \
        open_old();                                                                                \
        name();                                                                                    \
        close_old();                                                                               \
        store_fixture_close(&f);                                                                   \
    }                                                                                              \
    static void name(void)

static void write_old(const char *id, bool has_reply)
{
    bson_t *doc = BCON_NEW("contact_name", "Ann", "email", "ann@example.org", "message", "Hello",
                           "contact_date", BCON_DATE_TIME(1600000000000), "__v", BCON_INT32(1));
    bson_t replies, reply;
    bson_oid_t oid;

    bson_oid_init_from_string(&oid, id);
    bson_append_oid(doc, "_id", -1, &oid);
    bson_append_array_begin(doc, "replies", -1, &replies);
    if (has_reply) {
        bson_append_document_begin(&replies, "0", -1, &reply);
        BCON_APPEND(&reply, "reply_name", "Bob", "email", "bob@example.org", "message", "Hi Ann",
                    "reply_date", BCON_DATE_TIME(1600000001000));
        bson_append_document_end(&replies, &reply);
    }
    bson_append_array_end(doc, &replies);
    cr_assert(mongoc_collection_insert_one(contacts, doc, NULL, NULL, NULL));
    bson_destroy(doc);
}

/* The old service answers while we run. */
static void push_old(const char *id, const char *email, const char *text)
{
    bson_t *query = bson_new(), *update = BCON_NEW("$push", "{", "replies", "{", "reply_name", "X",
                                                   "email", email, "message", text, "reply_date",
                                                   BCON_DATE_TIME(1600000009000), "}", "}");
    bson_oid_t oid;

    bson_oid_init_from_string(&oid, id);
    bson_append_oid(query, "_id", -1, &oid);
    cr_assert(mongoc_collection_update_one(contacts, query, update, NULL, NULL, NULL));
    bson_destroy(query);
    bson_destroy(update);
}

OLD(is_read_as_a_contact)
{
    write_old(OLD_ID, true);
    cr_assert_eq(get(0, OLD_ID)->rc, OK);
    EXPECT_STR(f.got.contact->id, OLD_ID);
    EXPECT_STR(f.got.contact->name, "Ann");
    EXPECT_STR(f.got.contact->status, "resolved");
    EXPECT_STR(f.got.contact->priority, "normal");
    cr_expect_eq(f.got.contact->created_at, 1600000000000);
    cr_expect_eq(f.got.contact->version, 0);
    cr_assert_eq(f.got.messages_count, 1);
    EXPECT_STR(f.got.messages[0].text, "Hi Ann");
    EXPECT_STR(f.got.messages[0].kind, "agent");
    EXPECT_STR(f.got.messages[0].id, "reply_1");
    cr_expect(f.got.messages[0].seq == 1 && f.got.messages[0].at == 1600000001000);
    GOT(&f, store_contact_get, f.stores[1], STR(OLD_ID), NULL);
    EXPECT_STR(f.got.contact->status, "resolved");
}

OLD(stands_in_lists)
{
    write_old(OLD_ID, true);
    write_old("65f0a1b2c3d4e5f60718293b", false);
    added("contact_1_a");
    GOT(&f, store_contact_list, f.stores[0], &(struct store_filter){.limit = 10});
    cr_expect_eq(f.got.contacts_count, 3);
    GOT(&f, store_contact_list, f.stores[0],
        &(struct store_filter){.limit = 10, .status = CONTACT_RESOLVED, .with_total = true});
    cr_assert_eq(f.got.contacts_count, 1);
    EXPECT_STR(f.got.contacts[0].id, OLD_ID);
    cr_expect_eq(f.got.total, 1);
    GOT(&f, store_contact_list, f.stores[0],
        &(struct store_filter){.limit = 10, .status = CONTACT_PENDING});
    cr_assert_eq(f.got.contacts_count, 2);
    EXPECT_STR(f.got.contacts[1].status, "pending");
    GOT(&f, store_contact_list, f.stores[0],
        &(struct store_filter){.limit = 10, .sort = STORE_QUEUE, .status = CONTACT_PENDING});
    cr_expect_eq(f.got.contacts_count, 1, "the live queue is ours");
}

OLD(gets_a_version_at_the_first_change)
{
    struct message m = store_fixture_message("m1", "Thanks");
    const struct store_more more = {.messages = &m, .messages_count = 1};
    struct contact c;

    write_old(OLD_ID, true);
    c = *GOT(&f, store_contact_get, f.stores[0], STR(OLD_ID), NULL)->contact;
    c.status = CONTACT_PENDING;
    cr_assert_eq(update(0, &c, &more)->rc, OK, "%d %s", f.got.rc, f.got.why ? f.got.why : "");
    cr_expect_eq(f.got.messages[0].seq, 2);
    cr_expect_gt(f.got.contact->version, 0);
    cr_expect_eq(update(1, &c, &more)->rc, ERR_CONFLICT, "who read it before is told");
    get(1, OLD_ID);
    EXPECT_STR(f.got.contact->status, "pending");
    cr_assert_eq(f.got.messages_count, 2);
    EXPECT_STR(f.got.messages[0].text, "Hi Ann");
    EXPECT_STR(f.got.messages[1].text, "Thanks");
}

OLD(of_many_first_changes_one_wins)
{
    struct contact c;
    unsigned from;

    write_old(OLD_ID, false);
    c = *get(0, OLD_ID)->contact;
    from = f.answers;
    for (unsigned i = 0; i < 20; i++) {
        c.owner_id = i % 2 ? STR("a1") : STR("a2");
        store_contact_update(f.stores[i % 2], &c, NULL, store_fixture_done, &f);
    }
    store_fixture_await(&f, from + 20);
    cr_expect_eq(count_rc(from, OK), 1);
    cr_expect_eq(count_rc(from, ERR_CONFLICT), 19);
}

OLD(may_go_on_answering_beside_us)
{
    struct message m = store_fixture_message("m1", "one");
    const struct store_more more = {.messages = &m, .messages_count = 1};
    struct contact c;

    write_old(OLD_ID, false);
    c = *get(0, OLD_ID)->contact;
    c = *update(0, &c, &more)->contact;
    push_old(OLD_ID, "ANN@example.org", "two");
    cr_expect_eq(update(0, &c, &more)->rc, ERR_CONFLICT, "there is something new to read");
    c = *get(0, OLD_ID)->contact;
    cr_assert_eq(f.got.messages_count, 2);
    EXPECT_STR(f.got.messages[1].text, "two");
    EXPECT_STR(f.got.messages[1].kind, "visitor");
    cr_expect_eq(f.got.messages[1].seq, 2);
    cr_assert_eq(update(0, &c, &more)->rc, OK);
    cr_expect_eq(f.got.messages[0].seq, 3);
}

OLD(reads_what_we_write)
{
    struct contact c = store_fixture_contact("contact_1_a");
    struct message m[] = {store_fixture_message("m1", "for all"),
                          store_fixture_message("m2", "for agents")};
    bson_t *query = BCON_NEW("_id", "contact_1_a");
    mongoc_cursor_t *cursor;
    const bson_t *doc;
    bson_iter_t it, list, member;

    m[1].kind = MESSAGE_NOTE;
    cr_assert_eq(insert(0, &c, &(struct store_more){.messages = m, .messages_count = 2})->rc, OK);
    cursor = mongoc_collection_find_with_opts(contacts, query, NULL, NULL);
    cr_assert(mongoc_cursor_next(cursor, &doc));
    cr_assert(bson_iter_init_find(&it, doc, "contact_date") && BSON_ITER_HOLDS_DATE_TIME(&it));
    cr_expect_eq(bson_iter_date_time(&it), c.created_at);
    cr_assert(bson_iter_init_find(&it, doc, "contact_name") && BSON_ITER_HOLDS_UTF8(&it));
    cr_assert(bson_iter_init_find(&it, doc, "replies") && BSON_ITER_HOLDS_ARRAY(&it));
    cr_assert(bson_iter_recurse(&it, &list) && bson_iter_next(&list));
    cr_assert(bson_iter_recurse(&list, &member) && bson_iter_find(&member, "reply_date"));
    cr_expect(BSON_ITER_HOLDS_DATE_TIME(&member));
    cr_expect(!bson_iter_next(&list), "a note is no reply: the old service shows replies to all");
    mongoc_cursor_destroy(cursor);
    bson_destroy(query);
}
