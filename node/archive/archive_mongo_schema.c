/* See archive_mongo_priv.h. Nodes with different ARCHIVE_DAYS: the last one that started decides.
 */
#include "node/archive/archive_mongo_priv.h"

#include <string.h>
#include "base/forbid.h"

enum { DAY_S = 86400 };
enum { NAMESPACE_NOT_FOUND = 26, INDEX_NOT_FOUND = 27 }; /* codes of the server */

static bool command(mongoc_client_t *client, const char *database, bson_t *c, bson_error_t *e)
{
    bool is_done = mongoc_client_write_command_with_opts(client, database, c, NULL, NULL, e);

    bson_destroy(c);
    return is_done;
}

bool archive_mongo_make_indexes(mongoc_client_t *client, const char *database, bson_error_t *e)
{
    return command(client, database,
                   BCON_NEW("createIndexes", ARCHIVE_COLLECTION, "indexes", "[", "{", "key", "{",
                            "conversation", BCON_INT32(1), "seq", BCON_INT32(1), "}", "name",
                            "conversation_1_seq_1", "}", "{", "key", "{", "users", BCON_INT32(1),
                            "}", "name", "users_1", "}", "]"),
                   e);
}

/* ---- days ---- */

/* 0: there is no such index. */
static bool read_seconds(mongoc_client_t *client, const char *database, int64_t *out,
                         bson_error_t *e)
{
    mongoc_collection_t *c = mongoc_client_get_collection(client, database, ARCHIVE_COLLECTION);
    mongoc_cursor_t *cursor = mongoc_collection_find_indexes_with_opts(c, NULL);
    const bson_t *doc;
    bson_iter_t name, seconds;
    bool is_read;

    *out = 0;
    while (mongoc_cursor_next(cursor, &doc))
        if (bson_iter_init_find(&name, doc, "name") && BSON_ITER_HOLDS_UTF8(&name) &&
            strcmp(bson_iter_utf8(&name, NULL), ARCHIVE_DAYS_INDEX) == 0 &&
            bson_iter_init_find(&seconds, doc, "expireAfterSeconds"))
            *out = bson_iter_as_int64(&seconds);
    is_read = !mongoc_cursor_error(cursor, e) || e->code == NAMESPACE_NOT_FOUND;
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(c);
    return is_read;
}

static bool create(mongoc_client_t *client, const char *database, int64_t seconds, bson_error_t *e)
{
    return command(client, database,
                   BCON_NEW("createIndexes", ARCHIVE_COLLECTION, "indexes", "[", "{", "key", "{",
                            "at", BCON_INT32(1), "}", "name", ARCHIVE_DAYS_INDEX,
                            "expireAfterSeconds", BCON_INT64(seconds), "}", "]"),
                   e);
}

static bool change(mongoc_client_t *client, const char *database, int64_t seconds, bson_error_t *e)
{
    return command(client, database,
                   BCON_NEW("collMod", ARCHIVE_COLLECTION, "index", "{", "name", ARCHIVE_DAYS_INDEX,
                            "expireAfterSeconds", BCON_INT64(seconds), "}"),
                   e);
}

static bool drop(mongoc_client_t *client, const char *database, bson_error_t *e)
{
    return command(client, database,
                   BCON_NEW("dropIndexes", ARCHIVE_COLLECTION, "index", ARCHIVE_DAYS_INDEX), e) ||
           e->code == INDEX_NOT_FOUND;
}

bool archive_mongo_set_days(mongoc_client_t *client, const char *database, uint64_t days,
                            bson_error_t *e)
{
    int64_t want = (int64_t)days * DAY_S, has;

    if (!read_seconds(client, database, &has, e)) return false;
    if (has == want) return true;
    if (!want) return drop(client, database, e);
    if (!has) return create(client, database, want, e);
    /* collMod is not in the role readWrite, and not in every server of this wire */
    if (change(client, database, want, e)) return true;
    return drop(client, database, e) && create(client, database, want, e);
}
