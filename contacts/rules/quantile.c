/* See quantile.h. Bucket i > 0 holds (g^(i-1), g^i] with g = 1.01/0.99; bucket 0 holds 0 and 1. */
#include "contacts/rules/quantile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/forbid.h"

#define GROWTH (1.01 / 0.99)

void quantile_fini(struct quantile *q)
{
    mem_free(q->values);
    mem_free(q->buckets);
    *q = (struct quantile){0};
}

static unsigned bucket_of(int64_t value)
{
    double i = value > 1 ? ceil(log((double)value) / log(GROWTH)) : 0;

    return i < QUANTILE_BUCKETS - 1 ? (unsigned)i : QUANTILE_BUCKETS - 1;
}

/* The value that is within 1 % of all in the bucket. */
static int64_t bucket_value(unsigned i)
{
    return i ? (int64_t)llround(2 * pow(GROWTH, i) / (GROWTH + 1)) : 1;
}

static void to_buckets(struct quantile *q)
{
    if (q->buckets) return;
    q->buckets = mem_new(QUANTILE_BUCKETS, sizeof *q->buckets);
    for (uint64_t i = 0; i < q->count; i++)
        q->buckets[bucket_of(q->values[i])]++;
    mem_free(q->values);
    q->values = NULL;
    q->cap = 0;
}

void quantile_add(struct quantile *q, int64_t value)
{
    if (value < 0) value = 0;
    if (!q->buckets && q->count == QUANTILE_EXACT) to_buckets(q);
    if (q->buckets) {
        q->buckets[bucket_of(value)]++;
    } else {
        if (q->count == q->cap) {
            q->cap = q->cap ? q->cap * 2 : 8;
            q->values = mem_grow(q->values, q->cap * sizeof *q->values);
        }
        q->values[q->count] = value;
    }
    q->count++;
}

void quantile_merge(struct quantile *q, const struct quantile *other)
{
    if (!other->buckets) {
        for (uint64_t i = 0; i < other->count; i++)
            quantile_add(q, other->values[i]);
        return;
    }
    to_buckets(q);
    for (unsigned i = 0; i < QUANTILE_BUCKETS; i++)
        q->buckets[i] += other->buckets[i];
    q->count += other->count;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int64_t exact_at(const struct quantile *q, uint64_t rank)
{
    int64_t sorted[QUANTILE_EXACT];

    memcpy(sorted, q->values, q->count * sizeof *sorted);
    qsort(sorted, q->count, sizeof *sorted, compare);
    return sorted[rank - 1];
}

int64_t quantile_at(const struct quantile *q, int percent)
{
    uint64_t rank = (q->count * (uint64_t)percent + 99) / 100, seen = 0;

    if (!q->count) return -1;
    if (rank < 1) rank = 1;
    if (!q->buckets) return exact_at(q, rank);
    for (unsigned i = 0; i < QUANTILE_BUCKETS; i++) {
        seen += q->buckets[i];
        if (seen >= rank) return bucket_value(i);
    }
    return bucket_value(QUANTILE_BUCKETS - 1);
}
