/* A pipe becomes a transport: the parked GET, the POST being read, the frames of a WebSocket. The
 * odd cases are those of socketio-wire 1.4; each ends in an answer, so no pipe is left without one.
 */
#include "node/eio/payload.h"
#include "node/eio/session_priv.h"
#include "base/forbid.h"

static struct eio_exchange *exchange_new(const struct eio_request *q, struct eio_session *s)
{
    struct eio_exchange *x = mem_new(1, sizeof *x + q->cors.n);

    x->owner.kind = EIO_OWNER_EXCHANGE;
    x->session = s;
    x->pipe = q->pipe;
    x->cors_size = q->cors.n;
    if (q->cors.n > 0) memcpy(x->cors, q->cors.p, q->cors.n);
    q->pipe->user = x;
    return x;
}

static void exchange_free(struct eio_exchange *x)
{
    x->pipe->user = NULL;
    mem_free(x);
}

static struct str cors_of(const struct eio_exchange *x)
{
    return str_of(x->cors, x->cors_size);
}

/* ---- GET ---- */

void eio_transport_answer_batch(struct eio_session *s, struct str body, bool is_octets,
                                bool may_compress)
{
    struct eio_exchange *x = s->get;
    const struct conf *c = s->eio->conf;
    struct sb headers = {0}, packed = {0};
    struct http_reply reply = {.status = 200, .body = body};

    reply.content_type =
        is_octets ? STR("application/octet-stream") : STR("text/plain; charset=UTF-8");
    s->get = NULL;
    sb_str(&headers, cors_of(x));
    sb_z(&headers, "cache-control: no-store\r\n");
    if (may_compress && c->http_compression && x->encoding != EIO_ENCODING_NONE &&
        body.n >= c->compress_min_bytes &&
        eio_compress_body(&s->eio->compress, x->encoding, body, &packed) == OK) {
        sb_printf(&headers, "Content-Encoding: %s\r\n", eio_compress_name(x->encoding));
        reply.body = sb_view(&packed);
        metric_add(M_POLL_COMPRESSED, 1);
    }
    reply.headers = sb_view(&headers);
    x->pipe->user = NULL;
    pipe_reply(x->pipe, &reply);
    mem_free(x);
    sb_fini(&headers);
    sb_fini(&packed);
}

void eio_transport_answer_get(struct eio_session *s, struct str packet)
{
    struct sb body = {0};

    eio_payload_put_text(&body, s->protocol, packet);
    eio_transport_answer_batch(s, sb_view(&body), false, false);
    sb_fini(&body);
}

void eio_transport_release(struct pipe *p)
{
    struct eio_owner *o = p->user;
    struct eio_session *s;

    if (!o || o->kind != EIO_OWNER_EXCHANGE) return;
    s = eio_exchange_of(o)->session;
    if (s->get == eio_exchange_of(o) && s->queue.count == 0)
        eio_transport_answer_get(s, STR("6")); /* else it is due in this turn anyway */
}

static void answer_last_get(
    struct eio_session *s) /* "6\x1e1": no poll was parked when the session was closed */
{
    struct sb body = {0};

    eio_payload_put_text(&body, s->protocol, STR("6"));
    eio_payload_put_text(&body, s->protocol, STR("1"));
    eio_transport_answer_batch(s, sb_view(&body), false, false);
    sb_fini(&body);
    eio_session_end(s, CLOSE_FORCED_SERVER_CLOSE, STR("1"));
}

static void on_get(const struct eio_request *q, struct eio_session *s)
{
    if (s->get) {
        eio_answer_empty(q->pipe, 400, q->cors, false);
        eio_session_end(s, CLOSE_TRANSPORT_ERROR, STR("1"));
        return;
    }
    s->get = exchange_new(q, s);
    s->get->encoding = eio_compress_choose(http_header(q->r, STR("accept-encoding")));
    if (s->state == EIO_STATE_CLOSING && s->queue.count == 0) {
        answer_last_get(s);
    } else if (s->queue.count > 0) {
        eio_send_flush_soon(s);
    }
}

/* ---- POST ---- */

static void read_packets(struct eio_session *s, enum eio_payload_form form, struct str body)
{
    struct eio_payload payload;
    struct eio_packet packet;
    struct sb scratch = {0};
    int rc = eio_payload_start(&payload, form, body, s->eio->conf->max_packets);

    while (rc == OK && s->state < EIO_STATE_CLOSING) {
        rc = eio_payload_next(&payload, &scratch, &packet);
        if (rc == OK) eio_session_packet(s, &packet);
    }
    sb_fini(&scratch);
    if (rc == OK || rc == ERR_AGAIN) return;
    metric_add(M_EIO_PARSE_ERRORS, 1);
    eio_session_end(s, CLOSE_PARSE_ERROR, STR("1"));
}

void eio_transport_body(struct eio_exchange *x, int rc, struct str body)
{
    struct eio_session *s = x->session;
    enum eio_payload_form form = s->protocol == 4 ? EIO_PAYLOAD_V4
                                 : x->is_octets   ? EIO_PAYLOAD_V3_BINARY
                                                  : EIO_PAYLOAD_V3_TEXT;

    if (!x->is_post) return;
    s->post = NULL; /* from here on the end of the session leaves this pipe alone */
    x->pipe->user = NULL;
    if (rc == ERR_TOO_BIG || body.n > s->eio->conf->max_payload_bytes) {
        eio_answer_empty(x->pipe, 413, cors_of(x), true);
    } else if (rc != OK) {
        eio_answer_empty(x->pipe, 400, cors_of(x), true);
    } else {
        if (s->state < EIO_STATE_CLOSING) read_packets(s, form, body);
        eio_answer(x->pipe, 200, "text/html", cors_of(x), STR("ok"));
    }
    mem_free(x);
}

static bool is_octet_stream(const struct http_request *r)
{
    struct str type, params;

    (void)str_cut(http_header(r, STR("content-type")), ';', &type, &params);
    return str_eq_nocase(str_trim(type), STR("application/octet-stream"));
}

static void on_post(const struct eio_request *q, struct eio_session *s)
{
    bool is_octets = is_octet_stream(q->r);

    if (s->post || (is_octets && s->protocol == 4)) {
        eio_answer_empty(q->pipe, 400, q->cors, q->r->has_body);
        eio_session_end(s, CLOSE_TRANSPORT_ERROR, STR("1"));
        return;
    }
    if (q->r->content_length != UINT64_MAX &&
        q->r->content_length > s->eio->conf->max_payload_bytes) {
        eio_answer_empty(q->pipe, 413, q->cors, true);
        return;
    }
    s->post = exchange_new(q, s);
    s->post->is_post = true;
    s->post->is_octets = is_octets;
    if (!q->r->has_body) eio_transport_body(s->post, OK, STR(""));
}

/* ---- both ---- */

void eio_transport_gone(struct eio_exchange *x) /* the client gave up a poll, or a POST midway */
{
    struct eio_session *s = x->session;

    if (x->is_post) {
        s->post = NULL;
    } else {
        s->get = NULL;
    }
    exchange_free(x);
    if (s->state < EIO_STATE_CLOSING) eio_session_end(s, CLOSE_TRANSPORT_ERROR, STR("1"));
}

void eio_transport_request(const struct eio_request *q, struct eio_session *s)
{
    const struct http_request *r = q->r;

    if (q->protocol != s->protocol || q->is_websocket != r->is_upgrade || s->ws) {
        eio_refuse(q->pipe, r->is_upgrade, q->cors, EIO_ERROR_BAD_REQUEST);
    } else if (r->is_upgrade) {
        eio_probe_start(q, s);
    } else if (r->method == HTTP_GET) {
        on_get(q, s);
    } else if (r->method == HTTP_POST) {
        on_post(q, s);
    } else {
        eio_answer_empty(q->pipe, 500, q->cors, r->has_body);
    }
}

void eio_transport_message(struct eio_session *s, struct str data, bool binary)
{
    struct eio_packet packet;
    struct sb scratch = {0};

    if (eio_packet_decode(s->protocol, data, binary, &scratch, &packet) == OK) {
        eio_session_packet(s, &packet);
    } else {
        metric_add(M_EIO_PARSE_ERRORS, 1);
        eio_session_end(s, CLOSE_PARSE_ERROR, STR("1"));
    }
    sb_fini(&scratch);
}
