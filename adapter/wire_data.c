/* See wire_data.h. Whatever comes in is untrusted: it ends as a struct wire or as an error. */
#include "adapter/wire_data.h"

#include "base/mem.h"
#include "base/forbid.h"

enum { TYPE_EVENT = 2, TYPE_BINARY_EVENT = 5 }; /* of the packet in a cast */

enum { ANSWER_MS = 5000 }; /* an ack without a deadline would be lost at once in Node.js */

enum { BEAT_INITIAL = 1, BEAT = 2 };

static const struct row {
    unsigned number;
    enum wire_type type;
} rows[] = {
    {BEAT_INITIAL, WIRE_BEAT},
    {BEAT, WIRE_BEAT},
    {3, WIRE_CAST},
    {4, WIRE_JOIN},
    {5, WIRE_LEAVE},
    {6, WIRE_DISCONNECT},
    {7, WIRE_FETCH},
    {8, WIRE_FETCH_ANSWER},
    {9, WIRE_EMIT},
    {10, WIRE_EMIT_ANSWER},
    {11, WIRE_CAST_COUNT},
    {12, WIRE_CAST_ANSWER},
    {13, WIRE_CLOSE},
};

unsigned wire_data_number(const struct wire *w)
{
    if (w->type == WIRE_BEAT) return w->initial ? BEAT_INITIAL : BEAT;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].type == w->type) return rows[i].number;
    return 0;
}

bool wire_data_is_reserved(struct str event)
{
    static const char *const reserved[] = {"connect",       "connect_error", "disconnect",
                                           "disconnecting", "newListener",   "removeListener"};

    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (str_eq(event, str_z(reserved[i]))) return true;
    return false;
}

/* ---- writing ---- */

static void put_list(struct sb *out, const char *key, const struct str *items, unsigned count)
{
    sb_json(out, str_z(key));
    sb_z(out, ":[");
    for (unsigned i = 0; i < count; i++) {
        if (i) sb_char(out, ',');
        sb_json(out, items[i]);
    }
    sb_char(out, ']');
}

static void put_opts(struct sb *out, const struct adapter_target *t)
{
    sb_z(out, "\"opts\":{");
    put_list(out, "rooms", t->rooms, t->rooms_count);
    sb_char(out, ',');
    put_list(out, "except", t->except, t->except_count);
    sb_z(out, ",\"flags\":{}}");
}

static void put_flags(struct sb *out, const struct wire *w)
{
    const char *comma = "";

    sb_z(out, ",\"flags\":{");
    if (w->cast.flags & ADAPTER_VOLATILE) {
        sb_z(out, "\"volatile\":true");
        comma = ",";
    }
    if (w->cast.flags & ADAPTER_NO_COMPRESS) {
        sb_printf(out, "%s\"compress\":false", comma);
        comma = ",";
    }
    if (w->request_id.n) {
        sb_printf(out, "%s\"timeout\":", comma);
        sb_u64(out, w->timeout_ms ? w->timeout_ms : ANSWER_MS);
    }
    sb_z(out, "}}");
}

/* Text of our own rooms, but spliced into a message: it must be one value by itself. */
static int put_json(struct sb *out, const char *key, struct str json)
{
    struct json v;
    int rc = json_parse(json, &v);

    sb_z(out, key);
    sb_str(out, json);
    return rc;
}

static void put_id(struct sb *out, const char *key, const struct wire *w)
{
    sb_z(out, key);
    sb_json(out, w->request_id);
}

static int put_cast(struct sb *out, const struct wire *w)
{
    int rc = put_json(out, "\"packet\":{\"type\":2,\"data\":", w->cast.array);

    sb_char(out, '}');
    if (w->request_id.n) put_id(out, ",\"requestId\":", w);
    sb_z(out, ",\"opts\":{");
    put_list(out, "rooms", w->cast.rooms, w->cast.rooms_count);
    sb_char(out, ',');
    put_list(out, "except", w->cast.except, w->cast.except_count);
    put_flags(out, w);
    return rc;
}

static int put_answer(struct sb *out, const struct wire *w, const char *key)
{
    put_id(out, "\"requestId\":", w);
    return w->json.n ? put_json(out, key, w->json) : OK; /* undefined: left out */
}

static int put_members(struct sb *out, const struct wire *w)
{
    switch ((int)w->type) {
    case WIRE_CAST:
        return put_cast(out, w);
    case WIRE_JOIN:
    case WIRE_LEAVE:
        put_opts(out, &w->target);
        sb_char(out, ',');
        put_list(out, "rooms", w->rooms, w->rooms_count);
        return OK;
    case WIRE_DISCONNECT:
        put_opts(out, &w->target);
        sb_z(out, w->close ? ",\"close\":true" : ",\"close\":false");
        return OK;
    case WIRE_FETCH:
        put_opts(out, &w->target);
        put_id(out, ",\"requestId\":", w);
        return OK;
    case WIRE_FETCH_ANSWER:
        return put_answer(out, w, ",\"sockets\":");
    case WIRE_EMIT:
        return w->request_id.n ? put_answer(out, w, ",\"packet\":")
                               : put_json(out, "\"packet\":", w->json);
    case WIRE_CAST_COUNT:
        put_id(out, "\"requestId\":", w);
        sb_z(out, ",\"clientCount\":");
        sb_u64(out, w->count);
        return OK;
    default: /* WIRE_EMIT_ANSWER, WIRE_CAST_ANSWER */
        return put_answer(out, w, ",\"packet\":");
    }
}

int wire_data_put(const struct wire *w, struct sb *out)
{
    int rc;

    if (!wire_data_number(w)) return ERR_NOT_FOUND;
    if (w->type == WIRE_BEAT || w->type == WIRE_CLOSE) return OK;
    sb_char(out, '{');
    rc = put_members(out, w);
    sb_char(out, '}');
    return rc;
}

/* ---- MessagePack ---- */

static const struct str *attachments_of(const struct wire *w, unsigned *count)
{
    bool is_cast = w->type == WIRE_CAST;

    *count = is_cast ? w->cast.attachments_count : w->attachments_count;
    return is_cast ? w->cast.attachments : w->attachments;
}

bool wire_data_has_binary(const struct wire *w)
{
    unsigned count;

    (void)attachments_of(w, &count);
    return count != 0;
}

int wire_data_pack(const struct wire *w, struct str json, struct sb *out)
{
    unsigned count;
    const struct str *attachments = attachments_of(w, &count);

    return msgpack_from_json_deep(json, WIRE_DATA_DEPTH_MAX, attachments, count, out);
}

int wire_data_unpack(struct wire_data *d, struct str bytes, struct sb *json, struct json *out)
{
    int rc;

    json->n = 0;
    d->attachments.count = 0;
    rc = msgpack_to_json_deep(&bytes, WIRE_DATA_DEPTH_MAX, json, &d->attachments);
    if (rc == OK && bytes.n) rc = ERR_PROTO;
    /* a map of MessagePack may have keys that are no text of JSON */
    return rc == OK ? json_parse_deep(sb_view(json), WIRE_DATA_DEPTH_MAX, out) : rc;
}

/* ---- reading ---- */

void wire_data_begin(struct wire_data *d, size_t bytes)
{
    d->scratch.n = 0;
    sb_reserve(&d->scratch, bytes); /* json_text: what was given out must not move */
    d->wire = (struct wire){0};
}

int wire_data_id(struct wire_data *d, struct json v, struct str *out)
{
    if (v.type != JSON_STRING) return ERR_PROTO;
    if (v.raw.n > 6 * WIRE_DATA_ID_MAX) return ERR_LIMIT;
    if (json_text(v, &d->scratch, out) != OK) return ERR_PROTO;
    return out->n <= WIRE_DATA_ID_MAX ? OK : ERR_LIMIT;
}

enum { LIST_ROOMS, LIST_EXCEPT, LIST_NEW };

/* Node's rooms may be numbers too; here they are their text. */
static int read_list(struct wire_data *d, int which, struct json v, unsigned *count)
{
    struct str rest = json_begin(v);
    struct json item;
    size_t n;

    *count = 0;
    if (v.type == JSON_NULL) return OK;
    if (v.type != JSON_ARRAY) return ERR_PROTO; /* read as "all" it would reach too many */
    n = json_count(v);
    if (n > WIRE_DATA_ROOMS_MAX) return ERR_LIMIT;
    if (n > d->caps[which]) {
        d->lists[which] = mem_grow(d->lists[which], n * sizeof(struct str));
        d->caps[which] = (unsigned)n;
    }
    while (json_next_item(&rest, &item)) {
        struct str *room = &d->lists[which][*count];

        if (item.type == JSON_NUMBER)
            *room = item.raw;
        else if (json_text(item, &d->scratch, room) != OK)
            return ERR_PROTO;
        ++*count;
    }
    return OK;
}

static int read_flags(struct wire_data *d, struct json v)
{
    struct str rest = json_begin(v), key;
    struct json flag;
    int64_t ms;
    bool is;

    if (v.type == JSON_NULL) return OK;
    if (v.type != JSON_OBJECT) return ERR_PROTO;
    while (json_next_member(&rest, &key, &flag)) {
        if (json_key_is(key, STR("volatile")) && json_bool(flag, &is) && is)
            d->wire.cast.flags |= ADAPTER_VOLATILE;
        if (json_key_is(key, STR("compress")) && json_bool(flag, &is) && !is)
            d->wire.cast.flags |= ADAPTER_NO_COMPRESS;
        if (json_key_is(key, STR("timeout")) && json_i64(flag, &ms) && ms > 0)
            d->wire.timeout_ms = (uint64_t)ms;
    }
    return OK;
}

static int read_opts(struct wire_data *d, struct json v)
{
    struct adapter_target *t = &d->wire.target;
    struct str rest = json_begin(v), key;
    struct json value;
    int rc = OK;

    if (v.type != JSON_OBJECT) return ERR_PROTO;
    while (rc == OK && json_next_member(&rest, &key, &value)) {
        if (json_key_is(key, STR("rooms")))
            rc = read_list(d, LIST_ROOMS, value, &t->rooms_count);
        else if (json_key_is(key, STR("except")))
            rc = read_list(d, LIST_EXCEPT, value, &t->except_count);
        else if (json_key_is(key, STR("flags")))
            rc = read_flags(d, value);
    }
    t->rooms = d->lists[LIST_ROOMS];
    t->except = d->lists[LIST_EXCEPT];
    return rc;
}

/* An event without a name or with a reserved one would throw out everybody who gets it. */
static int check_event(struct wire_data *d, struct json array, bool is_cast)
{
    struct str rest = json_begin(array), name;
    struct json first, whole;

    if (array.type != JSON_ARRAY || !json_next_item(&rest, &first)) return ERR_PROTO;
    if (first.type == JSON_STRING) {
        if (json_text(first, &d->scratch, &name) != OK) return ERR_PROTO;
        if (is_cast && wire_data_is_reserved(name)) return ERR_PROTO;
    } else if (first.type != JSON_NUMBER) { /* numbers are names as well */
        return ERR_PROTO;
    }
    return json_parse(array.raw, &whole); /* its own depth */
}

static int read_packet(struct wire_data *d, struct json packet)
{
    struct json type, array;
    int64_t t;
    int rc;

    if (packet.type != JSON_OBJECT || !json_member(packet, STR("type"), &type) ||
        !json_i64(type, &t))
        return ERR_PROTO;
    if (t != TYPE_EVENT && t != TYPE_BINARY_EVENT) return ERR_NOT_FOUND;
    if (!json_member(packet, STR("data"), &array)) return ERR_PROTO;
    rc = check_event(d, array, true);
    d->wire.cast.array = array.raw;
    return rc;
}

/* `packet` of a server-side emit and of answers; `sockets`. */
static int read_json(struct wire_data *d, struct json v)
{
    struct json whole;
    int rc = json_parse(v.raw, &whole);

    if (d->wire.type == WIRE_EMIT) rc = check_event(d, v, false);
    if (d->wire.type == WIRE_FETCH_ANSWER && v.type != JSON_ARRAY) rc = ERR_PROTO;
    d->wire.json = v.raw;
    return rc;
}

struct seen {
    bool packet, opts, rooms, count;
};

static int read_member(struct wire_data *d, struct str key, struct json v, struct seen *seen)
{
    struct wire *w = &d->wire;
    int64_t count;

    if (json_key_is(key, STR("requestId"))) return wire_data_id(d, v, &w->request_id);
    if (json_key_is(key, STR("opts"))) {
        seen->opts = true;
        return read_opts(d, v);
    }
    if (json_key_is(key, STR("packet")) && w->type == WIRE_CAST) {
        seen->packet = true;
        return read_packet(d, v);
    }
    if (json_key_is(key, w->type == WIRE_FETCH_ANSWER ? STR("sockets") : STR("packet"))) {
        seen->packet = true;
        return read_json(d, v);
    }
    if (json_key_is(key, STR("rooms"))) {
        seen->rooms = true;
        return read_list(d, LIST_NEW, v, &w->rooms_count);
    }
    if (json_key_is(key, STR("close"))) return json_bool(v, &w->close) ? OK : ERR_PROTO;
    if (!json_key_is(key, STR("clientCount"))) return OK;
    if (!json_i64(v, &count) || count < 0 || count > UINT32_MAX) return ERR_PROTO;
    w->count = (uint32_t)count;
    seen->count = true;
    return OK;
}

static bool is_whole(const struct wire *w, const struct seen *seen)
{
    switch ((int)w->type) {
    case WIRE_CAST:
        return seen->packet; /* without opts: to all, as in Node.js */
    case WIRE_JOIN:
    case WIRE_LEAVE:
        return seen->opts && seen->rooms;
    case WIRE_DISCONNECT:
        return seen->opts;
    case WIRE_FETCH:
        return seen->opts && w->request_id.n;
    case WIRE_FETCH_ANSWER:
        return seen->packet && w->request_id.n;
    case WIRE_EMIT:
        return seen->packet;
    case WIRE_CAST_COUNT:
        return seen->count && w->request_id.n;
    default: /* answers may have no value */
        return w->request_id.n != 0;
    }
}

/* What does not belong to a message of this type was none of its business. */
static void forget_strange(struct wire *w)
{
    bool is_list = w->type == WIRE_JOIN || w->type == WIRE_LEAVE;
    bool is_order = is_list || w->type == WIRE_DISCONNECT;

    if (is_order) w->request_id = STR_NONE;
    if (!is_list) w->rooms_count = 0;
    if (w->type != WIRE_DISCONNECT) w->close = false;
    if (w->type != WIRE_CAST_COUNT) w->count = 0;
    if (!is_order && w->type != WIRE_CAST && w->type != WIRE_FETCH)
        w->target = (struct adapter_target){0};
}

static void settle(struct wire_data *d, struct str nsp)
{
    struct wire *w = &d->wire;

    forget_strange(w);
    w->rooms = d->lists[LIST_NEW];
    w->target.nsp = w->cast.nsp = nsp;
    w->cast.rooms = w->target.rooms;
    w->cast.rooms_count = w->target.rooms_count;
    w->cast.except = w->target.except;
    w->cast.except_count = w->target.except_count;
    w->cast.attachments = w->attachments = d->attachments.items;
    w->cast.attachments_count = w->attachments_count = d->attachments.count;
}

int wire_data_get(struct wire_data *d, uint64_t number, const struct json *data, struct str nsp)
{
    struct seen seen = {0};
    struct str rest, key;
    struct json v;
    int rc = OK;

    if (number == 0 || number > sizeof rows / sizeof *rows) return ERR_NOT_FOUND;
    d->wire.type = rows[number - 1].type;
    d->wire.initial = number == BEAT_INITIAL;
    if (d->wire.type == WIRE_BEAT || d->wire.type == WIRE_CLOSE) return OK;
    if (!data || data->type != JSON_OBJECT) return ERR_PROTO;
    rest = json_begin(*data);
    while (rc == OK && json_next_member(&rest, &key, &v))
        rc = read_member(d, key, v, &seen);
    if (rc != OK) return rc;
    if (!is_whole(&d->wire, &seen)) return ERR_PROTO;
    settle(d, nsp);
    return OK;
}

void wire_data_fini(struct wire_data *d)
{
    for (size_t i = 0; i < sizeof d->lists / sizeof *d->lists; i++)
        mem_free(d->lists[i]);
    sb_fini(&d->scratch);
    *d = (struct wire_data){0};
}
