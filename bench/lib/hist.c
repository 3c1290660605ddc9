/* Latency histogram. See hist.h. */
#include "bench/lib/hist.h"

#include <string.h>

#define STEPS (1U << HIST_STEP_BITS)

/* Below 2 * STEPS every value has its own bucket; above, the top HIST_STEP_BITS + 1 bits name it.
 */
static unsigned bucket_of(uint64_t value)
{
    unsigned shift;

    if (value < STEPS) return (unsigned)value;
    shift = 63U - HIST_STEP_BITS - (unsigned)__builtin_clzll(value);
    return (shift << HIST_STEP_BITS) + (unsigned)(value >> shift);
}

static uint64_t bucket_end(unsigned i) /* largest value that falls into bucket i */
{
    unsigned shift;

    if (i < 2 * STEPS) return i;
    shift = (i >> HIST_STEP_BITS) - 1;
    return ((((uint64_t)(i & (STEPS - 1)) + STEPS) << shift) | ((UINT64_C(1) << shift) - 1));
}

void hist_reset(struct hist *h)
{
    memset(h, 0, sizeof *h);
}

void hist_add(struct hist *h, uint64_t value)
{
    h->count++;
    if (value > h->max) h->max = value;
    h->buckets[bucket_of(value)]++;
}

uint64_t hist_at(const struct hist *h, unsigned permille)
{
    uint64_t rank = (h->count * permille + 999) / 1000, seen = 0;

    if (h->count == 0) return 0;
    if (rank == 0) rank = 1;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen >= rank) return bucket_end(i) < h->max ? bucket_end(i) : h->max;
    }
    return h->max;
}
