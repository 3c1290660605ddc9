/* Codec of node messages, expanded from message.def. Peer input: lengths are checked, nothing is
 * copied. */
#include "adapter/message.h"

#include "base/forbid.h"

static void put_U64(struct sb *out, uint64_t v)
{
    char bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(v >> 8 * (7 - i));
    sb_put(out, bytes, sizeof bytes);
}

static void put_TEXT(struct sb *out, struct str s)
{
    s = str_head(s, UINT8_MAX);
    sb_char(out, (char)s.n);
    sb_put(out, s.p, s.n);
}

static void put_REST(struct sb *out, struct str s)
{
    sb_put(out, s.p, s.n);
}

static int take_U64(struct str *rest, uint64_t *out)
{
    uint64_t v = 0;

    if (rest->n < 8) return ERR_PROTO;
    for (int i = 0; i < 8; i++)
        v = v << 8 | (unsigned char)rest->p[i];
    *rest = str_skip(*rest, 8);
    *out = v;
    return OK;
}

static int take_TEXT(struct str *rest, struct str *out)
{
    size_t n = rest->n ? (unsigned char)rest->p[0] : 0;

    if (rest->n < 1 + n) return ERR_PROTO;
    *out = str_head(str_skip(*rest, 1), n);
    *rest = str_skip(*rest, 1 + n);
    return str_is_utf8(*out) ? OK : ERR_UTF8;
}

static int take_REST(struct str *rest, struct str *out)
{
    *out = *rest;
    *rest = STR_NONE;
    return OK;
}

#define MESSAGE_BEGIN(id, byte, name, doc)                                                         \
    static void put_##name(struct sb *out, const struct message_##name *m)                         \
    {
#define FIELD(message, type, name) put_##type(out, m->name);
#define MESSAGE_END(name) }
#include "adapter/message.def"
#undef MESSAGE_BEGIN
#undef FIELD
#undef MESSAGE_END

#define MESSAGE_BEGIN(id, byte, name, doc)                                                         \
    static int take_##name(struct str *rest, struct message_##name *m)                             \
    {                                                                                              \
        int rc = OK;
#define FIELD(message, type, name)                                                                 \
    if (rc == OK) rc = take_##type(rest, &m->name);
#define MESSAGE_END(name)                                                                          \
    return rc;                                                                                     \
    }
#include "adapter/message.def"
#undef MESSAGE_BEGIN
#undef FIELD
#undef MESSAGE_END

void message_encode(const struct message *m, struct sb *out)
{
    sb_char(out, (char)m->kind);
    sb_put(out, m->from.p, ADAPTER_NODE_ID_SIZE);
    switch (m->kind) {
#define MESSAGE_BEGIN(id, byte, name, doc)                                                         \
    case MESSAGE_##id:                                                                             \
        put_##name(out, &m->name);                                                                 \
        break;
#define FIELD(message, type, name)
#define MESSAGE_END(name)
#include "adapter/message.def"
#undef MESSAGE_BEGIN
#undef FIELD
#undef MESSAGE_END
    }
}

static bool is_node_id(struct str s) /* the alphabet of sids: A-Z a-z 0-9 - _ */
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], low = (char)(c | 0x20);

        if (!(low >= 'a' && low <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return true;
}

int message_decode(struct str bytes, struct message *out)
{
    struct message m = {0};
    struct str rest = str_skip(bytes, 1 + ADAPTER_NODE_ID_SIZE);
    int rc;

    if (!bytes.p || bytes.n < 1 + ADAPTER_NODE_ID_SIZE) return ERR_PROTO;
    m.from = str_of(bytes.p + 1, ADAPTER_NODE_ID_SIZE);
    if (!is_node_id(m.from)) return ERR_PROTO;
    switch ((unsigned char)bytes.p[0]) {
#define MESSAGE_BEGIN(id, byte, name, doc)                                                         \
    case MESSAGE_##id:                                                                             \
        m.kind = MESSAGE_##id;                                                                     \
        rc = take_##name(&rest, &m.name);                                                          \
        break;
#define FIELD(message, type, name)
#define MESSAGE_END(name)
#include "adapter/message.def"
#undef MESSAGE_BEGIN
#undef FIELD
#undef MESSAGE_END
    default:
        return ERR_NOT_FOUND;
    }
    if (rc == OK) *out = m;
    return rc;
}

const char *message_name(enum message_kind kind)
{
    switch ((int)kind) {
#define MESSAGE_BEGIN(id, byte, name, doc)                                                         \
    case MESSAGE_##id:                                                                             \
        return #id;
#define FIELD(message, type, name)
#define MESSAGE_END(name)
#include "adapter/message.def"
#undef MESSAGE_BEGIN
#undef FIELD
#undef MESSAGE_END
    default:
        return "?";
    }
}
