/* RFC 6455 section 5.2: frame headers of a client. Pure; must never read beyond the given bytes. */
#include "node/edge/frame.h"

static uint64_t big_endian(const unsigned char *p, int n)
{
    uint64_t v = 0;

    for (int i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static bool is_opcode(unsigned op)
{
    return op <= WS_BINARY || (op >= WS_CLOSE && op <= WS_PONG);
}

int frame_decode(struct str bytes, size_t max_bytes, struct ws_frame *out)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    unsigned op, len, extra;
    uint64_t length;

    if (bytes.n < 1) return ERR_AGAIN;
    op = p[0] & 0x0f;
    if ((p[0] & 0x70) || !is_opcode(op)) return ERR_PROTO;
    if (op >= WS_CLOSE && !(p[0] & 0x80)) return ERR_PROTO;
    if (bytes.n < 2) return ERR_AGAIN;
    if (!(p[1] & 0x80)) return ERR_PROTO; /* 5.1: a client must mask */
    len = p[1] & 0x7f;
    if (op >= WS_CLOSE && len > 125) return ERR_PROTO;
    extra = len < 126 ? 0 : len == 126 ? 2 : 8;
    if (bytes.n < 2 + extra) return ERR_AGAIN;
    length = extra ? big_endian(p + 2, (int)extra) : len;
    if ((extra == 2 && length < 126) || (extra == 8 && length < 65536)) return ERR_PROTO;
    if (length >> 63) return ERR_PROTO;
    if (length > max_bytes) return ERR_TOO_BIG;
    if (bytes.n < 6 + extra) return ERR_AGAIN;
    memcpy(out->mask, p + 2 + extra, 4);
    out->opcode = (enum ws_opcode)op;
    out->fin = p[0] >> 7;
    out->length = length;
    out->head_bytes = 6 + extra;
    return OK;
}

void frame_unmask(char *p, size_t n, const uint8_t mask[4], size_t at)
{
    uint8_t m[8];
    uint64_t wide, word;
    size_t i = 0;

    for (size_t k = 0; k < 8; k++)
        m[k] = mask[(at + k) & 3];
    memcpy(&wide, m, 8);
    for (; i + 8 <= n; i += 8) {
        memcpy(&word, p + i, 8);
        word ^= wide;
        memcpy(p + i, &word, 8);
    }
    for (; i < n; i++)
        p[i] = (char)((uint8_t)p[i] ^ m[i & 7]);
}

static bool is_close_code(int code) /* 7.4: what may stand on the wire */
{
    if (code >= 3000) return code <= 4999;
    return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

int frame_close_decode(struct str payload, int *code)
{
    *code = WS_CODE_NONE;
    if (payload.n == 0) return OK;
    if (payload.n == 1) return ERR_PROTO;
    *code = (int)big_endian((const unsigned char *)payload.p, 2);
    if (!is_close_code(*code)) return ERR_PROTO;
    return str_is_utf8(str_skip(payload, 2)) ? OK : ERR_UTF8;
}
