/* Driver within one process: nodes that share a bus, or one node alone (ADAPTER=local). For tests
 * it has knobs that spoil what passes; without them it keeps the order and loses nothing. */
#ifndef ADAPTER_LOCAL_BUS_H
#define ADAPTER_LOCAL_BUS_H

#include "adapter/adapter.h"

struct loop;
struct conf;
struct local_bus;

struct local_bus *local_bus_new(struct loop *l);
void local_bus_free(
    struct local_bus *b); /* all its adapters are closed before, and the turn has ended */

/* A node on this bus: as adapter_open, and cannot fail. */
struct adapter *local_bus_join(struct local_bus *b, const struct conf *c, struct str node_id,
                               const struct adapter_handler *h, void *ctx);

struct local_bus_knobs {
    uint64_t delay_ms;       /* of every message; 0: the next turn */
    unsigned drop_each;      /* every n-th message is lost; 0: none, 1: all */
    unsigned duplicate_each; /* every n-th message comes twice; 0: none */
};
void local_bus_knobs(struct local_bus *b, const struct local_bus_knobs *k);

/* Nothing passes between a and b, neither way. */
void local_bus_cut(struct local_bus *b, struct str node_a, struct str node_b);
void local_bus_heal(struct local_bus *b); /* takes back all cuts */

/* As if Redis went away and came back: everybody's state changes, what is on its way is lost. */
void local_bus_break(struct local_bus *b, bool is_broken);

#endif
