/* Jobs at a time, kept in Redis: they survive the node that put them and run once; once more for
 * each node that dies, or is stopped for longer than the lease, while it runs them. Redis' clock
 * rules. Nobody polls: each node sets one timer for the first job it knows of, and is told of
 * earlier ones. The node that put a job takes it at its time, the others half a second to a second
 * later, if it is still there. No jobs, no work.
 *
 * The promise is Redis': what it forgets (a restart without persistence, a fail-over that lost the
 * last writes) does not run. Without Redis (ADAPTER=local) there are no jobs: ERR_UNAVAILABLE. */
#ifndef ADAPTER_DUE_H
#define ADAPTER_DUE_H

#include <stdbool.h>
#include "base/str.h"

#define DUE_KIND_BYTES 32
#define DUE_ID_BYTES 200
#define DUE_PAYLOAD_BYTES 16384
#define DUE_DELAY_MAX_MS (366ULL * 24 * 3600 * 1000)
#define DUE_JOBS_MAX 1000000 /* of one kind, waiting or running */
#define DUE_RUNNING_MAX 32   /* of one kind on one node; the next are taken when half are done */
#define DUE_LEASE_MS                                                                               \
    30000 /* renewed while the job runs here: after it a dead node's job is free                   \
           */
#define DUE_LEASE_MIN_MS 100
#define DUE_WAIT_MS 500 /* lead of the node that put a job over the others */

struct adapter;
struct due;     /* the jobs of one kind, as this node sees them */
struct due_job; /* one that runs here */

/* Its time has come. id and payload borrow. Ends with due_done or due_again, now or later: exactly
 * one of them, also after due_close and adapter_close. */
typedef void due_run_fn(void *ctx, struct str id, struct str payload, struct due_job *job);

struct due_conf {
    struct str kind;    /* 1 … DUE_KIND_BYTES bytes; copied */
    due_run_fn *on_due; /* NULL: this node puts and cancels, others run */
    void *ctx;
    uint64_t lease_ms; /* 0: DUE_LEASE_MS. The same on all nodes */
};

/* Returns new; due_close, before adapter_close or after it. One per kind and adapter. */
struct due *due_open(struct adapter *a, const struct due_conf *c);

/* on_due is not called any more; open puts and cancels are told ERR_CLOSED within the call. */
void due_close(struct due *d);

struct due_entry { /* borrows */
    struct str id; /* unique within the kind: 1 … DUE_ID_BYTES bytes */
    struct str payload;
    uint64_t delay_ms;  /* from Redis' hearing of it */
    bool keeps_earlier; /* one that waits already keeps its time if that is sooner */
};

/* rc OK: Redis has it. ERR_UNAVAILABLE, ERR_TIMEOUT: no answer within the deadline; perhaps Redis
 * has it, putting it again is safe. ERR_LIMIT: DUE_JOBS_MAX. ERR_NOT_FOUND: there was nothing to
 * cancel. ERR_CLOSED. */
typedef void due_told_fn(void *ctx, int rc);

/* An id that is there already gets this time and payload; if it runs at the moment it runs again.
 * told is called exactly once, later; it may be NULL. Errors: ERR_PROTO empty id, ERR_TOO_BIG; told
 * is not called then. */
MUST_USE int due_put(struct due *d, const struct due_entry *e, due_told_fn *told, void *ctx);

/* A run that has begun goes on. Otherwise as due_put. */
MUST_USE int due_cancel(struct due *d, struct str id, due_told_fn *told, void *ctx);

/* Jobs of the kind over all nodes, waiting or running. counted is called exactly once, later.
 * Errors: ERR_UNAVAILABLE closed, or no adapter any more; counted is not called then. */
typedef void due_counted_fn(void *ctx, int rc, uint64_t jobs);
MUST_USE int due_count(struct due *d, due_counted_fn *counted, void *ctx);

/* Take the job. Without Redis they are kept and said when it is back. Nothing happens to a job that
 * was put again or cancelled meanwhile, or whose lease has gone to another node. */
void due_done(struct due_job *j);
void due_again(struct due_job *j, uint64_t delay_ms); /* at most DUE_DELAY_MAX_MS */

/* How often it was taken since it was put, this time included: a job that kills its nodes shows. */
unsigned due_runs(const struct due_job *j);

#endif
