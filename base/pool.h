/* Worker threads for calls that block: the only file with mutexes. Jobs go in, completions come
 * back on the loop by an eventfd. A job belongs to the worker from pool_put until its done is
 * called on the loop; in between nobody else touches it or what it points to. What runs in a worker
 * may use base/mem.h, base/str.h, clock_us and its own state, never the log, metrics or anything
 * else of the loop. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"
#include "base/str.h"

struct loop;
struct pool;

/* Embed it. */
struct pool_job {
    struct list node;
    void (*run)(struct pool_job *j, void *worker); /* in a worker; its own state */
    void (*done)(struct pool_job *j);              /* on the loop; may free the job */
    uint64_t put_us, start_us, end_us;             /* clock_us, filled by the pool */
    bool is_cancelled;                             /* it was never run */
};

struct pool_conf {
    const char *name; /* of the threads, up to 10 characters */
    unsigned workers; /* 1 … POOL_WORKERS_MAX */
    unsigned queue;   /* most jobs that wait */
    /* Once in each worker, before its first job and after its last. May be NULL. */
    void *(*worker_open)(void *ctx);
    void (*worker_close)(void *worker);
    /* A worker may take several jobs that wait at one time and do something around them (one
     * transaction). batch 0 or 1: one by one. May be NULL. */
    unsigned batch;
    void (*batch_begin)(void *worker);
    void (*batch_end)(void *worker, struct pool_job *const *jobs, unsigned count);
    void *ctx;
};

#define POOL_WORKERS_MAX 64
#define POOL_BATCH_MAX 256

/* Returns new; pool_stop. */
struct pool *pool_new(struct loop *l, const struct pool_conf *c);

/* Errors: ERR_LIMIT the queue is full, ERR_CLOSED within pool_stop; done is not called then. */
MUST_USE int pool_put(struct pool *p, struct pool_job *j);

/* Waits for the jobs that run, cancels those that wait (is_cancelled), calls done of all of them
 * within the call, and frees. Not from within a done. */
void pool_stop(struct pool *p);

unsigned pool_waiting(struct pool *p); /* jobs that wait for a worker */
unsigned pool_running(struct pool *p);

#endif
