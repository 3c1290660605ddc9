/* SQLite: the file. Opened with WAL and full synchronisation, checked, brought to the schema of
 * this program; whatever is wrong with it is said in a sentence. */
#include "contacts/store/sqlite_priv.h"

#include <stdio.h>
#include <time.h>
#include "base/clock.h"
#include "base/mem.h"
#include "base/forbid.h"

#define APPLICATION_ID 0x696e676f /* "ingo": of no other program */

static const char settings[] = "PRAGMA synchronous=FULL;"
                               "PRAGMA foreign_keys=ON;"
                               "PRAGMA secure_delete=ON;" /* who is deleted is gone */
                               "PRAGMA trusted_schema=OFF;";

/* SQLite's own handler sleeps for a tenth of a second and more where a few milliseconds do. */
static int on_busy(void *ctx, int tries)
{
    struct sqlite_worker *w = ctx;
    struct timespec nap = {.tv_nsec = 500000L * (tries < 8 ? tries + 1 : 8)};

    if (tries == 0) w->busy_since_us = clock_us();
    if (clock_us() - w->busy_since_us > w->file->busy_ms * 1000) return 0;
    nanosleep(&nap, NULL);
    return 1;
}

static int refuse(struct sqlite_worker *w, const char *sentence)
{
    (void)snprintf(w->why, sizeof w->why, "%s", sentence);
    return ERR_CONFIG;
}

static int refuse_by_sqlite(struct sqlite_worker *w)
{
    (void)sqlite_code(w);
    return ERR_CONFIG;
}

/* The first value of a statement, as a number or text. */
static int64_t number_of(struct sqlite_worker *w, const char *sql, int64_t otherwise)
{
    sqlite3_stmt *st = NULL;
    int64_t v = otherwise;

    if (sqlite3_prepare_v2(w->db, sql, -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        v = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return v;
}

static int is_text(struct sqlite_worker *w, const char *sql, const char *want, char *got,
                   size_t got_size)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(w->db, sql, -1, &st, NULL);
    const char *text = NULL;
    bool is_it;

    if (rc == SQLITE_OK) rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) text = (const char *)sqlite3_column_text(st, 0);
    is_it = text && strcmp(text, want) == 0;
    if (got) (void)snprintf(got, got_size, "%s", text ? text : "");
    sqlite3_finalize(st);
    return is_it ? OK : rc == SQLITE_ROW ? ERR_CONFIG : ERR_IO;
}

int sqlite_connect(struct sqlite_worker *w)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    int rc;

    if (sqlite3_open_v2(w->file->path, &w->db, flags, NULL) != SQLITE_OK)
        return refuse_by_sqlite(w);
    if (sqlite3_db_readonly(w->db, "main") == 1) return refuse(w, "the file is read-only");
    sqlite3_busy_handler(w->db, on_busy, w);
    sqlite3_limit(w->db, SQLITE_LIMIT_ATTACHED, 0);
    if (sqlite_exec(w, settings) != SQLITE_OK) return refuse_by_sqlite(w);
    rc = is_text(w, "PRAGMA journal_mode=WAL", "wal", NULL, 0);
    if (rc == ERR_IO) return refuse_by_sqlite(w);
    return rc == OK ? OK : refuse(w, "the file system cannot do WAL: use a local disk");
}

int sqlite_check(struct sqlite_worker *w)
{
    char got[160];
    int rc = is_text(w, "PRAGMA quick_check(1)", "ok", got, sizeof got);

    if (rc == OK) return OK;
    if (rc == ERR_IO) return refuse_by_sqlite(w);
    (void)snprintf(w->why, sizeof w->why, "the file is corrupt (%s)", got);
    return ERR_CONFIG;
}

/* ---- the schema ---- */

static const struct table {
    const char *name;
    const struct record_kind *kind;
    const char *before, *after; /* of the columns of the record */
} tables[] = {
    {"contacts", &record_contact, "", ",PRIMARY KEY(_id)"},
    {"messages", &record_message,
     "contact TEXT NOT NULL REFERENCES contacts(_id) ON DELETE CASCADE,",
     ",PRIMARY KEY(contact,seq)"},
    {"outbox", &record_outbox, "contact TEXT NOT NULL REFERENCES contacts(_id) ON DELETE CASCADE,",
     ",PRIMARY KEY(contact,id)"},
    {"agents", &record_agent, "", ",PRIMARY KEY(_id)"},
    {"docs", &record_doc, "", ",PRIMARY KEY(kind,id)"},
};

static const char others[] =
    "CREATE UNIQUE INDEX IF NOT EXISTS contacts_form ON contacts(form_key) WHERE form_key<>'';"
    "CREATE INDEX IF NOT EXISTS contacts_date ON contacts(contact_date,_id);"
    "CREATE INDEX IF NOT EXISTS contacts_queue ON contacts(status,queue_rank,queue_since,_id);"
    "CREATE INDEX IF NOT EXISTS contacts_owner ON contacts(owner_id,status) WHERE owner_id<>'';"
    "CREATE INDEX IF NOT EXISTS contacts_user ON contacts(user_id) WHERE user_id<>'';"
    "CREATE INDEX IF NOT EXISTS contacts_email ON contacts(email COLLATE NOCASE);"
    "CREATE INDEX IF NOT EXISTS contacts_next ON contacts(next_at) WHERE next_at>0;"
    "CREATE INDEX IF NOT EXISTS agents_next ON agents(next_at) WHERE next_at>0;"
    "CREATE UNIQUE INDEX IF NOT EXISTS messages_client ON messages(contact,client_id)"
    " WHERE client_id<>'';"
    "CREATE INDEX IF NOT EXISTS outbox_due ON outbox(at) WHERE state='due';"
    "CREATE INDEX IF NOT EXISTS outbox_dead ON outbox(created_at,id) WHERE state='dead';"
    "CREATE TABLE IF NOT EXISTS probe(n INTEGER PRIMARY KEY,at INTEGER NOT NULL);";

static const char *type_of(const struct record_field *f)
{
    bool is_number = f->type == RECORD_I64 || f->type == RECORD_DATE || f->type == RECORD_BOOL;

    return is_number ? "INTEGER NOT NULL DEFAULT 0" : "TEXT NOT NULL DEFAULT ''";
}

static int create_table(struct sqlite_worker *w, const struct table *t)
{
    struct sb sql = {0};
    int rc;

    sb_printf(&sql, "CREATE TABLE IF NOT EXISTS %s(%s", t->name, t->before);
    for (unsigned i = 0; i < t->kind->count; i++)
        sb_printf(&sql, "%s\"%s\" %s", i ? "," : "", t->kind->fields[i].name,
                  type_of(&t->kind->fields[i]));
    sb_printf(&sql, "%s)", t->after);
    sb_char(&sql, 0);
    rc = sqlite_exec(w, sql.p);
    sb_fini(&sql);
    return rc;
}

/* Columns that a table of an older program does not have yet. */
static int add_columns(struct sqlite_worker *w, const struct table *t)
{
    int rc = SQLITE_OK;

    for (unsigned i = 0; i < t->kind->count && rc == SQLITE_OK; i++) {
        const char *name = t->kind->fields[i].name;
        struct sb sql = {0};

        sb_printf(&sql, "SELECT count(*) FROM pragma_table_info('%s') WHERE name='%s'", t->name,
                  name);
        sb_char(&sql, 0);
        if (number_of(w, sql.p, 1) == 0) {
            sql.n = 0;
            sb_printf(&sql, "ALTER TABLE %s ADD COLUMN \"%s\" %s", t->name, name,
                      type_of(&t->kind->fields[i]));
            sb_char(&sql, 0);
            rc = sqlite_exec(w, sql.p);
        }
        sb_fini(&sql);
    }
    return rc;
}

static int write_schema(struct sqlite_worker *w)
{
    char mark[96];
    int rc = SQLITE_OK;

    for (size_t i = 0; i < sizeof tables / sizeof *tables && rc == SQLITE_OK; i++) {
        rc = create_table(w, &tables[i]);
        if (rc == SQLITE_OK) rc = add_columns(w, &tables[i]);
    }
    if (rc == SQLITE_OK) rc = sqlite_exec(w, others);
    (void)snprintf(mark, sizeof mark, "PRAGMA application_id=%d; PRAGMA user_version=%d",
                   APPLICATION_ID, STORE_SCHEMA);
    return rc == SQLITE_OK ? sqlite_exec(w, mark) : rc;
}

/* In a transaction: of several processes that start together, one writes. */
int sqlite_migrate(struct sqlite_worker *w)
{
    int64_t id, version, tables_count;
    int rc = sqlite_exec(w, "BEGIN IMMEDIATE");

    if (rc != SQLITE_OK) return refuse_by_sqlite(w);
    id = number_of(w, "PRAGMA application_id", 0);
    version = number_of(w, "PRAGMA user_version", 0);
    tables_count = number_of(w, "SELECT count(*) FROM sqlite_schema", 0);
    if (id != APPLICATION_ID && tables_count > 0) {
        (void)sqlite_exec(w, "ROLLBACK");
        return refuse(w, "it is the database of another program");
    }
    if (version > STORE_SCHEMA) {
        (void)sqlite_exec(w, "ROLLBACK");
        (void)snprintf(w->why, sizeof w->why,
                       "its schema is %lld, this program knows %d: it was written by a newer one",
                       (long long)version, STORE_SCHEMA);
        return ERR_CONFIG;
    }
    rc = write_schema(w);
    if (rc == SQLITE_OK) rc = sqlite_exec(w, "COMMIT");
    if (rc == SQLITE_OK) return OK;
    rc = refuse_by_sqlite(w);
    (void)sqlite_exec(w, "ROLLBACK");
    return rc;
}
