/* Who is typing where, on this node: a client that stops without a word has stopped after a while,
 * and one that says so at each key is passed on once in a while. */
#ifndef NODE_EVENT_TYPING_H
#define NODE_EVENT_TYPING_H

#include <stdbool.h>
#include "base/list.h"
#include "base/map.h"
#include "base/str.h"
#include "base/timer.h"

enum {
    TYPING_MS = 6000,
    TYPING_TELL_MS = 2000, /* pages forget who is typing after 3 s */
};

struct loop;

/* Typing has ended by itself. All borrows. */
typedef void typing_ended(void *ctx, struct str socket_id, struct str room);

struct typing {
    struct loop *loop;
    struct map entries;
    struct list order; /* by time of expiry */
    struct timer timer;
    typing_ended *ended;
    void *ctx;
};

void typing_init(struct typing *t, struct loop *l, typing_ended *ended, void *ctx);
void typing_fini(struct typing *t);

/* True: the others are to be told. That is once in TYPING_TELL_MS at most, and an end only of
 * what they were told of. */
bool typing_start(struct typing *t, struct str socket_id, struct str room); /* again */
bool typing_stop(struct typing *t, struct str socket_id, struct str room);

#endif
