/* One script call and a word to all nodes, by a program that is no node: connect, run, tell, done.
 * For the command line. */
#ifndef ADAPTER_REDIS_ORDER_H
#define ADAPTER_REDIS_ORDER_H

#include "adapter/adapter.h"

struct loop;
struct conf;

/* OK: it was carried out, and nodes is how many servers Redis handed the word to (in a Redis
 * Cluster those of one shard's channel). ERR_UNAVAILABLE: not reached within REDIS_TIMEOUT_MS;
 * ERR_TIMEOUT: no reply, it may have been carried out; ERR_FORBIDDEN: refused by Redis. why: one
 * sentence, borrows. */
typedef void redis_order_done_fn(void *ctx, int rc, unsigned nodes, struct str why);

struct redis_order { /* copied by redis_order_once, the script excepted */
    struct adapter_script *script;
    const struct str *keys, *args;
    unsigned keys_count, args_count;
    enum adapter_kind say;
};

/* Of conf: redis_url, adapter_prefix, redis_timeout_ms, redis_queue_bytes; borrowed until done,
 * which comes once and never within the call. Errors: ERR_CONFIG a bad URL; *why one sentence,
 * returns new (mem_free). */
MUST_USE int redis_order_once(struct loop *l, const struct conf *c, const struct redis_order *o,
                              redis_order_done_fn *done, void *ctx, char **why);

#endif
