/* How many are in a room, over all nodes. Each node writes its own count; nobody else's is ever
 * written. Without Redis the count of this node is given, and everything is written again when it
 * is back. */
#ifndef NODE_FEATURES_ROOMS_ROOMS_STATE_H
#define NODE_FEATURES_ROOMS_ROOMS_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

struct loop;
struct adapter;
struct rooms_state;

/* What a room's keys are named by: namespace:room. */
struct sb rooms_state_name(struct str nsp, struct str room);

struct rooms_count {
    struct str room, type; /* borrows; type STR_NONE: nobody gave one */
    uint64_t members;
};
/* rc OK, or ERR_CLOSED: the feature is being closed and there is no answer. */
typedef void rooms_told(void *ctx, int rc, const struct rooms_count *count);

struct rooms_state_conf {
    struct loop *loop;
    struct adapter *adapter; /* NULL: this node alone */
    uint64_t dead_ms;        /* counts of nodes that are unknown and older than this are dropped */
    /* This node's count of a room was written: name is that of its keys, here as written, after
     * over all nodes. May be NULL. */
    void (*on_step)(void *ctx, struct str name, uint64_t here, uint64_t after);
    void *ctx;
};
struct rooms_state *rooms_state_new(const struct rooms_state_conf *c);
void rooms_state_free(struct rooms_state *st); /* waiting questions are told ERR_CLOSED */

void rooms_state_enter(struct rooms_state *st, struct str nsp, struct str room, struct str type);
/* A member who is not counted: the room's type is not forgotten. */
void rooms_state_hold(struct rooms_state *st, struct str nsp, struct str room, struct str type);
void rooms_state_release(struct rooms_state *st, struct str nsp, struct str room);
void rooms_state_write(struct rooms_state *st, struct str nsp, struct str room); /* unless asked */
void rooms_state_exit(struct rooms_state *st, struct str nsp, struct str room);

/* Calls told exactly once, now or later. A room without members here is counted as empty. */
void rooms_state_ask(struct rooms_state *st, struct str nsp, struct str room, rooms_told *told,
                     void *ctx);

/* A node is gone: its counts are dropped. */
void rooms_state_lost(struct rooms_state *st, struct str node);

/* Writes all counts again, in slices: Redis may have lost them. Goes on by itself every 20 minutes.
 */
void rooms_state_refresh(struct rooms_state *st);
void rooms_state_return(struct rooms_state *st); /* connected, or stopped before: tally.h */

size_t rooms_state_size(const struct rooms_state *st); /* rooms known here */

#endif
