/* MessagePack: a strict reader over borrowed bytes and a writer of the shortest forms, no tree.
 * Source: msgpack specification 2.0.13; what the peers write: @socket.io/redis-adapter 8
 * (notepack.io 3). */
#ifndef ADAPTER_MSGPACK_H
#define ADAPTER_MSGPACK_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

enum msgpack_type {
    MSGPACK_NIL,
    MSGPACK_BOOL,
    MSGPACK_INT,  /* negative: i */
    MSGPACK_UINT, /* not negative: u */
    MSGPACK_FLOAT,
    MSGPACK_STR, /* valid UTF-8 */
    MSGPACK_BIN,
    MSGPACK_EXT,
    MSGPACK_ARRAY, /* count items follow */
    MSGPACK_MAP,   /* count pairs follow */
};

struct msgpack {
    enum msgpack_type type;
    union {
        bool b;
        int64_t i;
        uint64_t u;
        double f;
        uint32_t count;
    };
    struct str bytes; /* STR, BIN, EXT: borrows */
    int8_t ext;       /* EXT: its type */
};

/* Takes the next value; of an array or map its head only. *rest advances on OK.
 * An array or map that promises more than the bytes that are left is refused here.
 * Errors: ERR_PROTO malformed or cut off, ERR_UTF8. */
MUST_USE int msgpack_next(struct str *rest, struct msgpack *out);

/* As msgpack_next, and it must be of this type. */
MUST_USE int msgpack_expect(struct str *rest, enum msgpack_type type, struct msgpack *out);

/* Passes over one whole value. Errors: as msgpack_next, ERR_DEPTH below JSON_DEPTH_MAX levels. */
MUST_USE int msgpack_skip(struct str *rest);

void msgpack_put_nil(struct sb *b);
void msgpack_put_bool(struct sb *b, bool v);
void msgpack_put_int(struct sb *b, int64_t v);
void msgpack_put_uint(struct sb *b, uint64_t v);
void msgpack_put_float(struct sb *b, double v);
void msgpack_put_str(struct sb *b, struct str s); /* s is valid UTF-8 */
void msgpack_put_bin(struct sb *b, struct str s);
void msgpack_put_array(struct sb *b, size_t count);
void msgpack_put_map(struct sb *b, size_t pairs);

#endif
