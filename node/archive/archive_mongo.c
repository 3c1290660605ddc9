/* Messages as documents of the collection private_messages:
 *   _id "<conversation> <seq> <messageId>", conversation, seq, at, from, users [2], hidden, event.
 * The messageId is in the key because a Redis that lost its last second gives numbers twice, and
 * both messages were acknowledged. Others may have put documents there too: what is no message of
 * ours is passed over. */
#include "node/archive/archive_priv.h"

#include <stdio.h>
#include "base/conf.h"
#include "base/json.h"
#include "base/mem.h"
#include "node/archive/archive_mongo_priv.h"
#include "base/forbid.h"

#define DATABASE "quizblog_messages" /* when the URI names none */
#define SCAN_MAX 1000                /* documents looked at for one page */

struct archive_mongo {
    struct mongodb db;
    uint64_t days;  /* ARCHIVE_DAYS; of a node */
    bool is_a_node; /* it sees to them */
    bool is_ready;  /* indexes were seen to; atomic */
};

struct worker { /* a client; of one thread */
    struct archive_mongo *mongo;
    mongoc_client_t *client;
    mongoc_collection_t *messages;
    bson_error_t error;
};

static int fail(const struct worker *w, struct archive_call *call)
{
    bool was_sent = call->op != ARCHIVE_READ && call->op != ARCHIVE_NAMES;

    call->base.rc = mongodb_code(&w->error, was_sent, &call->base.is_away);
    (void)snprintf(call->why, sizeof call->why, "MongoDB: %.220s", w->error.message);
    call->base.why = call->why;
    return call->base.rc;
}

/* ---- a worker ---- */

void *archive_mongo_worker_open(void *mongo)
{
    struct worker *w = MEM_NEW(struct worker);
    mongoc_read_prefs_t *primary = mongoc_read_prefs_new(MONGOC_READ_PRIMARY);

    w->mongo = mongo;
    w->client = mongoc_client_pool_pop(w->mongo->db.pool);
    w->messages =
        mongoc_client_get_collection(w->client, w->mongo->db.database, ARCHIVE_COLLECTION);
    /* Redis has let go of what the primary has: another one may not have it yet. */
    mongoc_collection_set_read_prefs(w->messages, primary);
    mongoc_read_prefs_destroy(primary);
    return w;
}

void archive_mongo_worker_close(void *worker)
{
    struct worker *w = worker;

    mongoc_collection_destroy(w->messages);
    mongoc_client_pool_push(w->mongo->db.pool, w->client);
    mem_free(w);
}

/* What the server refuses is a warning: messages are archived all the same. False: it went away. */
static bool set_days(struct worker *w, struct archive_call *call)
{
    const struct archive_mongo *m = w->mongo;
    bson_error_t e;
    bool is_away = false;

    if (!m->is_a_node || archive_mongo_set_days(w->client, m->db.database, m->days, &e))
        return true;
    (void)!mongodb_code(&e, false, &is_away);
    if (mongodb_is_turned_away(&e)) is_away = false; /* it has no right to this alone */
    if (is_away)
        w->error = e;
    else
        (void)snprintf(call->warning, sizeof call->warning, "ARCHIVE_DAYS: MongoDB: %.220s",
                       e.message);
    return !is_away;
}

/* Once for the process; again as long as it does not succeed. */
static int get_ready(struct worker *w, struct archive_call *call)
{
    if (__atomic_load_n(&w->mongo->is_ready, __ATOMIC_ACQUIRE)) return OK;
    if (!archive_mongo_make_indexes(w->client, w->mongo->db.database, &w->error) ||
        !set_days(w, call)) {
        (void)fail(w, call);
        call->base.is_away = true;
        return call->base.rc = ERR_UNAVAILABLE;
    }
    __atomic_store_n(&w->mongo->is_ready, true, __ATOMIC_RELEASE);
    return OK;
}

/* ---- append ---- */

static void put_message(bson_t *doc, const struct archive_batch *b, const struct archive_message *m)
{
    bson_t users;

    mongodb_put_text(doc, "conversation", b->conversation);
    bson_append_int64(doc, "seq", -1, (int64_t)m->seq);
    bson_append_date_time(doc, "at", -1, (int64_t)m->at_ms);
    mongodb_put_text(doc, "from", m->from);
    bson_append_array_begin(doc, "users", -1, &users);
    mongodb_put_text(&users, "0", b->users[0]);
    mongodb_put_text(&users, "1", b->users[1]);
    bson_append_array_end(doc, &users);
    bson_append_bool(doc, "hidden", -1, m->is_hidden);
    mongodb_put_text(doc, "event", m->event);
}

static void add_upsert(mongoc_bulk_operation_t *bulk, const struct archive_batch *b,
                       const struct archive_message *m)
{
    bson_t query = BSON_INITIALIZER, update = BSON_INITIALIZER, options = BSON_INITIALIZER, doc;
    struct sb id = {0};

    sb_str(&id, b->conversation);
    sb_printf(&id, " %llu ", (unsigned long long)m->seq);
    sb_str(&id, m->id);
    mongodb_put_text(&query, "_id", sb_view(&id));
    bson_append_document_begin(&update, "$setOnInsert", -1, &doc);
    put_message(&doc, b, m);
    bson_append_document_end(&update, &doc);
    bson_append_bool(&options, "upsert", -1, true);
    (void)mongoc_bulk_operation_update_one_with_opts(bulk, &query, &update, &options, NULL);
    sb_fini(&id);
    bson_destroy(&query);
    bson_destroy(&update);
    bson_destroy(&options);
}

static void append(struct worker *w, struct archive_call *call)
{
    bson_t options = BSON_INITIALIZER, reply;
    mongoc_bulk_operation_t *bulk;

    bson_append_bool(&options, "ordered", -1, false);
    bulk = mongoc_collection_create_bulk_operation_with_opts(w->messages, &options);
    for (unsigned i = 0; i < call->batch.count; i++)
        add_upsert(bulk, &call->batch, &call->batch.messages[i]);
    if (!mongoc_bulk_operation_execute(bulk, &reply, &w->error)) (void)fail(w, call);
    bson_destroy(&reply);
    mongoc_bulk_operation_destroy(bulk);
    bson_destroy(&options);
}

/* ---- read ---- */

static void put_query(bson_t *query, const struct archive_query *q)
{
    bson_t range, either, term, visible;

    mongodb_put_text(query, "conversation", q->conversation);
    bson_append_document_begin(query, "seq", -1, &range);
    bson_append_int64(&range, "$gte", -1, (int64_t)q->low);
    bson_append_int64(&range, "$lte", -1, (int64_t)q->high);
    bson_append_document_end(query, &range);
    if (q->with_hidden) return;
    bson_append_array_begin(query, "$or", -1, &either);
    bson_append_document_begin(&either, "0", -1, &term);
    bson_append_document_begin(&term, "hidden", -1, &visible);
    bson_append_bool(&visible, "$ne", -1, true);
    bson_append_document_end(&term, &visible);
    bson_append_document_end(&either, &term);
    bson_append_document_begin(&either, "1", -1, &term);
    mongodb_put_text(&term, "from", q->viewer);
    bson_append_document_end(&either, &term);
    bson_append_array_end(query, &either);
}

static bson_t *options_of(const struct archive_call *call)
{
    return BCON_NEW("sort", "{", "seq", BCON_INT32(call->query.is_forth ? 1 : -1), "}",
                    "projection", "{", "seq", BCON_INT32(1), "event", BCON_INT32(1), "hidden",
                    BCON_INT32(1), "from", BCON_INT32(1), "}", "limit", BCON_INT64(SCAN_MAX),
                    "batchSize", BCON_INT32((int32_t)call->query.most + 1), "maxTimeMS",
                    BCON_INT64(mongodb_left_ms(call->base.deadline_us)));
}

static bool is_hidden(const bson_t *doc, struct str viewer)
{
    bson_iter_t it;
    uint32_t n;
    const char *from;

    if (!bson_iter_init_find(&it, doc, "hidden") || !bson_iter_as_bool(&it)) return false;
    if (!bson_iter_init_find(&it, doc, "from") || !BSON_ITER_HOLDS_UTF8(&it)) return true;
    from = bson_iter_utf8(&it, &n);
    return !str_eq(str_of(from, n), viewer);
}

/* False: no message of ours. out borrows from doc. */
static bool read_message(const bson_t *doc, struct str viewer, struct archive_message *out)
{
    bson_iter_t it;
    struct json v;
    uint32_t n;

    if (!bson_iter_init_find(&it, doc, "seq") || !BSON_ITER_HOLDS_NUMBER(&it)) return false;
    if (bson_iter_as_int64(&it) < 0) return false;
    out->seq = (uint64_t)bson_iter_as_int64(&it);
    if (!bson_iter_init_find(&it, doc, "event") || !BSON_ITER_HOLDS_UTF8(&it)) return false;
    out->event.p = bson_iter_utf8(&it, &n);
    out->event.n = n;
    out->is_hidden = is_hidden(doc, viewer);
    return json_parse(out->event, &v) == OK && v.type == JSON_OBJECT;
}

/* More of the same number would be out of reach behind a page that ends with it. */
static void drop_torn(struct archive_call *call, uint64_t next_seq)
{
    unsigned kept = call->count;

    while (kept && call->messages[kept - 1].seq == next_seq)
        kept--;
    if (kept) call->count = kept;
}

/* False: the page is full. */
static bool take(struct archive_call *call, const bson_t *doc)
{
    struct archive_message m = {0};

    if (!read_message(doc, call->query.viewer, &m)) {
        call->foreign++;
        return true;
    }
    if (call->count == call->query.most ||
        (call->count && call->page.n + m.event.n > call->query.most_bytes)) {
        call->has_more = true;
        drop_torn(call, m.seq);
        return false;
    }
    call->messages[call->count++] =
        (struct archive_message){.seq = m.seq, .event.n = m.event.n, .is_hidden = m.is_hidden};
    sb_str(&call->page, m.event);
    return true;
}

/* Ascending, each pointing to where it is in the page. */
static void settle_page(struct archive_call *call)
{
    struct archive_message *m = call->messages;
    size_t at = 0;

    for (unsigned i = 0; i < call->count; i++) {
        m[i].event.p = call->page.p + at;
        at += m[i].event.n;
    }
    for (unsigned i = 0; !call->query.is_forth && i < call->count / 2; i++) {
        struct archive_message first = m[i];

        m[i] = m[call->count - 1 - i];
        m[call->count - 1 - i] = first;
    }
}

static void read_page(struct worker *w, struct archive_call *call)
{
    bson_t query = BSON_INITIALIZER, *options = options_of(call);
    mongoc_cursor_t *cursor;
    const bson_t *doc;
    unsigned seen = 0;

    put_query(&query, &call->query);
    call->messages = mem_new(call->query.most, sizeof *call->messages);
    cursor = mongoc_collection_find_with_opts(w->messages, &query, options, NULL);
    while (mongoc_cursor_next(cursor, &doc)) {
        seen++;
        if (!take(call, doc)) break;
    }
    if (seen == SCAN_MAX) call->has_more = call->count > 0;
    if (mongoc_cursor_error(cursor, &w->error)) (void)fail(w, call);
    settle_page(call);
    mongoc_cursor_destroy(cursor);
    bson_destroy(options);
    bson_destroy(&query);
}

/* ---- names ---- */

static void read_names(struct worker *w, struct archive_call *call)
{
    bson_t match = BSON_INITIALIZER, behind, *pipeline;
    bson_t *options = BCON_NEW("maxTimeMS", BCON_INT64(mongodb_left_ms(call->base.deadline_us)));
    mongoc_cursor_t *cursor;
    const bson_t *doc;
    bson_iter_t it;

    mongodb_put_text(&match, "users", call->query.viewer);
    bson_append_document_begin(&match, "conversation", -1, &behind);
    mongodb_put_text(&behind, "$gt", call->query.conversation);
    bson_append_document_end(&match, &behind);
    pipeline =
        BCON_NEW("pipeline", "[", "{", "$match", BCON_DOCUMENT(&match), "}", "{", "$group", "{",
                 "_id", BCON_UTF8("$conversation"), "}", "}", "{", "$sort", "{", "_id",
                 BCON_INT32(1), "}", "}", "{", "$limit", BCON_INT64(ARCHIVE_NAMES_MAX), "}", "]");
    cursor = mongoc_collection_aggregate(w->messages, MONGOC_QUERY_NONE, pipeline, options, NULL);
    while (mongoc_cursor_next(cursor, &doc)) {
        uint32_t n;
        const char *name;

        if (!bson_iter_init_find(&it, doc, "_id") || !BSON_ITER_HOLDS_UTF8(&it)) continue;
        name = bson_iter_utf8(&it, &n);
        sb_str(&call->page, str_of(name, n));
        sb_char(&call->page, '\n');
    }
    if (mongoc_cursor_error(cursor, &w->error)) (void)fail(w, call);
    mongoc_cursor_destroy(cursor);
    bson_destroy(options);
    bson_destroy(pipeline);
    bson_destroy(&match);
}

/* ---- erase ---- */

/* Keys of the user's documents, as {_id: {$in: […]}}; false: it failed. */
static bool put_keys(struct worker *w, struct archive_call *call, bson_t *query)
{
    bson_t users = BSON_INITIALIZER, in, keys;
    bson_t *options = BCON_NEW("projection", "{", "_id", BCON_INT32(1), "}", "limit",
                               BCON_INT64(ARCHIVE_ERASE_MAX), "maxTimeMS",
                               BCON_INT64(mongodb_left_ms(call->base.deadline_us)));
    mongoc_cursor_t *cursor;
    const bson_t *doc;
    bson_iter_t it;
    bool is_read;

    mongodb_put_text(&users, "users", call->query.viewer);
    cursor = mongoc_collection_find_with_opts(w->messages, &users, options, NULL);
    bson_append_document_begin(query, "_id", -1, &in);
    bson_append_array_begin(&in, "$in", -1, &keys);
    while (mongoc_cursor_next(cursor, &doc)) {
        char room[12];
        const char *key;
        size_t n = bson_uint32_to_string(call->count, &key, room, sizeof room);

        if (!bson_iter_init_find(&it, doc, "_id")) continue;
        bson_append_value(&keys, key, (int)n, bson_iter_value(&it));
        call->count++;
    }
    bson_append_array_end(&in, &keys);
    bson_append_document_end(query, &in);
    is_read = !mongoc_cursor_error(cursor, &w->error);
    mongoc_cursor_destroy(cursor);
    bson_destroy(options);
    bson_destroy(&users);
    return is_read;
}

static void erase(struct worker *w, struct archive_call *call)
{
    bson_t query = BSON_INITIALIZER;

    if (!put_keys(w, call, &query) ||
        (call->count && !mongoc_collection_delete_many(w->messages, &query, NULL, NULL, &w->error)))
        (void)fail(w, call);
    bson_destroy(&query);
}

/* ---- calls ---- */

static void probe(struct worker *w, struct archive_call *call)
{
    if (!mongodb_ping(w->client, w->mongo->db.database, &w->error)) (void)fail(w, call);
}

void archive_mongo_run(void *worker, struct archive_call *call)
{
    static void (*const runs[ARCHIVE_OPS])(struct worker * w, struct archive_call * call) = {
        [ARCHIVE_APPEND] = append,
        [ARCHIVE_READ] = read_page,
        [ARCHIVE_NAMES] = read_names,
        [ARCHIVE_ERASE] = erase,
        [ARCHIVE_PROBE] = probe};
    struct worker *w = worker;

    if (get_ready(w, call) == OK) runs[call->op](w, call);
}

/* ---- start and end ---- */

int archive_mongo_open(const struct conf *c, bool is_a_node, struct archive_mongo **out,
                       struct archive_call *first, char **why)
{
    const struct mongodb_conf conf = {.uri = c->mongodb_uri,
                                      .database = DATABASE,
                                      .timeout_ms = c->store_timeout_ms,
                                      .clients = (unsigned)c->store_workers + 1};
    struct archive_mongo *m = MEM_NEW(struct archive_mongo);
    struct worker *w;
    bool is_turned_away;

    if (mongodb_open(&conf, &m->db, why) != OK) {
        mem_free(m);
        return ERR_CONFIG;
    }
    m->days = c->archive_days;
    m->is_a_node = is_a_node;
    first->op = ARCHIVE_PROBE;
    w = archive_mongo_worker_open(m);
    (void)get_ready(w, first);
    is_turned_away = mongodb_is_turned_away(&w->error);
    archive_mongo_worker_close(w);
    if (first->base.rc != OK) *why = mongodb_sentence(first->base.why);
    if (is_turned_away) {
        archive_mongo_close(m);
        return ERR_CONFIG;
    }
    *out = m;
    return first->base.rc;
}

void archive_mongo_close(struct archive_mongo *m)
{
    mongodb_close(&m->db);
    mem_free(m);
}
