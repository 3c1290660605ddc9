/* Requests and responses of @socket.io/redis-adapter 8: JSON, or MessagePack for a broadcast with
 * ack and its acks. Pure: no Redis here. Both directions are read leniently, as Node.js does.
 * Source: reference "Requests on socket.io-request", 4.3. */
#ifndef ADAPTER_CLASSIC_REQUEST_H
#define ADAPTER_CLASSIC_REQUEST_H

#include "adapter/msgpack_json.h"
#include "adapter/wire.h"

#define CLASSIC_ID_MAX 64 /* bytes of a uid or request id of a peer */

/* Appends the payload: for the request channel, or of an answer or count for a response channel.
 * w->uid goes into answers too: peers pass over it, nodes of ours know by it who has answered.
 * Errors: ERR_NOT_FOUND this wire has no such message, ERR_PROTO, ERR_DEPTH, ERR_UTF8 of the JSON;
 * out may hold a part then. */
MUST_USE int classic_request_encode(const struct wire *w, struct sb *out);
bool classic_request_is_answer(enum wire_type type); /* goes to a response channel */

/* What a decoded message borrows from; reused from one to the next. Zero-initialise. */
struct classic_request {
    struct wire wire;
    struct str *lists[3]; /* opts.rooms, opts.except, rooms */
    unsigned caps[3];
    struct sb json;    /* a MessagePack message as JSON */
    struct sb scratch; /* unescaped texts */
    struct msgpack_json_attachments attachments;
};

/* Reads a message of the request channel of nsp, or of a response channel. r->wire borrows from
 * payload and from r until the next call. The old forms of 2, 3 and 4 without opts become a target
 * of that one socket with request_id set: they want an answer.
 * Errors: ERR_NOT_FOUND a type that is not for this channel, or no content (ignore quietly);
 * ERR_PROTO, ERR_UTF8, ERR_DEPTH, ERR_LIMIT garbage. */
MUST_USE int classic_request_decode(struct str payload, struct str nsp, struct classic_request *r);
MUST_USE int classic_response_decode(struct str payload, struct str nsp, struct classic_request *r);
void classic_request_fini(struct classic_request *r);

#endif
