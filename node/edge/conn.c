/* One connection: reading, deadlines, orders of the core, the end. HTTP is request.c, WebSocket
 * ws.c, writing out.c. Nothing is freed in a callback: conn_cut closes the descriptor, the memory
 * goes at the end of the turn. */
#include "node/edge/edge_priv.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/metric.h"

#define FLUSH_MS 5000  /* for the last bytes to leave */
#define LINGER_MS 2000 /* for the peer to close after us */
#define LINGER_BYTES (1 << 20)

static bool core_holds(const struct conn *c)
{
    return c->state == CONN_WS || c->state == CONN_WAIT ||
           (c->state == CONN_BODY && !c->is_answered);
}

void conn_want(struct conn *c)
{
    bool full =
        (c->state == CONN_WAIT || c->is_blocked) && c->in.n >= c->edge->conf->max_head_bytes;

    if (c->state == CONN_CLOSED) return;
    loop_fd_want(c->watch, (full ? 0 : LOOP_READ) | (c->is_blocked ? LOOP_WRITE : 0));
}

void conn_set_deadline(struct conn *c, uint64_t ms)
{
    if (ms)
        loop_timer(c->edge->loop, &c->deadline, ms);
    else
        loop_timer_stop(c->edge->loop, &c->deadline);
}

void conn_free(struct loop_task *t)
{
    struct conn *c = LIST_OWNER(t, struct conn, end);
    struct edge *e = c->edge;

    trim_freed(&e->trim);
    out_drop(c);
    sb_fini(&c->in);
    ws_free(c);
    request_free(c);
    list_unlink(&c->node);
    mem_free(c->address_v6);
    mem_free(c);
}

void conn_cut(struct conn *c)
{
    struct edge *e = c->edge;

    if (c->state == CONN_CLOSED) return;
    c->state = CONN_CLOSED;
    c->pipe.is_closed = true;
    if (c->pipe.is_ws) metric_shift(M_WS_OPEN, -1);
    conn_set_deadline(c, 0);
    loop_fd_free(c->watch);
    close(c->fd);
    list_unlink(&c->node);
    list_push(&e->closing, &c->node);
    list_unlink(&c->dirty);
    e->count--;
    metric_shift(M_CONNECTIONS, -1);
    loop_task_cancel(&c->end);
    loop_task_init(&c->end, conn_free);
    loop_free_at_end(e->loop, &c->end);
}

void conn_lose(struct conn *c, int code)
{
    bool tell = core_holds(c);

    conn_cut(c);
    if (tell) c->edge->handler->on_gone(c->edge->ctx, &c->pipe, code);
}

void conn_finish(struct conn *c)
{
    if (c->state >= CONN_FLUSH) return;
    c->state = CONN_FLUSH;
    c->pipe.is_closed = true;
    conn_set_deadline(c, FLUSH_MS);
    conn_want(c);
}

void conn_flushed(struct conn *c)
{
    if (c->state == CONN_HEAD && c->in.n) loop_at_end(c->edge->loop, &c->end); /* it waited */
    if (c->state != CONN_FLUSH) return;
    c->state = CONN_LINGER;
    shutdown(c->fd, SHUT_WR);
    conn_set_deadline(c, LINGER_MS);
}

static void on_deadline(struct timer *t)
{
    struct conn *c = LIST_OWNER(t, struct conn, deadline);
    const struct edge_handler *h = c->edge->handler;
    bool tell = core_holds(c);

    if (c->state > CONN_BODY || (c->state == CONN_HEAD && !c->is_reading)) {
        conn_cut(c);
        return;
    }
    metric_add(M_HTTP_TIMEOUTS, 1);
    request_refuse(c, 408);
    if (tell) h->on_gone(c->edge->ctx, &c->pipe, 0);
}

static void on_bytes(struct conn *c, char *bytes, size_t n)
{
    metric_add(M_BYTES_IN, n);
    if (c->state == CONN_WS) {
        ws_input(c, bytes, n);
    } else if (c->state >= CONN_FLUSH) { /* nobody reads this any more */
        c->lingered += (uint32_t)n;
        if (c->lingered > LINGER_BYTES) conn_cut(c);
    } else {
        request_input(c, str_of(bytes, n));
    }
    if (c->state == CONN_WAIT || c->state == CONN_HEAD) conn_want(c);
}

static void on_ready(void *ctx, int what)
{
    struct conn *c = ctx;
    ssize_t n;

    if (what & LOOP_WRITE) out_flush(c);
    if (c->state == CONN_CLOSED || !(what & LOOP_READ)) return;
    n = recv(c->fd, c->edge->read_scratch, READ_BYTES, 0);
    if (n > 0)
        on_bytes(c, c->edge->read_scratch, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        conn_lose(c, 0);
}

/* Goes on with input that waited for the previous request's answer, or came right behind an
 * upgrade. */
static void on_rest(struct loop_task *t)
{
    struct conn *c = LIST_OWNER(t, struct conn, end);

    if (c->state == CONN_WS)
        ws_input(c, NULL, 0);
    else if (c->state == CONN_HEAD)
        request_input(c, STR_NONE);
    conn_want(c);
}

static void set_address(struct conn *c, const struct sockaddr_storage *from)
{
    if (from->ss_family == AF_INET) {
        struct sockaddr_in v4;

        memcpy(&v4, from, sizeof v4);
        c->address_v4 = v4.sin_addr.s_addr;
    } else if (from->ss_family == AF_INET6) {
        c->address_v6 = MEM_NEW(struct sockaddr_in6);
        memcpy(c->address_v6, from, sizeof *c->address_v6);
    }
}

void conn_open(struct edge *e, int fd, const struct sockaddr_storage *from)
{
    struct conn *c = MEM_NEW(struct conn);
    int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->pipe.ops = &conn_pipe_ops;
    c->pipe.is_closed = true;
    c->edge = e;
    c->fd = fd;
    set_address(c, from);
    list_init(&c->dirty);
    timer_init(&c->deadline, on_deadline);
    loop_task_init(&c->end, on_rest);
    c->watch = loop_fd_new(e->loop, fd, on_ready, c);
    list_push(&e->conns, &c->node);
    e->count++;
    metric_shift(M_CONNECTIONS, 1);
    metric_add(M_CONNECTIONS_ACCEPTED, 1);
    conn_set_deadline(c, e->conf->head_timeout_ms);
    conn_want(c);
}

/* ---- orders of the core (edge.h) ---- */

static void order_reply(struct pipe *p, const struct http_reply *r)
{
    struct conn *c = LIST_OWNER(p, struct conn, pipe);
    bool body_is_small =
        c->state != CONN_BODY || c->content_length <= c->edge->conf->max_payload_bytes;
    bool is_draining = !c->edge->listen_watch; /* the next request belongs to another node */
    bool keep = c->keep_alive && !r->close && body_is_small && !is_draining;

    if (p->is_closed || p->is_ws) return;
    metric_add_at(M_HTTP_RESPONSES, http_status_label(r->status), 1);
    out_push(c, http_reply_encode(r, keep, c->head_only));
    p->is_closed = true;
    if (!keep)
        conn_finish(c);
    else if (c->state == CONN_BODY)
        c->is_answered = true;
    else
        request_next(c);
}

static void order_accept(struct pipe *p, struct str headers)
{
    struct conn *c = LIST_OWNER(p, struct conn, pipe);
    struct str lines[4] = {
        STR("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"),
        str_z(c->upgrade_lines), headers, STR("\r\n")};

    if (p->is_closed || !c->upgrade_lines || p->is_ws) return;
    out_push(c, buf_raw(lines, 4));
    metric_add(M_WS_ACCEPTED, 1);
    metric_shift(M_WS_OPEN, 1);
    request_free(c);
    p->is_ws = true;
    c->state = CONN_WS;
    conn_set_deadline(c, 0);
    loop_at_end(c->edge->loop, &c->end); /* early frames behind the request */
}

static void order_send(struct pipe *p, struct buf *b)
{
    struct conn *c = LIST_OWNER(p, struct conn, pipe);

    if (c->state != CONN_WS) {
        buf_unref(b);
        return;
    }
    metric_add(M_WS_FRAMES_OUT, 1);
    out_push(c, b);
}

static void order_close(struct pipe *p, int code)
{
    struct conn *c = LIST_OWNER(p, struct conn, pipe);

    if (c->state == CONN_WS)
        ws_close(c, code);
    else if (!p->is_closed)
        conn_cut(c);
}

static size_t order_queued(const struct pipe *p)
{
    const struct conn *c = (const struct conn *)(const void *)p; /* pipe is its first member */

    return c->is_blocked ? c->out.bytes - c->out_sent : 0;
}

const struct pipe_ops conn_pipe_ops = {
    .reply = order_reply,
    .accept = order_accept,
    .send = order_send,
    .close = order_close,
    .queued = order_queued,
};
