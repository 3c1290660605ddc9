/* Calls that block, to one backend that may be away: a store of data. Each goes through a worker of
 * base/pool.h and has its deadline on the loop. While the backend is away nobody is made to wait
 * for it: calls are refused at once, and a probe each half second finds out when it is back.
 * What is asked, told and counted is the owner's (struct backend_conf). */
#ifndef BASE_BACKEND_H
#define BASE_BACKEND_H

#include "base/pool.h"
#include "base/timer.h"

struct backend;

/* Embed it, first. */
struct backend_call {
    struct pool_job job; /* first; put_us: since when it is under way */
    struct backend *backend;
    uint64_t deadline_us; /* clock_us */
    bool is_probe;        /* of backend.c: no more is asked than whether it is there */
    /* Filled by run or the pool's batch_end; or by who refuses it: */
    int rc;
    const char *why; /* lives as long as the call; may be NULL */
    bool is_away;    /* with ERR_UNAVAILABLE: others will fare no better now */
    /* Of backend.c: */
    struct timer timer;
    struct list node; /* answered at the end of this turn; else unlinked */
    bool is_answered;
};

struct backend_conf {
    struct loop *loop;
    struct pool *readers, *writers; /* takes; may be the same; probes go to the writers */
    bool serves_when_away;          /* calls are tried nonetheless */
    size_t call_size;               /* of what embeds a backend_call */
    void *ctx;
    void (*run)(void *ctx, struct backend_call *c, void *worker); /* in a worker */
    /* On the loop. Exactly once a call, never within backend_send or backend_refuse. is_late: the
     * deadline was first; the worker has the call still, and what it writes there is not read. */
    void (*answer)(void *ctx, struct backend_call *c, int rc, const char *why, bool is_late);
    void (*fini)(struct backend_call *c); /* what it holds; nobody has it any more */
    void (*returned)(void *ctx);          /* a worker gave a call back, late or not; may be NULL */
    /* At changes alone. returned and state: not while it closes. */
    void (*state)(void *ctx, bool up, const char *why);
};

/* It counts as up. Returns new; backend_close. */
struct backend *backend_new(const struct backend_conf *c);

/* Waits for the calls that run; all open ones are answered with ERR_CLOSED within the call, those
 * that are made meanwhile too. Ends the pools, the readers first. Not from within an answer. */
void backend_close(struct backend *b);

void backend_set_away(struct backend *b, const char *why); /* somebody else found out */
bool backend_is_up(const struct backend *b);
unsigned backend_waiting(const struct backend *b); /* calls that wait for a worker */

/* Zeroed but for the members above; to be filled, and given to one of the two below. */
void *backend_call_new(struct backend *b);
/* ERR_UNAVAILABLE it is away, or too many wait; ERR_TIMEOUT; ERR_CLOSED; else what run says. */
void backend_send(struct backend_call *c, bool is_write, uint64_t timeout_ms);
/* Answered with its rc and why at the end of this turn, without a worker. */
void backend_refuse(struct backend_call *c);

#endif
