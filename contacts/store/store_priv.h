/* What store.c and the drivers share: a call on its way through a worker, and what a driver is.
 * Included only in contacts/store and by its tests. */
#ifndef CONTACTS_STORE_STORE_PRIV_H
#define CONTACTS_STORE_STORE_PRIV_H

#include "base/backend.h"
#include "contacts/store/dump.h"
#include "contacts/store/store.h"

#define STORE_SCHEMA 1 /* of the file and the database: another one is of a newer program */
#define STORE_LEASE_SIZE 20
#define STORE_FILTER_BYTES_MAX 4096

enum store_op {
#define OP(id, name, is_write) STORE_OP_##id,
#include "contacts/store/op.def"
#undef OP
    STORE_OPS
};

/* What was asked: copied, in the call's arena. Which members count depends on the op. */
struct store_ask {
    struct contact contact;
    struct message *messages;
    struct outbox *outbox;
    unsigned messages_count, outbox_count;
    struct agent agent;
    struct doc doc;
    struct str id, kind, client_id, entry_id, lease, why, cursor;
    struct store_window window;
    struct store_filter filter;
    struct store_scan scan;
    int64_t now, at, until;
    unsigned limit;
};

struct store_call {
    struct backend_call base; /* first: a driver's batch_end sees its job */
    struct store *store;
    enum store_op op;
    struct arena mem;
    struct store_ask ask;
    struct store_result result; /* without rc and why: those are in base until it is told */
    store_done_fn *done;
    void *ctx;
};

/* A driver works in the threads of the pool. One of its workers at a time has a `worker`. */
struct store_driver {
    const char *kind;
    /* Writes go through one worker, many in one transaction; reads through the others. */
    bool has_one_writer;
    /* While it is away nobody is made to wait for it. */
    bool refuses_when_down;
    /* Blocks. Errors as store_open; ERR_UNAVAILABLE: it is away, *out is set. */
    int (*open)(const struct conf *c, void **out, char **why);
    void (*close)(void *driver);
    void *(*worker_open)(void *driver);
    void (*worker_close)(void *worker);
    void (*batch_begin)(void *worker);
    void (*batch_end)(void *worker, struct pool_job *const *jobs, unsigned count);
    void (*run)(void *worker, struct store_call *call); /* fills call->result and base */
    /* Can it be written? Blocks at most as long as a call. */
    int (*probe)(void *worker);
    /* For export and import: every record once, in the order of ids; see dump.h. */
    int (*dump)(void *worker, const struct store_sink *sink);
    int (*load)(void *worker, const struct store_item *items, unsigned count,
                struct store_loaded *sum);
    const char *(*why)(const void *worker); /* of the last failure of probe, dump or load */
};

extern const struct store_driver store_sqlite, store_mongo;

/* MONGODB_URI decides. */
const struct store_driver *store_driver_of(const struct conf *c);

/* ---- between the files of this folder, on the loop ---- */

/* A call that is to be filled and sent; timeout_ms 0: the default. */
struct store_call *store_call_new(struct store *s, enum store_op op, store_done_fn *done,
                                  void *ctx);
void store_call_send(struct store_call *call, uint64_t timeout_ms);
/* Answered at the end of this turn, without a worker. */
void store_call_refuse(struct store_call *call, int rc, const char *why);
/* As the calls without a deadline of one's own. */
void store_contact_write(struct store *s, const struct contact *c, const struct store_more *more,
                         uint64_t timeout_ms, store_done_fn *done, void *ctx);
/* Result: contact, the head; messages: the one of this name, or none. Errors: ERR_NOT_FOUND. */
void store_message_by_client_id(struct store *s, struct str contact_id, struct str client_id,
                                uint64_t timeout_ms, store_done_fn *done, void *ctx);
void store_agent_write(struct store *s, const struct agent *a, uint64_t timeout_ms,
                       store_done_fn *done, void *ctx);
uint64_t store_timeout_ms(const struct store *s);

/* ---- for drivers ---- */

/* Fails a call with a sentence, which is copied. Returns rc. */
int store_fail(struct store_call *call, int rc, const char *why);

/* Copies of a record as results, in the arena. */
struct contact *store_put_contact(struct store_call *call, const struct contact *c);

/* The same form again? Then nothing is written and the answer is OK. */
bool store_is_same_form(const struct contact *asked, const struct contact *there);

/* Numbers of the messages from seq + 1 on, and the head as it will be: version, seq, bytes. Errors:
 * ERR_LIMIT. */
MUST_USE int store_number(struct store_call *call, int64_t version);

/* Cuts messages that are in order to what a window shows. Sets messages, messages_count, has_more.
 */
void store_cut(struct store_call *call, struct message *all, unsigned count);

/* ---- cursors of lists ---- */

struct store_cursor {
    int64_t a, b; /* created_at; or queue_rank and queue_since */
    struct str id;
};
void store_cursor_put(struct store_call *call, enum store_sort sort, const struct contact *last);
MUST_USE int store_cursor_read(struct store_call *call, struct str text, struct store_cursor *out);

#endif
