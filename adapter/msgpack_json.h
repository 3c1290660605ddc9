/* Between the raw JSON of events, with binary as {"_placeholder":true,"num":N}, and MessagePack.
 * Source: socket.io-protocol 5, "Packet encoding"; numbers as JavaScript has them. */
#ifndef ADAPTER_MSGPACK_JSON_H
#define ADAPTER_MSGPACK_JSON_H

#include "base/str.h"

#define MSGPACK_JSON_ATTACHMENTS_MAX 256

/* Appends the MessagePack of one JSON text; placeholders of an attachment that exists become bin.
 * Errors: ERR_PROTO, ERR_DEPTH, ERR_UTF8 (as json_parse); out may hold a part then. */
MUST_USE int msgpack_from_json(struct str text, const struct str *attachments, unsigned count,
                               struct sb *out);

struct msgpack_json_attachments {
    struct str items[MSGPACK_JSON_ATTACHMENTS_MAX]; /* borrow from the MessagePack */
    unsigned count;
};

/* Takes one value from *rest and appends its JSON. Dates become ISO strings, undefined and NaN
 * null. Errors: ERR_PROTO, ERR_UTF8, ERR_DEPTH below JSON_DEPTH_MAX, ERR_LIMIT too many
 * attachments; out may hold a part then. */
MUST_USE int msgpack_to_json(struct str *rest, struct sb *out, struct msgpack_json_attachments *a);

/* As the two above with another depth limit: for what is wrapped around an event. */
MUST_USE int msgpack_from_json_deep(struct str text, int depth_max, const struct str *attachments,
                                    unsigned count, struct sb *out);
MUST_USE int msgpack_to_json_deep(struct str *rest, int depth_max, struct sb *out,
                                  struct msgpack_json_attachments *a);

#endif
