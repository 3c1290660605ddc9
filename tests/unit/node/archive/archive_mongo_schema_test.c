#include "tests/unit/support/archive_rig.inc"

#include "base/mem.h"
#include "node/archive/archive_mongo_priv.h"

TestSuite(archive_mongo_schema, .timeout = 120);

static mongoc_client_t *client;
static const char *database;

static void up(void)
{
    if (!mongo_fixture_uri()) cr_skip_test("no MongoDB-wire server: %s", mongo_fixture_why());
    client = mongoc_client_new(mongo_fixture_uri());
    database = strrchr(mongo_fixture_uri(), '/') + 1;
}

static void set_days(uint64_t days)
{
    bson_error_t e;

    cr_expect(archive_mongo_set_days(client, database, days, &e), "%s", e.message);
}

/* -1: there is no such index; 0: it lets nothing go. */
static int64_t seconds_of(const char *name)
{
    mongoc_collection_t *c = mongoc_client_get_collection(client, database, ARCHIVE_COLLECTION);
    mongoc_cursor_t *cursor = mongoc_collection_find_indexes_with_opts(c, NULL);
    int64_t seconds = -1;
    const bson_t *doc;
    bson_iter_t it, at;

    while (mongoc_cursor_next(cursor, &doc)) {
        if (!bson_iter_init_find(&it, doc, "name") || strcmp(bson_iter_utf8(&it, NULL), name) != 0)
            continue;
        cr_expect_eq(seconds, -1, "it is there once");
        seconds = bson_iter_init_find(&it, doc, "expireAfterSeconds") ? bson_iter_as_int64(&it) : 0;
        if (strcmp(name, ARCHIVE_DAYS_INDEX) == 0)
            cr_expect(bson_iter_init(&it, doc) && bson_iter_find_descendant(&it, "key.at", &at));
    }
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(c);
    return seconds;
}

Test(archive_mongo_schema, days_are_an_index_that_comes_changes_and_goes)
{
    static const struct {
        uint64_t days;
        int64_t want_s;
    } rows[] = {{0, -1},           {7, 604800}, {7, 604800}, {1, 86400},
                {7300, 630720000}, {0, -1},     {0, -1},     {30, 2592000}};

    up();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set_days(rows[i].days);
        cr_expect_eq(seconds_of(ARCHIVE_DAYS_INDEX), rows[i].want_s, "row %zu", i);
    }
    mongoc_client_destroy(client);
}

Test(archive_mongo_schema, an_index_that_somebody_else_made_stays)
{
    bson_error_t e;
    bson_t *theirs;

    up();
    cr_assert(archive_mongo_make_indexes(client, database, &e), "%s", e.message);
    theirs = BCON_NEW("createIndexes", ARCHIVE_COLLECTION, "indexes", "[", "{", "key", "{", "at",
                      BCON_INT32(1), "}", "name", "theirs", "expireAfterSeconds", BCON_INT32(60),
                      "}", "]");
    cr_assert(mongoc_client_write_command_with_opts(client, database, theirs, NULL, NULL, &e));
    bson_destroy(theirs);
    set_days(0);
    cr_expect_eq(seconds_of("theirs"), 60);
    cr_expect_eq(seconds_of("conversation_1_seq_1"), 0);
    cr_expect_eq(seconds_of("users_1"), 0);
    mongoc_client_destroy(client);
}

static void open_and_close(enum archive_of who, uint64_t days)
{
    char *why = NULL;

    ar.conf.archive_days = days;
    cr_assert_eq(ar_open_as(who, (char *)(uintptr_t)mongo_fixture_uri(), &why), OK, "%s", why);
    cr_expect(archive_is_up(ar.archive));
    ar_down();
    memset(&ar, 0, sizeof ar);
}

Test(archive_mongo_schema, a_node_brings_its_days_and_an_errand_leaves_them)
{
    up();
    open_and_close(ARCHIVE_OF_NODE, 7);
    cr_expect_eq(seconds_of(ARCHIVE_DAYS_INDEX), 604800);
    open_and_close(ARCHIVE_OF_OPERATOR, 0);
    cr_expect_eq(seconds_of(ARCHIVE_DAYS_INDEX), 604800);
    open_and_close(ARCHIVE_OF_NODE, 14);
    cr_expect_eq(seconds_of(ARCHIVE_DAYS_INDEX), 1209600);
    open_and_close(ARCHIVE_OF_NODE, 0);
    cr_expect_eq(seconds_of(ARCHIVE_DAYS_INDEX), -1);
    cr_expect_eq(seconds_of("users_1"), 0, "the others are there");
    mongoc_client_destroy(client);
}
