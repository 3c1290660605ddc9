/* Reading requests and responses of the classic wire. MessagePack becomes JSON first, so that there
 * is one reader for both. Whatever Redis hands over is untrusted. */
#include "adapter/classic_request.h"

#include "adapter/classic.h"
#include "adapter/wire_data.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/forbid.h"

enum { LIST_ROOMS, LIST_EXCEPT, LIST_MORE }; /* of struct classic_request */

static int text_of(struct json v, struct classic_request *r, size_t max, struct str *out)
{
    if (v.type == JSON_NULL) return OK;
    if (v.type != JSON_STRING) return ERR_PROTO;
    if (json_text(v, &r->scratch, out) != OK) return ERR_PROTO;
    return out->n > max ? ERR_LIMIT : OK;
}

static int member_text(struct json o, struct str key, struct classic_request *r, struct str *out)
{
    struct json v;

    return json_member(o, key, &v) ? text_of(v, r, CLASSIC_ID_MAX, out) : OK;
}

/* Node's rooms may be numbers too; here they are their text. */
static int read_room(struct json v, struct classic_request *r, struct str *out)
{
    if (v.type == JSON_NUMBER) {
        *out = v.raw;
        return OK;
    }
    return v.type == JSON_STRING ? text_of(v, r, SIZE_MAX, out) : ERR_PROTO;
}

static int read_list(struct json o, struct str key, struct classic_request *r, int which,
                     unsigned *count)
{
    struct json list, item;
    struct str rest;
    size_t n;

    *count = 0;
    if (!json_member(o, key, &list) || list.type == JSON_NULL) return OK;
    if (list.type != JSON_ARRAY) return ERR_PROTO; /* read as "all" it would reach too many */
    n = json_count(list);
    if (n > CLASSIC_ROOMS_MAX) return ERR_LIMIT;
    if (n > r->caps[which]) {
        r->lists[which] = mem_grow(r->lists[which], n * sizeof(struct str));
        r->caps[which] = (unsigned)n;
    }
    rest = json_begin(list);
    while (json_next_item(&rest, &item)) {
        int rc = read_room(item, r, &r->lists[which][*count]);

        if (rc != OK) return rc;
        ++*count;
    }
    return OK;
}

static void read_flags(struct json opts, struct wire *w)
{
    struct json flags, v;
    double ms;
    bool on;

    if (!json_member(opts, STR("flags"), &flags) || flags.type != JSON_OBJECT) return;
    if (json_member(flags, STR("timeout"), &v) && json_f64(v, &ms) && ms > 0 && ms < 1e15)
        w->timeout_ms = (uint64_t)ms;
    if (json_member(flags, STR("volatile"), &v) && json_bool(v, &on) && on)
        w->cast.flags |= ADAPTER_VOLATILE;
    if (json_member(flags, STR("compress"), &v) && json_bool(v, &on) && !on)
        w->cast.flags |= ADAPTER_NO_COMPRESS;
}

static int read_opts(struct json o, struct classic_request *r)
{
    struct adapter_target *t = &r->wire.target;
    struct json opts;
    int rc;

    t->nsp = r->wire.nsp;
    if (!json_member(o, STR("opts"), &opts) || opts.type != JSON_OBJECT) return ERR_PROTO;
    rc = read_list(opts, STR("rooms"), r, LIST_ROOMS, &t->rooms_count);
    if (rc == OK) rc = read_list(opts, STR("except"), r, LIST_EXCEPT, &t->except_count);
    t->rooms = r->lists[LIST_ROOMS];
    t->except = r->lists[LIST_EXCEPT];
    read_flags(opts, &r->wire);
    return rc;
}

/* A target of one socket, by its id. */
static int read_old_target(struct json o, struct classic_request *r)
{
    struct json sid;
    int rc;

    if (!json_member(o, STR("sid"), &sid) || sid.type != JSON_STRING) return ERR_PROTO;
    if (r->caps[LIST_ROOMS] < 1) {
        r->lists[LIST_ROOMS] = mem_grow(r->lists[LIST_ROOMS], sizeof(struct str));
        r->caps[LIST_ROOMS] = 1;
    }
    rc = text_of(sid, r, SIZE_MAX, &r->lists[LIST_ROOMS][0]);
    r->wire.target = (struct adapter_target){
        .nsp = r->wire.nsp, .rooms = r->lists[LIST_ROOMS], .rooms_count = 1};
    return rc == OK && r->wire.request_id.n == 0 ? ERR_PROTO : rc;
}

static bool is_old(struct json o)
{
    struct json v;

    return !json_member(o, STR("opts"), &v) || v.type != JSON_OBJECT;
}

static int read_membership(struct json o, enum wire_type type, struct classic_request *r)
{
    struct json room;
    int rc;

    r->wire.type = type;
    if (!is_old(o)) {
        r->wire.request_id = STR_NONE; /* nobody confirms these */
        rc = read_opts(o, r);
        if (rc == OK) rc = read_list(o, STR("rooms"), r, LIST_MORE, &r->wire.rooms_count);
    } else {
        rc = read_old_target(o, r);
        if (rc != OK) return rc;
        if (!json_member(o, STR("room"), &room)) return ERR_PROTO;
        if (r->caps[LIST_MORE] < 1) {
            r->lists[LIST_MORE] = mem_grow(r->lists[LIST_MORE], sizeof(struct str));
            r->caps[LIST_MORE] = 1;
        }
        r->wire.rooms_count = 1;
        rc = read_room(room, r, &r->lists[LIST_MORE][0]);
    }
    r->wire.rooms = r->lists[LIST_MORE];
    return rc;
}

static int read_disconnect(struct json o, struct classic_request *r)
{
    struct json v;

    r->wire.type = WIRE_DISCONNECT;
    if (json_member(o, STR("close"), &v)) (void)json_bool(v, &r->wire.close);
    if (is_old(o)) return read_old_target(o, r);
    r->wire.request_id = STR_NONE;
    return read_opts(o, r);
}

/* Clients close with "parse error" on an event without a name or with a reserved one. */
static int check_event(struct json array, struct sb *scratch)
{
    struct str rest, text;
    struct json name;

    if (array.type != JSON_ARRAY) return ERR_PROTO;
    rest = json_begin(array);
    if (!json_next_item(&rest, &name)) return ERR_PROTO;
    if (name.type == JSON_NUMBER) return OK; /* numbers are names as well */
    if (name.type != JSON_STRING || json_text(name, scratch, &text) != OK) return ERR_PROTO;
    return wire_data_is_reserved(text) ? ERR_PROTO : OK;
}

static int read_cast(struct json o, struct classic_request *r)
{
    struct wire *w = &r->wire;
    struct json packet, v;
    struct str nsp = w->nsp;
    int rc;

    w->type = WIRE_CAST;
    if (w->request_id.n == 0 || !json_member(o, STR("packet"), &packet)) return ERR_PROTO;
    if (packet.type != JSON_OBJECT || !json_member(packet, STR("data"), &v)) return ERR_PROTO;
    rc = read_opts(o, r);
    if (rc == OK) rc = json_parse(v.raw, &v); /* no deeper than clients may nest */
    if (rc == OK) rc = check_event(v, &r->scratch);
    if (rc != OK) return rc;
    w->cast = (struct adapter_cast){.nsp = w->nsp,
                                    .rooms = w->target.rooms,
                                    .rooms_count = w->target.rooms_count,
                                    .except = w->target.except,
                                    .except_count = w->target.except_count,
                                    .flags = w->cast.flags,
                                    .array = v.raw,
                                    .attachments = r->attachments.items,
                                    .attachments_count = r->attachments.count};
    if (json_member(packet, STR("nsp"), &v)) rc = text_of(v, r, SIZE_MAX, &nsp);
    return rc == OK && !str_eq(nsp, w->nsp) ? ERR_NOT_FOUND : rc;
}

static int read_emit(struct json o, struct classic_request *r)
{
    struct json data;

    r->wire.type = WIRE_EMIT;
    if (!json_member(o, STR("data"), &data) || data.type != JSON_ARRAY) return ERR_PROTO;
    if (json_count(data) == 0) return ERR_PROTO;
    r->wire.json = data.raw;
    return OK;
}

static int read_sockets(struct json o, struct classic_request *r)
{
    struct adapter_target *t = &r->wire.target;
    int rc = read_list(o, STR("rooms"), r, LIST_ROOMS, &t->rooms_count);

    r->wire.type = WIRE_SOCKETS;
    t->nsp = r->wire.nsp;
    t->rooms = r->lists[LIST_ROOMS];
    return rc;
}

static int read_request(struct json o, int64_t type, struct classic_request *r)
{
    bool is_question = type == 0 || type == 1 || type == 5;

    if (is_question && r->wire.request_id.n == 0) return ERR_PROTO;
    switch (type) {
    case 0:
        return read_sockets(o, r);
    case 1:
        r->wire.type = WIRE_ROOMS;
        return OK;
    case 2:
        return read_membership(o, WIRE_JOIN, r);
    case 3:
        return read_membership(o, WIRE_LEAVE, r);
    case 4:
        return read_disconnect(o, r);
    case 5:
        r->wire.type = WIRE_FETCH;
        return read_opts(o, r);
    case 6:
        return read_emit(o, r);
    case 7:
        return read_cast(o, r);
    default:
        return ERR_NOT_FOUND;
    }
}

/* ---- responses ---- */

static int read_sockets_answer(struct json list, struct classic_request *r)
{
    struct str rest = list.type == JSON_ARRAY ? json_begin(list) : STR_NONE;
    struct json item;

    if (list.type != JSON_ARRAY) return ERR_PROTO;
    r->wire.type = WIRE_FETCH_ANSWER;
    r->wire.json = list.raw;
    while (json_next_item(&rest, &item)) {
        if (item.type == JSON_STRING)
            r->wire.type = WIRE_SOCKETS_ANSWER;
        else if (item.type != JSON_OBJECT)
            return ERR_PROTO;
    }
    return OK;
}

/* Only responses about server-side emits and broadcasts say their type. */
static int read_untyped(struct json o, struct classic_request *r)
{
    struct json v;

    if (json_member(o, STR("sockets"), &v)) return read_sockets_answer(v, r);
    if (!json_member(o, STR("rooms"), &v)) return ERR_NOT_FOUND; /* an old form's "done" */
    r->wire.type = WIRE_ROOMS_ANSWER;
    r->wire.json = v.raw;
    return v.type == JSON_ARRAY ? OK : ERR_PROTO;
}

static void read_value(struct json o, struct str key, enum wire_type type, struct wire *w)
{
    struct json v;

    w->type = type;
    if (json_member(o, key, &v)) w->json = v.raw;
}

static int read_count(struct json o, struct wire *w)
{
    struct json v;
    int64_t n;

    w->type = WIRE_CAST_COUNT;
    if (!json_member(o, STR("clientCount"), &v) || !json_i64(v, &n)) return ERR_PROTO;
    if (n < 0 || n > INT32_MAX) return ERR_PROTO;
    w->count = (uint32_t)n;
    return OK;
}

static int read_response(struct json o, int64_t type, struct classic_request *r)
{
    if (r->wire.request_id.n == 0) return ERR_NOT_FOUND;
    switch (type) {
    case 6:
        read_value(o, STR("data"), WIRE_EMIT_ANSWER, &r->wire);
        return OK;
    case 8:
        return read_count(o, &r->wire);
    case 9:
        read_value(o, STR("packet"), WIRE_CAST_ANSWER, &r->wire);
        return OK;
    default:
        return read_untyped(o, r);
    }
}

/* ---- both ---- */

static int to_json(struct str *payload, struct classic_request *r)
{
    int rc;

    r->attachments.count = 0;
    if (payload->n && payload->p[0] == '{') return OK;
    r->json.n = 0;
    rc = msgpack_to_json(payload, &r->json, &r->attachments);
    if (rc == OK && payload->n) rc = ERR_PROTO;
    *payload = sb_view(&r->json);
    return rc;
}

static int decode(struct str payload, struct str nsp, struct classic_request *r,
                  int (*read)(struct json o, int64_t type, struct classic_request *r))
{
    struct json o, v;
    int64_t type = -1;
    int rc = to_json(&payload, r);

    if (rc == OK) rc = json_parse_deep(payload, JSON_DEPTH_MAX + 3, &o);
    if (rc != OK) return rc;
    if (o.type != JSON_OBJECT) return ERR_PROTO;
    r->wire = (struct wire){.nsp = nsp};
    r->scratch.n = 0;
    sb_reserve(&r->scratch, payload.n + 1); /* so that what is given out does not move */
    if (json_member(o, STR("type"), &v) && !json_i64(v, &type)) return ERR_PROTO;
    rc = member_text(o, STR("uid"), r, &r->wire.uid);
    if (rc == OK) rc = member_text(o, STR("requestId"), r, &r->wire.request_id);
    if (rc == OK) rc = read(o, type, r);
    r->wire.attachments = r->attachments.items;
    r->wire.attachments_count = r->attachments.count;
    return rc;
}

int classic_request_decode(struct str payload, struct str nsp, struct classic_request *r)
{
    return decode(payload, nsp, r, read_request);
}

int classic_response_decode(struct str payload, struct str nsp, struct classic_request *r)
{
    return decode(payload, nsp, r, read_response);
}

void classic_request_fini(struct classic_request *r)
{
    for (int i = 0; i < 3; i++)
        mem_free(r->lists[i]);
    sb_fini(&r->json);
    sb_fini(&r->scratch);
    *r = (struct classic_request){0};
}
