/* Codec of the messages between nodes of ours. The list is message.def: structs, codec and names
 * expand from it. */
#ifndef ADAPTER_MESSAGE_H
#define ADAPTER_MESSAGE_H

#include "adapter/adapter.h"

#define MESSAGE_TYPE_U64 uint64_t
#define MESSAGE_TYPE_TEXT struct str /* 255 bytes at most, valid UTF-8 */
#define MESSAGE_TYPE_REST struct str

enum message_kind {
#define MESSAGE_BEGIN(id, byte, name, doc) MESSAGE_##id = (byte),
#define FIELD(message, type, name)
#define MESSAGE_END(name)
#include "adapter/message.def"
#undef MESSAGE_BEGIN
#undef FIELD
#undef MESSAGE_END
};

#define MESSAGE_BEGIN(id, byte, name, doc) struct message_##name {
#define FIELD(message, type, name) MESSAGE_TYPE_##type name;
#define MESSAGE_END(name)                                                                          \
    }                                                                                              \
    ;
#include "adapter/message.def"
#undef MESSAGE_BEGIN
#undef FIELD
#undef MESSAGE_END

struct message {
    enum message_kind kind;
    struct str from; /* ADAPTER_NODE_ID_SIZE characters */
    union {
#define MESSAGE_BEGIN(id, byte, name, doc) struct message_##name name;
#define FIELD(message, type, name)
#define MESSAGE_END(name)
#include "adapter/message.def"
#undef MESSAGE_BEGIN
#undef FIELD
#undef MESSAGE_END
    };
};

void message_encode(const struct message *m, struct sb *out); /* appends */

/* Texts borrow from bytes. Errors: ERR_PROTO cut off or a bad sender, ERR_UTF8, ERR_NOT_FOUND
 * unknown kind. */
MUST_USE int message_decode(struct str bytes, struct message *out);

const char *message_name(enum message_kind kind); /* "HELLO"; "?" for an unknown one */

#endif
