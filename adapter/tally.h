/* How many of something each node has, by name, summed over the nodes: members of a room, devices
 * of a user. One hash in Redis a name, one field a node; each node writes its own field and nobody
 * else's, and drops those of the dead. Without Redis the count of this node is given, and
 * everything is written again when it is back. */
#ifndef ADAPTER_TALLY_H
#define ADAPTER_TALLY_H

#include <stdbool.h>
#include <stdint.h>
#include "adapter/key.h"
#include "base/str.h"

struct loop;
struct adapter;
struct tally;

struct tally_count {
    struct str name, label; /* borrows; label: the first one that was given, STR_NONE: none */
    uint64_t total;
    bool is_whole; /* over all nodes; false: Redis is away, and this is what is here */
};
/* rc OK, or ERR_CLOSED: the tally is being freed and there is no answer. */
typedef void tally_told(void *ctx, int rc, const struct tally_count *count);

/* One write that Redis has done (or, without an adapter, a change here). Totals are over the nodes:
 * of all nodes' writes exactly one takes a name from nothing to something, one from something to
 * nothing. */
struct tally_step {
    struct str name; /* borrows */
    uint32_t here;   /* as written */
    uint64_t before, after;
    uint64_t at_us; /* Redis' clock: orders the steps of one name */
};

struct tally_conf {
    struct loop *loop;
    struct adapter *adapter; /* NULL: this node alone */
    enum key key;            /* its * is the name */
    struct str scope;        /* in front of the name within the key; lives as long as the tally */
    unsigned ttl_s;          /* of the key; 20 minutes are well inside */
    uint64_t dead_ms;        /* counts of unknown nodes that are older are dropped */
    void (*on_step)(void *ctx, const struct tally_step *s); /* may be NULL */
    void *ctx;
};

struct tally *tally_new(const struct tally_conf *c);
void tally_free(struct tally *t); /* waiting questions are told ERR_CLOSED */

/* One more or fewer here. add is written by the tally_ask or tally_write that follows, or else by
 * the next refresh; sub at once. label may be STR_NONE. */
void tally_add(struct tally *t, struct str name, struct str label);
void tally_sub(struct tally *t, struct str name);
void tally_write(struct tally *t, struct str name);

/* Somebody who is not counted: as long as one holds a name its label is not forgotten. */
void tally_hold(struct tally *t, struct str name, struct str label);
void tally_release(struct tally *t, struct str name);

/* Calls told exactly once, now or later: with how many there were at the moment of asking here. */
void tally_ask(struct tally *t, struct str name, tally_told *told, void *ctx);

/* This node is gone: what it wrote until now is dropped, however fresh it is. */
void tally_lost(struct tally *t, struct str node);

/* Writes all counts again, in slices: Redis may have lost them. Goes on by itself every 20 minutes.
 */
void tally_refresh(struct tally *t);

/* The adapter is connected, or this node was stopped and goes on: it may not know yet who lives.
 * Nobody is lost, and for dead_ms nothing is old. Refreshes. */
void tally_return(struct tally *t);

bool tally_knows(const struct tally *t, struct str name); /* something here, or under way */
size_t tally_size(const struct tally *t);                 /* names known here */

#endif
