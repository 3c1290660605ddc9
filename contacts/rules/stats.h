/* Figures of the desk: how fast, how many, how content, who. An accumulator is fed with contacts
 * one at a time, so any number of them can be counted in bounded memory; two of them make the sum
 * of both; the same contacts give the same figures in whatever order they come. Pure.
 *
 * p50 and p90 are exact up to 512 values and within 1 % above (quantile.h). Days and hours are
 * those of the zone. Agents beyond STATS_AGENTS_MAX are counted as one, "others"; days before the
 * last STATS_DAYS_MAX are counted in the sums alone. */
#ifndef CONTACTS_RULES_STATS_H
#define CONTACTS_RULES_STATS_H

#include <stdbool.h>
#include "base/str.h"

#define STATS_AGENTS_MAX 500
#define STATS_DAYS_MAX 400

enum contact_stats_state { STATS_PENDING, STATS_ACTIVE, STATS_RESOLVED, STATS_STATES };

struct contact_stats_row { /* of a contact; borrows; times 0: not yet */
    enum contact_stats_state state;
    struct str agent_id, agent_name; /* who has it, or had it last; empty: nobody */
    int64_t submitted_ms, first_reply_ms, resolved_ms;
    int64_t messages;
    int64_t score, rated_ms; /* CSAT 1 … 5; 0: none */
    bool was_reopened, is_breached;
};

struct contact_stats;
struct zone;

/* zone: borrowed for as long as the accumulator lives; NULL: UTC. Returns new. */
struct contact_stats *contact_stats_new(const struct zone *zone);
void contact_stats_free(struct contact_stats *s);
void contact_stats_add(struct contact_stats *s, const struct contact_stats_row *row);

/* The same with the record of a contact: a step of store_contact_scan. */
struct contact;
void contact_stats_feed(struct contact_stats *s, const struct contact *c);

/* Adds all of other, which has the same zone. */
void contact_stats_merge(struct contact_stats *s, const struct contact_stats *other);

/* The sums that contactStats of the old service has. */
struct contact_stats_sums {
    uint64_t total, pending, active, resolved, messages;
    uint64_t resolution_mean_ms;
};
struct contact_stats_sums contact_stats_sums(const struct contact_stats *s);

/* One JSON object, the same for events and REST. zone_name: shown as timeZone; empty: UTC. */
void contact_stats_put(const struct contact_stats *s, struct str zone_name, struct sb *out);

#endif
