/* Figures of a node, and their sum over the nodes. Pure. */
#ifndef NODE_FEATURES_STATS_STATS_ROW_H
#define NODE_FEATURES_STATS_STATS_ROW_H

#include <stdint.h>
#include "base/str.h"

/* How a figure is joined: added, or the greatest one taken. */
#define STATS_FIGURES(F)                                                                           \
    F(sockets, SUM)       /* now */                                                                \
    F(sockets_total, SUM) /* since the node's start */                                             \
    F(rooms, SUM)                                                                                  \
    F(users, MOST) /* over the cluster, as the node knows it */                                    \
    F(quiz_sessions, MOST)                                                                         \
    F(uptime_s, MOST)                                                                              \
    F(resident_bytes, SUM)                                                                         \
    F(heap_bytes, SUM)                                                                             \
    F(heap_used_bytes, SUM)                                                                        \
    F(cpu_permille, SUM) /* of one core, in the last interval; this and all that follow */         \
    F(interval_ms, MOST)                                                                           \
    F(events, SUM)                                                                                 \
    F(events_us, SUM) /* spent in their handlers */                                                \
    F(deliveries, SUM)                                                                             \
    F(refused, SUM)                                                                                \
    F(redis, SUM)    /* commands */                                                                \
    F(redis_us, SUM) /* waited for their answers */

struct stats_row {
#define STATS_FIELD(name, how) uint64_t name;
    STATS_FIGURES(STATS_FIELD)
#undef STATS_FIELD
};

/* Numbers with blanks between; what comes behind a | is another's (stats_rooms.h). */
void stats_row_put(const struct stats_row *r, struct sb *out);
MUST_USE int stats_row_read(struct str text, struct stats_row *out); /* ERR_PROTO */
void stats_row_join(struct stats_row *sum, const struct stats_row *r);

struct stats_cluster {
    struct stats_row sum;
    unsigned nodes;
    uint64_t total, peak, peak_ms; /* sockets: since the cluster's start, most at a time, when */
};

/* The members of serverStats that are objects. */
void stats_put_connections(const struct stats_cluster *c, struct sb *out);
void stats_put_memory(const struct stats_row *r, struct sb *out);
void stats_put_rates(const struct stats_row *r, struct sb *out);

#endif
