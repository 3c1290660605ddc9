/* Lua scripts by their SHA-1: EVALSHA, and the text once when Redis does not know it (yet, or after
 * a restart). Scripts get every key as KEYS, with a {hash tag}; they never build names. */
#ifndef ADAPTER_REDIS_STORE_H
#define ADAPTER_REDIS_STORE_H

#include "adapter/driver_priv.h"
#include "adapter/redis/visit.h"

/* e->done is called exactly once, later: OK with the reply flattened to texts (nil: p is NULL),
 * ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_INTERNAL for a script that failed (logged). All texts are
 * copied. Errors: as redis_hub_send; done is not called then. */
MUST_USE int redis_store_eval(struct redis_hub *h, const struct driver_eval *e);

/* told is called once, within the call. */
void redis_store_texts(const struct redisReply *r, redis_told_fn *told, void *ctx);

#endif
