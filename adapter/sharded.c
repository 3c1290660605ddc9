/* See sharded.h. */
#include "adapter/sharded.h"

#include "base/forbid.h"

enum { SOCKET_ID_UNITS = 20 };

/* ---- writing ---- */

static int put_envelope(const struct wire *w, struct sb *out)
{
    int rc;
    size_t start;

    sb_z(out, "{\"type\":");
    sb_u64(out, wire_data_number(w));
    sb_z(out, ",\"data\":");
    start = out->n;
    rc = wire_data_put(w, out);
    if (out->n == start) out->n -= sizeof ",\"data\":" - 1;
    sb_z(out, ",\"uid\":");
    sb_json(out, w->uid);
    sb_z(out, ",\"nsp\":");
    sb_json(out, w->nsp);
    sb_char(out, '}');
    return rc;
}

int sharded_encode(const struct wire *w, struct sb *out)
{
    return wire_data_has_binary(w) ? sharded_encode_packed(w, out) : put_envelope(w, out);
}

int sharded_encode_packed(const struct wire *w, struct sb *out)
{
    struct sb json = {0};
    int rc = put_envelope(w, &json);

    if (rc == OK) rc = wire_data_pack(w, sb_view(&json), out);
    sb_fini(&json);
    return rc;
}

/* ---- reading ---- */

static int to_json(struct str payload, struct sharded *s, struct json *out)
{
    s->data.attachments.count = 0;
    if (!payload.n) return ERR_PROTO;
    if (payload.p[0] == '{') return json_parse_deep(payload, WIRE_DATA_DEPTH_MAX, out);
    return wire_data_unpack(&s->data, payload, &s->json, out);
}

struct envelope {
    int64_t type;
    struct json data;
    bool has_data;
    struct str uid, nsp;
};

static int read_envelope(struct sharded *s, struct json v, struct envelope *e)
{
    struct str rest = json_begin(v), key;
    struct json value;
    int rc = OK;

    while (rc == OK && json_next_member(&rest, &key, &value)) {
        if (json_key_is(key, STR("type"))) {
            rc = json_i64(value, &e->type) ? OK : ERR_PROTO;
        } else if (json_key_is(key, STR("data"))) {
            e->data = value;
            e->has_data = true;
        } else if (json_key_is(key, STR("uid"))) {
            rc = wire_data_id(&s->data, value, &e->uid);
        } else if (json_key_is(key, STR("nsp"))) {
            rc = json_text(value, &s->data.scratch, &e->nsp) == OK ? OK : ERR_PROTO;
        }
    }
    return rc;
}

int sharded_decode(struct str payload, struct str own_uid, struct str nsp, struct sharded *s)
{
    struct envelope e = {0};
    struct json v;
    int rc = to_json(payload, s, &v);

    if (rc != OK) return rc;
    if (v.type != JSON_OBJECT) return ERR_PROTO;
    wire_data_begin(&s->data, v.raw.n);
    rc = read_envelope(s, v, &e);
    if (rc != OK) return rc;
    if (str_eq(e.uid, own_uid)) return ERR_CLOSED;
    if (!str_eq(e.nsp, nsp) || e.type <= 0) return ERR_NOT_FOUND;
    rc = wire_data_get(&s->data, (uint64_t)e.type, e.has_data ? &e.data : NULL, nsp);
    s->data.wire.uid = e.uid;
    s->data.wire.nsp = nsp;
    return rc;
}

void sharded_fini(struct sharded *s)
{
    wire_data_fini(&s->data);
    sb_fini(&s->json);
}

/* ---- rooms ---- */

static size_t utf16_units(struct str s)
{
    size_t units = 0;

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        units += (c & 0xC0) != 0x80; /* not for the bytes that follow the first */
        units += c >= 0xF0;          /* a pair of surrogates */
    }
    return units;
}

bool sharded_is_private(struct str nsp, struct str room)
{
    if (utf16_units(room) == SOCKET_ID_UNITS) return true;
    return room.n == nsp.n + 1 + SOCKET_ID_UNITS && str_starts(room, nsp) && room.p[nsp.n] == '#';
}
