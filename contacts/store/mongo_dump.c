/* MongoDB: export and import. */
#include "contacts/store/mongo_priv.h"

#include "contacts/record/contact.h"
#include "contacts/record/message.h"
#include "base/clock.h"
#include "base/forbid.h"

static int fail(struct mongo_worker *w)
{
    bool is_away;

    return mongo_code(w, false, &is_away);
}

static int by_id(const void *a, const void *b)
{
    const struct outbox *x = a, *y = b;
    size_t n = x->id.n < y->id.n ? x->id.n : y->id.n;
    int order = n ? memcmp(x->id.p, y->id.p, n) : 0;

    return order ? order : (x->id.n > y->id.n) - (x->id.n < y->id.n);
}

/* Contacts of the old service are exported as they are read: with a status and numbers. */
static int read_contact(struct mongo_worker *w, const bson_t *doc, struct arena *a,
                        struct store_item *item)
{
    struct contact *c = &item->contact;
    unsigned unnumbered;

    (void)w;
    mongo_read_record(doc, &record_contact, a, c);
    item->messages = mongo_read_messages(doc, c, a, &item->messages_count, &unnumbered);
    if (c->version == 0 && c->status.n == 0)
        c->status = item->messages_count ? CONTACT_RESOLVED : CONTACT_PENDING;
    if (unnumbered) c->seq = item->messages[item->messages_count - 1].seq;
    for (unsigned i = 0; unnumbered && i < item->messages_count; i++)
        c->bytes += message_bytes(&item->messages[i]);
    item->outbox = mongo_read_list(doc, "outbox", &record_outbox, a, &item->outbox_count);
    if (item->outbox_count) qsort(item->outbox, item->outbox_count, sizeof *item->outbox, by_id);
    return OK;
}

static int dump_collection(struct mongo_worker *w, mongoc_collection_t *in,
                           enum store_item_type type, const struct store_sink *sink)
{
    bson_t query = BSON_INITIALIZER;
    bson_t *options = BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}");
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(in, &query, options, NULL);
    struct store_item item;
    struct arena mem = {0};
    const bson_t *doc;
    int rc = OK;

    while (rc == OK && mongoc_cursor_next(cursor, &doc)) {
        item = (struct store_item){.type = type};
        if (type == STORE_ITEM_CONTACT)
            rc = read_contact(w, doc, &mem, &item);
        else if (type == STORE_ITEM_AGENT)
            mongo_read_record(doc, &record_agent, &mem, &item.agent);
        else
            mongo_read_record(doc, &record_doc, &mem, &item.doc);
        if (rc == OK) rc = sink->put(sink->ctx, &item);
        arena_fini(&mem);
    }
    if (rc == OK && mongoc_cursor_error(cursor, &w->error)) rc = fail(w);
    mongoc_cursor_destroy(cursor);
    bson_destroy(options);
    bson_destroy(&query);
    return rc;
}

int mongo_dump(void *worker, const struct store_sink *sink)
{
    struct mongo_worker *w = worker;
    int rc = dump_collection(w, w->contacts, STORE_ITEM_CONTACT, sink);

    if (rc == OK) rc = dump_collection(w, w->agents, STORE_ITEM_AGENT, sink);
    if (rc == OK) rc = dump_collection(w, w->docs, STORE_ITEM_DOC, sink);
    return rc;
}

/* ---- and back ---- */

static void put_contact(bson_t *doc, const struct store_item *item)
{
    bool has_notes = false;

    mongo_put_record(doc, &record_contact, &item->contact);
    for (unsigned i = 0; i < item->messages_count; i++)
        has_notes |= message_is_note(&item->messages[i]);
    mongo_put_messages(doc, "replies", item->messages, item->messages_count, false);
    if (has_notes) mongo_put_messages(doc, "notes", item->messages, item->messages_count, true);
    if (item->outbox_count) mongo_put_entries(doc, "outbox", item->outbox, item->outbox_count);
}

static void put_doc(bson_t *doc, const struct store_item *item)
{
    struct sb key = {0};

    sb_str(&key, item->doc.kind);
    sb_char(&key, '/');
    sb_str(&key, item->doc.id);
    mongodb_put_text(doc, "_id", sb_view(&key));
    mongo_put_record(doc, &record_doc, &item->doc);
    sb_fini(&key);
}

static int load_item(struct mongo_worker *w, const struct store_item *item)
{
    mongoc_collection_t *in = item->type == STORE_ITEM_CONTACT ? w->contacts
                              : item->type == STORE_ITEM_AGENT ? w->agents
                                                               : w->docs;
    bson_t doc = BSON_INITIALIZER;
    int rc = OK;

    if (item->type == STORE_ITEM_CONTACT)
        put_contact(&doc, item);
    else if (item->type == STORE_ITEM_AGENT)
        mongo_put_record(&doc, &record_agent, &item->agent);
    else
        put_doc(&doc, item);
    if (!mongoc_collection_insert_one(in, &doc, NULL, NULL, &w->error)) rc = fail(w);
    bson_destroy(&doc);
    return rc;
}

int mongo_load(void *worker, const struct store_item *items, unsigned count,
               struct store_loaded *sum)
{
    struct mongo_worker *w = worker;

    for (unsigned i = 0; i < count; i++) {
        int rc = load_item(w, &items[i]);

        if (rc != OK && rc != ERR_EXISTS) return rc;
        sum->added += rc == OK;
        sum->skipped += rc == ERR_EXISTS;
    }
    return OK;
}
