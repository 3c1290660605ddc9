/* See streams.h. */
#include "adapter/streams.h"

#include "base/forbid.h"

/* ---- ids of entries ---- */

int streams_id_read(struct str text, struct streams_id *out)
{
    struct str ms, seq;
    struct streams_id id;

    if (!str_cut(text, '-', &ms, &seq)) return ERR_PROTO;
    if (str_u64(ms, UINT64_MAX, &id.ms) != OK || str_u64(seq, UINT64_MAX, &id.seq) != OK)
        return ERR_PROTO;
    *out = id;
    return OK;
}

void streams_id_put(struct streams_id id, struct sb *out)
{
    sb_u64(out, id.ms);
    sb_char(out, '-');
    sb_u64(out, id.seq);
}

int streams_id_compare(struct streams_id a, struct streams_id b)
{
    if (a.ms != b.ms) return a.ms < b.ms ? -1 : 1;
    if (a.seq != b.seq) return a.seq < b.seq ? -1 : 1;
    return 0;
}

/* ---- names of streams ---- */

static uint32_t code_point(struct str *rest) /* of valid UTF-8; advances */
{
    static const unsigned char first_bits[] = {0x7f, 0x1f, 0x0f, 0x07};
    unsigned char c = (unsigned char)rest->p[0];
    size_t more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
    uint32_t point = c & first_bits[more];

    if (more >= rest->n) more = rest->n - 1;
    for (size_t i = 1; i <= more; i++)
        point = point << 6 | ((unsigned char)rest->p[i] & 0x3f);
    *rest = str_skip(*rest, 1 + more);
    return point;
}

/* Over UTF-16 units, as hashCode of the package's util.js. */
static int32_t hash_of(struct str nsp)
{
    uint32_t h = 0;

    while (nsp.n) {
        uint32_t point = code_point(&nsp);

        if (point >= 0x10000) {
            h = h * 31 + 0xd800 + ((point - 0x10000) >> 10);
            point = 0xdc00 + ((point - 0x10000) & 0x3ff);
        }
        h = h * 31 + point;
    }
    return (int32_t)h;
}

void streams_name(struct str base, unsigned count, struct str nsp, struct sb *out)
{
    sb_str(out, base);
    if (count <= 1) return;
    sb_char(out, '-');
    sb_i64(out, (int64_t)hash_of(nsp) % (int64_t)count);
}

/* ---- writing ---- */

bool streams_is_ephemeral(const struct wire *w)
{
    switch ((int)w->type) {
    case WIRE_CAST:
        return w->request_id.n != 0;
    case WIRE_JOIN:
    case WIRE_LEAVE:
    case WIRE_DISCONNECT:
        return false;
    default:
        return true;
    }
}

void streams_add(const struct streams_add *a, struct str argv[STREAMS_ADD_WORDS])
{
    const struct str words[STREAMS_ADD_WORDS] = {
        STR("XADD"), a->stream,  STR("MAXLEN"), STR("~"),    a->maxlen, STR("*"),    STR("uid"),
        a->uid,      STR("nsp"), a->nsp,        STR("type"), a->type,   STR("data"), a->data};

    memcpy(argv, words, sizeof words);
}

int streams_encode(const struct wire *w, struct sb *out)
{
    struct sb json = {0}, bytes = {0};
    int rc;

    if (!wire_data_has_binary(w)) return wire_data_put(w, out);
    rc = wire_data_put(w, &json);
    if (rc == OK && json.n) rc = wire_data_pack(w, sb_view(&json), &bytes);
    if (rc == OK) sb_base64(out, sb_view(&bytes));
    sb_fini(&json);
    sb_fini(&bytes);
    return rc;
}

/* ---- reading ---- */

int streams_entry_read(const struct str *fields, unsigned count, struct streams_entry *out)
{
    struct streams_entry e = {0};

    if (count % 2) return ERR_PROTO;
    for (unsigned i = 0; i < count; i += 2) {
        if (str_eq(fields[i], STR("uid"))) e.uid = fields[i + 1];
        if (str_eq(fields[i], STR("nsp"))) e.nsp = fields[i + 1];
        if (str_eq(fields[i], STR("type"))) e.type = fields[i + 1];
        if (str_eq(fields[i], STR("data"))) e.data = fields[i + 1];
    }
    if (!e.nsp.n || !e.type.n) return ERR_PROTO;
    *out = e;
    return OK;
}

static int read_data(const struct streams_entry *e, struct streams *s, struct json *out)
{
    int rc;

    if (e->data.p[0] == '{') return json_parse_deep(e->data, WIRE_DATA_DEPTH_MAX, out);
    s->bytes.n = 0;
    rc = sb_base64_decode(&s->bytes, e->data);
    return rc == OK ? wire_data_unpack(&s->data, sb_view(&s->bytes), &s->json, out) : rc;
}

int streams_decode(const struct streams_entry *e, struct streams *s)
{
    struct json v = {0};
    uint64_t type;
    int rc = OK;

    s->data.attachments.count = 0;
    if (e->uid.n > WIRE_DATA_ID_MAX) return ERR_LIMIT;
    if (str_u64(e->type, UINT32_MAX, &type) != OK) return ERR_PROTO;
    if (!str_is_utf8(e->uid) || !str_is_utf8(e->nsp)) return ERR_UTF8;
    if (e->data.n) rc = read_data(e, s, &v);
    if (rc != OK) return rc;
    wire_data_begin(&s->data, v.raw.n);
    rc = wire_data_get(&s->data, type, e->data.n ? &v : NULL, e->nsp);
    s->data.wire.uid = e->uid;
    s->data.wire.nsp = e->nsp;
    return rc;
}

void streams_fini(struct streams *s)
{
    wire_data_fini(&s->data);
    sb_fini(&s->bytes);
    sb_fini(&s->json);
}
