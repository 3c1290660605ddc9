/* Asks the sentinels where the master is, one after the other, and then listens to one of them for
 * a fail-over. Never blocks; connects to no Redis but sentinels. */
#ifndef ADAPTER_REDIS_SENTINEL_H
#define ADAPTER_REDIS_SENTINEL_H

#include <stdbool.h>
#include "adapter/redis/url.h"

struct loop;
struct redisReply;
struct redis_sentinel;

struct redis_sentinel_conf {
    struct loop *loop;
    const struct redis_url *url; /* with sentinels; lives longer */
    uint64_t timeout_ms;         /* of one round through all of them */
    void *ctx;
    /* The answer, once for each redis_sentinel_ask; m borrows. NULL: nobody knows it, and why. */
    void (*on_master)(void *ctx, const struct redis_place *m, struct str why);
    /* That answer holds no longer: ask again. At most once, and not after redis_sentinel_stop. */
    void (*on_moved)(void *ctx);
};

struct redis_sentinel *redis_sentinel_new(const struct redis_sentinel_conf *c);
void redis_sentinel_free(struct redis_sentinel *s); /* NULL is allowed; within callbacks too */

/* Each asking starts with the next sentinel, so that one which is behind is not believed for
 * ever. */
void redis_sentinel_ask(struct redis_sentinel *s);
void redis_sentinel_stop(struct redis_sentinel *s); /* no callback any more; NULL is allowed */

/* Reply to ROLE: this server is the master. */
bool redis_sentinel_is_master(const struct redisReply *role);

/* Reply to whatever: this server was the master, and is a replica now. */
bool redis_sentinel_is_demoted(const struct redisReply *r);

#endif
