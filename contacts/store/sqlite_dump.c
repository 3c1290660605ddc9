/* SQLite: export and import. An export is of one moment; an import is a transaction for each
 * bundle. */
#include "contacts/store/sqlite_priv.h"

#include "base/forbid.h"

struct rows { /* of a contact */
    const char *table, *order;
    const struct record_kind *kind;
    void *at;
    unsigned count;
};

/* As many as there are, in the arena of the call: which is no call, but memory and an error. */
static int read_rows(struct sqlite_worker *w, struct store_call *call, struct str contact,
                     struct rows *r)
{
    struct sb sql = {0};
    sqlite3_stmt *st;
    unsigned room = 16;
    char *at = arena_new(&call->mem, room, r->kind->size);
    int code, rc = OK;

    sb_z(&sql, "SELECT ");
    sqlite_columns(r->kind, SQLITE_NAMES, &sql);
    sb_printf(&sql, " FROM %s WHERE contact=? ORDER BY %s", r->table, r->order);
    st = sqlite_prepare(w, sb_view(&sql));
    sb_fini(&sql);
    if (!st) return sqlite_fail(w, call);
    sqlite_bind_text(st, 1, contact);
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        if (r->count == room) {
            char *more = arena_new(&call->mem, room *= 2, r->kind->size);

            memcpy(more, at, r->count * r->kind->size);
            at = more;
        }
        sqlite_read_record(st, 0, r->kind, &call->mem, at + r->count++ * r->kind->size);
    }
    if (code != SQLITE_DONE) rc = sqlite_fail(w, call);
    sqlite_release(w, st);
    r->at = at;
    return rc;
}

static int dump_contact(struct sqlite_worker *w, struct store_call *call, struct store_item *item)
{
    struct rows messages = {"messages", "seq", &record_message, NULL, 0},
                outbox = {"outbox", "id", &record_outbox, NULL, 0};
    int rc = read_rows(w, call, item->contact.id, &messages);

    if (rc == OK) rc = read_rows(w, call, item->contact.id, &outbox);
    item->messages = messages.at;
    item->messages_count = messages.count;
    item->outbox = outbox.at;
    item->outbox_count = outbox.count;
    return rc;
}

static const struct {
    enum store_item_type type;
    const struct record_kind *kind;
    const char *from;
} shelves[] = {
    {STORE_ITEM_CONTACT, &record_contact, " FROM contacts ORDER BY _id"},
    {STORE_ITEM_AGENT, &record_agent, " FROM agents ORDER BY _id"},
    {STORE_ITEM_DOC, &record_doc, " FROM docs ORDER BY kind,id"},
};

static void *record_of(struct store_item *item)
{
    if (item->type == STORE_ITEM_CONTACT) return &item->contact;
    return item->type == STORE_ITEM_AGENT ? (void *)&item->agent : (void *)&item->doc;
}

static int dump_shelf(struct sqlite_worker *w, size_t i, const struct store_sink *sink)
{
    struct store_call call = {0};
    struct store_item item;
    struct sb sql = {0};
    sqlite3_stmt *st;
    int code = SQLITE_DONE, rc = OK;

    sb_z(&sql, "SELECT ");
    sqlite_columns(shelves[i].kind, SQLITE_NAMES, &sql);
    sb_z(&sql, shelves[i].from);
    st = sqlite_prepare(w, sb_view(&sql));
    sb_fini(&sql);
    if (!st) return sqlite_code(w);
    while (rc == OK && (code = sqlite3_step(st)) == SQLITE_ROW) {
        item = (struct store_item){.type = shelves[i].type};
        sqlite_read_record(st, 0, shelves[i].kind, &call.mem, record_of(&item));
        if (item.type == STORE_ITEM_CONTACT) rc = dump_contact(w, &call, &item);
        if (rc == OK) rc = sink->put(sink->ctx, &item);
        arena_fini(&call.mem);
    }
    if (rc == OK && code != SQLITE_DONE) rc = sqlite_code(w);
    sqlite_release(w, st);
    return rc;
}

int sqlite_dump(void *worker, const struct store_sink *sink)
{
    struct sqlite_worker *w = worker;
    int rc = OK;

    if (!w->db) return ERR_UNAVAILABLE;
    if (sqlite_exec(w, "BEGIN") != SQLITE_OK) return sqlite_code(w);
    for (size_t i = 0; i < sizeof shelves / sizeof *shelves && rc == OK; i++)
        rc = dump_shelf(w, i, sink);
    (void)sqlite_exec(w, "ROLLBACK");
    return rc;
}

/* ---- and back ---- */

static const char *const tables[] = {
    [STORE_ITEM_CONTACT] = "contacts", [STORE_ITEM_AGENT] = "agents", [STORE_ITEM_DOC] = "docs"};

static int load_item(struct sqlite_worker *w, struct store_call *call, struct store_item *item,
                     bool *is_new)
{
    const struct record_kind *k = shelves[item->type].kind;
    struct sb sql = {0};
    sqlite3_stmt *st;
    int rc = OK;

    sb_printf(&sql, "INSERT INTO %s(", tables[item->type]);
    sqlite_columns(k, SQLITE_NAMES, &sql);
    sb_z(&sql, ")VALUES(");
    sqlite_columns(k, SQLITE_MARKS, &sql);
    sb_z(&sql, ")ON CONFLICT DO NOTHING");
    st = sqlite_prepare(w, sb_view(&sql));
    sb_fini(&sql);
    if (!st) return sqlite_fail(w, call);
    sqlite_bind_record(st, 1, k, record_of(item));
    if (sqlite3_step(st) != SQLITE_DONE) rc = sqlite_fail(w, call);
    sqlite_release(w, st);
    *is_new = rc == OK && sqlite3_changes(w->db) == 1;
    if (!*is_new) return rc;
    for (unsigned i = 0; i < item->messages_count && rc == OK; i++)
        rc = sqlite_message_add(w, call, item->contact.id, &item->messages[i]);
    for (unsigned i = 0; i < item->outbox_count && rc == OK; i++)
        rc = sqlite_outbox_add(w, call, item->contact.id, &item->outbox[i]);
    return rc;
}

int sqlite_load(void *worker, const struct store_item *items, unsigned count,
                struct store_loaded *sum)
{
    struct sqlite_worker *w = worker;
    struct store_call call = {0};
    struct store_loaded here = {0};
    int rc = OK;

    if (!w->db) return ERR_UNAVAILABLE;
    if (sqlite_exec(w, "BEGIN IMMEDIATE") != SQLITE_OK) return sqlite_code(w);
    for (unsigned i = 0; i < count && rc == OK; i++) {
        struct store_item item = items[i];
        bool is_new = false;

        rc = load_item(w, &call, &item, &is_new);
        here.added += is_new;
        here.skipped += !is_new;
    }
    if (rc == OK && sqlite_exec(w, "COMMIT") != SQLITE_OK) rc = sqlite_code(w);
    if (rc != OK && !sqlite3_get_autocommit(w->db)) (void)sqlite_exec(w, "ROLLBACK");
    arena_fini(&call.mem);
    if (rc != OK) return rc;
    sum->added += here.added;
    sum->skipped += here.skipped;
    return OK;
}
