/* SQLite: statements and rows. Every value is bound, never written into a statement. */
#include "contacts/store/sqlite_priv.h"

#include <stdio.h>
#include "base/mem.h"
#include "base/forbid.h"

#define STATEMENTS_MAX 96 /* kept ready; the texts of lists differ by their filters */

struct statement {
    sqlite3_stmt *st;
    char *text;
};

static void statement_free(struct statement *s)
{
    sqlite3_finalize(s->st);
    mem_free(s->text);
    mem_free(s);
}

static void forget_all(struct sqlite_worker *w)
{
    size_t i = 0;
    struct statement *s;

    while ((s = map_next(&w->statements, &i)))
        statement_free(s);
    map_fini(&w->statements);
    w->statements = (struct map){0};
}

void sqlite_disconnect(struct sqlite_worker *w)
{
    forget_all(w);
    sqlite3_close(w->db);
    w->db = NULL;
}

sqlite3_stmt *sqlite_prepare(struct sqlite_worker *w, struct str sql)
{
    struct statement *s = map_get(&w->statements, sql);
    sqlite3_stmt *st = NULL;

    if (s) return s->st;
    if (w->statements.count >= STATEMENTS_MAX) forget_all(w);
    if (sqlite3_prepare_v3(w->db, sql.p, (int)sql.n, SQLITE_PREPARE_PERSISTENT, &st, NULL) !=
        SQLITE_OK)
        return NULL;
    s = MEM_NEW(struct statement);
    *s = (struct statement){st, str_dup(sql)};
    (void)map_put(&w->statements, str_of(s->text, sql.n), s);
    return st;
}

void sqlite_release(struct sqlite_worker *w, sqlite3_stmt *st)
{
    (void)w;
    if (!st) return;
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
}

int sqlite_exec(struct sqlite_worker *w, const char *sql)
{
    return sqlite3_exec(w->db, sql, NULL, NULL, NULL);
}

void sqlite_bind_text(sqlite3_stmt *st, int i, struct str s)
{
    sqlite3_bind_text64(st, i, s.p ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
}

void sqlite_bind_i64(sqlite3_stmt *st, int i, int64_t v)
{
    sqlite3_bind_int64(st, i, v);
}

struct str sqlite_text(sqlite3_stmt *st, int column, struct arena *a)
{
    const void *p = sqlite3_column_blob(st, column); /* as it is: no conversion of a text */

    return p ? arena_str(a, str_of(p, (size_t)sqlite3_column_bytes(st, column))) : STR_NONE;
}

void sqlite_columns(const struct record_kind *k, enum sqlite_form form, struct sb *sql)
{
    for (unsigned i = 0; i < k->count; i++) {
        if (i) sb_char(sql, ',');
        if (form == SQLITE_MARKS)
            sb_char(sql, '?');
        else
            sb_printf(sql, form == SQLITE_SETS ? "\"%s\"=?" : "\"%s\"", k->fields[i].name);
    }
}

static void bind_list(sqlite3_stmt *st, int i, const struct record_field *f, const void *record)
{
    struct sb text = {0};

    if (!record_is_empty(f, record)) record_list_put(f, record, &text);
    sqlite3_bind_text64(st, i, text.p ? text.p : "", text.n, SQLITE_TRANSIENT, SQLITE_UTF8);
    sb_fini(&text);
}

void sqlite_bind_record(sqlite3_stmt *st, int first, const struct record_kind *k,
                        const void *record)
{
    for (unsigned i = 0; i < k->count; i++) {
        const struct record_field *f = &k->fields[i];
        const void *p = record_member_of(f, record);
        int at = first + (int)i;

        switch (f->type) {
        case RECORD_TEXT:
        case RECORD_JSON:
            sqlite_bind_text(st, at, *(const struct str *)p);
            break;
        case RECORD_I64:
        case RECORD_DATE:
            sqlite_bind_i64(st, at, *(const int64_t *)p);
            break;
        case RECORD_BOOL:
            sqlite_bind_i64(st, at, *(const bool *)p);
            break;
        case RECORD_TEXTS:
        case RECORD_SLOTS:
            bind_list(st, at, f, record);
            break;
        }
    }
}

static void read_list(const struct record_field *f, struct str text, struct arena *a, void *out)
{
    /* Nobody but us writes it: what is no list counts as an empty one. */
    if (text.n && record_list_read(f, text, a, out) != OK)
        memset(record_member(f, out), 0, sizeof(struct record_texts));
}

void sqlite_read_record(sqlite3_stmt *st, int first, const struct record_kind *k, struct arena *a,
                        void *out)
{
    memset(out, 0, k->size);
    for (unsigned i = 0; i < k->count; i++) {
        const struct record_field *f = &k->fields[i];
        void *p = record_member(f, out);
        int at = first + (int)i;

        switch (f->type) {
        case RECORD_TEXT:
        case RECORD_JSON:
            *(struct str *)p = sqlite_text(st, at, a);
            break;
        case RECORD_I64:
        case RECORD_DATE:
            *(int64_t *)p = sqlite3_column_int64(st, at);
            break;
        case RECORD_BOOL:
            *(bool *)p = sqlite3_column_int64(st, at) != 0;
            break;
        case RECORD_TEXTS:
        case RECORD_SLOTS:
            read_list(f, sqlite_text(st, at, a), a, out);
            break;
        }
    }
}

/* ---- failures ---- */

static const struct {
    int code, rc;
    bool is_away;
    const char *text;
} failures[] = {
    {SQLITE_FULL, ERR_UNAVAILABLE, true, "the disk is full"},
    {SQLITE_IOERR, ERR_UNAVAILABLE, true, "the disk failed"},
    {SQLITE_READONLY, ERR_UNAVAILABLE, true, "the file is read-only"},
    {SQLITE_CANTOPEN, ERR_UNAVAILABLE, true, "the file cannot be opened"},
    {SQLITE_CORRUPT, ERR_UNAVAILABLE, true, "the file is corrupt"},
    {SQLITE_NOTADB, ERR_UNAVAILABLE, true, "the file is no database"},
    {SQLITE_PROTOCOL, ERR_UNAVAILABLE, false, "the file is locked by other processes"},
    {SQLITE_BUSY, ERR_UNAVAILABLE, false, "the file is locked by other processes"},
    {SQLITE_LOCKED, ERR_UNAVAILABLE, false, "the file is locked"},
    {SQLITE_INTERRUPT, ERR_TIMEOUT, false, "no answer in time"},
    {SQLITE_NOMEM, ERR_MEMORY, false, "out of memory"},
    {SQLITE_TOOBIG, ERR_TOO_BIG, false, "larger than SQLite allows"},
};

int sqlite_code(struct sqlite_worker *w)
{
    int code = sqlite3_errcode(w->db) & 0xff;

    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        if (failures[i].code != code) continue;
        (void)snprintf(w->why, sizeof w->why, "%s (%s)", failures[i].text, sqlite3_errmsg(w->db));
        return failures[i].rc;
    }
    (void)snprintf(w->why, sizeof w->why, "SQLite: %s", sqlite3_errmsg(w->db));
    return ERR_INTERNAL;
}

bool sqlite_is_away(struct sqlite_worker *w)
{
    int code = sqlite3_errcode(w->db) & 0xff;

    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
        if (failures[i].code == code) return failures[i].is_away;
    return false;
}

int sqlite_fail(struct sqlite_worker *w, struct store_call *call)
{
    call->base.is_away = sqlite_is_away(w);
    return store_fail(call, sqlite_code(w), w->why);
}
