/* What all Redis drivers share: the connections, the list of subscriptions, the messages
 * between nodes of ours on their own channels, scripts, and "connected", which is said only when a
 * message to ourselves has come back. It knows nothing of the wires of Socket.IO.
 * It is the first member of a driver's struct, so that its calls can stand in driver_ops. */
#ifndef ADAPTER_REDIS_CARRIER_PRIV_H
#define ADAPTER_REDIS_CARRIER_PRIV_H

#include "adapter/channel.h"
#include "adapter/driver_priv.h"
#include "adapter/redis/hub_priv.h"
#include "adapter/redis/nsp_priv.h"
#include "adapter/redis/subs_priv.h"
#include "base/timer.h"

struct redis_carrier {
    struct driver_conf conf;
    struct redis_url url;
    struct redis_hub *hub;
    struct redis_subs subs;
    void (*on_push)(void *driver, const struct redis_sub *s, const struct redis_push *p);
    uint64_t instance, health; /* number of the health message that is under way */
    struct timer retry;        /* of what was refused, and of a lost health message */
    bool connected, closed;
    struct sb payload, channel; /* scratch */
    uint64_t complained_ms;
    struct list nsps; /* struct redis_nsp: the driver adds them */
};

/* c->conf and so on; on_push gets what comes on channels that the driver subscribed. Errors:
 * ERR_CONFIG (*why); nothing is to be freed then. */
MUST_USE int redis_carrier_open(struct redis_carrier *b, const struct driver_conf *c,
                                void (*on_push)(void *driver, const struct redis_sub *s,
                                                const struct redis_push *p),
                                char **why);
void redis_carrier_close(struct redis_carrier *b); /* the driver frees at the end of the turn */
void redis_carrier_fini(struct redis_carrier *b);

/* Something can be published: in a Redis Cluster perhaps not everything. */
bool redis_carrier_is_up(const struct redis_carrier *b);

struct channel_parts redis_carrier_parts(const struct redis_carrier *b); /* prefix and node */
struct channel_parts redis_carrier_parts_of(const struct redis_carrier *b,
                                            const struct redis_nsp *n); /* nsp and uid, too */

/* Subscribes for good. */
void redis_carrier_subscribe(struct redis_carrier *b, enum redis_sub_how how, enum channel kind,
                             const struct channel_parts *parts, void *owner);

/* PUBLISH, or SPUBLISH with is_shard. done: redis_carrier_published with b, or the caller's own.
 * Errors: as redis_link_send; counted here, so that who has nobody to tell may pass over them. */
int redis_carrier_publish(struct redis_carrier *b, enum channel c, bool is_shard,
                          const struct channel_parts *parts, struct str payload,
                          redis_link_reply_fn *done, void *ctx);
void redis_carrier_published(void *ctx, int rc, const struct redisReply *r);

/* PUBSUB NUMSUB, or SHARDNUMSUB with is_shard, of one channel. Errors: ERR_UNAVAILABLE, done is
 * never called then. */
MUST_USE int redis_carrier_count(struct redis_carrier *b, enum channel c, bool is_shard,
                                 const struct channel_parts *parts, driver_count_fn *done,
                                 void *ctx);

/* A cast by the driver's way of sending a wire; what cannot be sent is counted. */
void redis_carrier_cast(struct redis_carrier *b, const struct adapter_cast *c,
                        int (*send)(void *driver, const struct wire *w));

/* What was received, to adapter.c. */
void redis_carrier_give(const struct driver_up *up, const struct wire *w);

/* Once a second at most. */
void redis_carrier_complain(struct redis_carrier *b, const char *event, struct str why);

/* driver_ops */
void redis_carrier_say(void *driver, struct str bytes);
int redis_carrier_send(void *driver, struct str node, struct str bytes, driver_sent_fn *sent,
                       void *ctx);
int redis_carrier_flush(void *driver, driver_sent_fn *sent, void *ctx);
int redis_carrier_eval(void *driver, const struct driver_eval *e);

#endif
