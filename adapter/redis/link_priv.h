/* Inside of a connection to Redis: link.c owns it, greet.c speaks its first words. Included only
 * there. */
#ifndef ADAPTER_REDIS_LINK_PRIV_H
#define ADAPTER_REDIS_LINK_PRIV_H

#include "adapter/redis/link.h"
#include "adapter/redis/out_priv.h"
#include "adapter/redis/ring_priv.h"
#include "adapter/redis/sentinel.h"
#include "base/loop.h"

enum link_state {
    LINK_DOWN,
    LINK_RESOLVING,
    LINK_CONNECTING,
    LINK_GREETING,
    LINK_UP,
    LINK_CLOSED,
    LINK_STATES,
};

struct lookup { /* outlives the link when the answer is late */
    struct redis_link *link;
    uint16_t port;
};

struct redis_link {
    struct redis_link_conf conf;
    char *name;
    enum link_state state;
    uint64_t since_ms; /* in this state */
    uint32_t epoch;    /* counts connections: whoever calls back compares */
    int fd;
    struct loop_fd *watch;
    struct redisReader *reader;
    struct lookup *lookup;
    struct redis_sentinel *sentinel; /* NULL: the address is the one of the URL */
    struct redis_ring waiting;       /* commands without their reply */
    struct redis_out out;
    struct timer retry, check;
    struct loop_task flush, free;
    uint64_t heard_ms, checked_ms;
    unsigned failures; /* in a row */
    bool was_up;       /* ever */
};

void redis_link_move(struct redis_link *k, enum link_state next); /* along the table of states */

/* The connection is over: what waits gets rc, the next try follows by itself. why is for people. */
void redis_link_drop(struct redis_link *k, int rc, struct str why);

/* Queues a command in any state; errors: ERR_LIMIT. done may be NULL. */
MUST_USE int redis_link_put(struct redis_link *k, const struct str *argv, unsigned argc,
                            redis_link_reply_fn *done, void *ctx);

/* greet.c */
MUST_USE int redis_greet(struct redis_link *k); /* AUTH, SELECT, name, role, PING; then LINK_UP */
MUST_USE int redis_greet_role(struct redis_link *k); /* drops the link when it is not the master */

#endif
