/* MongoDB: schema version and indexes, seen to before the first call. */
#include "contacts/store/mongo_priv.h"

#include <stdio.h>
#include "base/forbid.h"

static const struct index {
    const char *collection, *name, *keys[5]; /* "-key" is descending */
    bool is_unique, is_sparse;
} indexes[] = {
    {"contacts", "form_key_1", {"form_key"}, true, true},
    {"contacts", "queue", {"status", "queue_rank", "queue_since", "_id"}, false, false},
    {"contacts", "contact_date_1__id_1", {"contact_date", "_id"}, false, false},
    {"contacts", "owner_id_1_status_1", {"owner_id", "status"}, false, false},
    {"contacts", "email_1", {"email"}, false, false},
    {"contacts", "user_id_1", {"user_id"}, false, true},
    {"contacts", "tags_1", {"tags"}, false, true},
    {"contacts", "next_at_1", {"next_at"}, false, true},
    {"contacts", "outbox.at_1", {"outbox.at"}, false, true},
    {"contacts_agents", "next_at_1", {"next_at"}, false, true},
    {"contacts_docs", "kind_1_id_1", {"kind", "id"}, true, false},
};

static int fail(struct mongo_worker *w)
{
    bool is_away;

    return mongo_code(w, false, &is_away);
}

static int make_index(struct mongo_worker *w, const struct index *i)
{
    mongoc_database_t *db = mongoc_client_get_database(w->client, w->mongo->db.database);
    bson_t command = BSON_INITIALIZER, list, index, keys;
    int rc = OK;

    bson_append_utf8(&command, "createIndexes", -1, i->collection, -1);
    bson_append_array_begin(&command, "indexes", -1, &list);
    bson_append_document_begin(&list, "0", -1, &index);
    bson_append_document_begin(&index, "key", -1, &keys);
    for (size_t n = 0; n < 5 && i->keys[n]; n++)
        bson_append_int32(&keys, i->keys[n], -1, 1);
    bson_append_document_end(&index, &keys);
    bson_append_utf8(&index, "name", -1, i->name, -1);
    if (i->is_unique) bson_append_bool(&index, "unique", -1, true);
    if (i->is_sparse) bson_append_bool(&index, "sparse", -1, true);
    bson_append_document_end(&list, &index);
    bson_append_array_end(&command, &list);
    if (!mongoc_database_write_command_with_opts(db, &command, NULL, NULL, &w->error)) rc = fail(w);
    bson_destroy(&command);
    mongoc_database_destroy(db);
    return rc;
}

/* The number that is written there; ours where there is none yet. */
static int read_version(struct mongo_worker *w, mongoc_collection_t *meta, int64_t *version)
{
    bson_t *query = BCON_NEW("_id", "schema");
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(meta, query, NULL, NULL);
    const bson_t *doc;
    bson_iter_t it;
    int rc = OK;

    *version = 0;
    if (mongoc_cursor_next(cursor, &doc)) {
        if (bson_iter_init_find(&it, doc, "version")) *version = bson_iter_as_int64(&it);
    } else if (mongoc_cursor_error(cursor, &w->error)) {
        rc = fail(w);
    }
    mongoc_cursor_destroy(cursor);
    bson_destroy(query);
    return rc;
}

static int write_version(struct mongo_worker *w, mongoc_collection_t *meta)
{
    bson_t *query = BCON_NEW("_id", "schema");
    bson_t *update = BCON_NEW("$max", "{", "version", BCON_INT64(STORE_SCHEMA), "}");
    bson_t *options = BCON_NEW("upsert", BCON_BOOL(true));
    int rc = OK;

    if (!mongoc_collection_update_one(meta, query, update, options, NULL, &w->error)) {
        rc = fail(w);
        if (rc == ERR_EXISTS) rc = OK; /* another node was as fast */
    }
    bson_destroy(query);
    bson_destroy(update);
    bson_destroy(options);
    return rc;
}

int mongo_prepare(struct mongo_worker *w)
{
    mongoc_collection_t *meta =
        mongoc_client_get_collection(w->client, w->mongo->db.database, "contacts_meta");
    int64_t version;
    int rc = read_version(w, meta, &version);

    if (rc == OK && version > STORE_SCHEMA) {
        (void)snprintf(w->why, sizeof w->why,
                       "its schema is %lld, this program knows %d: it was written by a newer one",
                       (long long)version, STORE_SCHEMA);
        rc = ERR_CONFIG;
    }
    for (size_t i = 0; i < sizeof indexes / sizeof *indexes && rc == OK; i++)
        rc = make_index(w, &indexes[i]);
    if (rc == OK && version < STORE_SCHEMA) rc = write_version(w, meta);
    mongoc_collection_destroy(meta);
    return rc;
}
