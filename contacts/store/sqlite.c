/* The SQLite driver: one file, shared by the nodes of one machine. One worker writes, many calls in
 * one transaction; the others read. See store_priv.h. */
#include "contacts/store/sqlite_priv.h"

#include <stdio.h>
#include "base/clock.h"
#include "base/conf.h"
#include "base/mem.h"
#include "base/forbid.h"

#define PROGRESS_STEPS 10000 /* of SQLite's machine between two looks at the deadline */

static sqlite_run_fn *const runs[STORE_OPS] = {
#define OP(id, name, is_write) [STORE_OP_##id] = sqlite_##name,
#include "contacts/store/op.def"
#undef OP
};

/* ---- a worker ---- */

static void *worker_open(void *driver)
{
    struct sqlite_worker *w = MEM_NEW(struct sqlite_worker);

    w->file = driver;
    if (sqlite_connect(w) != OK) sqlite_disconnect(w); /* the next call tries again */
    return w;
}

static void worker_close(void *worker)
{
    struct sqlite_worker *w = worker;

    sqlite_disconnect(w);
    mem_free(w);
}

static int connect_again(struct sqlite_worker *w)
{
    if (w->db || sqlite_connect(w) == OK) return OK;
    sqlite_disconnect(w);
    return ERR_UNAVAILABLE;
}

static int on_progress(void *ctx)
{
    const struct store_call *call = ctx;

    return clock_us() >= call->base.deadline_us;
}

/* ---- the transaction around a batch ---- */

static void batch_begin(void *worker)
{
    struct sqlite_worker *w = worker;

    w->batch_rc = connect_again(w);
    if (w->batch_rc == OK && sqlite_exec(w, "BEGIN IMMEDIATE") != SQLITE_OK)
        w->batch_rc = sqlite_code(w);
}

static void batch_end(void *worker, struct pool_job *const *jobs, unsigned count)
{
    struct sqlite_worker *w = worker;
    bool is_away = false;

    if (w->batch_rc == OK && sqlite_exec(w, "COMMIT") != SQLITE_OK) {
        w->batch_rc = sqlite_code(w);
        is_away = sqlite_is_away(w);
    }
    if (w->batch_rc == OK) return;
    if (w->db && !sqlite3_get_autocommit(w->db)) (void)sqlite_exec(w, "ROLLBACK");
    /* Nothing of it was written, and what some of them have seen of others never was. */
    for (unsigned i = 0; i < count; i++) {
        struct store_call *call = (struct store_call *)(void *)jobs[i];

        (void)store_fail(call, w->batch_rc, w->why);
        call->base.is_away |= is_away;
    }
}

/* A call of its own within the transaction of all. */
static void run_in_batch(struct sqlite_worker *w, struct store_call *call)
{
    int rc;

    if (w->batch_rc != OK) {
        (void)store_fail(call, w->batch_rc, w->why);
        return;
    }
    if (sqlite_exec(w, "SAVEPOINT call") != SQLITE_OK) {
        rc = sqlite_fail(w, call);
    } else {
        rc = runs[call->op](w, call);
        if (rc != OK && !sqlite3_get_autocommit(w->db)) (void)sqlite_exec(w, "ROLLBACK TO call");
        if (!sqlite3_get_autocommit(w->db)) (void)sqlite_exec(w, "RELEASE call");
    }
    if (!sqlite3_get_autocommit(w->db)) return;
    w->batch_rc = rc != OK ? rc : ERR_UNAVAILABLE; /* SQLite has given up the whole transaction */
}

static bool is_write(const struct store_call *call)
{
    static const bool writes[] = {
#define OP(id, name, is_write) [STORE_OP_##id] = is_write,
#include "contacts/store/op.def"
#undef OP
    };

    return writes[call->op];
}

static void run(void *worker, struct store_call *call)
{
    struct sqlite_worker *w = worker;

    if (connect_again(w) != OK) {
        call->base.is_away = true;
        (void)store_fail(call, ERR_UNAVAILABLE, w->why);
        return;
    }
    sqlite3_progress_handler(w->db, PROGRESS_STEPS, on_progress, call);
    if (is_write(call))
        run_in_batch(w, call);
    else
        (void)runs[call->op](w, call);
    sqlite3_progress_handler(w->db, 0, NULL, NULL);
}

/* Within a batch: its commit decides, and batch_end says so. A page is written: an empty commit
 * would say nothing about a full disk. */
static int probe(void *worker)
{
    struct sqlite_worker *w = worker;

    if (w->batch_rc != OK) return w->batch_rc;
    if (sqlite_exec(w, "INSERT INTO probe(n,at) VALUES(1,1) ON CONFLICT DO UPDATE SET at=at+1") ==
        SQLITE_OK)
        return OK;
    return sqlite_code(w);
}

static const char *last_why(const void *worker)
{
    return ((const struct sqlite_worker *)worker)->why;
}

/* ---- start and end ---- */

static int open_file(const struct conf *c, void **out, char **why)
{
    struct sqlite *file = MEM_NEW(struct sqlite);
    struct sqlite_worker w = {.file = file};
    struct sb sentence = {0};
    int rc;

    file->path = str_dup(str_z(c->contacts_db));
    file->busy_ms = c->store_timeout_ms / 2;
    rc = sqlite_connect(&w);
    if (rc == OK) rc = sqlite_check(&w);
    if (rc == OK) rc = sqlite_migrate(&w);
    sqlite_disconnect(&w);
    if (rc == OK) {
        *out = file;
        return OK;
    }
    sb_printf(&sentence, "CONTACTS_DB %s: %s", file->path, w.why);
    *why = str_dup(sb_view(&sentence));
    sb_fini(&sentence);
    mem_free(file->path);
    mem_free(file);
    return ERR_CONFIG;
}

static void close_file(void *driver)
{
    struct sqlite *file = driver;

    mem_free(file->path);
    mem_free(file);
}

const struct store_driver store_sqlite = {
    .kind = "sqlite",
    .has_one_writer = true,
    .open = open_file,
    .close = close_file,
    .worker_open = worker_open,
    .worker_close = worker_close,
    .batch_begin = batch_begin,
    .batch_end = batch_end,
    .run = run,
    .probe = probe,
    .dump = sqlite_dump,
    .load = sqlite_load,
    .why = last_why,
};
