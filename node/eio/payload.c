/* Polling bodies of both revisions, reading and writing. Bodies come from peers: every length is
 * checked against what is there, numbers are bounded before they are used. */
#include "node/eio/payload.h"

enum {
    SEPARATOR = 0x1e,  /* engine.io-protocol v4 */
    LENGTH_DIGITS = 9, /* longest length of EIO 3: far above any body that gets here */
    V3_TEXT_MARK = 0,
    V3_BINARY_MARK = 1,
    V3_LENGTH_END = 0xff,
};

int eio_payload_start(struct eio_payload *p, enum eio_payload_form form, struct str body,
                      uint64_t max_packets)
{
    if (form != EIO_PAYLOAD_V3_BINARY && !str_is_utf8(body)) return ERR_UTF8;
    *p = (struct eio_payload){.form = form, .rest = body, .packets_left = max_packets};
    return OK;
}

static int next_v4(struct eio_payload *p, struct sb *scratch, struct eio_packet *out)
{
    struct str packet, tail;

    /* The end is "no separator after the last packet", so "4a\x1e" has an empty second packet:
     * malformed. */
    p->is_done = !str_cut(p->rest, SEPARATOR, &packet, &tail);
    p->rest = tail;
    return eio_packet_decode(4, packet, false, scratch, out);
}

/* Bytes of the first units UTF-16 code units of valid UTF-8; ERR_PROTO when there are fewer or a
 * pair is cut. */
static int utf16_prefix(struct str text, uint64_t units, size_t *bytes)
{
    size_t i = 0;

    while (text.p && units > 0 && i < text.n) {
        unsigned char c = (unsigned char)text.p[i];
        size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        uint64_t takes = len == 4 ? 2 : 1;

        if (takes > units) return ERR_PROTO;
        units -= takes;
        i += len;
    }
    if (units > 0 || i > text.n) return ERR_PROTO;
    *bytes = i;
    return OK;
}

static int next_v3_text(struct eio_payload *p, struct sb *scratch, struct eio_packet *out)
{
    struct str head, tail, packet;
    uint64_t units;
    size_t bytes;

    if (!str_cut(str_head(p->rest, LENGTH_DIGITS + 1), ':', &head, &tail)) return ERR_PROTO;
    if (str_u64(head, UINT32_MAX, &units) != OK || units == 0) return ERR_PROTO;
    tail = str_skip(p->rest, head.n + 1);
    if (utf16_prefix(tail, units, &bytes) != OK) return ERR_PROTO;
    packet = str_head(tail, bytes);
    p->rest = str_skip(tail, bytes);
    p->is_done = p->rest.n == 0;
    return eio_packet_decode(3, packet, false, scratch, out);
}

static int next_v3_binary(struct eio_payload *p, struct sb *scratch, struct eio_packet *out)
{
    const unsigned char *b = (const unsigned char *)p->rest.p;
    uint64_t len = 0;
    size_t i = 1;
    struct str tail;

    if (p->rest.n < 3 || b[0] > V3_BINARY_MARK) return ERR_PROTO;
    for (; i < p->rest.n && b[i] != V3_LENGTH_END; i++) {
        if (b[i] > 9 || i > LENGTH_DIGITS) return ERR_PROTO;
        len = len * 10 + b[i];
    }
    if (i == 1 || i == p->rest.n) return ERR_PROTO;
    tail = str_skip(p->rest, i + 1);
    if (len == 0 || len > tail.n) return ERR_PROTO;
    p->rest = str_skip(tail, (size_t)len);
    p->is_done = p->rest.n == 0;
    tail = str_head(tail, (size_t)len);
    if (b[0] == V3_TEXT_MARK && !str_is_utf8(tail)) return ERR_PROTO;
    return eio_packet_decode(3, tail, b[0] == V3_BINARY_MARK, scratch, out);
}

int eio_payload_next(struct eio_payload *p, struct sb *scratch, struct eio_packet *out)
{
    if (p->is_done) return ERR_AGAIN;
    if (p->packets_left == 0) return ERR_LIMIT;
    p->packets_left--;
    switch (p->form) {
    case EIO_PAYLOAD_V4:
        return next_v4(p, scratch, out);
    case EIO_PAYLOAD_V3_TEXT:
        return next_v3_text(p, scratch, out);
    case EIO_PAYLOAD_V3_BINARY:
        return next_v3_binary(p, scratch, out);
    }
    return ERR_INTERNAL;
}

/* ---- writing ---- */

static uint64_t utf16_length(struct str text)
{
    uint64_t units = 0;

    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if ((c & 0xc0) != 0x80) units += c >= 0xf0 ? 2 : 1;
    }
    return units;
}

void eio_payload_put_text(struct sb *out, int protocol, struct str packet)
{
    if (protocol == 3) {
        sb_u64(out, utf16_length(packet));
        sb_char(out, ':');
    } else if (out->n > 0) {
        sb_char(out, SEPARATOR);
    }
    sb_str(out, packet);
}

static void put_base64(struct sb *out, int protocol, struct str body)
{
    if (protocol == 3) {
        size_t bytes = body.n > 0 ? body.n - 1 : 0; /* the type byte becomes a digit */

        sb_u64(out, 2 + (bytes + 2) / 3 * 4);
        sb_char(out, ':');
    } else if (out->n > 0) {
        sb_char(out, SEPARATOR);
    }
    eio_packet_base64(protocol, body, out);
}

static void put_octets(struct sb *out, struct str body, bool binary)
{
    char digits[20];
    size_t n = 0;

    sb_char(out, binary ? V3_BINARY_MARK : V3_TEXT_MARK);
    for (size_t v = body.n; v > 0 || n == 0; v /= 10) {
        digits[n++] = (char)(v % 10);
    }
    while (n > 0) {
        sb_char(out, digits[--n]);
    }
    sb_char(out, (char)V3_LENGTH_END);
    sb_str(out, body);
}

static bool holds_binary(const struct buf_queue *q)
{
    struct buf_walk w;
    const struct buf *b;

    buf_walk_start(q, &w);
    while ((b = buf_walk_next(q, &w)) != NULL) {
        if (b->flags & BUF_BINARY) return true;
    }
    return false;
}

void eio_payload_take(struct buf_queue *q, int protocol, bool b64, size_t max_bytes,
                      struct eio_batch *out)
{
    struct buf *b;

    *out = (struct eio_batch){.is_octets = protocol == 3 && !b64 && holds_binary(q)};
    while ((out->body.n == 0 || out->body.n < max_bytes) && (b = buf_queue_shift(q)) != NULL) {
        bool binary = b->flags & BUF_BINARY;

        if (out->is_octets) {
            put_octets(&out->body, buf_body(b), binary);
        } else if (binary) {
            put_base64(&out->body, protocol, buf_body(b));
        } else {
            eio_payload_put_text(&out->body, protocol, buf_body(b));
        }
        out->may_compress |= (b->flags & BUF_COMPRESS) != 0;
        buf_unref(b);
    }
}
