/* A broadcast as @socket.io/redis-adapter 8 and @socket.io/redis-emitter publish it: MessagePack
 * [uid, {type, data, nsp}, {rooms, except, flags}]. Pure: no Redis here.
 * Source: reference "Classic Redis adapter", 4.2. */
#ifndef ADAPTER_CLASSIC_H
#define ADAPTER_CLASSIC_H

#include "adapter/adapter.h"
#include "adapter/msgpack_json.h"

#define CLASSIC_ROOMS_MAX 65536 /* rooms, and except, of one broadcast */

/* Appends the payload. Errors: as msgpack_from_json; out may hold a part then. */
MUST_USE int classic_encode(struct str uid, const struct adapter_cast *c, struct sb *out);

/* What a decoded cast borrows from; reused from one to the next. Zero-initialise. */
struct classic {
    struct adapter_cast cast;
    struct str uid;
    struct str *lists[2]; /* rooms, except */
    unsigned caps[2];
    struct sb json, numbers;
    struct msgpack_json_attachments attachments;
};

/* Reads a payload leniently: any key order, missing nsp is "/", missing rooms, except and flags are
 * empty. c->cast borrows from payload and from c until the next call. Errors: ERR_CLOSED own uid,
 * ERR_NOT_FOUND another nsp or a packet type that is no event (all three: ignore quietly);
 * ERR_PROTO, ERR_UTF8, ERR_DEPTH, ERR_LIMIT garbage, also an event that would make clients hang up.
 */
MUST_USE int classic_decode(struct str payload, struct str own_uid, struct str nsp,
                            struct classic *c);
void classic_fini(struct classic *c);

#endif
