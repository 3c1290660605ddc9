/* Commands that wait for their reply: first in, first out. A ring that grows; nothing but
 * bookkeeping. */
#ifndef ADAPTER_REDIS_RING_PRIV_H
#define ADAPTER_REDIS_RING_PRIV_H

#include <stdbool.h>
#include <stdint.h>
#include "adapter/redis/link.h"

struct ring_item {
    redis_link_reply_fn *done; /* may be NULL */
    void *ctx;
    uint64_t sent_us;
};

struct ring {
    struct ring_item *items;
    uint32_t first, count, cap; /* cap is 0 or a power of two */
};

void ring_fini(struct ring *r);
void ring_push(struct ring *r, const struct ring_item *item);
bool ring_shift(struct ring *r, struct ring_item *out);
uint64_t ring_oldest_us(const struct ring *r);    /* 0: empty */
void ring_touch(struct ring *r, uint64_t now_us); /* as if all were sent now */

#endif
