/* The way of a request: checks in the order of the Node.js server, then a known session
 * (transport.c), another node's session (remote) or a new one. Source: engine.io 6.6
 * `Server.verify`, socketio-wire 1.1-1.5. */
#include "base/clock.h"
#include "node/eio/payload.h"
#include "node/eio/remote.h"
#include "node/eio/session_priv.h"
#include "base/forbid.h"

/* Bounds of what is kept of a header: a session lives long and a peer chose the size. */
enum { KEPT_HEADER_BYTES = 1024, KEPT_LONG_BYTES = 2048 };

static bool is_clean_header(struct str value) /* as checkInvalidHeaderChar of Node.js */
{
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f) return false;
    }
    return true;
}

static int protocol_of(const struct eio *e, struct str query)
{
    struct str v;

    if (!str_query(query, STR("EIO"), &v)) return e->conf->eio3 ? 3 : 0;
    if (str_eq(v, STR("4"))) return 4;
    return str_eq(v, STR("3")) && e->conf->eio3 ? 3 : 0;
}

/* Transport, JSONP, origin: what can be said before the session is known. False: refused. */
static bool check_head(struct eio_request *q, bool origin_ok)
{
    const struct http_request *r = q->r;
    struct str transport = STR_NONE, origin = http_header(r, STR("origin")), v;

    (void)str_query(r->query, STR("transport"), &transport);
    q->is_websocket = str_eq(transport, STR("websocket"));
    if (!q->is_websocket && !str_eq(transport, STR("polling"))) {
        eio_refuse(q->pipe, r->is_upgrade, q->cors, EIO_ERROR_UNKNOWN_TRANSPORT);
        return false;
    }
    if (!is_clean_header(origin)) {
        eio_refuse(q->pipe, r->is_upgrade, q->cors, EIO_ERROR_BAD_REQUEST);
        return false;
    }
    /* A request of another node was checked there, beside its Host. */
    if (r->is_upgrade && !origin_ok && origin.p && q->eio->conf->ws_origin_check &&
        !remote_is_served(q->pipe)) {
        eio_refuse(q->pipe, true, q->cors, EIO_ERROR_FORBIDDEN);
        return false;
    }
    if (!q->is_websocket && str_query(r->query, STR("j"), &v)) {
        eio_refuse(q->pipe, r->is_upgrade, q->cors, EIO_ERROR_JSONP);
        return false;
    }
    return true;
}

static bool check_new(const struct eio_request *q)
{
    enum eio_error error;

    if (q->r->method != HTTP_GET) {
        error = EIO_ERROR_BAD_METHOD;
    } else if (q->is_websocket != q->r->is_upgrade) {
        error = EIO_ERROR_BAD_REQUEST;
    } else if (q->protocol == 0) {
        error = EIO_ERROR_UNSUPPORTED_PROTOCOL;
    } else if (q->eio->sessions.count >= q->eio->conf->max_connections) {
        /* A polling session needs no connection to stay: the edge's own limit does not see it. */
        error = EIO_ERROR_FULL;
    } else {
        return true;
    }
    eio_refuse(q->pipe, q->r->is_upgrade, q->cors, error);
    return false;
}

static void keep_handshake(struct eio_session *s, const struct http_request *r)
{
    struct eio_handshake *h = &s->handshake;
    const struct {
        struct str from, *to;
        size_t max;
    } kept[] = {
        {r->query, &h->query, KEPT_LONG_BYTES},
        {http_header(r, STR("origin")), &h->origin, KEPT_HEADER_BYTES},
        {http_header(r, STR("authorization")), &h->authorization, KEPT_LONG_BYTES},
        {http_header(r, STR("user-agent")), &h->user_agent, KEPT_HEADER_BYTES},
        {r->address, &h->address, KEPT_HEADER_BYTES},
        {http_header(r, STR("cookie")), &h->cookie, KEPT_HEADER_BYTES},
    };
    size_t count = sizeof kept / sizeof kept[0], n = 0;

    for (size_t i = 0; i < count; i++) {
        n += str_head(kept[i].from, kept[i].max).n;
    }
    s->strings = mem_new(n, 1);
    n = 0;
    for (size_t i = 0; i < count; i++) {
        struct str part = str_head(kept[i].from, kept[i].max);

        if (!part.p) continue; /* absent stays STR_NONE */
        if (part.n > 0) memcpy(s->strings + n, part.p, part.n);
        *kept[i].to = str_of(s->strings + n, part.n);
        n += part.n;
    }
    h->wall_ms = clock_wall_ms();
}

static void put_open_packet(const struct eio_session *s, bool may_upgrade, struct sb *out)
{
    const struct conf *c = s->eio->conf;

    sb_z(out, "0{\"sid\":\"");
    sb_put(out, s->id, EIO_ID_SIZE);
    sb_z(out, may_upgrade ? "\",\"upgrades\":[\"websocket\"]" : "\",\"upgrades\":[]");
    sb_printf(out, ",\"pingInterval\":%llu,\"pingTimeout\":%llu,\"maxPayload\":%llu}",
              (unsigned long long)c->ping_interval_ms, (unsigned long long)c->ping_timeout_ms,
              (unsigned long long)c->max_payload_bytes);
}

static void handshake(const struct eio_request *q)
{
    struct eio_session *s = eio_session_new(q);
    struct sb packet = {0}, body = {0};

    keep_handshake(s, q->r);
    put_open_packet(s, !q->is_websocket, &packet);
    if (q->is_websocket) {
        pipe_accept(q->pipe, q->cors);
        q->pipe->user = s;
        s->ws = q->pipe;
        s->fast = s->b64 ? NULL : q->pipe;
        pipe_send(q->pipe, buf_text(sb_view(&packet)));
    } else {
        eio_payload_put_text(&body, s->protocol, sb_view(&packet));
        eio_answer(q->pipe, 200, "text/plain; charset=UTF-8", q->cors, sb_view(&body));
    }
    sb_fini(&packet);
    sb_fini(&body);
    metric_add_at(M_SESSIONS_OPENED, q->is_websocket, 1);
    if (s->protocol == 3) metric_add(M_SESSIONS_EIO3, 1);
    eio_session_open(s);
}

static bool is_sid(struct str sid)
{
    if (sid.n != EIO_ID_SIZE) return false;
    for (size_t i = 0; i < sid.n; i++) {
        char c = sid.p[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!alnum && c != '-' && c != '_') return false;
    }
    return true;
}

static void with_sid(const struct eio_request *q)
{
    struct eio *e = q->eio;
    struct eio_session *s;
    bool is_ours;

    if (!is_sid(q->sid)) {
        eio_refuse(q->pipe, q->r->is_upgrade, q->cors, EIO_ERROR_UNKNOWN_SID);
        return;
    }
    is_ours = memcmp(q->sid.p, e->node_id, EIO_NODE_ID_SIZE) == 0;
    s = is_ours ? map_get(&e->sessions, q->sid) : NULL;
    if (s) {
        eio_transport_request(q, s);
    } else if (!is_ours && e->remote && !remote_is_served(q->pipe)) {
        remote_ask(e->remote, q);
    } else {
        eio_refuse(q->pipe, q->r->is_upgrade, q->cors, EIO_ERROR_UNKNOWN_SID);
    }
}

void eio_on_request(struct eio *e, struct pipe *p, const struct http_request *r)
{
    struct sb cors = {0};
    bool is_preflight = r->method == HTTP_OPTIONS && e->cors;
    bool origin_ok = true;
    struct eio_request q = {.eio = e, .pipe = p, .r = r, .protocol = protocol_of(e, r->query)};
    struct str b64;

    if (e->cors) origin_ok = e->cors->headers(e->cors->ctx, r, is_preflight, &cors);
    q.cors = sb_view(&cors);
    q.b64 = str_query(r->query, STR("b64"), &b64) && b64.n > 0;
    (void)str_query(r->query, STR("sid"), &q.sid);
    if (is_preflight) {
        eio_answer_empty(p, 204, q.cors, false);
    } else if (check_head(&q, origin_ok)) {
        if (q.sid.n > 0) {
            with_sid(&q);
        } else if (check_new(&q)) {
            handshake(&q);
        }
    }
    sb_fini(&cors);
}
