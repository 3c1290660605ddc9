/* HTTP requests of one connection, one at a time: head, body, then the core owes the answer.
 * Requests pipelined behind it wait in conn->in. */
#include "node/edge/edge_priv.h"

#include <arpa/inet.h>
#include "base/mem.h"
#include "base/metric.h"
#include "base/sha1.h"
#include "node/edge/forwarded.h"

/* Answers queued for one connection above which its next request is not read. */
#define UNREAD_ANSWERS_BYTES (64 * 1024)

void request_free(struct conn *c)
{
    mem_free(c->upgrade_lines);
    c->upgrade_lines = NULL;
    if (!c->body) return;
    sb_fini(&c->body->data);
    mem_free(c->body);
    c->body = NULL;
}

void request_next(struct conn *c)
{
    request_free(c);
    c->state = CONN_HEAD;
    c->is_reading = c->is_answered = false;
    c->pipe.is_closed = true;
    conn_set_deadline(c, c->edge->conf->keep_alive_ms);
    if (c->in.n) loop_at_end(c->edge->loop, &c->end);
    conn_want(c);
}

void request_refuse(struct conn *c, int status)
{
    struct http_reply r = {.status = status, .close = true};

    if (status == 426) r.headers = STR("Sec-WebSocket-Version: 13\r\n");
    metric_add_at(M_HTTP_RESPONSES, http_status_label(status), 1);
    metric_add_at(M_HTTP_REFUSED, http_status_label(status), 1);
    out_push(c, http_reply_encode(&r, false, false));
    conn_finish(c);
}

static char *upgrade_lines(const struct http_head *h)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455 1.3 */
    unsigned char digest[SHA1_SIZE];
    struct sb text = {0}, lines = {0};

    sb_str(&text, h->ws_key);
    sb_z(&text, guid);
    sha1(sb_view(&text), digest);
    sb_z(&lines, "Sec-WebSocket-Accept: ");
    sb_base64(&lines, str_of(digest, sizeof digest));
    sb_z(&lines, "\r\n");
    if (h->ws_protocol.n) {
        sb_z(&lines, "Sec-WebSocket-Protocol: ");
        sb_str(&lines, h->ws_protocol);
        sb_z(&lines, "\r\n");
    }
    sb_char(&lines, 0);
    sb_fini(&text);
    return lines.p;
}

static void begin(struct conn *c, struct http_head *h)
{
    const struct edge *e = c->edge;
    struct http_request *r = &h->request;
    char address[INET6_ADDRSTRLEN] = "", client[CIDR_TEXT_MAX];

    if (c->address_v6)
        inet_ntop(AF_INET6, &c->address_v6->sin6_addr, address, sizeof address);
    else
        inet_ntop(AF_INET, &c->address_v4, address, sizeof address);
    r->address = forwarded_client(e->trusted, str_z(address), r, client);
    metric_add(M_HTTP_REQUESTS, 1);
    c->keep_alive = h->keep_alive;
    c->head_only = r->method == HTTP_HEAD;
    c->content_length = r->has_body ? r->content_length : 0;
    if (r->is_upgrade) c->upgrade_lines = upgrade_lines(h);
    if (r->content_length == UINT64_MAX) c->body = MEM_NEW(struct conn_body);
    c->state = r->has_body ? CONN_BODY : CONN_WAIT;
    conn_set_deadline(c, r->has_body ? e->conf->body_timeout_ms : 0);
    c->pipe = (struct pipe){.ops = &conn_pipe_ops, .opened_ms = clock_ms()};
    e->handler->on_request(e->ctx, &c->pipe, r);
}

static int read_head(struct conn *c, struct str *rest)
{
    struct edge *e = c->edge;
    struct http_limits limits = {e->conf->max_head_bytes, (unsigned)e->conf->max_headers};
    struct http_head head;
    size_t used;
    int rc = http_head_decode(*rest, &limits, e->headers, &head, &used);

    if (!c->is_reading) {
        c->is_reading = true;
        conn_set_deadline(c, e->conf->head_timeout_ms);
    }
    if (rc == ERR_AGAIN) return rc;
    if (rc != OK) {
        if (head.wants_ws) metric_add_at(M_WS_REFUSED, http_status_label(head.status), 1);
        request_refuse(c, head.status);
        return rc;
    }
    *rest = str_skip(*rest, used);
    begin(c, &head);
    if (c->state == CONN_BODY && head.wants_continue && rest->n == 0 && !c->is_answered) {
        struct str line = STR("HTTP/1.1 100 Continue\r\n\r\n");

        out_push(c, buf_raw(&line, 1));
    }
    return OK;
}

static void body_done(struct conn *c, int rc, struct str body)
{
    if (c->is_answered) {
        request_next(c);
        return;
    }
    c->state = CONN_WAIT;
    conn_set_deadline(c, 0);
    if (rc == ERR_TOO_BIG) c->keep_alive = false; /* the rest of the body is never read */
    c->edge->handler->on_body(c->edge->ctx, &c->pipe, rc, body);
}

static int read_chunks(struct conn *c, struct str *rest)
{
    struct conn_body *b = c->body;
    int rc = http_chunks_decode(&b->chunks, rest, c->edge->conf->max_payload_bytes, &b->data);
    struct sb data;

    if (rc == ERR_AGAIN) return rc;
    if (rc == ERR_PROTO) {
        bool tell = !c->is_answered;

        request_refuse(c, 400);
        if (tell) c->edge->handler->on_gone(c->edge->ctx, &c->pipe, 0);
        return rc;
    }
    data = b->data;
    b->data = (struct sb){0};
    body_done(c, rc, sb_view(&data));
    sb_fini(&data);
    return OK;
}

static int read_body(struct conn *c, struct str *rest)
{
    struct str body;

    if (c->body) return read_chunks(c, rest);
    if (c->content_length > c->edge->conf->max_payload_bytes) {
        body_done(c, ERR_TOO_BIG, STR_NONE);
        return OK;
    }
    if (rest->n < c->content_length) return ERR_AGAIN;
    body = str_head(*rest, (size_t)c->content_length);
    *rest = str_skip(*rest, body.n);
    body_done(c, OK, body);
    return OK;
}

/* Who pipelines requests and does not read the answers waits: his answers would pile up here. */
static bool is_next_due(const struct conn *c, struct str rest)
{
    return c->state == CONN_HEAD && rest.n && c->out.bytes - c->out_sent < UNREAD_ANSWERS_BYTES;
}

void request_input(struct conn *c, struct str bytes)
{
    struct sb held = c->in;
    struct str rest = bytes;
    int rc = OK;

    if (held.n) {
        sb_put(&held, bytes.p, bytes.n);
        rest = sb_view(&held);
    }
    c->in = (struct sb){0};
    while (rc == OK && (c->state == CONN_BODY || is_next_due(c, rest)))
        rc = c->state == CONN_HEAD ? read_head(c, &rest) : read_body(c, &rest);
    if (held.n && rest.p == held.p && rest.n == held.n) {
        c->in = held; /* nothing was used: keep without copying */
        return;
    }
    if (rest.n && c->state < CONN_FLUSH) sb_put(&c->in, rest.p, rest.n);
    sb_fini(&held);
}
