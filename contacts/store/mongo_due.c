/* MongoDB: what is due, of contacts, agents and the outbox. A take of a record is one
 * findAndModify, one of an entry a compare-and-swap. Entries that are dead have a date behind all
 * others, so that the index finds those that are due. */
#include "contacts/store/mongo_priv.h"

#include "base/clock.h"
#include "contacts/record/contact.h"
#include "contacts/record/outbox.h"
#include "base/forbid.h"

#define TAKE_LOOKS 16

/* The earliest next_at of a collection; 0: none. */
static int earliest(struct mongo_worker *w, struct store_call *call, mongoc_collection_t *in,
                    int64_t *at)
{
    bson_t *query = BCON_NEW("next_at", "{", "$gt", BCON_DATE_TIME(0), "}");
    bson_t *options = BCON_NEW("sort", "{", "next_at", BCON_INT32(1), "}", "projection", "{",
                               "next_at", BCON_INT32(1), "}");
    bson_t doc;
    bson_iter_t it;
    int rc = mongo_find_one(w, call, in, query, options, &doc);

    *at = 0;
    if (rc == OK && bson_iter_init_find(&it, &doc, "next_at") && BSON_ITER_HOLDS_DATE_TIME(&it))
        *at = bson_iter_date_time(&it);
    bson_destroy(&doc);
    bson_destroy(query);
    bson_destroy(options);
    return rc == ERR_NOT_FOUND ? (call->base.rc = OK) : rc;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a && (!b || a < b) ? a : b;
}

int mongo_due_next(struct mongo_worker *w, struct store_call *call)
{
    int64_t contacts, agents;
    int rc = earliest(w, call, w->contacts, &contacts);

    if (rc == OK) rc = earliest(w, call, w->agents, &agents);
    if (rc == OK) call->result.at = sooner(contacts, agents);
    return rc;
}

/* As it was before; its next_at is the end of the lease now. */
static int take(struct mongo_worker *w, struct store_call *call, mongoc_collection_t *in,
                const struct record_kind *k, void **out)
{
    bson_t *query = BCON_NEW("next_at", "{", "$gt", BCON_DATE_TIME(0), "$lte",
                             BCON_DATE_TIME(call->ask.now), "}");
    bson_t *update = BCON_NEW("$set", "{", "next_at", BCON_DATE_TIME(call->ask.until), "}");
    bson_t *sort = BCON_NEW("next_at", BCON_INT32(1));
    bson_t doc;
    int rc = mongo_find_and_modify(w, call, in, &(struct mongo_modify){query, update, sort, false},
                                   &doc);

    if (rc == OK) {
        *out = arena_new(&call->mem, 1, k->size);
        mongo_read_record(&doc, k, &call->mem, *out);
    }
    bson_destroy(&doc);
    bson_destroy(query);
    bson_destroy(update);
    bson_destroy(sort);
    return rc;
}

int mongo_due_take(struct mongo_worker *w, struct store_call *call)
{
    void *found = NULL;
    int rc = take(w, call, w->agents, &record_agent, &found);

    if (rc == OK) {
        call->result.agent = found;
        call->result.at = call->result.agent->next_at;
        call->result.agent->next_at = call->ask.until;
        return OK;
    }
    if (rc != ERR_NOT_FOUND) return rc;
    rc = take(w, call, w->contacts, &record_contact, &found);
    if (rc != OK) return rc;
    call->base.rc = OK;
    call->result.contact = found;
    call->result.at = call->result.contact->next_at;
    call->result.contact->next_at = call->ask.until;
    return OK;
}

/* ---- the outbox ---- */

int mongo_outbox_next(struct mongo_worker *w, struct store_call *call)
{
    bson_t *query = BCON_NEW("outbox", "{", "$elemMatch", "{", "state", "due", "}", "}");
    bson_t *options = BCON_NEW("sort", "{", "outbox.at", BCON_INT32(1), "}", "projection", "{",
                               "outbox", BCON_INT32(1), "}");
    struct outbox *o = NULL;
    unsigned count = 0;
    bson_t doc;
    int rc = mongo_find_one(w, call, w->contacts, query, options, &doc);

    if (rc == OK) o = mongo_read_list(&doc, "outbox", &record_outbox, &call->mem, &count);
    for (unsigned i = 0; i < count; i++)
        if (!outbox_is_dead(&o[i])) call->result.at = sooner(call->result.at, o[i].at);
    bson_destroy(&doc);
    bson_destroy(query);
    bson_destroy(options);
    return rc == ERR_NOT_FOUND ? (call->base.rc = OK) : rc;
}

static void put_when_due(bson_t *query, int64_t now)
{
    BCON_APPEND(query, "outbox", "{", "$elemMatch", "{", "state", "due", "at", "{", "$lte",
                BCON_DATE_TIME(now), "}", "}", "}");
}

/* Leases the entry, if it is still as it was read. Errors: ERR_NOT_FOUND. */
static int lease(struct mongo_worker *w, struct store_call *call, const struct contact *c,
                 struct outbox *o)
{
    bson_t query = BSON_INITIALIZER, update = BSON_INITIALIZER, outbox, match, set;
    int rc;

    mongo_put_id(&query, "_id", c->id);
    bson_append_document_begin(&query, "outbox", -1, &outbox);
    bson_append_document_begin(&outbox, "$elemMatch", -1, &match);
    mongodb_put_text(&match, "id", o->id);
    mongodb_put_text(&match, "state", OUTBOX_DUE);
    bson_append_date_time(&match, "at", -1, o->at);
    bson_append_document_end(&outbox, &match);
    bson_append_document_end(&query, &outbox);
    o->at = call->ask.until;
    o->lease = call->ask.lease;
    bson_append_document_begin(&update, "$set", -1, &set);
    bson_append_date_time(&set, "outbox.$[e].at", -1, o->at);
    mongodb_put_text(&set, "outbox.$[e].lease", o->lease);
    bson_append_document_end(&update, &set);
    rc = mongo_update_one(w, call, w->contacts, &query, &update, o->id);
    bson_destroy(&query);
    bson_destroy(&update);
    return rc;
}

/* The first entry of a contact that is due and can be had. */
static int take_of(struct mongo_worker *w, struct store_call *call, const bson_t *doc)
{
    struct contact *c = arena_new(&call->mem, 1, sizeof *c);
    struct outbox *o;
    unsigned count;
    int rc = ERR_NOT_FOUND;

    mongo_read_record(doc, &record_contact, &call->mem, c);
    o = mongo_read_list(doc, "outbox", &record_outbox, &call->mem, &count);
    for (unsigned i = 0; i < count && rc == ERR_NOT_FOUND; i++) {
        if (outbox_is_dead(&o[i]) || o[i].at > call->ask.now) continue;
        rc = lease(w, call, c, &o[i]);
        if (rc != OK) continue;
        call->base.rc = OK;
        call->result.contact = c;
        call->result.outbox = &o[i];
    }
    return rc;
}

/* A look at the first ones, and a lease by compare-and-swap: others may be faster with one, hardly
 * with all. A findAndModify that says which element it has changed is not to be had. */
static int look_and_take(struct mongo_worker *w, struct store_call *call, unsigned *seen)
{
    bson_t query = BSON_INITIALIZER, *options = mongo_options(call);
    mongoc_cursor_t *cursor;
    const bson_t *doc;
    int rc = ERR_NOT_FOUND;

    put_when_due(&query, call->ask.now);
    BCON_APPEND(options, "sort", "{", "outbox.at", BCON_INT32(1), "}", "limit",
                BCON_INT64(TAKE_LOOKS), "projection", "{", "replies", BCON_INT32(0), "notes",
                BCON_INT32(0), "}");
    cursor = mongoc_collection_find_with_opts(w->contacts, &query, options, NULL);
    for (*seen = 0; rc == ERR_NOT_FOUND && mongoc_cursor_next(cursor, &doc); ++*seen)
        rc = take_of(w, call, doc);
    if (rc == ERR_NOT_FOUND && mongoc_cursor_error(cursor, &w->error)) rc = mongo_fail(w, call);
    mongoc_cursor_destroy(cursor);
    bson_destroy(options);
    bson_destroy(&query);
    return rc;
}

int mongo_outbox_take(struct mongo_worker *w, struct store_call *call)
{
    unsigned seen;
    int rc;

    do {
        rc = look_and_take(w, call, &seen);
    } while (rc == ERR_NOT_FOUND && seen > 0 && clock_us() < call->base.deadline_us);
    return rc == ERR_NOT_FOUND ? store_fail(call, seen ? ERR_TIMEOUT : ERR_NOT_FOUND, NULL) : rc;
}

/* The entry that the call has leased, or one that is dead. */
static void put_entry(bson_t *query, const struct store_call *call, bool is_dead)
{
    bson_t outbox, match;

    mongo_put_id(query, "_id", call->ask.id);
    bson_append_document_begin(query, "outbox", -1, &outbox);
    bson_append_document_begin(&outbox, "$elemMatch", -1, &match);
    mongodb_put_text(&match, "id", call->ask.entry_id);
    mongodb_put_text(&match, "state", is_dead ? OUTBOX_DEAD : OUTBOX_DUE);
    if (!is_dead) mongodb_put_text(&match, "lease", call->ask.lease);
    bson_append_document_end(&outbox, &match);
    bson_append_document_end(query, &outbox);
}

static int change_entry(struct mongo_worker *w, struct store_call *call, bool is_dead, bool is_pull,
                        bson_t *update)
{
    bson_t query = BSON_INITIALIZER;
    int rc;

    put_entry(&query, call, is_dead);
    rc = mongo_update_one(w, call, w->contacts, &query, update,
                          is_pull ? STR_NONE : call->ask.entry_id);
    bson_destroy(&query);
    bson_destroy(update);
    return rc;
}

int mongo_outbox_keep(struct mongo_worker *w, struct store_call *call)
{
    bson_t *update = BCON_NEW("$set", "{", "outbox.$[e].at", BCON_DATE_TIME(call->ask.at), "}");

    return change_entry(w, call, false, false, update);
}

int mongo_outbox_done(struct mongo_worker *w, struct store_call *call)
{
    bson_t *update = bson_new();
    bson_t pull, entry;

    bson_append_document_begin(update, "$pull", -1, &pull);
    bson_append_document_begin(&pull, "outbox", -1, &entry);
    mongodb_put_text(&entry, "id", call->ask.entry_id);
    bson_append_document_end(&pull, &entry);
    bson_append_document_end(update, &pull);
    return change_entry(w, call, false, true, update);
}

/* {$set: {at, why, state, lease: ""}, $inc: {tries: 1}} of the entry that was matched. */
static bson_t *put_off(const struct store_call *call, int64_t at, struct str state)
{
    bson_t *update = bson_new();
    bson_t set;

    bson_append_document_begin(update, "$set", -1, &set);
    bson_append_date_time(&set, "outbox.$[e].at", -1, at);
    mongodb_put_text(&set, "outbox.$[e].why", call->ask.why);
    mongodb_put_text(&set, "outbox.$[e].state", state);
    mongodb_put_text(&set, "outbox.$[e].lease", STR_NONE);
    bson_append_document_end(update, &set);
    BCON_APPEND(update, "$inc", "{", "outbox.$[e].tries", BCON_INT64(1), "}");
    return update;
}

int mongo_outbox_fail(struct mongo_worker *w, struct store_call *call)
{
    return change_entry(w, call, false, false, put_off(call, call->ask.at, OUTBOX_DUE));
}

int mongo_outbox_dead(struct mongo_worker *w, struct store_call *call)
{
    return change_entry(w, call, false, false, put_off(call, RECORD_DATE_MAX, OUTBOX_DEAD));
}

int mongo_outbox_retry(struct mongo_worker *w, struct store_call *call)
{
    bson_t *update = bson_new();
    bson_t set;

    bson_append_document_begin(update, "$set", -1, &set);
    bson_append_date_time(&set, "outbox.$[e].at", -1, call->ask.at);
    mongodb_put_text(&set, "outbox.$[e].state", OUTBOX_DUE);
    mongodb_put_text(&set, "outbox.$[e].lease", STR_NONE);
    bson_append_int64(&set, "outbox.$[e].tries", -1, 0);
    bson_append_document_end(update, &set);
    return change_entry(w, call, true, false, update);
}

/* ---- the dead ---- */

/* {$match: {outbox.state: "dead", behind the cursor}} */
static void put_dead(bson_t *stage, const struct store_cursor *c, bool has_cursor)
{
    bson_t match, any, one, than;

    bson_append_document_begin(stage, "$match", -1, &match);
    mongodb_put_text(&match, "outbox.state", OUTBOX_DEAD);
    if (has_cursor) {
        bson_append_array_begin(&match, "$or", -1, &any);
        BCON_APPEND(&any, "0", "{", "outbox.created_at", "{", "$gt", BCON_DATE_TIME(c->a), "}",
                    "}");
        bson_append_document_begin(&any, "1", -1, &one);
        bson_append_date_time(&one, "outbox.created_at", -1, c->a);
        bson_append_document_begin(&one, "outbox.id", -1, &than);
        mongodb_put_text(&than, "$gt", c->id);
        bson_append_document_end(&one, &than);
        bson_append_document_end(&any, &one);
        bson_append_array_end(&match, &any);
    }
    bson_append_document_end(stage, &match);
}

static bson_t *dead_pipeline(const struct store_cursor *c, bool has_cursor, unsigned limit)
{
    bson_t *all = bson_new();
    bson_t list, stage;

    bson_append_array_begin(all, "pipeline", -1, &list);
    BCON_APPEND(&list, "0", "{", "$match", "{", "outbox.state", "dead", "}", "}");
    BCON_APPEND(&list, "1", "{", "$project", "{", "outbox", BCON_INT32(1), "}", "}");
    BCON_APPEND(&list, "2", "{", "$unwind", "$outbox", "}");
    bson_append_document_begin(&list, "3", -1, &stage);
    put_dead(&stage, c, has_cursor);
    bson_append_document_end(&list, &stage);
    BCON_APPEND(&list, "4", "{", "$sort", "{", "outbox.created_at", BCON_INT32(1), "outbox.id",
                BCON_INT32(1), "}", "}");
    BCON_APPEND(&list, "5", "{", "$limit", BCON_INT64((int64_t)limit + 1), "}");
    bson_append_array_end(all, &list);
    return all;
}

/* {_id, outbox: {…}}, one entry each. */
static void read_letter(const bson_t *doc, struct arena *a, struct store_letter *out)
{
    struct contact c;
    bson_iter_t it;
    const uint8_t *bytes;
    uint32_t n;
    bson_t entry;

    mongo_read_record(doc, &record_contact, a, &c);
    out->contact_id = c.id;
    if (!bson_iter_init_find(&it, doc, "outbox") || !BSON_ITER_HOLDS_DOCUMENT(&it)) return;
    bson_iter_document(&it, &n, &bytes);
    if (bson_init_static(&entry, bytes, n))
        mongo_read_record(&entry, &record_outbox, a, &out->entry);
}

int mongo_outbox_list(struct mongo_worker *w, struct store_call *call)
{
    unsigned limit = call->ask.limit, n = 0;
    struct store_letter *l = arena_new(&call->mem, limit + 1, sizeof *l);
    bson_t *options = mongo_options(call), *pipeline;
    struct store_cursor c = {0};
    mongoc_cursor_t *cursor;
    const bson_t *doc;
    int rc = OK;

    if (call->ask.cursor.n) rc = store_cursor_read(call, call->ask.cursor, &c);
    pipeline = dead_pipeline(&c, call->ask.cursor.n > 0, limit);
    cursor = mongoc_collection_aggregate(w->contacts, MONGOC_QUERY_NONE, pipeline, options, NULL);
    while (rc == OK && n <= limit && mongoc_cursor_next(cursor, &doc))
        read_letter(doc, &call->mem, &l[n++]);
    if (rc == OK && mongoc_cursor_error(cursor, &w->error)) rc = mongo_fail(w, call);
    mongoc_cursor_destroy(cursor);
    bson_destroy(pipeline);
    bson_destroy(options);
    if (n > limit) {
        const struct outbox *last = &l[(n = limit) - 1].entry;

        store_cursor_put(call, STORE_OLDEST,
                         &(struct contact){.created_at = last->created_at, .id = last->id});
    }
    call->result.letters = l;
    call->result.letters_count = n;
    return rc;
}
