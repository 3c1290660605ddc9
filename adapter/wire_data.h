/* Number and `data` of the messages of socket.io-adapter's ClusterAdapter (2.5): what the sharded
 * and the streams wire have in common. Data is JSON text here, with binary as placeholders; who
 * carries it may make MessagePack of it. Pure. Source: reference "Messages", 5.3. */
#ifndef ADAPTER_WIRE_DATA_H
#define ADAPTER_WIRE_DATA_H

#include "adapter/msgpack_json.h"
#include "adapter/wire.h"
#include "base/json.h"

#define WIRE_DATA_DEPTH_MAX (JSON_DEPTH_MAX + 4) /* an event, and what is wrapped around it */
#define WIRE_DATA_ROOMS_MAX 65536                /* of one list */
#define WIRE_DATA_ID_MAX 64                      /* bytes of a uid or request id */

/* 1 … 13; 0: these wires have no such message. */
unsigned wire_data_number(const struct wire *w);

/* Appends the data; nothing for messages that have none. Errors: ERR_NOT_FOUND number 0, ERR_PROTO,
 * ERR_DEPTH, ERR_UTF8 of the JSON in w; out may hold a part then. */
MUST_USE int wire_data_put(const struct wire *w, struct sb *out);

bool wire_data_has_binary(const struct wire *w);

/* Appends the MessagePack of a JSON text with the attachments of w. Errors: as msgpack_from_json.
 */
MUST_USE int wire_data_pack(const struct wire *w, struct str json, struct sb *out);

/* What a read message borrows from; reused from one to the next. Zero-initialise. */
struct wire_data {
    struct wire wire;
    struct str *lists[3]; /* opts.rooms, opts.except, rooms */
    unsigned caps[3];
    struct sb scratch;                           /* unescaped texts */
    struct msgpack_json_attachments attachments; /* set by the caller before: those of data */
};

/* MessagePack as JSON, into json (emptied before), its binary into d->attachments. out borrows from
 * json. Errors: as msgpack_to_json and json_parse, ERR_PROTO more behind it. */
MUST_USE int wire_data_unpack(struct wire_data *d, struct str bytes, struct sb *json,
                              struct json *out);

/* Before the texts of a message are read: at most so many bytes of them will be unescaped. */
void wire_data_begin(struct wire_data *d, size_t bytes);

/* A text of WIRE_DATA_ID_MAX bytes at most. Errors: ERR_PROTO, ERR_LIMIT. */
MUST_USE int wire_data_id(struct wire_data *d, struct json v, struct str *out);

/* Fills d->wire but for uid, to and nsp of the message itself; nsp is the one it is for. data:
 * NULL when there was none. Errors: ERR_NOT_FOUND an unknown number or a packet that is no event
 * (ignore quietly); ERR_PROTO, ERR_UTF8, ERR_DEPTH, ERR_LIMIT garbage, also an event that would
 * make clients hang up. */
MUST_USE int wire_data_get(struct wire_data *d, uint64_t number, const struct json *data,
                           struct str nsp);
void wire_data_fini(struct wire_data *d);

/* socket.io-client closes with "parse error" on an event with such a name. Source: socket.io-parser
 * 4.2, isDataValid. */
bool wire_data_is_reserved(struct str event);

#endif
