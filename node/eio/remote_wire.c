/* Codec of the messages between nodes. What it reads comes from Redis, where anybody may write:
 * strict, and no number is used before it was compared with its limit. */
#include "node/eio/remote_wire.h"
#include "base/forbid.h"

enum { MAGIC = 'E', VERSION = 1, FRAME_TEXT = 1, FRAME_BINARY = 2 };

static const struct {
    unsigned numbers, texts;
    uint64_t max[REMOTE_NUMBERS_MAX];
} kinds[REMOTE_KIND_COUNT] = {
    [REMOTE_OPEN] = {3, 7, {4, 3, UINT64_MAX}},
    [REMOTE_BODY] = {1, 1, {255}},
    [REMOTE_MESSAGE] = {1, 1, {1}},
    [REMOTE_GONE] = {2, 1, {4999, 1}},
    [REMOTE_WINDOW] = {2, 0, {UINT32_MAX, UINT64_MAX}},
    [REMOTE_REPLY] = {2, 3, {599, 1}},
    [REMOTE_ACCEPT] = {0, 1, {0}},
    [REMOTE_SEND] = {0, 1, {0}},
    [REMOTE_CLOSE] = {1, 0, {4999}},
    [REMOTE_RELEASE] = {0, 0, {0}},
};

static void put_number(struct sb *out, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        sb_char(out, (char)(v >> (8 * i)));
    }
}

static int get_number(struct str *rest, unsigned bytes, uint64_t *out)
{
    uint64_t v = 0;

    if (rest->n < bytes) return ERR_PROTO;
    for (unsigned i = 0; i < bytes; i++) {
        v |= (uint64_t)(unsigned char)rest->p[i] << (8 * i);
    }
    *rest = str_skip(*rest, bytes);
    *out = v;
    return OK;
}

static int get_text(struct str *rest, struct str *out)
{
    uint64_t n;

    if (get_number(rest, 4, &n) != OK || n > rest->n) return ERR_PROTO;
    *out = str_head(*rest, (size_t)n);
    *rest = str_skip(*rest, (size_t)n);
    return OK;
}

void remote_wire_encode(const struct remote_message *m, struct sb *out)
{
    put_number(out, MAGIC, 1);
    put_number(out, VERSION, 1);
    put_number(out, m->kind, 1);
    put_number(out, m->pipe, 8);
    put_number(out, m->seq, 4);
    for (unsigned i = 0; i < kinds[m->kind].numbers; i++) {
        put_number(out, m->numbers[i], 8);
    }
    for (unsigned i = 0; i < kinds[m->kind].texts; i++) {
        put_number(out, m->texts[i].n, 4);
        sb_str(out, m->texts[i]);
    }
}

int remote_wire_decode(struct str payload, size_t max_bytes, struct remote_message *out)
{
    struct remote_message m = {0};
    uint64_t magic, version, kind, seq;

    if (payload.n > max_bytes) return ERR_TOO_BIG;
    if (get_number(&payload, 1, &magic) != OK || magic != MAGIC) return ERR_PROTO;
    if (get_number(&payload, 1, &version) != OK || version != VERSION) return ERR_PROTO;
    if (get_number(&payload, 1, &kind) != OK || kind >= REMOTE_KIND_COUNT) return ERR_PROTO;
    if (get_number(&payload, 8, &m.pipe) != OK) return ERR_PROTO;
    if (get_number(&payload, 4, &seq) != OK) return ERR_PROTO;
    m.kind = (enum remote_kind)kind;
    m.seq = (uint32_t)seq;
    for (unsigned i = 0; i < kinds[kind].numbers; i++) {
        if (get_number(&payload, 8, &m.numbers[i]) != OK) return ERR_PROTO;
        if (m.numbers[i] > kinds[kind].max[i]) return ERR_PROTO;
    }
    for (unsigned i = 0; i < kinds[kind].texts; i++) {
        if (get_text(&payload, &m.texts[i]) != OK) return ERR_PROTO;
    }
    if (payload.n > 0) return ERR_PROTO;
    *out = m;
    return OK;
}

void remote_wire_put_frame(struct sb *out, int opcode, struct str data)
{
    sb_char(out, (char)opcode);
    put_number(out, data.n, 4);
    sb_str(out, data);
}

int remote_wire_next_frame(struct str *rest, int *opcode, struct str *data)
{
    struct str at = *rest;
    uint64_t op;

    if (at.n == 0) return ERR_AGAIN;
    if (get_number(&at, 1, &op) != OK || (op != FRAME_TEXT && op != FRAME_BINARY)) return ERR_PROTO;
    if (get_text(&at, data) != OK) return ERR_PROTO;
    *opcode = (int)op;
    *rest = at;
    return OK;
}

bool remote_wire_are_headers(struct str lines)
{
    bool at_start = true; /* of a line */

    for (size_t i = 0; i < lines.n; i++) {
        unsigned char c = (unsigned char)lines.p[i];

        if (c == '\r') {
            if (at_start || i + 1 == lines.n || lines.p[i + 1] != '\n') return false;
            i++;
            at_start = true;
            continue;
        }
        if (c < 0x20 || c == 0x7f) return false;
        at_start = false;
    }
    return at_start;
}
