/* Who is typing where, on this node: a client that stops without a word has stopped after a while,
 * and one that says so at each key is passed on once in a while. */
#ifndef NODE_FEATURES_ROOMS_ROOMS_TYPING_H
#define NODE_FEATURES_ROOMS_ROOMS_TYPING_H

#include <stdbool.h>
#include "base/list.h"
#include "base/map.h"
#include "base/str.h"
#include "base/timer.h"

enum {
    ROOMS_TYPING_MS = 6000,
    ROOMS_TYPING_TELL_MS = 2000, /* pages forget who is typing after 3 s */
};

struct loop;

/* Typing has ended by itself. All borrows. */
typedef void rooms_typing_ended(void *ctx, struct str socket_id, struct str room);

struct rooms_typing {
    struct loop *loop;
    struct map entries;
    struct list order; /* by time of expiry */
    struct timer timer;
    rooms_typing_ended *ended;
    void *ctx;
};

void rooms_typing_init(struct rooms_typing *t, struct loop *l, rooms_typing_ended *ended,
                       void *ctx);
void rooms_typing_fini(struct rooms_typing *t);

/* True: the others are to be told. That is once in ROOMS_TYPING_TELL_MS at most, and an end only of
 * what they were told of. */
bool rooms_typing_start(struct rooms_typing *t, struct str socket_id, struct str room); /* again */
bool rooms_typing_stop(struct rooms_typing *t, struct str socket_id, struct str room);

#endif
