/* See session_wire.h. */
#include "adapter/session_wire.h"

#include "adapter/msgpack.h"
#include "base/mem.h"
#include "base/forbid.h"

/* ---- writing ---- */

static void put_text(struct sb *b, struct str key, struct str value)
{
    msgpack_put_str(b, key);
    msgpack_put_str(b, value);
}

void session_wire_encode(const struct session *s, struct sb *out)
{
    struct sb b = {0};
    size_t more = (size_t)(s->since.n != 0) + (size_t)s->has_who + (size_t)s->is_live +
                  (size_t)(s->generation != 0);

    msgpack_put_map(&b, 4 + more);
    put_text(&b, STR("sid"), s->sid);
    put_text(&b, STR("pid"), s->pid);
    msgpack_put_str(&b, STR("rooms"));
    msgpack_put_array(&b, s->rooms_count);
    for (unsigned i = 0; i < s->rooms_count; i++)
        msgpack_put_str(&b, s->rooms[i]);
    msgpack_put_str(&b, STR("data"));
    if (s->data.n)
        sb_str(&b, s->data);
    else
        msgpack_put_map(&b, 0);
    if (s->since.n) put_text(&b, STR("since"), s->since);
    if (s->has_who) put_text(&b, STR("who"), s->who);
    if (s->is_live) {
        msgpack_put_str(&b, STR("live"));
        msgpack_put_bool(&b, true);
    }
    if (s->generation) {
        msgpack_put_str(&b, STR("generation"));
        msgpack_put_uint(&b, s->generation);
    }
    sb_base64(out, sb_view(&b));
    sb_fini(&b);
}

/* ---- reading ---- */

static int read_text(struct str *rest, struct str *out)
{
    struct msgpack v;
    int rc = msgpack_expect(rest, MSGPACK_STR, &v);

    if (rc == OK) *out = v.bytes;
    return rc;
}

static int read_rooms(struct str *rest, struct session_wire *w)
{
    struct msgpack v;
    int rc = msgpack_expect(rest, MSGPACK_ARRAY, &v);

    if (rc != OK) return rc;
    if (v.count > SESSION_ROOMS_MAX) return ERR_LIMIT;
    if (v.count > w->rooms_cap) {
        w->rooms = mem_grow(w->rooms, v.count * sizeof *w->rooms);
        w->rooms_cap = v.count;
    }
    for (uint32_t i = 0; rc == OK && i < v.count; i++)
        rc = read_text(rest, &w->rooms[i]);
    w->session.rooms = w->rooms;
    w->session.rooms_count = v.count;
    return rc;
}

static int read_member(struct str key, struct str *rest, struct session_wire *w)
{
    struct session *s = &w->session;
    struct str start = *rest;
    struct msgpack v;
    int rc;

    if (str_eq(key, STR("sid"))) return read_text(rest, &s->sid);
    if (str_eq(key, STR("pid"))) return read_text(rest, &s->pid);
    if (str_eq(key, STR("since"))) return read_text(rest, &s->since);
    if (str_eq(key, STR("rooms"))) return read_rooms(rest, w);
    if (str_eq(key, STR("who"))) {
        s->has_who = true;
        return read_text(rest, &s->who);
    }
    if (str_eq(key, STR("live"))) {
        rc = msgpack_expect(rest, MSGPACK_BOOL, &v);
        s->is_live = rc == OK && v.b;
        return rc;
    }
    if (str_eq(key, STR("generation"))) {
        rc = msgpack_expect(rest, MSGPACK_UINT, &v);
        if (rc == OK) s->generation = v.u;
        return rc;
    }
    rc = msgpack_skip(rest);
    if (rc == OK && str_eq(key, STR("data"))) s->data = str_head(start, start.n - rest->n);
    return rc;
}

int session_wire_decode(struct str text, struct session_wire *w)
{
    struct msgpack map;
    struct str rest, key;
    int rc;

    w->session = (struct session){0};
    w->bytes.n = 0;
    if (text.n > SESSION_BYTES_MAX) return ERR_LIMIT;
    rc = sb_base64_decode(&w->bytes, text);
    if (rc != OK) return rc;
    rest = sb_view(&w->bytes);
    rc = msgpack_expect(&rest, MSGPACK_MAP, &map);
    for (uint32_t i = 0; rc == OK && i < map.count; i++) {
        rc = read_text(&rest, &key);
        if (rc == OK) rc = read_member(key, &rest, w);
    }
    if (rc == OK && (rest.n || !w->session.sid.n || !w->session.pid.n)) rc = ERR_PROTO;
    return rc;
}

void session_wire_fini(struct session_wire *w)
{
    sb_fini(&w->bytes);
    mem_free(w->rooms);
    *w = (struct session_wire){0};
}
