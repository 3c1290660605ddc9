/* Between the files of the SQLite driver. Included only in contacts/store/sqlite*.c. */
#ifndef CONTACTS_STORE_SQLITE_PRIV_H
#define CONTACTS_STORE_SQLITE_PRIV_H

#include <sqlite3.h>
#include "base/map.h"
#include "contacts/store/store_priv.h"

struct sqlite { /* the driver's state; the same for all workers, never changed */
    char *path;
    uint64_t busy_ms; /* to wait for other processes */
};

struct sqlite_worker { /* a connection; of one thread */
    const struct sqlite *file;
    sqlite3 *db;           /* NULL: could not be opened; tried again by the next call */
    struct map statements; /* by their text */
    int batch_rc;          /* of the transaction around a batch */
    uint64_t busy_since_us;
    char why[256];
};

/* ---- sqlite_file.c ---- */

/* One connection with its settings. Errors: ERR_CONFIG, w->why says it. */
MUST_USE int sqlite_connect(struct sqlite_worker *w);
void sqlite_disconnect(struct sqlite_worker *w);
MUST_USE int sqlite_migrate(struct sqlite_worker *w);
MUST_USE int sqlite_check(struct sqlite_worker *w); /* integrity */

/* ---- sqlite_row.c ---- */

/* A prepared statement, kept by its text; sqlite_release after use. NULL: sqlite_fail says why. */
sqlite3_stmt *sqlite_prepare(struct sqlite_worker *w, struct str sql);
void sqlite_release(struct sqlite_worker *w, sqlite3_stmt *st);
int sqlite_exec(struct sqlite_worker *w, const char *sql); /* SQLITE_OK or its code */

void sqlite_bind_text(sqlite3_stmt *st, int i, struct str s); /* borrows until the release */
void sqlite_bind_i64(sqlite3_stmt *st, int i, int64_t v);
struct str sqlite_text(sqlite3_stmt *st, int column, struct arena *a);

/* `"a","b"`: the columns of a record; with a separator in front, a `=?` behind each, or `?` alone.
 */
enum sqlite_form { SQLITE_NAMES, SQLITE_MARKS, SQLITE_SETS };
void sqlite_columns(const struct record_kind *k, enum sqlite_form form, struct sb *sql);
void sqlite_bind_record(sqlite3_stmt *st, int first, const struct record_kind *k,
                        const void *record);
void sqlite_read_record(sqlite3_stmt *st, int first, const struct record_kind *k, struct arena *a,
                        void *out);

/* The last failure of the connection as a failure of the call. Returns its rc. */
int sqlite_fail(struct sqlite_worker *w, struct store_call *call);
int sqlite_code(struct sqlite_worker *w);     /* the same without a call; w->why is set */
bool sqlite_is_away(struct sqlite_worker *w); /* others will fare no better */

/* ---- calls: they return call->base.rc ---- */

typedef int sqlite_run_fn(struct sqlite_worker *w, struct store_call *call);
#define OP(id, name, is_write) sqlite_run_fn sqlite_##name;
#include "contacts/store/op.def"
#undef OP

/* The head of a contact by its id, as call->result.contact. Errors: ERR_NOT_FOUND. */
MUST_USE int sqlite_contact_head(struct sqlite_worker *w, struct store_call *call, struct str id);
/* Rows that go with a contact. */
MUST_USE int sqlite_message_add(struct sqlite_worker *w, struct store_call *call,
                                struct str contact, const struct message *m);
MUST_USE int sqlite_outbox_add(struct sqlite_worker *w, struct store_call *call, struct str contact,
                               const struct outbox *o);

int sqlite_dump(void *worker, const struct store_sink *sink);
int sqlite_load(void *worker, const struct store_item *items, unsigned count,
                struct store_loaded *sum);

#endif
