/* What Redis sends to a subscriber: RESP2 marks it by nothing but its first word. Pure. */
#ifndef ADAPTER_REDIS_PUSH_H
#define ADAPTER_REDIS_PUSH_H

#include "base/str.h"

struct redisReply;

enum redis_push_kind {
    REDIS_PUSH_NONE, /* a reply like any other */
    REDIS_PUSH_MESSAGE,
    REDIS_PUSH_PMESSAGE,
    REDIS_PUSH_SMESSAGE,
    REDIS_PUSH_ENTERED, /* answer to (P|S)SUBSCRIBE */
    REDIS_PUSH_LEFT,    /* answer to SUNSUBSCRIBE, or Redis' own word: the slot went elsewhere */
};

struct redis_push { /* borrows from the reply */
    enum redis_push_kind kind;
    struct str pattern; /* PMESSAGE only */
    struct str channel, payload;
};

/* Text of a string, status or error reply; STR_NONE of all others. */
struct str redis_push_text(const struct redisReply *r);

struct redis_push redis_push_read(const struct redisReply *r);

#endif
