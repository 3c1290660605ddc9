/* Messages of @socket.io/redis-adapter 8, createShardedAdapter: an envelope {type, data, uid, nsp},
 * JSON when there is no binary, else MessagePack. Pure: no Redis here.
 * Source: reference "Sharded adapter", 5.3. */
#ifndef ADAPTER_SHARDED_H
#define ADAPTER_SHARDED_H

#include "adapter/wire_data.h"

/* Appends the payload. Errors: as wire_data_put. */
MUST_USE int sharded_encode(const struct wire *w, struct sb *out);

/* The same, MessagePack in any case: what the streams wire publishes. */
MUST_USE int sharded_encode_packed(const struct wire *w, struct sb *out);

/* What a decoded message borrows from; reused from one to the next. Zero-initialise. */
struct sharded {
    struct wire_data data; /* data.wire: the message */
    struct sb json;        /* a MessagePack message as JSON */
};

/* Reads a payload leniently: a first '{' means JSON, all else is MessagePack; any key order.
 * s->data.wire borrows from payload and from s until the next call. Errors: ERR_CLOSED own uid,
 * ERR_NOT_FOUND another nsp, an unknown type or a packet that is no event (all: ignore quietly);
 * ERR_PROTO, ERR_UTF8, ERR_DEPTH, ERR_LIMIT garbage. */
MUST_USE int sharded_decode(struct str payload, struct str own_uid, struct str nsp,
                            struct sharded *s);
void sharded_fini(struct sharded *s);

/* The names of socket ids look like this to Node's nodes (20 UTF-16 units), or are those of old
 * clients of a namespace ("/admin#" and 20 more): no channel of its own for them in mode dynamic
 * (reference 5.2, and 10.12). */
bool sharded_is_private(struct str nsp, struct str room);

#endif
