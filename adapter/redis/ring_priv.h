/* Commands that wait for their reply: first in, first out. A ring that grows; nothing but
 * bookkeeping. */
#ifndef ADAPTER_REDIS_RING_PRIV_H
#define ADAPTER_REDIS_RING_PRIV_H

#include <stdbool.h>
#include <stdint.h>
#include "adapter/redis/link.h"

struct redis_ring_item {
    redis_link_reply_fn *done; /* may be NULL */
    void *ctx;
    uint64_t sent_us;
    struct str channel; /* of a subscription command; borrows until done was called */
    bool is_leaving;    /* SUNSUBSCRIBE */
};

struct redis_ring {
    struct redis_ring_item *items;
    uint32_t first, count, cap; /* cap is 0 or a power of two */
};

void redis_ring_fini(struct redis_ring *r);
void redis_ring_push(struct redis_ring *r, const struct redis_ring_item *item);
const struct redis_ring_item *redis_ring_first(const struct redis_ring *r); /* NULL: empty */
bool redis_ring_shift(struct redis_ring *r, struct redis_ring_item *out);
uint64_t redis_ring_oldest_us(const struct redis_ring *r);    /* 0: empty */
void redis_ring_touch(struct redis_ring *r, uint64_t now_us); /* as if all were sent now */

#endif
