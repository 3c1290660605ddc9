/* What stats.c (counting) and stats_put.c (JSON) share. */
#ifndef CONTACTS_RULES_STATS_PRIV_H
#define CONTACTS_RULES_STATS_PRIV_H

#include "contacts/rules/csat.h"
#include "contacts/rules/quantile.h"
#include "contacts/rules/stats.h"

struct stats_agent {
    char *id, *name;
    uint64_t contacts, active, resolved, breached;
    struct quantile first, resolution;
    struct csat_sum csat;
};

struct stats_day {
    int64_t day; /* of the zone's calendar, civil.h */
    uint64_t submitted, resolved;
    struct csat_sum csat;
};

struct contact_stats {
    const struct zone *zone;
    uint64_t states[STATS_STATES], reopened, breached, messages, resolution_sum_ms;
    struct quantile first, resolution;
    struct csat_sum csat;
    uint64_t by_hour[24], by_weekday[7]; /* submitted; Monday first */
    struct stats_agent **agents;         /* in the order of their ids */
    unsigned agents_count;
    struct stats_agent others; /* those for whom there is no place; no id */
    struct stats_day *days;    /* ascending, STATS_DAYS_MAX at most */
    unsigned days_count;
};

#endif
