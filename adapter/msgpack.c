/* MessagePack heads: one table of what each first byte means, and the writer of shortest forms.
 * Peer input: every length is checked against what is left before it is used. */
#include "adapter/msgpack.h"

#include "base/json.h"
#include "base/forbid.h"

/* How a first byte of 0xc0 … 0xdf is read: bytes of the number that follows it, and what that
 * number is. */
enum kind {
    K_BAD,
    K_NIL,
    K_BOOL,
    K_UINT,
    K_INT,
    K_FLOAT,
    K_STR,
    K_BIN,
    K_EXT,
    K_FIXEXT,
    K_ARRAY,
    K_MAP
};

static const struct head {
    uint8_t kind, width;
} heads[32] = {
    [0x00] = {K_NIL, 0},     [0x01] = {K_BAD, 0},    [0x02] = {K_BOOL, 0},   [0x03] = {K_BOOL, 0},
    [0x04] = {K_BIN, 1},     [0x05] = {K_BIN, 2},    [0x06] = {K_BIN, 4},    [0x07] = {K_EXT, 1},
    [0x08] = {K_EXT, 2},     [0x09] = {K_EXT, 4},    [0x0a] = {K_FLOAT, 4},  [0x0b] = {K_FLOAT, 8},
    [0x0c] = {K_UINT, 1},    [0x0d] = {K_UINT, 2},   [0x0e] = {K_UINT, 4},   [0x0f] = {K_UINT, 8},
    [0x10] = {K_INT, 1},     [0x11] = {K_INT, 2},    [0x12] = {K_INT, 4},    [0x13] = {K_INT, 8},
    [0x14] = {K_FIXEXT, 1},  [0x15] = {K_FIXEXT, 2}, [0x16] = {K_FIXEXT, 4}, [0x17] = {K_FIXEXT, 8},
    [0x18] = {K_FIXEXT, 16}, [0x19] = {K_STR, 1},    [0x1a] = {K_STR, 2},    [0x1b] = {K_STR, 4},
    [0x1c] = {K_ARRAY, 2},   [0x1d] = {K_ARRAY, 4},  [0x1e] = {K_MAP, 2},    [0x1f] = {K_MAP, 4},
};

static int take_number(struct str *rest, size_t width, uint64_t *out)
{
    uint64_t v = 0;

    if (rest->n < width) return ERR_PROTO;
    for (size_t i = 0; i < width; i++)
        v = v << 8 | (unsigned char)rest->p[i];
    *rest = str_skip(*rest, width);
    *out = v;
    return OK;
}

static int take_bytes(struct str *rest, uint64_t n, struct str *out)
{
    if (rest->n < n) return ERR_PROTO;
    *out = str_head(*rest, (size_t)n);
    *rest = str_skip(*rest, (size_t)n);
    return OK;
}

static int set_str(struct str *rest, uint64_t n, struct msgpack *out)
{
    out->type = MSGPACK_STR;
    if (take_bytes(rest, n, &out->bytes) != OK) return ERR_PROTO;
    return str_is_utf8(out->bytes) ? OK : ERR_UTF8;
}

static int set_ext(struct str *rest, uint64_t n, struct msgpack *out)
{
    uint64_t ext;

    out->type = MSGPACK_EXT;
    if (take_number(rest, 1, &ext) != OK) return ERR_PROTO;
    out->ext = (int8_t)(uint8_t)ext;
    return take_bytes(rest, n, &out->bytes);
}

static int set_count(const struct str *rest, enum msgpack_type type, uint64_t n,
                     struct msgpack *out)
{
    if ((type == MSGPACK_MAP ? 2 * n : n) > rest->n) return ERR_PROTO; /* each item has a byte */
    out->type = type;
    out->count = (uint32_t)n;
    return OK;
}

static int set_int(uint64_t v, size_t width, struct msgpack *out)
{
    uint64_t sign = 0x80ULL << 8 * ((width - 1) & 7); /* width is 1, 2, 4 or 8 */

    if (v & sign) v |= ~(sign - 1) & ~sign; /* extends the sign */
    out->type = v & sign ? MSGPACK_INT : MSGPACK_UINT;
    out->u = v; /* the same bits as i */
    return OK;
}

static int set_float(uint64_t v, size_t width, struct msgpack *out)
{
    uint32_t narrow = (uint32_t)v;
    float f;

    out->type = MSGPACK_FLOAT;
    if (width == 8) {
        memcpy(&out->f, &v, sizeof out->f);
    } else {
        memcpy(&f, &narrow, sizeof f);
        out->f = (double)f;
    }
    return OK;
}

static int next_wide(struct str *rest, uint8_t first, struct msgpack *out)
{
    struct head h = heads[first - 0xc0];
    uint64_t v = h.width;

    if (h.kind != K_FIXEXT && take_number(rest, h.width, &v) != OK) return ERR_PROTO;
    switch ((enum kind)h.kind) {
    case K_NIL:
        out->type = MSGPACK_NIL;
        return OK;
    case K_BOOL:
        out->type = MSGPACK_BOOL;
        out->b = first == 0xc3;
        return OK;
    case K_UINT:
        out->type = MSGPACK_UINT;
        out->u = v;
        return OK;
    case K_INT:
        return set_int(v, h.width, out);
    case K_FLOAT:
        return set_float(v, h.width, out);
    case K_STR:
        return set_str(rest, v, out);
    case K_BIN:
        out->type = MSGPACK_BIN;
        return take_bytes(rest, v, &out->bytes);
    case K_EXT:
    case K_FIXEXT:
        return set_ext(rest, v, out);
    case K_ARRAY:
        return set_count(rest, MSGPACK_ARRAY, v, out);
    case K_MAP:
        return set_count(rest, MSGPACK_MAP, v, out);
    case K_BAD:
    default:
        return ERR_PROTO;
    }
}

static int next_any(struct str *rest, struct msgpack *out)
{
    uint64_t byte;
    uint8_t first;

    if (take_number(rest, 1, &byte) != OK) return ERR_PROTO;
    first = (uint8_t)byte;
    if (first < 0x80) {
        out->type = MSGPACK_UINT;
        out->u = first;
        return OK;
    }
    if (first >= 0xe0) return set_int(first, 1, out);
    if (first < 0x90) return set_count(rest, MSGPACK_MAP, first & 0x0f, out);
    if (first < 0xa0) return set_count(rest, MSGPACK_ARRAY, first & 0x0f, out);
    if (first < 0xc0) return set_str(rest, first & 0x1f, out);
    return next_wide(rest, first, out);
}

int msgpack_next(struct str *rest, struct msgpack *out)
{
    struct str left = *rest;
    struct msgpack v = {0};
    int rc = next_any(&left, &v);

    if (rc != OK) return rc;
    *rest = left;
    *out = v;
    return OK;
}

int msgpack_expect(struct str *rest, enum msgpack_type type, struct msgpack *out)
{
    struct str left = *rest;
    struct msgpack v;
    int rc = msgpack_next(&left, &v);

    if (rc != OK) return rc;
    if (v.type != type) return ERR_PROTO;
    *rest = left;
    *out = v;
    return OK;
}

int msgpack_skip(struct str *rest)
{
    uint64_t open[JSON_DEPTH_MAX]; /* values still to come on each level */
    struct str left = *rest;
    struct msgpack v;
    int depth = 0, rc;

    for (;;) {
        rc = msgpack_next(&left, &v);
        if (rc != OK) return rc;
        if (v.type == MSGPACK_ARRAY || v.type == MSGPACK_MAP) {
            if (depth == JSON_DEPTH_MAX) return ERR_DEPTH;
            open[depth++] = v.type == MSGPACK_MAP ? 2ULL * v.count : v.count;
        } else if (depth) {
            open[depth - 1]--;
        }
        while (depth && open[depth - 1] == 0) {
            depth--;
            if (depth) open[depth - 1]--;
        }
        if (depth == 0) break;
    }
    *rest = left;
    return OK;
}

static void put_number(struct sb *b, uint8_t first, uint64_t v, unsigned width)
{
    char bytes[9];

    bytes[0] = (char)first;
    for (unsigned i = 0; i < width; i++)
        bytes[1 + i] = (char)(v >> 8 * (width - 1 - i));
    sb_put(b, bytes, 1 + width);
}

void msgpack_put_nil(struct sb *b)
{
    put_number(b, 0xc0, 0, 0);
}

void msgpack_put_bool(struct sb *b, bool v)
{
    put_number(b, v ? 0xc3 : 0xc2, 0, 0);
}

void msgpack_put_int(struct sb *b, int64_t v)
{
    uint64_t u = (uint64_t)v;

    if (v >= -32 && v < 0x80)
        put_number(b, (uint8_t)u, 0, 0);
    else if (v >= 0 && v <= UINT8_MAX)
        put_number(b, 0xcc, u, 1);
    else if (v >= 0 && v <= UINT16_MAX)
        put_number(b, 0xcd, u, 2);
    else if (v >= 0 && v <= UINT32_MAX)
        put_number(b, 0xce, u, 4);
    else if (v >= 0)
        put_number(b, 0xcf, u, 8);
    else if (v >= INT8_MIN)
        put_number(b, 0xd0, u, 1);
    else if (v >= INT16_MIN)
        put_number(b, 0xd1, u, 2);
    else if (v >= INT32_MIN)
        put_number(b, 0xd2, u, 4);
    else
        put_number(b, 0xd3, u, 8);
}

void msgpack_put_uint(struct sb *b, uint64_t v)
{
    if (v <= INT64_MAX)
        msgpack_put_int(b, (int64_t)v);
    else
        put_number(b, 0xcf, v, 8);
}

void msgpack_put_float(struct sb *b, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    put_number(b, 0xcb, bits, 8);
}

void msgpack_put_str(struct sb *b, struct str s)
{
    if (s.n < 32)
        put_number(b, (uint8_t)(0xa0 | s.n), 0, 0);
    else if (s.n <= UINT8_MAX)
        put_number(b, 0xd9, s.n, 1);
    else if (s.n <= UINT16_MAX)
        put_number(b, 0xda, s.n, 2);
    else
        put_number(b, 0xdb, s.n, 4);
    sb_put(b, s.p, s.n);
}

void msgpack_put_bin(struct sb *b, struct str s)
{
    if (s.n <= UINT8_MAX)
        put_number(b, 0xc4, s.n, 1);
    else if (s.n <= UINT16_MAX)
        put_number(b, 0xc5, s.n, 2);
    else
        put_number(b, 0xc6, s.n, 4);
    sb_put(b, s.p, s.n);
}

void msgpack_put_array(struct sb *b, size_t count)
{
    if (count < 16)
        put_number(b, (uint8_t)(0x90 | count), 0, 0);
    else if (count <= UINT16_MAX)
        put_number(b, 0xdc, count, 2);
    else
        put_number(b, 0xdd, count, 4);
}

void msgpack_put_map(struct sb *b, size_t pairs)
{
    if (pairs < 16)
        put_number(b, (uint8_t)(0x80 | pairs), 0, 0);
    else if (pairs <= UINT16_MAX)
        put_number(b, 0xde, pairs, 2);
    else
        put_number(b, 0xdf, pairs, 4);
}
