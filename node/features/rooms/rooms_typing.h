/* Who is typing where, on this node: a client that stops without a word has stopped after a while.
 */
#ifndef NODE_FEATURES_ROOMS_ROOMS_TYPING_H
#define NODE_FEATURES_ROOMS_ROOMS_TYPING_H

#include "base/list.h"
#include "base/map.h"
#include "base/str.h"
#include "base/timer.h"

enum { ROOMS_TYPING_MS = 6000 };

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

void rooms_typing_start(struct rooms_typing *t, struct str socket_id, struct str room); /* again */
void rooms_typing_stop(struct rooms_typing *t, struct str socket_id, struct str room);

#endif
