/* How many different rooms there are over the nodes, at a bounded cost: each node tells the
 * smallest hashes of its rooms' names (a bottom-k sketch). As long as no node has more rooms than
 * fit, the number is exact; beyond that it is right within some 5 %. Pure. */
#ifndef NODE_FEATURES_STATS_STATS_ROOMS_H
#define NODE_FEATURES_STATS_STATS_ROOMS_H

#include <stdint.h>
#include "base/str.h"

enum { STATS_ROOMS_MAX = 512 };

struct stats_rooms { /* of one node; zero is empty */
    uint64_t count;  /* of all its rooms */
    uint32_t n;
    uint32_t low[2 * STATS_ROOMS_MAX];
};

void stats_rooms_add(struct stats_rooms *r, struct str name);
void stats_rooms_put(struct stats_rooms *r, struct sb *out); /* base64; nothing for none */

struct stats_rooms_sum {  /* of several nodes; zero is none */
    uint64_t added, most; /* counts of the nodes, and the greatest one */
    uint64_t unknown;     /* rooms of nodes that told no hashes */
    uint64_t ceiling;     /* some rooms above it were not told; 0: all were */
    struct sb hashes;
};

/* One more node: its count and what stats_rooms_put wrote of it. */
void stats_rooms_join(struct stats_rooms_sum *sum, uint64_t count, struct str text);
uint64_t stats_rooms_total(struct stats_rooms_sum *sum); /* and sum is zero again */

#endif
