/* Writing requests and responses of the classic wire: JSON, and MessagePack where Node.js uses it
 * or where there is binary. Key order as captured from Node.js. */
#include "adapter/classic_request.h"

#include "adapter/msgpack.h"
#include "base/json.h"
#include "base/forbid.h"

/* ---- JSON ---- */

static void key(struct sb *out, const char *name) /* the first one opens the object */
{
    sb_z(out, out->n && out->p[out->n - 1] == '{' ? "\"" : ",\"");
    sb_z(out, name);
    sb_z(out, "\":");
}

static void put_text(struct sb *out, const char *name, struct str text)
{
    if (text.n == 0) return;
    key(out, name);
    sb_json(out, text);
}

static void put_type(struct sb *out, int type)
{
    key(out, "type");
    sb_i64(out, type);
}

static void put_names(struct sb *out, const char *name, const struct str *items, unsigned count)
{
    key(out, name);
    sb_char(out, '[');
    for (unsigned i = 0; i < count; i++) {
        if (i) sb_char(out, ',');
        sb_json(out, items[i]);
    }
    sb_char(out, ']');
}

static void put_opts(struct sb *out, const struct adapter_target *t)
{
    key(out, "opts");
    sb_char(out, '{');
    put_names(out, "rooms", t->rooms, t->rooms_count);
    put_names(out, "except", t->except, t->except_count);
    sb_char(out, '}');
}

static int put_json(struct sb *out, const char *name, struct str json)
{
    struct json v;
    int rc = json_parse_deep(json, JSON_DEPTH_MAX + 2, &v); /* one that peers cannot read is ours */

    if (rc != OK) return rc;
    key(out, name);
    sb_str(out, v.raw);
    return OK;
}

static int put_request(const struct wire *w, struct sb *out)
{
    static const int types[] = {[WIRE_JOIN] = 2,  [WIRE_LEAVE] = 3, [WIRE_DISCONNECT] = 4,
                                [WIRE_FETCH] = 5, [WIRE_EMIT] = 6,  [WIRE_ROOMS] = 1};

    put_type(out, types[w->type]);
    if (w->type == WIRE_EMIT) return put_json(out, "data", w->json);
    if (w->type == WIRE_ROOMS) return OK;
    put_opts(out, &w->target);
    if (w->type == WIRE_JOIN || w->type == WIRE_LEAVE)
        put_names(out, "rooms", w->rooms, w->rooms_count);
    if (w->type == WIRE_DISCONNECT) {
        key(out, "close");
        sb_z(out, w->close ? "true" : "false");
    }
    return OK;
}

/* An old form's "done" is an answer about sockets without any. */
static int put_answer(const struct wire *w, struct sb *out)
{
    if (w->json.n == 0) return OK;
    return put_json(out, w->type == WIRE_ROOMS_ANSWER ? "rooms" : "sockets", w->json);
}

static int put_object(const struct wire *w, struct sb *out,
                      int (*rest)(const struct wire *w, struct sb *out))
{
    int rc;

    sb_char(out, '{');
    put_text(out, "uid", w->uid);
    put_text(out, "requestId", w->request_id);
    rc = rest(w, out);
    sb_char(out, '}');
    return rc;
}

static int put_count(const struct wire *w, struct sb *out)
{
    put_type(out, 8);
    key(out, "clientCount");
    sb_u64(out, w->count);
    return OK;
}

static int put_emit_answer(const struct wire *w, struct sb *out)
{
    put_type(out, 6);
    return w->json.n ? put_json(out, "data", w->json) : OK;
}

static int put_sockets(const struct wire *w, struct sb *out)
{
    put_type(out, 0);
    put_names(out, "rooms", w->target.rooms, w->target.rooms_count);
    return OK;
}

/* ---- MessagePack ---- */

static void pack_key(struct sb *out, const char *name)
{
    msgpack_put_str(out, str_z(name));
}

static void pack_ids(const struct wire *w, struct sb *out)
{
    if (w->uid.n) {
        pack_key(out, "uid");
        msgpack_put_str(out, w->uid);
    }
    pack_key(out, "requestId");
    msgpack_put_str(out, w->request_id);
}

static void pack_type(struct sb *out, int type)
{
    pack_key(out, "type");
    msgpack_put_int(out, type);
}

static void pack_names(struct sb *out, const char *name, const struct str *items, unsigned count)
{
    pack_key(out, name);
    msgpack_put_array(out, count);
    for (unsigned i = 0; i < count; i++)
        msgpack_put_str(out, items[i]);
}

static void pack_flags(const struct wire *w, struct sb *out)
{
    bool is_volatile = w->cast.flags & ADAPTER_VOLATILE;
    bool is_plain = w->cast.flags & ADAPTER_NO_COMPRESS;

    pack_key(out, "flags");
    msgpack_put_map(out, (size_t)is_volatile + (size_t)is_plain + (w->timeout_ms ? 1u : 0u));
    if (w->timeout_ms) {
        pack_key(out, "timeout");
        msgpack_put_uint(out, w->timeout_ms);
    }
    if (is_volatile) {
        pack_key(out, "volatile");
        msgpack_put_bool(out, true);
    }
    if (is_plain) {
        pack_key(out, "compress");
        msgpack_put_bool(out, false);
    }
}

static int pack_cast(const struct wire *w, struct sb *out)
{
    const struct adapter_cast *c = &w->cast;
    int rc;

    msgpack_put_map(out, w->uid.n ? 5 : 4);
    pack_ids(w, out);
    pack_type(out, 7);
    pack_key(out, "packet");
    msgpack_put_map(out, 3);
    pack_type(out, 2);
    pack_key(out, "data");
    rc = msgpack_from_json(c->array, c->attachments, c->attachments_count, out);
    if (rc != OK) return rc;
    pack_key(out, "nsp");
    msgpack_put_str(out, w->nsp);
    pack_key(out, "opts");
    msgpack_put_map(out, 3);
    pack_names(out, "rooms", c->rooms, c->rooms_count);
    pack_names(out, "except", c->except, c->except_count);
    pack_flags(w, out);
    return OK;
}

static int pack_value(const struct wire *w, int type, const char *name, struct sb *out)
{
    msgpack_put_map(out, 2u + (w->uid.n ? 1u : 0u) + (w->json.n ? 1u : 0u));
    pack_type(out, type);
    pack_ids(w, out);
    if (w->json.n == 0) return OK;
    pack_key(out, name);
    return msgpack_from_json(w->json, w->attachments, w->attachments_count, out);
}

bool classic_request_is_answer(enum wire_type type)
{
    return type == WIRE_FETCH_ANSWER || type == WIRE_EMIT_ANSWER || type == WIRE_CAST_COUNT ||
           type == WIRE_CAST_ANSWER || type == WIRE_ROOMS_ANSWER || type == WIRE_SOCKETS_ANSWER;
}

int classic_request_encode(const struct wire *w, struct sb *out)
{
    switch (w->type) {
    case WIRE_JOIN:
    case WIRE_LEAVE:
    case WIRE_DISCONNECT:
    case WIRE_FETCH:
    case WIRE_EMIT:
    case WIRE_ROOMS:
        return put_object(w, out, put_request);
    case WIRE_SOCKETS:
        return put_object(w, out, put_sockets);
    case WIRE_FETCH_ANSWER:
    case WIRE_ROOMS_ANSWER:
    case WIRE_SOCKETS_ANSWER:
        return put_object(w, out, put_answer);
    case WIRE_CAST_COUNT:
        return put_object(w, out, put_count);
    case WIRE_EMIT_ANSWER:
        if (w->attachments_count) return pack_value(w, 6, "data", out);
        return put_object(w, out, put_emit_answer);
    case WIRE_CAST:
        return pack_cast(w, out);
    case WIRE_CAST_ANSWER:
        return pack_value(w, 9, "packet", out);
    case WIRE_BEAT:
    case WIRE_CLOSE:
    default:
        return ERR_NOT_FOUND;
    }
}
