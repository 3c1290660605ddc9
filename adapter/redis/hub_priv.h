/* All connections of a node to its Redis: one server, or the masters of a Redis Cluster. A command
 * goes to whoever has its key, and after it when it has moved; a caller sees one Redis. hub.c has
 * the servers and the map of slots, hub_send.c the commands under way. */
#ifndef ADAPTER_REDIS_HUB_PRIV_H
#define ADAPTER_REDIS_HUB_PRIV_H

#include "adapter/redis/link.h"
#include "adapter/redis/slots.h"
#include "base/list.h"
#include "base/loop.h"

struct redis_hub;

struct redis_hub_conf {
    struct loop *loop;
    const struct redis_url *url;      /* lives longer than the hub */
    const char *name;                 /* of the connections, "-commands" behind it; copied */
    uint64_t timeout_ms, queue_bytes; /* as of a link, and for all that waits for a slot */
    bool has_subscribers;             /* a second connection to each server, for subscriptions */
    void *ctx;
    void (*on_up)(void *ctx); /* every server takes commands */
    void (*on_down)(void *ctx);
    /* NULL without has_subscribers. k: one of redis_hub_subscriber. */
    void (*on_subscriber_up)(void *ctx, struct redis_link *k);
    void (*on_subscriber_down)(void *ctx, struct redis_link *k); /* k is not to be used again */
    void (*on_push)(void *ctx, struct redis_link *k, const struct redis_push *p);
    void (*on_map)(void *ctx); /* slots have other masters than before; may be NULL */
};

struct redis_server {
    struct list node;
    struct redis_hub *hub;
    struct redis_url url; /* in a cluster: its own */
    struct redis_link *commands, *subscriber;
    bool is_owner; /* has slots, or is the only one */
};

struct redis_slot_wait { /* a slot between two masters: what is sent to it meanwhile */
    struct list node;
    uint16_t slot;
    struct list moved, held; /* struct redis_job: was refused by the old master, came later */
};

struct redis_cluster { /* what only a cluster needs */
    struct redis_hub *hub;
    struct redis_server **owner;  /* of each slot; NULL: nobody */
    uint32_t flying[REDIS_SLOTS]; /* commands without their reply */
    struct list waits;            /* struct redis_slot_wait */
    struct list later;            /* struct redis_job: once more in a moment (ASK, TRYAGAIN) */
    size_t waiting_bytes;         /* of both */
    struct timer again;           /* while anything waits */
    struct timer refresh;         /* of the map */
    bool is_stale;                /* the map */
    unsigned refused;             /* replies that were no map, in a row */
    uint64_t told_ms;             /* when a new map was logged */
    unsigned asked;               /* number of the server that was asked for it last */
};

struct redis_hub {
    struct redis_hub_conf conf;
    char *commands_name, *subscriber_name;
    struct list servers;
    struct redis_cluster *cluster; /* NULL: one server */
    bool is_up, is_closed;
    struct loop_task free;
};

struct redis_hub *redis_hub_open(const struct redis_hub_conf *c); /* starts to connect */
void redis_hub_close(struct redis_hub *h); /* as redis_link_close; NULL is allowed */

bool redis_hub_is_up(const struct redis_hub *h);
bool redis_hub_is_partly_up(const struct redis_hub *h); /* commands for some keys are taken */

/* Queues a command for whoever has the key (an empty one: anybody). Commands for one slot are done
 * in their order, also while it moves to another master. done: as of redis_link_send; in a cluster
 * also ERR_TIMEOUT when the slot found no master in time. Errors: ERR_UNAVAILABLE, ERR_LIMIT. */
MUST_USE int redis_hub_send(struct redis_hub *h, struct str key, const struct str *argv,
                            unsigned argc, redis_link_reply_fn *done, void *ctx);

/* To every server; how many took it: so often done is called. */
MUST_USE unsigned redis_hub_send_all(struct redis_hub *h, const struct str *argv, unsigned argc,
                                     redis_link_reply_fn *done, void *ctx);

/* Where a key's or channel's subscriptions are; NULL: nobody known. It may be down. */
struct redis_link *redis_hub_subscriber(const struct redis_hub *h, struct str key);

/* A subscriber was told so. False: it was no redirection, or brings nothing new. */
bool redis_hub_redirected(struct redis_hub *h, struct redis_link *by, struct str error);

/* ---- between hub.c and hub_send.c ---- */
struct redis_server *redis_hub_owner(const struct redis_hub *h, uint16_t slot); /* or NULL */
/* The server at the place, new if need be. */
struct redis_server *redis_hub_server_at(struct redis_hub *h, struct str host, uint16_t port);
void redis_hub_follow(struct redis_hub *h, const struct redis_server *by,
                      const struct redis_moved *m); /* MOVED */
void redis_hub_retry(struct redis_hub *h);          /* what waits for a server may find it now */
void redis_hub_give_up(struct redis_hub *h);        /* answers all that waits */
void redis_hub_again(struct timer *t);

#endif
