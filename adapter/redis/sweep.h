/* Every key of some patterns, over all servers of a Redis, and a script for each: what an operator
 * orders, by a program that is no node. It walks by SCAN, a page at a time, so nobody is held up.
 * A key that comes, or whose slot moves, while it walks may be left out: who must be sure walks
 * again until nothing is found. */
#ifndef ADAPTER_REDIS_SWEEP_H
#define ADAPTER_REDIS_SWEEP_H

#include "adapter/redis/visit.h"

struct loop;
struct conf;

struct redis_sweep_conf {       /* copied; what it points to borrows until done */
    const struct str *patterns; /* of SCAN MATCH */
    unsigned patterns_count;
    /* False: nothing is to be done with this key. What *out borrows lives until the next call. */
    bool (*on_key)(void *ctx, struct str key, struct redis_visit *out);
    redis_told_fn *on_reply; /* of a script that does not reply a number; NULL: each does */
    void *ctx;
};

/* OK: count is the sum of the numbers. ERR_UNAVAILABLE: not reached within REDIS_TIMEOUT_MS;
 * ERR_TIMEOUT: no reply for so long, a part was done; ERR_FORBIDDEN: refused by Redis. why: one
 * sentence, borrows. */
typedef void redis_sweep_done_fn(void *ctx, int rc, unsigned count, struct str why);

/* Of conf: redis_url, redis_timeout_ms, redis_queue_bytes; borrowed until done, which comes once
 * and never within the call. Errors: ERR_CONFIG a bad URL; *why one sentence, returns new. */
MUST_USE int redis_sweep(struct loop *l, const struct conf *c, const struct redis_sweep_conf *s,
                         redis_sweep_done_fn *done, void *ctx, char **why);

#endif
