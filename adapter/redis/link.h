/* One connection to Redis that comes back by itself: ask the sentinels, resolve, connect, AUTH,
 * SELECT, deadline, back-off. Commands of one turn leave in one write; replies are matched in
 * order. hiredis only parses: its asynchronous API has no deadlines and aborts on replies it does
 * not know (0.14.1). A callback may close the link; the link is freed at the end of the turn. */
#ifndef ADAPTER_REDIS_LINK_H
#define ADAPTER_REDIS_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include "adapter/redis/push.h"
#include "adapter/redis/url.h"

struct loop;
struct redisReply;
struct redis_link;

/* rc OK: reply borrows, it may be an error reply. ERR_TIMEOUT, ERR_UNAVAILABLE: no reply came;
 * reply is NULL. */
typedef void redis_link_reply_fn(void *ctx, int rc, const struct redisReply *reply);

struct redis_link_conf {
    struct loop *loop;
    const struct redis_url *url; /* lives longer than the link */
    const char *name;            /* CLIENT SETNAME and logs; copied */
    uint64_t timeout_ms;         /* of connecting, and of each command */
    uint64_t queue_bytes;        /* most bytes that wait to be written */
    bool is_blocking;            /* replies come when there is something: none is a round trip */
    bool is_subscriber;          /* messages, and Redis' own sunsubscribe, go to on_push */
    void *ctx;
    void (*on_up)(void *ctx);   /* commands are taken from now on */
    void (*on_down)(void *ctx); /* after on_up only; every open command was answered before */
    void (*on_push)(void *ctx, const struct redis_push *p);
};

struct redis_link *redis_link_open(const struct redis_link_conf *c); /* starts to connect */
void redis_link_close(
    struct redis_link *k); /* writes what it can, answers ERR_UNAVAILABLE, frees */

bool redis_link_is_up(const struct redis_link *k);

/* Queues one command. done may be NULL. Errors: ERR_UNAVAILABLE not up, ERR_LIMIT queue full; done
 * is not called then. */
MUST_USE int redis_link_send(struct redis_link *k, const struct str *argv, unsigned argc,
                             redis_link_reply_fn *done, void *ctx);

enum redis_link_sub { REDIS_SUBSCRIBE, REDIS_PSUBSCRIBE, REDIS_SSUBSCRIBE, REDIS_SUNSUBSCRIBE };

/* As redis_link_send, for one channel or pattern of a subscriber. channel borrows until done was
 * called: by it the answer is told from what Redis says unasked. */
MUST_USE int redis_link_subscribe(struct redis_link *k, enum redis_link_sub how, struct str channel,
                                  redis_link_reply_fn *done, void *ctx);

#endif
