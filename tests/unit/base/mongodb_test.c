#include "base/mongodb.h"

#include <criterion/criterion.h>
#include "base/mem.h"

Test(mongodb, says_what_an_error_means_and_who_else_will_fare_like_it)
{
    static const struct {
        uint32_t domain, code;
        bool was_sent, is_away;
        int rc;
    } rows[] = {
        {MONGOC_ERROR_SERVER, 11000, true, false, ERR_EXISTS},
        {MONGOC_ERROR_SERVER, 50, false, false, ERR_TIMEOUT},
        {MONGOC_ERROR_WRITE_CONCERN, 64, true, false, ERR_TIMEOUT},
        {MONGOC_ERROR_SERVER, 13, false, true, ERR_UNAVAILABLE},
        {MONGOC_ERROR_SERVER, 10107, true, true, ERR_UNAVAILABLE},
        {MONGOC_ERROR_SERVER, 10334, true, false, ERR_TOO_BIG},
        {MONGOC_ERROR_BSON, MONGOC_ERROR_BSON_INVALID, true, false, ERR_TOO_BIG},
        {MONGOC_ERROR_SERVER, 9, true, false, ERR_INTERNAL}, /* FailedToParse: ours */
        {MONGOC_ERROR_SERVER_SELECTION, MONGOC_ERROR_SERVER_SELECTION_FAILURE, true, true,
         ERR_UNAVAILABLE},
        {MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_CONNECT, true, true, ERR_UNAVAILABLE},
        {MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_SOCKET, false, true, ERR_UNAVAILABLE},
        {MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_SOCKET, true, true, ERR_TIMEOUT}, /* in doubt */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const bson_error_t e = {.domain = rows[i].domain, .code = rows[i].code};
        bool is_away = !rows[i].is_away;

        cr_expect_eq(mongodb_code(&e, rows[i].was_sent, &is_away), rows[i].rc, "row %zu", i);
        cr_expect_eq(is_away, rows[i].is_away, "row %zu", i);
    }
}

Test(mongodb, knows_who_is_turned_away_for_good)
{
    cr_expect(mongodb_is_turned_away(
        &(bson_error_t){.domain = MONGOC_ERROR_CLIENT, .code = MONGOC_ERROR_CLIENT_AUTHENTICATE}));
    cr_expect(mongodb_is_turned_away(&(bson_error_t){.domain = MONGOC_ERROR_SERVER, .code = 18}));
    cr_expect_not(
        mongodb_is_turned_away(&(bson_error_t){.domain = MONGOC_ERROR_SERVER, .code = 91}));
}

static int open_at(const char *uri, struct mongodb *m, char **why)
{
    const struct mongodb_conf c = {
        .uri = uri, .database = "ours", .timeout_ms = 1000, .clients = 2};

    return mongodb_open(&c, m, why);
}

Test(mongodb, takes_the_database_of_the_uri_or_the_one_that_is_given)
{
    static const char *const rows[][2] = {{"mongodb://127.0.0.1:1/", "ours"},
                                          {"mongodb://127.0.0.1:1", "ours"},
                                          {"mongodb://127.0.0.1:1/theirs?w=0", "theirs"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mongodb m;
        char *why = NULL;

        cr_assert_eq(open_at(rows[i][0], &m, &why), OK, "row %zu", i);
        cr_expect_str_eq(m.database, rows[i][1]);
        mongodb_close(&m);
    }
}

Test(mongodb, writes_are_acknowledged_by_a_majority_and_its_journals)
{
    struct mongodb m;
    char *why = NULL;
    mongoc_client_t *client;
    const mongoc_write_concern_t *wc;

    cr_assert_eq(open_at("mongodb://127.0.0.1:1/x?w=1&journal=false", &m, &why), OK);
    client = mongoc_client_pool_pop(m.pool);
    wc = mongoc_client_get_write_concern(client);
    cr_expect(mongoc_write_concern_get_wmajority(wc));
    cr_expect(mongoc_write_concern_get_journal(wc));
    mongoc_client_pool_push(m.pool, client);
    mongodb_close(&m);
}

Test(mongodb, says_what_is_wrong_with_a_uri)
{
    struct mongodb m;
    char *why = NULL;

    cr_expect_eq(open_at("mongo://nowhere", &m, &why), ERR_CONFIG);
    cr_expect(strstr(why, "MONGODB_URI: ") == why, "%s", why);
    mem_free(why);
}

Test(mongodb, a_ping_that_nobody_answers_says_so)
{
    struct mongodb m;
    char *why = NULL;
    mongoc_client_t *client;
    bson_error_t e = {0};
    bool is_away = false;

    cr_assert_eq(open_at("mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=50", &m, &why), OK);
    client = mongoc_client_pool_pop(m.pool);
    cr_expect_not(mongodb_ping(client, m.database, &e));
    cr_expect_eq(mongodb_code(&e, false, &is_away), ERR_UNAVAILABLE);
    cr_expect(is_away);
    mongoc_client_pool_push(m.pool, client);
    mongodb_close(&m);
}
