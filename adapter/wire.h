/* One message between servers of a Socket.IO cluster, whatever the wire: the thirteen kinds of
 * socket.io-adapter's cluster protocol without their bytes. Codecs (classic.h, sharded.h,
 * streams.h) turn it into a peer's bytes and back; request.c keeps what is waited for; drivers only
 * carry. Source: reference sections 3 to 6. */
#ifndef ADAPTER_WIRE_H
#define ADAPTER_WIRE_H

#include "adapter/adapter.h"

enum wire_type {
    WIRE_CAST,         /* cast; with request_id: acks are wanted, timeout_ms */
    WIRE_JOIN,         /* target, rooms */
    WIRE_LEAVE,        /* target, rooms */
    WIRE_DISCONNECT,   /* target, close */
    WIRE_FETCH,        /* target, request_id */
    WIRE_FETCH_ANSWER, /* request_id, json: array of socket objects */
    WIRE_EMIT, /* server-side emit: json `["name",…]`; request_id when an answer is wanted */
    WIRE_EMIT_ANSWER,  /* request_id, json: one value */
    WIRE_CAST_COUNT,   /* request_id, count */
    WIRE_CAST_ANSWER,  /* request_id, json: first argument of one client's ack; empty: none */
    WIRE_ROOMS,        /* classic 1 ALL_ROOMS: request_id */
    WIRE_ROOMS_ANSWER, /* json: array of names */
    WIRE_SOCKETS,      /* classic 0, old peers: request_id, target */
    WIRE_SOCKETS_ANSWER,
    WIRE_BEAT,  /* heartbeat adapters: a peer is there (initial: it asks everybody to say so) */
    WIRE_CLOSE, /* heartbeat adapters: a peer leaves */
};

struct wire { /* all borrows */
    enum wire_type type;
    struct str uid; /* of the sender; empty or "emitter": no server */
    struct str to;  /* uid of the one it is for; empty: all */
    struct str nsp;
    struct str request_id; /* empty: none */
    struct adapter_cast cast;
    struct adapter_target target;
    const struct str *rooms;
    unsigned rooms_count;
    bool close, initial;
    uint64_t timeout_ms;
    uint32_t count;
    struct str json;
    const struct str *attachments; /* of json */
    unsigned attachments_count;
};

#define WIRE_ID_SIZE 16 /* request ids of ours: hex digits, as the sharded wire wants them */

#endif
