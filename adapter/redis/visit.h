/* A script for one key, or for several of one hash tag, as an operator's program runs it: on a walk
 * over all keys (sweep.h), or one after the other (ask.h). */
#ifndef ADAPTER_REDIS_VISIT_H
#define ADAPTER_REDIS_VISIT_H

#include "adapter/adapter.h"

#define REDIS_VISIT_WORDS 8

struct redis_hub;
struct redisReply;

struct redis_visit {
    struct adapter_script *script;
    struct str words[REDIS_VISIT_WORDS]; /* keys, all of one hash tag, then arguments */
    unsigned keys_count, words_count;
};

/* Keys as the script declares them (keys.def), all of one name, and an argument, which borrows;
 * scratch is emptied, and holds the keys. */
void redis_visit_fill(struct redis_visit *v, struct adapter_script *script, struct str name,
                      struct str argument, struct sb *scratch);
void redis_visit_add(struct redis_visit *v, struct str argument); /* one more, borrows */

/* Numbers and texts of a reply as texts. All borrow. */
typedef void redis_told_fn(void *ctx, const struct str *reply, unsigned count);

/* EVAL, not EVALSHA: it comes from outside. Errors: as redis_hub_send. */
MUST_USE int redis_visit_send(struct redis_hub *h, const struct redis_visit *v,
                              void (*done)(void *ctx, int rc, const struct redisReply *r),
                              void *ctx);

#endif
