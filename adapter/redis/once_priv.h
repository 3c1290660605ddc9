/* One errand at Redis by a program that is no node: connect, ask, done. Nothing is sent twice: what
 * may have been carried out is not repeated. */
#ifndef ADAPTER_REDIS_ONCE_PRIV_H
#define ADAPTER_REDIS_ONCE_PRIV_H

#include "adapter/redis/url.h"
#include "base/loop.h"

struct conf;
struct redis_hub;
struct redisReply;

/* Once, never within redis_once_open. why: one sentence, borrows. */
typedef void redis_once_done_fn(void *ctx, int rc, unsigned count, struct str why);

struct redis_once { /* embed it first; zero-initialise */
    struct redis_url url;
    struct redis_hub *hub;
    const char *doubt;                  /* what may be so when Redis has not answered */
    void (*go)(struct redis_once *o);   /* connected and nothing sent yet: sends, sets is_sent */
    void (*free)(struct redis_once *o); /* at the end of the turn in which it ended */
    bool is_sent;
    redis_once_done_fn *done; /* NULL: was called */
    void *ctx;
    struct loop *loop;
    struct timer deadline;
    struct loop_task free_task;
};

/* url, doubt, go and free are set. Of conf: redis_timeout_ms, redis_queue_bytes. */
void redis_once_open(struct redis_once *o, struct loop *l, const struct conf *c, const char *name,
                     redis_once_done_fn *done, void *ctx);
void redis_once_end(struct redis_once *o, int rc, unsigned count, struct str why);

/* After a reply: false, and it has ended, when the connection was lost (ERR_TIMEOUT) or Redis gave
 * an error (ERR_FORBIDDEN). Does nothing when it had ended before. */
bool redis_once_is_answer(struct redis_once *o, int rc, const struct redisReply *r);

#endif
