/* MongoDB: lists, counts, scans. Values are typed; a text to look for is a pattern without a
 * meaning of its own. */
#include "contacts/store/mongo_priv.h"

#include "base/clock.h"
#include "contacts/record/contact.h"
#include "base/forbid.h"

/* The text as a pattern that means itself; terminated, in the arena. */
static const char *escaped(struct store_call *call, struct str text, bool is_whole)
{
    struct sb b = {0};
    struct str s;

    if (is_whole) sb_char(&b, '^');
    for (size_t i = 0; i < text.n; i++) {
        if (strchr("\\^$.|?*+()[]{}/-#", text.p[i])) sb_char(&b, '\\');
        sb_char(&b, text.p[i]);
    }
    if (is_whole) sb_char(&b, '$');
    s = arena_str(&call->mem, sb_view(&b));
    sb_fini(&b);
    return s.p;
}

static void put_search(bson_t *query, struct store_call *call, struct str text)
{
    static const char *const names[] = {"contact_name", "email", "subject", "message"};
    const char *pattern = escaped(call, text, false);
    char key[MONGO_KEY_SIZE];
    bson_t any, one;

    bson_append_array_begin(query, "$or", -1, &any);
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        bson_append_document_begin(&any, mongo_key(i, key), -1, &one);
        bson_append_regex(&one, names[i], -1, pattern, "i");
        bson_append_document_end(&any, &one);
    }
    bson_append_array_end(query, &any);
}

/* A contact of the old service has no status: it waits until it has a reply. */
static void put_status(bson_t *query, struct str status)
{
    bson_t any, one;
    bool is_pending = str_eq(status, CONTACT_PENDING);

    if (!is_pending && !str_eq(status, CONTACT_RESOLVED)) {
        mongodb_put_text(query, "status", status);
        return;
    }
    bson_append_array_begin(query, "$or", -1, &any);
    bson_append_document_begin(&any, "0", -1, &one);
    mongodb_put_text(&one, "status", status);
    bson_append_document_end(&any, &one);
    bson_append_document_begin(&any, "1", -1, &one);
    bson_append_null(&one, "status", -1);
    BCON_APPEND(&one, "replies.0", "{", "$exists", BCON_BOOL(!is_pending), "}");
    bson_append_document_end(&any, &one);
    bson_append_array_end(query, &any);
}

static void put_range(bson_t *query, const char *name, int64_t from, int64_t to)
{
    bson_t range;

    bson_append_document_begin(query, name, -1, &range);
    if (from) bson_append_date_time(&range, "$gte", -1, from);
    if (to) bson_append_date_time(&range, "$lt", -1, to);
    bson_append_document_end(query, &range);
}

/* {$and: [{…}, …]}: each condition a document of its own, so that two of one name do not meet. */
struct query {
    bson_t all, list;
    unsigned count;
};

static void query_begin(struct query *q)
{
    bson_init(&q->all);
    bson_append_array_begin(&q->all, "$and", -1, &q->list);
    q->count = 0;
}

static void query_end(struct query *q)
{
    bson_append_array_end(&q->all, &q->list);
    if (q->count) return;
    bson_reinit(&q->all); /* an empty $and is none */
}

#define AND(q, put)                                                                                \
    do {                                                                                           \
        bson_t one_;                                                                               \
        char key_[MONGO_KEY_SIZE];                                                                 \
        bson_append_document_begin(&(q)->list, mongo_key((q)->count++, key_), -1, &one_);          \
        put;                                                                                       \
        bson_append_document_end(&(q)->list, &one_);                                               \
    } while (0)

static void and_filter(struct query *q, struct store_call *call)
{
    const struct store_filter *f = &call->ask.filter;

    if (f->status.n) AND(q, put_status(&one_, f->status));
    if (f->owner_id.n) AND(q, mongodb_put_text(&one_, "owner_id", f->owner_id));
    if (f->user_id.n) AND(q, mongodb_put_text(&one_, "user_id", f->user_id));
    if (f->priority.n) AND(q, mongodb_put_text(&one_, "priority", f->priority));
    if (f->tag.n) AND(q, mongodb_put_text(&one_, "tags", f->tag));
    if (f->email.n)
        AND(q, bson_append_regex(&one_, "email", -1, escaped(call, f->email, true), "i"));
    if (f->text.n) AND(q, put_search(&one_, call, f->text));
    if (f->from || f->to) AND(q, put_range(&one_, "contact_date", f->from, f->to));
    if (f->sort == STORE_QUEUE)
        AND(q, BCON_APPEND(&one_, "version", "{", "$gt", BCON_INT64(0), "}"));
}

/* ---- behind a cursor ---- */

struct key {
    const char *name;
    bool is_date, is_id;
    int64_t number;
};

static void put_key(bson_t *doc, const char *name, const struct key *k, struct str id)
{
    if (k->is_id)
        mongo_put_id(doc, name, id);
    else if (k->is_date)
        bson_append_date_time(doc, name, -1, k->number);
    else
        bson_append_int64(doc, name, -1, k->number);
}

/* {$or: [{a: {$gt: x}}, {a: x, b: {$gt: y}}, …]}; empty numbers are not there: less than any. */
static void put_behind(bson_t *query, const struct key *keys, unsigned count, struct str id,
                       const char *operator)
{
    char key[MONGO_KEY_SIZE];
    bson_t any, one, than;

    bson_append_array_begin(query, "$or", -1, &any);
    for (unsigned i = 0; i < count; i++) {
        bson_append_document_begin(&any, mongo_key(i, key), -1, &one);
        for (unsigned n = 0; n < i; n++)
            put_key(&one, keys[n].name, &keys[n], id);
        bson_append_document_begin(&one, keys[i].name, -1, &than);
        put_key(&than, operator, & keys[i], id);
        bson_append_document_end(&one, &than);
        bson_append_document_end(&any, &one);
    }
    bson_append_array_end(query, &any);
}

static void put_queue_behind(bson_t *query, int64_t rank, int64_t since, struct str id,
                             const char *operator)
{
    const struct key keys[] = {{"queue_rank", false, false, rank},
                               {"queue_since", true, false, since},
                               {"_id", false, true, 0}};

    put_behind(query, keys, 3, id, operator);
}

static int and_cursor(struct query *q, struct store_call *call)
{
    const struct store_filter *f = &call->ask.filter;
    struct store_cursor c;

    if (f->cursor.n == 0) return OK;
    if (store_cursor_read(call, f->cursor, &c) != OK) return ERR_SCHEMA;
    if (f->sort == STORE_QUEUE) {
        AND(q, put_queue_behind(&one_, c.a, c.b, c.id, "$gt"));
    } else {
        const struct key keys[] = {{"contact_date", true, false, c.a}, {"_id", false, true, 0}};

        AND(q, put_behind(&one_, keys, 2, c.id, f->sort == STORE_NEWEST ? "$lt" : "$gt"));
    }
    return OK;
}

static void put_sort(bson_t *options, enum store_sort sort)
{
    if (sort == STORE_QUEUE)
        BCON_APPEND(options, "sort", "{", "queue_rank", BCON_INT32(1), "queue_since", BCON_INT32(1),
                    "_id", BCON_INT32(1), "}");
    else
        BCON_APPEND(options, "sort", "{", "contact_date", BCON_INT32(sort == STORE_OLDEST ? 1 : -1),
                    "_id", BCON_INT32(sort == STORE_OLDEST ? 1 : -1), "}");
}

static int count_all(struct mongo_worker *w, struct store_call *call, const bson_t *query,
                     uint64_t *out)
{
    bson_t *options = mongo_options(call);
    int64_t n =
        mongoc_collection_count_documents(w->contacts, query, options, NULL, NULL, &w->error);

    bson_destroy(options);
    if (n < 0) return mongo_fail(w, call);
    *out = (uint64_t)n;
    return OK;
}

static int read_list(struct mongo_worker *w, struct store_call *call, const bson_t *query)
{
    const struct store_filter *f = &call->ask.filter;
    struct contact *c = arena_new(&call->mem, f->limit + 1, sizeof *c);
    bson_t *options = mongo_options(call);
    mongoc_cursor_t *cursor;
    const bson_t *doc;
    unsigned n = 0;
    int rc = OK;

    mongo_heads_only(options);
    put_sort(options, f->sort);
    bson_append_int64(options, "limit", -1, (int64_t)f->limit + 1);
    cursor = mongoc_collection_find_with_opts(w->contacts, query, options, NULL);
    while (n <= f->limit && mongoc_cursor_next(cursor, &doc))
        mongo_read_record(doc, &record_contact, &call->mem, &c[n++]);
    if (mongoc_cursor_error(cursor, &w->error)) rc = mongo_fail(w, call);
    mongoc_cursor_destroy(cursor);
    bson_destroy(options);
    if (n > f->limit) store_cursor_put(call, f->sort, &c[(n = f->limit) - 1]);
    if (rc == OK) rc = mongo_settle(w, call, c, n);
    call->result.contacts = c;
    call->result.contacts_count = n;
    return rc;
}

int mongo_contact_list(struct mongo_worker *w, struct store_call *call)
{
    struct query all, page;
    int rc = OK;

    query_begin(&all);
    and_filter(&all, call);
    query_end(&all);
    if (call->ask.filter.with_total) rc = count_all(w, call, &all.all, &call->result.total);
    bson_destroy(&all.all);
    if (rc != OK) return rc;
    query_begin(&page);
    and_filter(&page, call);
    rc = and_cursor(&page, call);
    query_end(&page);
    if (rc == OK) rc = read_list(w, call, &page.all);
    bson_destroy(&page.all);
    return rc;
}

/* ---- counts ---- */

static int count_status(struct mongo_worker *w, struct store_call *call, struct str status,
                        uint64_t *out)
{
    bson_t query = BSON_INITIALIZER;
    int rc;

    mongodb_put_text(&query, "status", status);
    BCON_APPEND(&query, "version", "{", "$gt", BCON_INT64(0), "}");
    rc = count_all(w, call, &query, out);
    bson_destroy(&query);
    return rc;
}

int mongo_contact_counts(struct mongo_worker *w, struct store_call *call)
{
    struct store_counts *c = &call->result.counts;
    int rc = count_status(w, call, CONTACT_PENDING, &c->pending);

    if (rc == OK) rc = count_status(w, call, CONTACT_IN_PROGRESS, &c->in_progress);
    if (rc == OK) rc = count_status(w, call, CONTACT_RESOLVED, &c->resolved);
    return rc;
}

int mongo_queue_place(struct mongo_worker *w, struct store_call *call)
{
    struct store_counts *counts = &call->result.counts;
    int rc = mongo_contact_head(w, call, call->ask.id);
    const struct contact *c = call->result.contact;
    bson_t query = BSON_INITIALIZER;

    if (rc == OK) rc = count_status(w, call, CONTACT_PENDING, &counts->pending);
    if (rc == OK && c->version > 0 && contact_is_pending(c)) {
        mongodb_put_text(&query, "status", CONTACT_PENDING);
        BCON_APPEND(&query, "version", "{", "$gt", BCON_INT64(0), "}");
        put_queue_behind(&query, c->queue_rank, c->queue_since, c->id, "$lt");
        rc = count_all(w, call, &query, &counts->place);
        counts->place++;
    }
    bson_destroy(&query);
    return rc;
}

/* ---- all of them ---- */

int mongo_contact_scan(struct mongo_worker *w, struct store_call *call)
{
    const struct store_scan *scan = &call->ask.scan;
    bson_t query = BSON_INITIALIZER, *options = mongo_options(call);
    struct arena mem = {0};
    mongoc_cursor_t *cursor;
    struct contact c;
    const bson_t *doc;
    int rc = OK;

    if (scan->from || scan->to) put_range(&query, "contact_date", scan->from, scan->to);
    mongo_heads_only(options);
    cursor = mongoc_collection_find_with_opts(w->contacts, &query, options, NULL);
    while (rc == OK && mongoc_cursor_next(cursor, &doc)) {
        mongo_read_record(doc, &record_contact, &mem, &c);
        if (c.version == 0) rc = mongo_settle(w, call, &c, 1);
        if (rc == OK) scan->step(scan->fold, &c);
        arena_fini(&mem);
        if (clock_us() >= call->base.deadline_us)
            rc = store_fail(call, ERR_TIMEOUT, "the scan was too slow");
    }
    if (rc == OK && mongoc_cursor_error(cursor, &w->error)) rc = mongo_fail(w, call);
    mongoc_cursor_destroy(cursor);
    bson_destroy(options);
    bson_destroy(&query);
    return rc;
}
