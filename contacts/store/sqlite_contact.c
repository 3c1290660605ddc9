/* SQLite: contacts and their messages. */
#include "contacts/store/sqlite_priv.h"

#include "contacts/record/contact.h"
#include "base/forbid.h"

/* Runs a statement that gives no rows. Returns OK or the call's failure. */
static int step_done(struct sqlite_worker *w, struct store_call *call, sqlite3_stmt *st)
{
    int rc = sqlite3_step(st) == SQLITE_DONE ? OK : sqlite_fail(w, call);

    sqlite_release(w, st);
    return rc;
}

static sqlite3_stmt *prepare_add(struct sqlite_worker *w, const char *table,
                                 const struct record_kind *k, bool has_contact)
{
    struct sb sql = {0};
    sqlite3_stmt *st;

    sb_printf(&sql, "INSERT INTO %s(%s", table, has_contact ? "contact," : "");
    sqlite_columns(k, SQLITE_NAMES, &sql);
    sb_z(&sql, has_contact ? ")VALUES(?," : ")VALUES(");
    sqlite_columns(k, SQLITE_MARKS, &sql);
    sb_z(&sql, has_contact ? ")" : ")ON CONFLICT DO NOTHING");
    st = sqlite_prepare(w, sb_view(&sql));
    sb_fini(&sql);
    return st;
}

static int add_child(struct sqlite_worker *w, struct store_call *call, const char *table,
                     const struct record_kind *k, struct str contact, const void *record)
{
    sqlite3_stmt *st = prepare_add(w, table, k, true);

    if (!st) return sqlite_fail(w, call);
    sqlite_bind_text(st, 1, contact);
    sqlite_bind_record(st, 2, k, record);
    return step_done(w, call, st);
}

int sqlite_message_add(struct sqlite_worker *w, struct store_call *call, struct str contact,
                       const struct message *m)
{
    return add_child(w, call, "messages", &record_message, contact, m);
}

int sqlite_outbox_add(struct sqlite_worker *w, struct store_call *call, struct str contact,
                      const struct outbox *o)
{
    return add_child(w, call, "outbox", &record_outbox, contact, o);
}

static int add_more(struct sqlite_worker *w, struct store_call *call)
{
    const struct store_ask *a = &call->ask;
    int rc = OK;

    for (unsigned i = 0; i < a->messages_count && rc == OK; i++)
        rc = sqlite_message_add(w, call, a->contact.id, &a->messages[i]);
    for (unsigned i = 0; i < a->outbox_count && rc == OK; i++)
        rc = sqlite_outbox_add(w, call, a->contact.id, &a->outbox[i]);
    return rc;
}

/* One contact, as call->result.contact. where has one parameter, value. */
static int find_contact(struct sqlite_worker *w, struct store_call *call, const char *where,
                        struct str value)
{
    struct sb sql = {0};
    sqlite3_stmt *st;
    int code, rc = OK;

    sb_z(&sql, "SELECT ");
    sqlite_columns(&record_contact, SQLITE_NAMES, &sql);
    sb_printf(&sql, " FROM contacts WHERE %s", where);
    st = sqlite_prepare(w, sb_view(&sql));
    sb_fini(&sql);
    if (!st) return sqlite_fail(w, call);
    sqlite_bind_text(st, 1, value);
    code = sqlite3_step(st);
    if (code == SQLITE_ROW) {
        call->result.contact = arena_new(&call->mem, 1, sizeof(struct contact));
        sqlite_read_record(st, 0, &record_contact, &call->mem, call->result.contact);
    } else {
        rc = code == SQLITE_DONE ? store_fail(call, ERR_NOT_FOUND, NULL) : sqlite_fail(w, call);
    }
    sqlite_release(w, st);
    return rc;
}

int sqlite_contact_head(struct sqlite_worker *w, struct store_call *call, struct str id)
{
    return find_contact(w, call, "\"_id\"=?", id);
}

/* As its index says it: else all of them would be looked at. */
static int find_form(struct sqlite_worker *w, struct store_call *call, struct str form_key)
{
    return find_contact(w, call, "form_key=? AND form_key<>''", form_key);
}

int sqlite_contact_by_form(struct sqlite_worker *w, struct store_call *call)
{
    return find_form(w, call, call->ask.id);
}

int sqlite_contact_insert(struct sqlite_worker *w, struct store_call *call)
{
    struct store_ask *a = &call->ask;
    sqlite3_stmt *st;
    int rc;

    a->contact.seq = a->contact.bytes = 0;
    rc = store_number(call, 1);
    if (rc != OK) return rc;
    st = prepare_add(w, "contacts", &record_contact, false);
    if (!st) return sqlite_fail(w, call);
    sqlite_bind_record(st, 1, &record_contact, &a->contact);
    rc = step_done(w, call, st);
    if (rc == OK && sqlite3_changes(w->db) == 1) {
        call->result.contact = &a->contact;
        call->result.messages = a->messages;
        call->result.messages_count = a->messages_count;
        return add_more(w, call);
    }
    if (rc == OK) rc = sqlite_contact_head(w, call, a->contact.id);
    if (rc == ERR_NOT_FOUND) rc = find_form(w, call, a->contact.form_key);
    if (rc != OK) return rc;
    if (store_is_same_form(&a->contact, call->result.contact)) return call->base.rc = OK;
    return store_fail(call, ERR_EXISTS, NULL);
}

/* ---- reading ---- */

static void reverse(struct message *m, unsigned count)
{
    for (unsigned i = 0; i < count / 2; i++) {
        struct message swap = m[i];

        m[i] = m[count - 1 - i];
        m[count - 1 - i] = swap;
    }
}

static sqlite3_stmt *prepare_window(struct sqlite_worker *w, const struct store_window *win)
{
    struct sb sql = {0};
    sqlite3_stmt *st;

    sb_z(&sql, "SELECT ");
    sqlite_columns(&record_message, SQLITE_NAMES, &sql);
    sb_printf(&sql, " FROM messages WHERE contact=? AND seq%s?%s ORDER BY seq%s LIMIT ?",
              win->after > 0 ? ">" : "<", win->with_notes ? "" : " AND kind<>'note'",
              win->after > 0 ? "" : " DESC");
    st = sqlite_prepare(w, sb_view(&sql));
    sb_fini(&sql);
    return st;
}

/* One message more than the window shows, so that it is known whether there are more. */
static int read_window(struct sqlite_worker *w, struct store_call *call, struct str id)
{
    const struct store_window *win = &call->ask.window;
    sqlite3_stmt *st = prepare_window(w, win);
    unsigned n = 0,
             most = win->limit < CONTACT_MESSAGES_MAX ? win->limit + 1 : CONTACT_MESSAGES_MAX;
    struct message *m;
    int code, rc = OK;

    if (!st) return sqlite_fail(w, call);
    m = arena_new(&call->mem, most, sizeof *m);
    sqlite_bind_text(st, 1, id);
    sqlite_bind_i64(st, 2, win->after > 0 ? win->after : win->before > 0 ? win->before : INT64_MAX);
    sqlite_bind_i64(st, 3, most);
    while ((code = sqlite3_step(st)) == SQLITE_ROW && n < most)
        sqlite_read_record(st, 0, &record_message, &call->mem, &m[n++]);
    if (code != SQLITE_DONE && code != SQLITE_ROW) rc = sqlite_fail(w, call);
    sqlite_release(w, st);
    if (win->after <= 0) reverse(m, n);
    store_cut(call, m, n);
    return rc;
}

int sqlite_contact_get(struct sqlite_worker *w, struct store_call *call)
{
    int rc;

    if (sqlite_exec(w, "BEGIN") != SQLITE_OK) return sqlite_fail(w, call); /* both of one moment */
    rc = sqlite_contact_head(w, call, call->ask.id);
    if (rc == OK && call->ask.window.limit > 0) rc = read_window(w, call, call->ask.id);
    (void)sqlite_exec(w, "ROLLBACK");
    return rc;
}

/* Is a message of this name there? Then it is the call's result. */
static int find_client_id(struct sqlite_worker *w, struct store_call *call, struct str contact,
                          struct str client_id)
{
    struct sb sql = {0};
    sqlite3_stmt *st;
    int code, rc = OK;

    sb_z(&sql, "SELECT ");
    sqlite_columns(&record_message, SQLITE_NAMES, &sql);
    sb_z(&sql, " FROM messages WHERE contact=? AND client_id=? AND client_id<>''");
    st = sqlite_prepare(w, sb_view(&sql));
    sb_fini(&sql);
    if (!st) return sqlite_fail(w, call);
    sqlite_bind_text(st, 1, contact);
    sqlite_bind_text(st, 2, client_id);
    code = sqlite3_step(st);
    if (code == SQLITE_ROW) {
        call->result.messages = arena_new(&call->mem, 1, sizeof(struct message));
        call->result.messages_count = 1;
        sqlite_read_record(st, 0, &record_message, &call->mem, call->result.messages);
    } else if (code != SQLITE_DONE) {
        rc = sqlite_fail(w, call);
    }
    sqlite_release(w, st);
    return rc;
}

int sqlite_message_by_client_id(struct sqlite_worker *w, struct store_call *call)
{
    const struct store_ask *a = &call->ask;
    int rc;

    if (sqlite_exec(w, "BEGIN") != SQLITE_OK) return sqlite_fail(w, call); /* both of one moment */
    rc = sqlite_contact_head(w, call, a->id);
    if (rc == OK) rc = find_client_id(w, call, a->id, a->client_id);
    (void)sqlite_exec(w, "ROLLBACK");
    return rc;
}

/* ---- changing ---- */

static int find_client_ids(struct sqlite_worker *w, struct store_call *call)
{
    const struct store_ask *a = &call->ask;
    int rc = OK;

    for (unsigned i = 0; i < a->messages_count && rc == OK && !call->result.messages_count; i++)
        if (a->messages[i].client_id.n)
            rc = find_client_id(w, call, a->contact.id, a->messages[i].client_id);
    if (rc != OK || !call->result.messages_count) return rc;
    rc = sqlite_contact_head(w, call, a->contact.id);
    return rc == OK ? store_fail(call, ERR_EXISTS, NULL) : rc;
}

static int swap_head(struct sqlite_worker *w, struct store_call *call, int64_t version)
{
    struct sb sql = {0};
    sqlite3_stmt *st;

    sb_z(&sql, "UPDATE contacts SET ");
    sqlite_columns(&record_contact, SQLITE_SETS, &sql);
    sb_z(&sql, " WHERE _id=? AND version=?");
    st = sqlite_prepare(w, sb_view(&sql));
    sb_fini(&sql);
    if (!st) return sqlite_fail(w, call);
    sqlite_bind_record(st, 1, &record_contact, &call->ask.contact);
    sqlite_bind_text(st, (int)record_contact.count + 1, call->ask.contact.id);
    sqlite_bind_i64(st, (int)record_contact.count + 2, version);
    return step_done(w, call, st);
}

int sqlite_contact_update(struct sqlite_worker *w, struct store_call *call)
{
    struct store_ask *a = &call->ask;
    int64_t version = a->contact.version;
    int rc = find_client_ids(w, call);

    if (rc == OK) rc = store_number(call, version + 1);
    if (rc == OK) rc = swap_head(w, call, version);
    if (rc != OK) return rc;
    if (sqlite3_changes(w->db) == 0) {
        rc = sqlite_contact_head(w, call, a->contact.id);
        return rc == OK ? store_fail(call, ERR_CONFLICT, NULL) : rc;
    }
    call->result.contact = &a->contact;
    call->result.messages = a->messages;
    call->result.messages_count = a->messages_count;
    return add_more(w, call);
}

int sqlite_contact_delete(struct sqlite_worker *w, struct store_call *call)
{
    sqlite3_stmt *st = sqlite_prepare(w, STR("DELETE FROM contacts WHERE _id=?"));
    int rc;

    if (!st) return sqlite_fail(w, call);
    sqlite_bind_text(st, 1, call->ask.id);
    rc = step_done(w, call, st);
    if (rc == OK && sqlite3_changes(w->db) == 0) rc = store_fail(call, ERR_NOT_FOUND, NULL);
    return rc;
}
