/* Redis Cluster's arithmetic and words: which slot a key is in, who has which slots, where an error
 * sends us. Pure. Source: Redis cluster specification ("Key distribution model", "Redirection"),
 * CLUSTER SLOTS. */
#ifndef ADAPTER_REDIS_SLOTS_H
#define ADAPTER_REDIS_SLOTS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

struct redisReply;

#define REDIS_SLOTS 16384

/* CRC16 (XMODEM) of the key, or of what stands in its first {…} when that is not empty. */
uint16_t redis_slot(struct str key);

struct redis_moved {
    bool is_ask; /* for this one command; otherwise for good */
    uint16_t slot;
    struct str host; /* borrows; empty: the server that said so, or rather its host */
    uint16_t port;
};

/* "MOVED 3999 127.0.0.1:6381", "ASK …". False: another error. */
bool redis_moved_read(struct str error, struct redis_moved *out);

struct redis_slot_range { /* of one master */
    uint16_t first, last;
    struct str host; /* borrows; empty: the server that was asked */
    uint16_t port;
};

/* Row i of the reply to CLUSTER SLOTS. False: it makes no sense. */
bool redis_slots_row(const struct redisReply *r, size_t i, struct redis_slot_range *out);

#endif
