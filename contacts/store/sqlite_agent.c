/* SQLite: agents and documents: small records that are swapped whole. */
#include "contacts/store/sqlite_priv.h"

#include "base/forbid.h"

/* A table whose rows are one record each, found by one or two keys and changed by version. */
struct shelf {
    const struct record_kind *kind;
    const char *table, *where; /* of the keys */
};

static const struct shelf agents = {&record_agent, "agents", "_id=?"};
static const struct shelf docs = {&record_doc, "docs", "kind=? AND id=?"};

static int bind_keys(sqlite3_stmt *st, int at, struct str a, struct str b)
{
    sqlite_bind_text(st, at++, a);
    if (b.p) sqlite_bind_text(st, at++, b);
    return at;
}

static sqlite3_stmt *prepare_read(struct sqlite_worker *w, const struct shelf *s, const char *where,
                                  const char *order)
{
    struct sb sql = {0};
    sqlite3_stmt *st;

    sb_z(&sql, "SELECT ");
    sqlite_columns(s->kind, SQLITE_NAMES, &sql);
    sb_printf(&sql, " FROM %s%s%s%s", s->table, *where ? " WHERE " : "", where, order);
    st = sqlite_prepare(w, sb_view(&sql));
    sb_fini(&sql);
    return st;
}

/* *out: in the arena. Errors: ERR_NOT_FOUND. */
static int shelf_get(struct sqlite_worker *w, struct store_call *call, const struct shelf *s,
                     struct str a, struct str b, void **out)
{
    sqlite3_stmt *st = prepare_read(w, s, s->where, "");
    int code, rc = OK;

    if (!st) return sqlite_fail(w, call);
    (void)bind_keys(st, 1, a, b);
    code = sqlite3_step(st);
    if (code == SQLITE_ROW) {
        *out = arena_new(&call->mem, 1, s->kind->size);
        sqlite_read_record(st, 0, s->kind, &call->mem, *out);
    } else {
        rc = code == SQLITE_DONE ? store_fail(call, ERR_NOT_FOUND, NULL) : sqlite_fail(w, call);
    }
    sqlite_release(w, st);
    return rc;
}

static int shelf_list(struct sqlite_worker *w, struct store_call *call, sqlite3_stmt *st,
                      const struct shelf *s, void **out, unsigned *count)
{
    char *at = arena_new(&call->mem, STORE_LIST_MAX, s->kind->size);
    int code, rc = OK;

    *out = at;
    while ((code = sqlite3_step(st)) == SQLITE_ROW && *count < STORE_LIST_MAX)
        sqlite_read_record(st, 0, s->kind, &call->mem, at + (*count)++ * s->kind->size);
    if (code != SQLITE_DONE && code != SQLITE_ROW) rc = sqlite_fail(w, call);
    sqlite_release(w, st);
    return rc;
}

static sqlite3_stmt *prepare_write(struct sqlite_worker *w, const struct shelf *s, bool is_new)
{
    struct sb sql = {0};
    sqlite3_stmt *st;

    if (is_new) {
        sb_printf(&sql, "INSERT INTO %s(", s->table);
        sqlite_columns(s->kind, SQLITE_NAMES, &sql);
        sb_z(&sql, ")VALUES(");
        sqlite_columns(s->kind, SQLITE_MARKS, &sql);
        sb_z(&sql, ")ON CONFLICT DO NOTHING");
    } else {
        sb_printf(&sql, "UPDATE %s SET ", s->table);
        sqlite_columns(s->kind, SQLITE_SETS, &sql);
        sb_printf(&sql, " WHERE %s AND version=?", s->where);
    }
    st = sqlite_prepare(w, sb_view(&sql));
    sb_fini(&sql);
    return st;
}

struct shelf_key {
    struct str a, b;
    int64_t version; /* that must be there; 0: none is */
};

/* The record has its new version. Errors: ERR_CONFLICT what is there is not what must be; the call
 * has not failed yet. */
static int shelf_swap(struct sqlite_worker *w, struct store_call *call, const struct shelf *s,
                      const void *record, const struct shelf_key *key)
{
    sqlite3_stmt *st = prepare_write(w, s, key->version == 0);
    int at, rc = OK;

    if (!st) return sqlite_fail(w, call);
    sqlite_bind_record(st, 1, s->kind, record);
    if (key->version > 0) {
        at = bind_keys(st, (int)s->kind->count + 1, key->a, key->b);
        sqlite_bind_i64(st, at, key->version);
    }
    if (sqlite3_step(st) != SQLITE_DONE) rc = sqlite_fail(w, call);
    sqlite_release(w, st);
    return rc == OK && sqlite3_changes(w->db) == 0 ? ERR_CONFLICT : rc;
}

/* ---- agents ---- */

int sqlite_agent_get(struct sqlite_worker *w, struct store_call *call)
{
    void *agent = NULL;
    int rc = shelf_get(w, call, &agents, call->ask.id, STR_NONE, &agent);

    call->result.agent = agent;
    return rc;
}

int sqlite_agent_list(struct sqlite_worker *w, struct store_call *call)
{
    sqlite3_stmt *st = prepare_read(w, &agents, "", " ORDER BY _id");
    void *list;
    int rc;

    if (!st) return sqlite_fail(w, call);
    rc = shelf_list(w, call, st, &agents, &list, &call->result.agents_count);
    call->result.agents = list;
    return rc;
}

int sqlite_agent_update(struct sqlite_worker *w, struct store_call *call)
{
    struct agent *a = &call->ask.agent;
    const struct shelf_key key = {.a = a->id, .version = a->version};
    int rc;

    a->version++;
    a->updated_at = call->ask.now;
    rc = shelf_swap(w, call, &agents, a, &key);
    if (rc == ERR_CONFLICT) rc = store_fail(call, ERR_CONFLICT, NULL);
    if (rc == OK) call->result.agent = a;
    return rc;
}

/* ---- documents ---- */

int sqlite_doc_get(struct sqlite_worker *w, struct store_call *call)
{
    void *doc = NULL;
    int rc = shelf_get(w, call, &docs, call->ask.kind, call->ask.id, &doc);

    call->result.doc = doc;
    return rc;
}

int sqlite_doc_list(struct sqlite_worker *w, struct store_call *call)
{
    sqlite3_stmt *st = prepare_read(w, &docs, "kind=?", " ORDER BY id");
    void *list;
    int rc;

    if (!st) return sqlite_fail(w, call);
    sqlite_bind_text(st, 1, call->ask.kind);
    rc = shelf_list(w, call, st, &docs, &list, &call->result.docs_count);
    call->result.docs = list;
    return rc;
}

int sqlite_doc_put(struct sqlite_worker *w, struct store_call *call)
{
    struct doc *d = &call->ask.doc;
    const struct shelf_key key = {d->kind, d->id, d->version};
    void *there = NULL;
    int rc;

    d->version++;
    d->updated_at = call->ask.now;
    rc = shelf_swap(w, call, &docs, d, &key);
    call->result.doc = d;
    if (rc != ERR_CONFLICT) return rc;
    rc = shelf_get(w, call, &docs, d->kind, d->id, &there);
    call->result.doc = there;
    return rc == OK ? store_fail(call, key.version ? ERR_CONFLICT : ERR_EXISTS, NULL) : rc;
}

int sqlite_doc_delete(struct sqlite_worker *w, struct store_call *call)
{
    sqlite3_stmt *st = sqlite_prepare(w, STR("DELETE FROM docs WHERE kind=? AND id=?"));
    int rc = OK;

    if (!st) return sqlite_fail(w, call);
    (void)bind_keys(st, 1, call->ask.kind, call->ask.id);
    if (sqlite3_step(st) != SQLITE_DONE) rc = sqlite_fail(w, call);
    sqlite_release(w, st);
    if (rc == OK && sqlite3_changes(w->db) == 0) rc = store_fail(call, ERR_NOT_FOUND, NULL);
    return rc;
}
