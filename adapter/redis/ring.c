/* See ring_priv.h. */
#include "adapter/redis/ring_priv.h"

#include "base/mem.h"
#include "base/forbid.h"

#define RING_MIN 64
#define RING_KEEP 4096 /* an empty ring larger than this is given back */

void ring_fini(struct ring *r)
{
    mem_free(r->items);
    *r = (struct ring){0};
}

static void grow(struct ring *r)
{
    uint32_t cap = r->cap ? 2 * r->cap : RING_MIN;
    struct ring_item *items = mem_new(cap, sizeof *items);

    for (uint32_t i = 0; i < r->count; i++)
        items[i] = r->items[(r->first + i) & (r->cap - 1)];
    mem_free(r->items);
    r->items = items;
    r->first = 0;
    r->cap = cap;
}

void ring_push(struct ring *r, const struct ring_item *item)
{
    if (r->count == r->cap) grow(r);
    r->items[(r->first + r->count++) & (r->cap - 1)] = *item;
}

bool ring_shift(struct ring *r, struct ring_item *out)
{
    if (!r->count) return false;
    *out = r->items[r->first];
    r->first = (r->first + 1) & (r->cap - 1);
    if (--r->count == 0 && r->cap > RING_KEEP) ring_fini(r);
    return true;
}

uint64_t ring_oldest_us(const struct ring *r)
{
    return r->count ? r->items[r->first].sent_us : 0;
}

void ring_touch(struct ring *r, uint64_t now_us)
{
    for (uint32_t i = 0; i < r->count; i++)
        r->items[(r->first + i) & (r->cap - 1)].sent_us = now_us;
}
