/* What is between adapter.c, due.c and due_store.c. */
#ifndef ADAPTER_DUE_PRIV_H
#define ADAPTER_DUE_PRIV_H

#include "adapter/due.h"
#include "adapter/message.h"
#include "base/list.h"
#include "base/timer.h"

struct loop;

/* ---- due.c, for adapter.c: all kinds of one adapter ---- */

struct due_table;

struct due_table_conf {
    struct loop *loop;
    struct adapter *adapter;    /* say is called with it */
    struct str node_id, prefix; /* node_id borrows until the adapter is freed; prefix is copied */
    void (*say)(void *adapter, struct str bytes); /* to all nodes */
};

struct due_table *due_table_new(const struct due_table_conf *c);
void due_table_free(struct due_table *t); /* kinds that are open lose their adapter */
void due_table_connected(struct due_table *t, bool connected); /* true may be said again */
void due_table_receive(struct due_table *t, const struct message *m);
void due_table_node_down(struct due_table *t);

struct due_table *adapter_due_table(struct adapter *a); /* in adapter.c */

/* ---- due_store.c: one kind in Redis ---- */

#define DUE_TOKEN_BYTES (ADAPTER_NODE_ID_SIZE + 16)

struct due_store {
    struct adapter *adapter;
    struct str node_id;
    struct sb bytes; /* of the keys */
    struct str keys[3];
    unsigned most; /* jobs */
};

struct due_reply { /* borrows from the script's */
    uint64_t status;
    bool is_first;     /* what was written is before all that was there */
    struct str head;   /* time of the first job as Redis has it; empty: there is none */
    uint64_t delay_ms; /* until then; 0: now, or it is late */
    struct str holder; /* node that put it, or the token of its lease, which starts with the node */
    const struct str *jobs; /* DUE_REPLY_FIELDS each */
    unsigned jobs_count;
};
enum {
    DUE_REPLY_ID,
    DUE_REPLY_PAYLOAD,
    DUE_REPLY_RUNS,
    DUE_REPLY_LATE_MS,
    DUE_REPLY_HOLDER, /* before it was taken */
    DUE_REPLY_FIELDS
};
enum { DUE_STATUS_NONE, DUE_STATUS_OK, DUE_STATUS_FULL };

enum due_end { DUE_DONE, DUE_AGAIN, DUE_KEEP };

typedef void due_store_fn(void *ctx, int rc, const struct str *reply, unsigned count);

void due_store_init(struct due_store *s, struct adapter *a, struct str node_id, struct str name);
void due_store_fini(struct due_store *s);

/* A script each; fn as adapter_eval calls it. */
void due_store_put(struct due_store *s, const struct due_entry *e, bool is_ours, due_store_fn *fn,
                   void *ctx);
void due_store_cancel(struct due_store *s, struct str id, due_store_fn *fn, void *ctx);
void due_store_count(struct due_store *s, due_store_fn *fn, void *ctx); /* one word: their number */

struct due_take {
    struct str token;
    uint64_t lease_ms;
    unsigned most;
};
void due_store_take(struct due_store *s, const struct due_take *t, due_store_fn *fn, void *ctx);

struct due_ending {
    enum due_end how;
    struct str id, token;
    uint64_t delay_ms; /* AGAIN: until the next run, KEEP: of the lease */
};
void due_store_end(struct due_store *s, const struct due_ending *e, due_store_fn *fn, void *ctx);

MUST_USE int due_store_read(const struct str *reply, unsigned count, struct due_reply *out);

/* ---- due.c and due_job.c: one kind ---- */

#define DUE_HEAD_BYTES 32

struct due {
    struct list node;        /* in the table's kinds */
    struct due_table *table; /* NULL: the adapter is closed */
    struct loop *loop;
    char kind[DUE_KIND_BYTES];
    struct str kind_name;
    struct due_conf conf;
    struct due_store store;
    struct timer timer;
    uint64_t own_at, next_at, retry_at; /* own: first one put here. next: first of all */
    uint64_t retry_ms;
    char head[DUE_HEAD_BYTES]; /* what next_at was made of, as Redis writes it */
    size_t head_n;
    struct list running, ending; /* running: by renew_at */
    struct list calls;
    unsigned running_count;
    unsigned unheard_count; /* ends that Redis did not hear at first: nothing is taken before */
    unsigned holds;         /* answers that are due to us */
    bool is_taking, is_closed;
};

struct due_job {
    struct list node;
    struct due *due;
    char token[DUE_TOKEN_BYTES];
    struct str id;
    uint64_t renew_at;
    unsigned runs;
    struct due_ending end;
    bool is_sent, is_unheard;
    char bytes[]; /* of id */
};

/* due.c */
void due_arm(struct due *d);
void due_learn(struct due *d, const struct due_reply *r); /* what every script answers */
void due_announce(struct due *d, uint64_t in_ms);         /* a new first job to the others */
void due_free_if_done(struct due *d);

/* due_job.c. fields: DUE_REPLY_FIELDS of them */
struct due_job *due_job_new(struct due *d, struct str token, const struct str *fields);
void due_job_on_time(struct due *d, uint64_t now); /* renews, and says ends again */
void due_job_drop_unsent(struct due *d);           /* ends that Redis will not hear of */

#endif
