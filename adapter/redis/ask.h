/* Scripts one after the other over one connection, by a program that is no node. Nothing is asked
 * twice. For the command line. */
#ifndef ADAPTER_REDIS_ASK_H
#define ADAPTER_REDIS_ASK_H

#include "adapter/redis/visit.h"

struct loop;
struct conf;
struct redis_ask;

struct redis_ask_conf {
    void (*up)(void *ctx); /* once: questions may be asked */
    /* Once, the last word, never within redis_ask_open. OK: redis_ask_end. ERR_UNAVAILABLE: not
     * reached within REDIS_TIMEOUT_MS, or lost; ERR_TIMEOUT: no reply for so long; ERR_FORBIDDEN:
     * refused by Redis. why: one sentence, borrows. */
    void (*done)(void *ctx, int rc, unsigned count, struct str why);
    void *ctx;
};

/* Of conf: redis_url, redis_timeout_ms, redis_queue_bytes; borrowed until done. *out lives until
 * done. Errors: ERR_CONFIG a bad URL; *why one sentence, returns new. */
MUST_USE int redis_ask_open(struct loop *l, const struct conf *c, const struct redis_ask_conf *a,
                            struct redis_ask **out, char **why);
/* One at a time. told is called unless done is; within it the next one may be asked. */
void redis_ask(struct redis_ask *a, const struct redis_visit *v, redis_told_fn *told, void *ctx);
void redis_ask_end(struct redis_ask *a); /* not while one is under way */

#endif
