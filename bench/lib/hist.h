/* Latency histogram: buckets that grow with the value, 32 a doubling, so that every percentile is
 * within 3.2 % of the truth at any scale, in a fixed 15 KB. It must never allocate: it is fed on
 * the hot path. */
#ifndef BENCH_LIB_HIST_H
#define BENCH_LIB_HIST_H

#include <stdint.h>

#define HIST_STEP_BITS 5 /* 32 buckets a doubling */
#define HIST_BUCKETS ((64 - HIST_STEP_BITS + 1) << HIST_STEP_BITS)

struct hist {
    uint64_t count, max;
    uint64_t buckets[HIST_BUCKETS];
};

void hist_reset(struct hist *h);
void hist_add(struct hist *h, uint64_t value);

/* Smallest value that at least permille/1000 of all values do not exceed, rounded up to the end of
 * its bucket and never above the largest value seen. 0 when empty. */
uint64_t hist_at(const struct hist *h, unsigned permille);

#endif
