/* See ring_priv.h. */
#include "adapter/redis/ring_priv.h"

#include "base/mem.h"
#include "base/forbid.h"

#define RING_MIN 64
#define RING_KEEP 4096 /* an empty ring larger than this is given back */

void redis_ring_fini(struct redis_ring *r)
{
    mem_free(r->items);
    *r = (struct redis_ring){0};
}

static void grow(struct redis_ring *r)
{
    uint32_t cap = r->cap ? 2 * r->cap : RING_MIN;
    struct redis_ring_item *items = mem_new(cap, sizeof *items);

    for (uint32_t i = 0; i < r->count; i++)
        items[i] = r->items[(r->first + i) & (r->cap - 1)];
    mem_free(r->items);
    r->items = items;
    r->first = 0;
    r->cap = cap;
}

void redis_ring_push(struct redis_ring *r, const struct redis_ring_item *item)
{
    if (r->count == r->cap) grow(r);
    r->items[(r->first + r->count++) & (r->cap - 1)] = *item;
}

bool redis_ring_shift(struct redis_ring *r, struct redis_ring_item *out)
{
    if (!r->count) return false;
    *out = r->items[r->first];
    r->first = (r->first + 1) & (r->cap - 1);
    if (--r->count == 0 && r->cap > RING_KEEP) redis_ring_fini(r);
    return true;
}

const struct redis_ring_item *redis_ring_first(const struct redis_ring *r)
{
    return r->count ? &r->items[r->first] : NULL;
}

uint64_t redis_ring_oldest_us(const struct redis_ring *r)
{
    return r->count ? r->items[r->first].sent_us : 0;
}

void redis_ring_touch(struct redis_ring *r, uint64_t now_us)
{
    for (uint32_t i = 0; i < r->count; i++)
        r->items[(r->first + i) & (r->cap - 1)].sent_us = now_us;
}
