/* Decoder and encoder of Socket.IO packets: see packet.h. Linear in the size of the text; nesting
 * is bounded by base/json.h. Must never allocate by a number that the peer wrote. */
#include "node/sio/packet.h"

#include "base/json.h"

#define NOT_PLACED UINT16_MAX

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_binary(enum sio_packet_type t)
{
    return t == SIO_PACKET_BINARY_EVENT || t == SIO_PACKET_BINARY_ACK;
}

static struct str take_digits(struct str *rest)
{
    size_t n = 0;

    while (n < rest->n && is_digit(rest->p[n]))
        n++;
    struct str digits = str_head(*rest, n);

    *rest = str_skip(*rest, n);
    return digits;
}

static int take_attachments(struct str *rest, unsigned max, unsigned *out)
{
    struct str digits = take_digits(rest);
    uint64_t count = 0;
    int rc = str_u64(digits, max, &count);

    if (rc != OK) return rc;
    if (count == 0 || rest->n == 0 || rest->p[0] != '-') return ERR_PROTO;
    *rest = str_skip(*rest, 1);
    *out = (unsigned)count;
    return OK;
}

static struct str take_nsp(struct str *rest)
{
    struct str nsp, tail;

    if (rest->n == 0 || rest->p[0] != '/') return STR("/");
    str_cut(*rest, ',', &nsp, &tail);
    *rest = tail;
    return nsp;
}

/* Names that mean something to the Node.js emitter: a client that sends them is attacking or
 * broken. */
static bool is_reserved(struct str name)
{
    static const struct str names[] = {
        {"connect", 7},        {"connect_error", 13}, {"disconnect", 10},
        {"disconnecting", 13}, {"newListener", 11},   {"removeListener", 14},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_eq(name, names[i])) return true;
    }
    return false;
}

static struct str after_name(struct str array, struct json name)
{
    const char *p = name.raw.p + name.raw.n;
    const char *end = array.p + array.n - 1; /* the closing bracket */

    while (p < end && (is_blank(*p) || *p == ','))
        p++;
    while (p < end && is_blank(end[-1]))
        end--;
    return str_of(p, (size_t)(end - p));
}

static int read_name(struct json array, struct sb *scratch, struct sio_packet *p)
{
    struct str rest = json_begin(array);
    struct json first;
    int rc = OK;

    if (!json_next_item(&rest, &first)) return ERR_PROTO;
    if (first.type == JSON_NUMBER) {
        p->name = first.raw;
    } else if (first.type == JSON_STRING) {
        scratch->n = 0;
        rc = json_text(first, scratch, &p->name);
        if (rc == OK && is_reserved(p->name)) rc = ERR_PROTO;
    } else {
        rc = ERR_PROTO;
    }
    if (rc == OK) p->args = after_name(array.raw, first);
    return rc;
}

/* What each type may carry: socket.io-protocol v5, "Packet encoding"; 2.2 of the wire reference for
 * the odd ones. */
static int check_payload(const struct json *v, struct sb *scratch, struct sio_packet *p)
{
    switch (p->type) {
    case SIO_PACKET_CONNECT:
        return !v || v->type == JSON_OBJECT ? OK : ERR_PROTO;
    case SIO_PACKET_DISCONNECT:
        return v ? ERR_PROTO : OK;
    case SIO_PACKET_EVENT:
    case SIO_PACKET_BINARY_EVENT:
        return v && v->type == JSON_ARRAY ? read_name(*v, scratch, p) : ERR_PROTO;
    case SIO_PACKET_ACK:
    case SIO_PACKET_BINARY_ACK:
        return v && v->type == JSON_ARRAY ? OK : ERR_PROTO;
    case SIO_PACKET_CONNECT_ERROR: /* servers only */
    default:
        return ERR_PROTO;
    }
}

int sio_packet_decode(struct str text, unsigned attachments_max, struct sb *scratch,
                      struct sio_packet *out)
{
    struct sio_packet p = {.type = SIO_PACKET_CONNECT};
    struct str rest = text;
    struct json v;
    int rc = OK;

    if (rest.n == 0 || rest.p[0] < '0' || rest.p[0] > '6') return ERR_PROTO;
    p.type = (enum sio_packet_type)(rest.p[0] - '0');
    rest = str_skip(rest, 1);
    if (is_binary(p.type)) rc = take_attachments(&rest, attachments_max, &p.attachments);
    if (rc != OK) return rc;
    p.nsp = take_nsp(&rest);
    p.ack = take_digits(&rest);
    if (p.ack.n > SIO_ACK_DIGITS_MAX) return ERR_PROTO;
    if (rest.n != 0) {
        if (is_blank(rest.p[0])) return ERR_PROTO; /* "42 [" would be an ack id to JavaScript */
        rc = json_parse(rest, &v);
        if (rc != OK) return rc;
        p.json = v.raw;
    }
    rc = check_payload(rest.n != 0 ? &v : NULL, scratch, &p);
    if (rc == OK) *out = p;
    return rc;
}

void sio_packet_encode(struct sb *out, const struct sio_packet *p)
{
    sb_char(out, (char)('0' + (int)p->type));
    if (is_binary(p->type)) {
        sb_u64(out, p->attachments);
        sb_char(out, '-');
    }
    if (p->nsp.n > 1) { /* "/" is left out */
        sb_str(out, p->nsp);
        sb_char(out, ',');
    }
    sb_str(out, p->ack);
    sb_str(out, p->json);
}

/* ---- placeholders ---- */

struct placing {
    unsigned count, used;
    uint16_t *place;
    struct sb *out;
    const char *copied; /* text before it is in out */
};

static int place_hole(struct placing *c, struct json hole)
{
    struct json num;
    int64_t n;

    if (!json_member(hole, STR("num"), &num) || num.type != JSON_NUMBER) return ERR_PROTO;
    if (!json_i64(num, &n) || n < 0 || n >= (int64_t)c->count) return ERR_PROTO;
    if (c->place[n] != NOT_PLACED) return ERR_PROTO;
    c->place[n] = (uint16_t)c->used;
    sb_put(c->out, c->copied, (size_t)(hole.raw.p - c->copied));
    sb_z(c->out, "{\"_placeholder\":true,\"num\":");
    sb_u64(c->out, c->used++);
    sb_char(c->out, '}');
    c->copied = hole.raw.p + hole.raw.n;
    return OK;
}

static bool is_hole(struct json v)
{
    struct json mark;
    bool yes = false;

    return json_member(v, STR("_placeholder"), &mark) && mark.type == JSON_BOOL &&
           json_bool(mark, &yes) && yes;
}

static int place_in(struct placing *c, struct json v) /* as deep as json_parse allowed */
{
    struct str rest, key;
    struct json item;
    int rc = OK;

    if (v.type == JSON_OBJECT) {
        if (is_hole(v)) return place_hole(c, v);
        rest = json_begin(v);
        while (rc == OK && json_next_member(&rest, &key, &item))
            rc = place_in(c, item);
    } else if (v.type == JSON_ARRAY) {
        rest = json_begin(v);
        while (rc == OK && json_next_item(&rest, &item))
            rc = place_in(c, item);
    }
    return rc;
}

int sio_packet_place(struct str json, unsigned count, uint16_t *place, struct sb *out)
{
    struct placing c = {.count = count, .place = place, .out = out, .copied = json.p};
    struct json v;
    int rc = json_parse(json, &v);

    if (rc != OK) return rc;
    for (unsigned i = 0; i < count; i++)
        place[i] = NOT_PLACED;
    rc = place_in(&c, v);
    if (rc == OK && c.used != count) rc = ERR_PROTO;
    if (rc == OK) sb_put(out, c.copied, (size_t)(json.p + json.n - c.copied));
    return rc;
}
