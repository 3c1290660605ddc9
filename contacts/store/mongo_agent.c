/* MongoDB: agents and documents: small records that are swapped whole. */
#include "contacts/store/mongo_priv.h"

#include "base/forbid.h"

/* Documents of the settings have one key of two parts. */
static void put_doc_id(bson_t *query, struct str kind, struct str id)
{
    struct sb key = {0};

    sb_str(&key, kind);
    sb_char(&key, '/');
    sb_str(&key, id);
    mongodb_put_text(query, "_id", sb_view(&key));
    sb_fini(&key);
}

static int read_one(struct mongo_worker *w, struct store_call *call, mongoc_collection_t *in,
                    const bson_t *query, const struct record_kind *k, void **out)
{
    bson_t doc;
    int rc = mongo_find_one(w, call, in, query, NULL, &doc);

    if (rc == OK) {
        *out = arena_new(&call->mem, 1, k->size);
        mongo_read_record(&doc, k, &call->mem, *out);
    }
    bson_destroy(&doc);
    return rc;
}

struct found {
    void *at;
    unsigned count;
};

static int read_all(struct mongo_worker *w, struct store_call *call, mongoc_collection_t *in,
                    const bson_t *query, const struct record_kind *k, struct found *out)
{
    char *at = arena_new(&call->mem, STORE_LIST_MAX, k->size);
    bson_t *options = mongo_options(call);
    mongoc_cursor_t *cursor;
    const bson_t *doc;
    int rc = OK;

    BCON_APPEND(options, "sort", "{", "_id", BCON_INT32(1), "}", "limit",
                BCON_INT64(STORE_LIST_MAX));
    cursor = mongoc_collection_find_with_opts(in, query, options, NULL);
    out->count = 0;
    while (out->count < STORE_LIST_MAX && mongoc_cursor_next(cursor, &doc))
        mongo_read_record(doc, k, &call->mem, at + out->count++ * k->size);
    if (mongoc_cursor_error(cursor, &w->error)) rc = mongo_fail(w, call);
    mongoc_cursor_destroy(cursor);
    bson_destroy(options);
    out->at = at;
    return rc;
}

/* Version 0 is put in, others take the place of that version. ERR_CONFLICT: it was not so. */
static int swap(struct mongo_worker *w, struct store_call *call, mongoc_collection_t *in,
                bson_t *query, const bson_t *doc, int64_t version)
{
    bson_t reply;
    bson_iter_t it;
    int rc = OK;

    if (version == 0) {
        if (mongoc_collection_insert_one(in, doc, NULL, NULL, &w->error)) return OK;
        rc = mongo_fail(w, call);
        return rc == ERR_EXISTS ? store_fail(call, ERR_CONFLICT, NULL) : rc;
    }
    bson_append_int64(query, "version", -1, version);
    if (!mongoc_collection_replace_one(in, query, doc, NULL, &reply, &w->error))
        rc = mongo_fail(w, call);
    else if (!bson_iter_init_find(&it, &reply, "matchedCount") || bson_iter_as_int64(&it) == 0)
        rc = store_fail(call, ERR_CONFLICT, NULL);
    bson_destroy(&reply);
    return rc;
}

/* ---- agents ---- */

int mongo_agent_get(struct mongo_worker *w, struct store_call *call)
{
    bson_t query = BSON_INITIALIZER;
    void *agent = NULL;
    int rc;

    mongo_put_id(&query, "_id", call->ask.id);
    rc = read_one(w, call, w->agents, &query, &record_agent, &agent);
    call->result.agent = agent;
    bson_destroy(&query);
    return rc;
}

int mongo_agent_list(struct mongo_worker *w, struct store_call *call)
{
    bson_t query = BSON_INITIALIZER;
    struct found list;
    int rc = read_all(w, call, w->agents, &query, &record_agent, &list);

    call->result.agents = list.at;
    call->result.agents_count = list.count;
    bson_destroy(&query);
    return rc;
}

int mongo_agent_update(struct mongo_worker *w, struct store_call *call)
{
    bson_t query = BSON_INITIALIZER, doc = BSON_INITIALIZER;
    struct agent *a = &call->ask.agent;
    int64_t version = a->version;
    int rc;

    a->version = version + 1;
    a->updated_at = call->ask.now;
    mongo_put_id(&query, "_id", a->id);
    mongo_put_record(&doc, &record_agent, a);
    rc = swap(w, call, w->agents, &query, &doc, version);
    if (rc == OK) call->result.agent = a;
    bson_destroy(&query);
    bson_destroy(&doc);
    return rc;
}

/* ---- documents ---- */

static int get_doc(struct mongo_worker *w, struct store_call *call, struct str kind, struct str id)
{
    bson_t query = BSON_INITIALIZER;
    void *doc = NULL;
    int rc;

    put_doc_id(&query, kind, id);
    rc = read_one(w, call, w->docs, &query, &record_doc, &doc);
    call->result.doc = doc;
    bson_destroy(&query);
    return rc;
}

int mongo_doc_get(struct mongo_worker *w, struct store_call *call)
{
    return get_doc(w, call, call->ask.kind, call->ask.id);
}

int mongo_doc_list(struct mongo_worker *w, struct store_call *call)
{
    bson_t query = BSON_INITIALIZER;
    struct found list;
    int rc;

    mongodb_put_text(&query, "kind", call->ask.kind);
    rc = read_all(w, call, w->docs, &query, &record_doc, &list);
    call->result.docs = list.at;
    call->result.docs_count = list.count;
    bson_destroy(&query);
    return rc;
}

int mongo_doc_put(struct mongo_worker *w, struct store_call *call)
{
    bson_t query = BSON_INITIALIZER, doc = BSON_INITIALIZER;
    struct doc *d = &call->ask.doc;
    int64_t version = d->version;
    int rc;

    d->version = version + 1;
    d->updated_at = call->ask.now;
    put_doc_id(&query, d->kind, d->id);
    put_doc_id(&doc, d->kind, d->id);
    mongo_put_record(&doc, &record_doc, d);
    rc = swap(w, call, w->docs, &query, &doc, version);
    bson_destroy(&query);
    bson_destroy(&doc);
    call->result.doc = d;
    if (rc != ERR_CONFLICT) return rc;
    rc = get_doc(w, call, d->kind, d->id);
    return rc == OK ? store_fail(call, version ? ERR_CONFLICT : ERR_EXISTS, NULL) : rc;
}

int mongo_doc_delete(struct mongo_worker *w, struct store_call *call)
{
    bson_t query = BSON_INITIALIZER, reply;
    bson_iter_t it;
    int rc = OK;

    put_doc_id(&query, call->ask.kind, call->ask.id);
    if (!mongoc_collection_delete_one(w->docs, &query, NULL, &reply, &w->error))
        rc = mongo_fail(w, call);
    else if (!bson_iter_init_find(&it, &reply, "deletedCount") || bson_iter_as_int64(&it) == 0)
        rc = store_fail(call, ERR_NOT_FOUND, NULL);
    bson_destroy(&reply);
    bson_destroy(&query);
    return rc;
}
