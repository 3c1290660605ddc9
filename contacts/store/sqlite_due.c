/* SQLite: what is due, of contacts, agents and the outbox. A take is a look and a change within one
 * transaction that nobody else writes in. */
#include "contacts/store/sqlite_priv.h"

#include "contacts/record/outbox.h"
#include "base/forbid.h"

static int step_done(struct sqlite_worker *w, struct store_call *call, sqlite3_stmt *st)
{
    int rc = sqlite3_step(st) == SQLITE_DONE ? OK : sqlite_fail(w, call);

    sqlite_release(w, st);
    return rc;
}

/* The first column of the only row, 0 for none. */
static int read_at(struct sqlite_worker *w, struct store_call *call, struct str sql)
{
    sqlite3_stmt *st = sqlite_prepare(w, sql);
    int code, rc = OK;

    if (!st) return sqlite_fail(w, call);
    code = sqlite3_step(st);
    if (code == SQLITE_ROW)
        call->result.at = sqlite3_column_int64(st, 0);
    else if (code != SQLITE_DONE)
        rc = sqlite_fail(w, call);
    sqlite_release(w, st);
    return rc;
}

int sqlite_due_next(struct sqlite_worker *w, struct store_call *call)
{
    return read_at(w, call,
                   STR("SELECT min(at)FROM(SELECT min(next_at)AS at FROM contacts WHERE next_at>0 "
                       "UNION ALL SELECT min(next_at)AS at FROM agents WHERE next_at>0)"));
}

/* ---- contacts and agents ---- */

struct due_table {
    const struct record_kind *kind;
    const char *name;
};

/* The earliest one that is due, in *out (in the arena). Errors: ERR_NOT_FOUND. */
static int find_due(struct sqlite_worker *w, struct store_call *call, const struct due_table *t,
                    void **out)
{
    struct sb sql = {0};
    sqlite3_stmt *st;
    int code, rc = OK;

    sb_z(&sql, "SELECT ");
    sqlite_columns(t->kind, SQLITE_NAMES, &sql);
    sb_printf(&sql, " FROM %s WHERE next_at>0 AND next_at<=? ORDER BY next_at LIMIT 1", t->name);
    st = sqlite_prepare(w, sb_view(&sql));
    sb_fini(&sql);
    if (!st) return sqlite_fail(w, call);
    sqlite_bind_i64(st, 1, call->ask.now);
    code = sqlite3_step(st);
    if (code == SQLITE_ROW) {
        *out = arena_new(&call->mem, 1, t->kind->size);
        sqlite_read_record(st, 0, t->kind, &call->mem, *out);
    } else {
        rc = code == SQLITE_DONE ? store_fail(call, ERR_NOT_FOUND, NULL) : sqlite_fail(w, call);
    }
    sqlite_release(w, st);
    return rc;
}

static int lease_due(struct sqlite_worker *w, struct store_call *call, const struct due_table *t,
                     struct str id, int64_t *next_at)
{
    struct sb sql = {0};
    sqlite3_stmt *st;

    sb_printf(&sql, "UPDATE %s SET next_at=? WHERE _id=?", t->name);
    st = sqlite_prepare(w, sb_view(&sql));
    sb_fini(&sql);
    if (!st) return sqlite_fail(w, call);
    sqlite_bind_i64(st, 1, call->ask.until);
    sqlite_bind_text(st, 2, id);
    call->result.at = *next_at;
    *next_at = call->ask.until;
    return step_done(w, call, st);
}

int sqlite_due_take(struct sqlite_worker *w, struct store_call *call)
{
    static const struct due_table agents = {&record_agent, "agents"},
                                  contacts = {&record_contact, "contacts"};
    void *found = NULL;
    int rc = find_due(w, call, &agents, &found);

    if (found) {
        call->result.agent = found;
        return lease_due(w, call, &agents, call->result.agent->id, &call->result.agent->next_at);
    }
    if (rc != ERR_NOT_FOUND) return rc;
    rc = find_due(w, call, &contacts, &found);
    if (!found) return rc;
    call->base.rc = OK;
    call->result.contact = found;
    return lease_due(w, call, &contacts, call->result.contact->id, &call->result.contact->next_at);
}

/* ---- the outbox ---- */

int sqlite_outbox_next(struct sqlite_worker *w, struct store_call *call)
{
    return read_at(w, call, STR("SELECT min(at) FROM outbox WHERE state='due'"));
}

static sqlite3_stmt *prepare_entries(struct sqlite_worker *w, const char *where)
{
    struct sb sql = {0};
    sqlite3_stmt *st;

    sb_z(&sql, "SELECT contact,");
    sqlite_columns(&record_outbox, SQLITE_NAMES, &sql);
    sb_printf(&sql, " FROM outbox WHERE %s", where);
    st = sqlite_prepare(w, sb_view(&sql));
    sb_fini(&sql);
    return st;
}

static int lease_entry(struct sqlite_worker *w, struct store_call *call, struct str contact)
{
    sqlite3_stmt *st =
        sqlite_prepare(w, STR("UPDATE outbox SET at=?,lease=? WHERE contact=? AND id=?"));
    struct outbox *o = call->result.outbox;

    if (!st) return sqlite_fail(w, call);
    o->at = call->ask.until;
    o->lease = call->ask.lease;
    sqlite_bind_i64(st, 1, o->at);
    sqlite_bind_text(st, 2, o->lease);
    sqlite_bind_text(st, 3, contact);
    sqlite_bind_text(st, 4, o->id);
    return step_done(w, call, st);
}

int sqlite_outbox_take(struct sqlite_worker *w, struct store_call *call)
{
    sqlite3_stmt *st = prepare_entries(w, "state='due' AND at<=? ORDER BY at LIMIT 1");
    struct str contact = STR_NONE;
    int code, rc;

    if (!st) return sqlite_fail(w, call);
    sqlite_bind_i64(st, 1, call->ask.now);
    code = sqlite3_step(st);
    if (code == SQLITE_ROW) {
        contact = sqlite_text(st, 0, &call->mem);
        call->result.outbox = arena_new(&call->mem, 1, sizeof(struct outbox));
        sqlite_read_record(st, 1, &record_outbox, &call->mem, call->result.outbox);
    }
    rc = code == SQLITE_ROW    ? OK
         : code == SQLITE_DONE ? store_fail(call, ERR_NOT_FOUND, NULL)
                               : sqlite_fail(w, call);
    sqlite_release(w, st);
    if (rc == OK) rc = lease_entry(w, call, contact);
    return rc == OK ? sqlite_contact_head(w, call, contact) : rc;
}

/* A statement over the entry that the call leased; what it is about comes first. */
static int change_entry(struct sqlite_worker *w, struct store_call *call, sqlite3_stmt *st, int at,
                        bool by_lease)
{
    int rc;

    sqlite_bind_text(st, at, call->ask.id);
    sqlite_bind_text(st, at + 1, call->ask.entry_id);
    if (by_lease) sqlite_bind_text(st, at + 2, call->ask.lease);
    rc = step_done(w, call, st);
    if (rc == OK && sqlite3_changes(w->db) == 0) rc = store_fail(call, ERR_NOT_FOUND, NULL);
    return rc;
}

int sqlite_outbox_keep(struct sqlite_worker *w, struct store_call *call)
{
    sqlite3_stmt *st = sqlite_prepare(w, STR("UPDATE outbox SET at=? WHERE contact=? AND id=? AND "
                                             "lease=? AND state='due'"));

    if (!st) return sqlite_fail(w, call);
    sqlite_bind_i64(st, 1, call->ask.at);
    return change_entry(w, call, st, 2, true);
}

int sqlite_outbox_done(struct sqlite_worker *w, struct store_call *call)
{
    sqlite3_stmt *st = sqlite_prepare(
        w, STR("DELETE FROM outbox WHERE contact=? AND id=? AND lease=? AND state='due'"));

    return st ? change_entry(w, call, st, 1, true) : sqlite_fail(w, call);
}

int sqlite_outbox_fail(struct sqlite_worker *w, struct store_call *call)
{
    sqlite3_stmt *st =
        sqlite_prepare(w, STR("UPDATE outbox SET at=?,why=?,tries=tries+1,lease='' "
                              "WHERE contact=? AND id=? AND lease=? AND state='due'"));

    if (!st) return sqlite_fail(w, call);
    sqlite_bind_i64(st, 1, call->ask.at);
    sqlite_bind_text(st, 2, call->ask.why);
    return change_entry(w, call, st, 3, true);
}

int sqlite_outbox_dead(struct sqlite_worker *w, struct store_call *call)
{
    sqlite3_stmt *st = sqlite_prepare(
        w, STR("UPDATE outbox SET at=253402300799999,why=?,tries=tries+1,lease='',state='dead' "
               "WHERE contact=? AND id=? AND lease=? AND state='due'"));

    if (!st) return sqlite_fail(w, call);
    sqlite_bind_text(st, 1, call->ask.why);
    return change_entry(w, call, st, 2, true);
}

int sqlite_outbox_retry(struct sqlite_worker *w, struct store_call *call)
{
    sqlite3_stmt *st = sqlite_prepare(w, STR("UPDATE outbox SET at=?,tries=0,lease='',state='due' "
                                             "WHERE contact=? AND id=? AND state='dead'"));

    if (!st) return sqlite_fail(w, call);
    sqlite_bind_i64(st, 1, call->ask.at);
    return change_entry(w, call, st, 2, false);
}

/* ---- the dead ---- */

int sqlite_outbox_list(struct sqlite_worker *w, struct store_call *call)
{
    sqlite3_stmt *st =
        prepare_entries(w, "state='dead' AND (created_at,id)>(?,?) ORDER BY created_at,id LIMIT ?");
    struct store_cursor cursor = {.a = -1};
    unsigned limit = call->ask.limit, n = 0;
    struct store_letter *l = arena_new(&call->mem, limit + 1, sizeof *l);
    int code, rc = OK;

    if (!st) return sqlite_fail(w, call);
    if (call->ask.cursor.n && store_cursor_read(call, call->ask.cursor, &cursor) != OK)
        return call->base.rc;
    sqlite_bind_i64(st, 1, cursor.a);
    sqlite_bind_text(st, 2, cursor.id);
    sqlite_bind_i64(st, 3, (int64_t)limit + 1);
    while ((code = sqlite3_step(st)) == SQLITE_ROW && n <= limit) {
        l[n].contact_id = sqlite_text(st, 0, &call->mem);
        sqlite_read_record(st, 1, &record_outbox, &call->mem, &l[n++].entry);
    }
    if (code != SQLITE_DONE && code != SQLITE_ROW) rc = sqlite_fail(w, call);
    sqlite_release(w, st);
    if (n > limit) {
        const struct outbox *last = &l[(n = limit) - 1].entry;

        store_cursor_put(call, STORE_OLDEST,
                         &(struct contact){.created_at = last->created_at, .id = last->id});
    }
    call->result.letters = l;
    call->result.letters_count = n;
    return rc;
}
