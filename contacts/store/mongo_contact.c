/* MongoDB: contacts and their messages, one document each. A change is one findAndModify of
 * {_id, version}. What the old service wrote has no version: it gets one at the first change. */
#include "contacts/store/mongo_priv.h"

#include "contacts/record/contact.h"
#include "contacts/record/message.h"
#include "base/forbid.h"

/* ---- reading ---- */

static void put_by_id(bson_t *query, struct str id)
{
    mongo_put_id(query, "_id", id);
}

/* The whole document of a contact. */
static int load_document(struct mongo_worker *w, struct store_call *call, struct str id,
                         bson_t *doc)
{
    bson_t query = BSON_INITIALIZER;
    int rc;

    put_by_id(&query, id);
    rc = mongo_find_one(w, call, w->contacts, &query, NULL, doc);
    bson_destroy(&query);
    return rc;
}

static void settle_one(struct contact *c, bool has_reply)
{
    if (c->status.n == 0) c->status = has_reply ? CONTACT_RESOLVED : CONTACT_PENDING;
    if (c->priority.n == 0) c->priority = STR("normal");
    if (c->queue_since == 0) c->queue_since = c->created_at;
}

/* Head and messages of a whole document. */
static void read_all(struct store_call *call, const bson_t *doc, struct contact *c,
                     struct message **messages, unsigned *count, unsigned *unnumbered)
{
    mongo_read_record(doc, &record_contact, &call->mem, c);
    *messages = mongo_read_messages(doc, c, &call->mem, count, unnumbered);
    if (c->version == 0) settle_one(c, *count > 0);
    if (*unnumbered == 0) return;
    c->seq = (*messages)[*count - 1].seq;
    c->bytes = 0;
    for (unsigned i = 0; i < *count; i++)
        c->bytes += message_bytes(&(*messages)[i]);
}

/* Which of the contacts without a version have replies? */
static int find_answered(struct mongo_worker *w, struct store_call *call, struct contact *c,
                         unsigned count)
{
    bson_t query = BSON_INITIALIZER, in, ids, *options = mongo_options(call);
    char key[MONGO_KEY_SIZE];
    unsigned n = 0;
    mongoc_cursor_t *cursor;
    const bson_t *doc;
    int rc = OK;

    bson_append_document_begin(&query, "_id", -1, &in);
    bson_append_array_begin(&in, "$in", -1, &ids);
    for (unsigned i = 0; i < count; i++)
        if (c[i].version == 0) mongo_put_id(&ids, mongo_key(n++, key), c[i].id);
    bson_append_array_end(&in, &ids);
    bson_append_document_end(&query, &in);
    BCON_APPEND(&query, "replies.0", "{", "$exists", BCON_BOOL(true), "}");
    BCON_APPEND(options, "projection", "{", "_id", BCON_INT32(1), "}");
    cursor = mongoc_collection_find_with_opts(w->contacts, &query, options, NULL);
    while (mongoc_cursor_next(cursor, &doc)) {
        struct contact found;

        mongo_read_record(doc, &record_contact, &call->mem, &found);
        for (unsigned i = 0; i < count; i++)
            if (c[i].version == 0 && str_eq(c[i].id, found.id)) settle_one(&c[i], true);
    }
    if (mongoc_cursor_error(cursor, &w->error)) rc = mongo_fail(w, call);
    mongoc_cursor_destroy(cursor);
    bson_destroy(options);
    bson_destroy(&query);
    return rc;
}

int mongo_settle(struct mongo_worker *w, struct store_call *call, struct contact *c, unsigned count)
{
    bool is_old = false;
    int rc = OK;

    for (unsigned i = 0; i < count; i++)
        is_old |= c[i].version == 0;
    if (!is_old) return OK;
    rc = find_answered(w, call, c, count);
    for (unsigned i = 0; i < count; i++)
        if (c[i].version == 0) settle_one(&c[i], false);
    return rc;
}

int mongo_contact_head(struct mongo_worker *w, struct store_call *call, struct str id)
{
    bson_t query = BSON_INITIALIZER, options = BSON_INITIALIZER, doc;
    struct contact *c = arena_new(&call->mem, 1, sizeof *c);
    int rc;

    put_by_id(&query, id);
    mongo_heads_only(&options);
    rc = mongo_find_one(w, call, w->contacts, &query, &options, &doc);
    if (rc == OK) {
        mongo_read_record(&doc, &record_contact, &call->mem, c);
        call->result.contact = c;
        rc = mongo_settle(w, call, c, 1);
    }
    bson_destroy(&doc);
    bson_destroy(&options);
    bson_destroy(&query);
    return rc;
}

static unsigned without_notes(struct message *m, unsigned count)
{
    unsigned n = 0;

    for (unsigned i = 0; i < count; i++)
        if (!message_is_note(&m[i])) m[n++] = m[i];
    return n;
}

int mongo_contact_get(struct mongo_worker *w, struct store_call *call)
{
    struct message *messages;
    unsigned count, unnumbered;
    bson_t doc;
    int rc;

    if (call->ask.window.limit == 0) return mongo_contact_head(w, call, call->ask.id);
    rc = load_document(w, call, call->ask.id, &doc);
    if (rc == OK) {
        call->result.contact = arena_new(&call->mem, 1, sizeof *call->result.contact);
        read_all(call, &doc, call->result.contact, &messages, &count, &unnumbered);
        if (!call->ask.window.with_notes) count = without_notes(messages, count);
        store_cut(call, messages, count);
    }
    bson_destroy(&doc);
    return rc;
}

/* {name: {$elemMatch: {client_id}}} */
static void put_said(bson_t *projection, const char *name, struct str client_id)
{
    bson_t list, match;

    bson_append_document_begin(projection, name, -1, &list);
    bson_append_document_begin(&list, "$elemMatch", -1, &match);
    mongodb_put_text(&match, "client_id", client_id);
    bson_append_document_end(&list, &match);
    bson_append_document_end(projection, &list);
}

int mongo_message_by_client_id(struct mongo_worker *w, struct store_call *call)
{
    static const char *const lists[] = {"replies", "notes"};
    const struct store_ask *a = &call->ask;
    struct store_result *r = &call->result;
    bson_t query = BSON_INITIALIZER, options = BSON_INITIALIZER, projection, doc;
    int rc = mongo_contact_head(w, call, a->id);

    if (rc == OK) {
        put_by_id(&query, a->id);
        bson_append_document_begin(&options, "projection", -1, &projection);
        for (unsigned i = 0; i < 2; i++)
            put_said(&projection, lists[i], a->client_id);
        bson_append_document_end(&options, &projection);
        rc = mongo_find_one(w, call, w->contacts, &query, &options, &doc);
        for (unsigned i = 0; i < 2 && !r->messages_count; i++)
            r->messages =
                mongo_read_list(&doc, lists[i], &record_message, &call->mem, &r->messages_count);
        bson_destroy(&doc);
    }
    bson_destroy(&options);
    bson_destroy(&query);
    return rc;
}

/* ---- a new one ---- */

static bool has_notes(const struct store_ask *a)
{
    for (unsigned i = 0; i < a->messages_count; i++)
        if (message_is_note(&a->messages[i])) return true;
    return false;
}

static int find_form(struct mongo_worker *w, struct store_call *call, struct str form_key)
{
    bson_t query = BSON_INITIALIZER, doc;
    int rc;

    mongodb_put_text(&query, "form_key", form_key);
    rc = mongo_find_one(w, call, w->contacts, &query, NULL, &doc);
    if (rc == OK) {
        call->result.contact = arena_new(&call->mem, 1, sizeof *call->result.contact);
        mongo_read_record(&doc, &record_contact, &call->mem, call->result.contact);
    }
    bson_destroy(&doc);
    bson_destroy(&query);
    return rc;
}

int mongo_contact_by_form(struct mongo_worker *w, struct store_call *call)
{
    return call->ask.id.n ? find_form(w, call, call->ask.id)
                          : store_fail(call, ERR_NOT_FOUND, NULL);
}

/* It is there already: by its id, or by its form's key. */
static int find_first(struct mongo_worker *w, struct store_call *call)
{
    const struct contact *asked = &call->ask.contact;
    int rc = mongo_contact_head(w, call, asked->id);

    if (rc == ERR_NOT_FOUND && asked->form_key.n) rc = find_form(w, call, asked->form_key);
    if (rc != OK) return rc;
    if (store_is_same_form(asked, call->result.contact)) return call->base.rc = OK;
    return store_fail(call, ERR_EXISTS, NULL);
}

int mongo_contact_insert(struct mongo_worker *w, struct store_call *call)
{
    struct store_ask *a = &call->ask;
    bson_t doc = BSON_INITIALIZER;
    int rc;

    a->contact.seq = a->contact.bytes = 0;
    rc = store_number(call, 1);
    if (rc != OK) return rc;
    mongo_put_record(&doc, &record_contact, &a->contact);
    mongo_put_messages(&doc, "replies", a->messages, a->messages_count, false);
    if (has_notes(a)) mongo_put_messages(&doc, "notes", a->messages, a->messages_count, true);
    if (a->outbox_count) mongo_put_entries(&doc, "outbox", a->outbox, a->outbox_count);
    if (mongoc_collection_insert_one(w->contacts, &doc, NULL, NULL, &w->error)) {
        call->result.contact = &a->contact;
        call->result.messages = a->messages;
        call->result.messages_count = a->messages_count;
    } else {
        rc = mongo_fail(w, call);
        if (rc == ERR_EXISTS) rc = find_first(w, call);
    }
    bson_destroy(&doc);
    return rc;
}

/* ---- a change ---- */

/* {$push: {replies: {$each: […]}, …}} */
static void put_pushes(bson_t *update, const struct store_ask *a)
{
    bson_t push, each;

    if (a->messages_count == 0 && a->outbox_count == 0) return;
    bson_append_document_begin(update, "$push", -1, &push);
    if (a->messages_count) {
        bson_append_document_begin(&push, "replies", -1, &each);
        mongo_put_messages(&each, "$each", a->messages, a->messages_count, false);
        bson_append_document_end(&push, &each);
    }
    if (has_notes(a)) {
        bson_append_document_begin(&push, "notes", -1, &each);
        mongo_put_messages(&each, "$each", a->messages, a->messages_count, true);
        bson_append_document_end(&push, &each);
    }
    if (a->outbox_count) {
        bson_append_document_begin(&push, "outbox", -1, &each);
        mongo_put_entries(&each, "$each", a->outbox, a->outbox_count);
        bson_append_document_end(&push, &each);
    }
    bson_append_document_end(update, &push);
}

/* No message of this name is there. */
static void put_unsaid(bson_t *query, const char *name, const struct store_ask *a)
{
    char key[MONGO_KEY_SIZE];
    bson_t not, ids;
    bool any = false;
    unsigned n = 0;

    for (unsigned i = 0; i < a->messages_count; i++)
        any |= a->messages[i].client_id.n > 0;
    if (!any) return;
    bson_append_document_begin(query, name, -1, &not );
    bson_append_array_begin(&not, "$nin", -1, &ids);
    for (unsigned i = 0; i < a->messages_count; i++)
        if (a->messages[i].client_id.n)
            mongodb_put_text(&ids, mongo_key(n++, key), a->messages[i].client_id);
    bson_append_array_end(&not, &ids);
    bson_append_document_end(query, &not );
}

/* The version, every message with a number, and nobody has said the same. */
static void put_swap(bson_t *query, const struct store_ask *a, int64_t version)
{
    put_by_id(query, a->contact.id);
    bson_append_int64(query, "version", -1, version);
    BCON_APPEND(query, "replies", "{", "$not", "{", "$elemMatch", "{", "seq", "{", "$exists",
                BCON_BOOL(false), "}", "}", "}", "}");
    put_unsaid(query, "replies.client_id", a);
    put_unsaid(query, "notes.client_id", a);
}

/* Replies get their numbers, the head its version, if nothing has changed since the document was
 * read. */
static int upgrade(struct mongo_worker *w, struct store_call *call, struct contact *c,
                   const struct message *messages, unsigned count)
{
    bson_t query = BSON_INITIALIZER, update = BSON_INITIALIZER, set, doc;
    unsigned replies = 0;
    int64_t version = c->version;
    int rc;

    for (unsigned i = 0; i < count; i++)
        replies += !message_is_note(&messages[i]);
    put_by_id(&query, c->id);
    if (version)
        bson_append_int64(&query, "version", -1, version);
    else
        BCON_APPEND(&query, "version", "{", "$in", "[", BCON_INT64(0), BCON_NULL, "]", "}");
    if (replies)
        BCON_APPEND(&query, "replies", "{", "$size", BCON_INT32((int32_t)replies), "}");
    else
        BCON_APPEND(&query, "replies.0", "{", "$exists", BCON_BOOL(false), "}");
    c->version++;
    bson_append_document_begin(&update, "$set", -1, &set);
    for (unsigned i = 1; i < record_contact.count; i++)
        if (!record_is_empty(&record_contact.fields[i], c))
            mongo_put_field(&set, &record_contact.fields[i], c);
    mongo_put_messages(&set, "replies", messages, count, false);
    bson_append_document_end(&update, &set);
    rc = mongo_find_and_modify(w, call, w->contacts,
                               &(struct mongo_modify){&query, &update, NULL, true}, &doc);
    bson_destroy(&doc);
    bson_destroy(&query);
    bson_destroy(&update);
    return rc == ERR_NOT_FOUND ? store_fail(call, ERR_CONFLICT, NULL) : rc;
}

/* Why did nothing match? A document of the old service is upgraded; ERR_AGAIN: then try again. */
static int find_reason(struct mongo_worker *w, struct store_call *call, int64_t version)
{
    const struct store_ask *a = &call->ask;
    struct contact *c = arena_new(&call->mem, 1, sizeof *c);
    struct message *all;
    unsigned count, unnumbered;
    bson_t doc;
    int rc = load_document(w, call, a->contact.id, &doc);

    if (rc == OK) read_all(call, &doc, c, &all, &count, &unnumbered);
    bson_destroy(&doc);
    if (rc != OK) return rc;
    call->result.contact = c;
    for (unsigned i = 0; i < a->messages_count; i++)
        for (unsigned n = 0; n < count; n++) {
            if (a->messages[i].client_id.n == 0 ||
                !str_eq(a->messages[i].client_id, all[n].client_id))
                continue;
            call->result.messages = &all[n];
            call->result.messages_count = 1;
            return store_fail(call, ERR_EXISTS, NULL);
        }
    if (c->version == 0 || unnumbered) {
        bool is_meant = c->version == 0 && version == 0; /* what was read is what is there */

        rc = upgrade(w, call, c, all, count);
        if (rc == OK && is_meant) return ERR_AGAIN;
        if (rc != OK) return rc;
    }
    return store_fail(call, ERR_CONFLICT, NULL);
}

static int swap(struct mongo_worker *w, struct store_call *call, int64_t version)
{
    bson_t query = BSON_INITIALIZER, update = BSON_INITIALIZER, doc;
    int rc;

    put_swap(&query, &call->ask, version);
    mongo_put_changes(&update, &record_contact, &call->ask.contact);
    put_pushes(&update, &call->ask);
    rc = mongo_find_and_modify(w, call, w->contacts,
                               &(struct mongo_modify){&query, &update, NULL, true}, &doc);
    bson_destroy(&doc);
    bson_destroy(&query);
    bson_destroy(&update);
    return rc;
}

int mongo_contact_update(struct mongo_worker *w, struct store_call *call)
{
    struct store_ask *a = &call->ask;
    struct contact asked = a->contact;
    int64_t version = asked.version;
    int rc;

    for (int tries = 0;; tries++) {
        rc = store_number(call, version + 1);
        if (rc == OK) rc = version ? swap(w, call, version) : ERR_NOT_FOUND;
        if (rc != ERR_NOT_FOUND || tries > 0) break;
        rc = find_reason(w, call, asked.version);
        if (rc != ERR_AGAIN) return rc;
        asked.seq = call->result.contact->seq;
        asked.bytes = call->result.contact->bytes;
        version = call->result.contact->version;
        a->contact = asked;
    }
    if (rc != OK) return rc == ERR_NOT_FOUND ? store_fail(call, ERR_CONFLICT, NULL) : rc;
    call->base.rc = OK;
    call->result.contact = &a->contact;
    call->result.messages = a->messages;
    call->result.messages_count = a->messages_count;
    return OK;
}

int mongo_contact_delete(struct mongo_worker *w, struct store_call *call)
{
    bson_t query = BSON_INITIALIZER, reply;
    bson_iter_t it;
    int rc = OK;

    put_by_id(&query, call->ask.id);
    if (!mongoc_collection_delete_one(w->contacts, &query, NULL, &reply, &w->error))
        rc = mongo_fail(w, call);
    else if (!bson_iter_init_find(&it, &reply, "deletedCount") || bson_iter_as_int64(&it) == 0)
        rc = store_fail(call, ERR_NOT_FOUND, NULL);
    bson_destroy(&reply);
    bson_destroy(&query);
    return rc;
}
