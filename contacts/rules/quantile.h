/* Medians and the like of many times, in bounded memory. Up to QUANTILE_EXACT values are kept, so
 * small numbers are exact; from then on values are counted in buckets whose bounds grow by 2 %: an
 * answer is then within 1 % of a value at that rank. Sums of parts are the same as the whole. At
 * most 12 KB each. Source of the buckets: Masson et al., "DDSketch", VLDB 2019. */
#ifndef CONTACTS_RULES_QUANTILE_H
#define CONTACTS_RULES_QUANTILE_H

#include <stdint.h>

#define QUANTILE_EXACT 512
#define QUANTILE_BUCKETS 1400 /* 1 … 10^12 */

struct quantile { /* zeroed is empty; quantile_fini */
    uint64_t count;
    uint32_t cap;
    int64_t *values;   /* count of them, until there are too many */
    uint64_t *buckets; /* NULL: exact */
};

void quantile_fini(struct quantile *q);
void quantile_add(struct quantile *q, int64_t value); /* 0 or more; less is taken as 0 */
void quantile_merge(struct quantile *q, const struct quantile *other);

/* The smallest value so that percent of all are not above it (nearest rank); percent 1 … 100.
 * -1: there is none. */
int64_t quantile_at(const struct quantile *q, int percent);

#endif
