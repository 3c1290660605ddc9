/* MongoDB: the handful of commands that all calls are made of. */
#include "contacts/store/mongo_priv.h"

#include "base/forbid.h"

int mongo_find_one(struct mongo_worker *w, struct store_call *call, mongoc_collection_t *in,
                   const bson_t *query, const bson_t *options, bson_t *doc)
{
    bson_t *first = mongo_options(call);
    mongoc_cursor_t *cursor;
    const bson_t *found;
    int rc = OK;

    if (options) bson_concat(first, options);
    bson_append_int64(first, "limit", -1, 1);
    cursor = mongoc_collection_find_with_opts(in, query, first, NULL);
    if (mongoc_cursor_next(cursor, &found)) {
        bson_copy_to(found, doc);
    } else {
        bson_init(doc);
        rc = mongoc_cursor_error(cursor, &w->error) ? mongo_fail(w, call)
                                                    : store_fail(call, ERR_NOT_FOUND, NULL);
    }
    mongoc_cursor_destroy(cursor);
    bson_destroy(first);
    return rc;
}

int mongo_find_and_modify(struct mongo_worker *w, struct store_call *call, mongoc_collection_t *in,
                          const struct mongo_modify *m, bson_t *doc)
{
    mongoc_find_and_modify_opts_t *o = mongoc_find_and_modify_opts_new();
    bson_t reply, value;
    bson_iter_t it;
    bool is_done;

    bson_init(doc);
    mongoc_find_and_modify_opts_set_update(o, m->update);
    if (m->sort) mongoc_find_and_modify_opts_set_sort(o, m->sort);
    if (m->is_new) mongoc_find_and_modify_opts_set_flags(o, MONGOC_FIND_AND_MODIFY_RETURN_NEW);
    mongoc_find_and_modify_opts_set_max_time_ms(o,
                                                (uint32_t)mongodb_left_ms(call->base.deadline_us));
    is_done = mongoc_collection_find_and_modify_with_opts(in, m->query, o, &reply, &w->error);
    mongoc_find_and_modify_opts_destroy(o);
    if (!is_done) {
        (void)mongo_fail(w, call);
    } else if (bson_iter_init_find(&it, &reply, "value") && BSON_ITER_HOLDS_DOCUMENT(&it)) {
        const uint8_t *bytes;
        uint32_t n;

        bson_iter_document(&it, &n, &bytes);
        if (bson_init_static(&value, bytes, n)) bson_concat(doc, &value);
    } else {
        is_done = false;
        (void)store_fail(call, ERR_NOT_FOUND, NULL);
    }
    bson_destroy(&reply);
    return is_done ? OK : call->base.rc;
}

int mongo_update_one(struct mongo_worker *w, struct store_call *call, mongoc_collection_t *in,
                     const bson_t *query, const bson_t *update, struct str entry_id)
{
    bson_t options = BSON_INITIALIZER, filters, filter, reply;
    bson_iter_t it;
    int rc = OK;

    if (entry_id.p) {
        bson_append_array_begin(&options, "arrayFilters", -1, &filters);
        bson_append_document_begin(&filters, "0", -1, &filter);
        mongodb_put_text(&filter, "e.id", entry_id);
        bson_append_document_end(&filters, &filter);
        bson_append_array_end(&options, &filters);
    }
    if (!mongoc_collection_update_one(in, query, update, &options, &reply, &w->error))
        rc = mongo_fail(w, call);
    else if (!bson_iter_init_find(&it, &reply, "matchedCount") || bson_iter_as_int64(&it) == 0)
        rc = store_fail(call, ERR_NOT_FOUND, NULL);
    bson_destroy(&reply);
    bson_destroy(&options);
    return rc;
}

void mongo_heads_only(bson_t *options)
{
    BCON_APPEND(options, "projection", "{", "replies", BCON_INT32(0), "notes", BCON_INT32(0),
                "outbox", BCON_INT32(0), "}");
}
