/* The owner: a pipe whose client is on another node. To the engine it is a pipe like any other; its
 * orders travel back as messages, the frames of a turn in one. A message that did not arrive ends
 * the session's hold on it. */
#include "node/eio/remote_priv.h"
#include "node/eio/session_priv.h"
#include "base/forbid.h"

enum { FRAMES_BYTES = 262144, CLOSE_GOING_AWAY = 1001 };

static const struct pipe_ops serve_ops;

bool remote_is_served(const struct pipe *p)
{
    return p->ops == &serve_ops;
}

static struct remote_serve *serve_of(struct pipe *p)
{
    return (struct remote_serve *)(void *)p;
}

static void unref(struct remote_serve *v)
{
    if (--v->refs > 0) return;
    list_unlink(&v->node);
    sb_fini(&v->frames);
    mem_free(v);
}

static void free_at_end(struct loop_task *t)
{
    unref(LIST_OWNER(t, struct remote_serve, flush));
}

static void finish(struct remote_serve *v)
{
    struct loop *loop = v->remote->eio->loop;

    if (!v->peer) return;
    (void)map_del(&v->remote->serves, str_of(v->key, sizeof v->key));
    list_unlink(&v->node);
    list_push(&v->remote->ended, &v->node);
    v->peer->serves_count--;
    metric_shift(M_REMOTE_PIPES, -1);
    v->peer = NULL;
    v->pipe.is_closed = true;
    loop_task_cancel(&v->flush);
    loop_task_init(&v->flush, free_at_end);
    loop_free_at_end(loop, &v->flush);
}

static void lose(struct remote_serve *v, int code)
{
    struct eio *e = v->remote->eio;

    if (!v->peer) return;
    v->refs++;
    eio_on_gone(e, &v->pipe, code);
    finish(v);
    unref(v);
}

/* A message to the asker was lost: with it a frame, or the data of a poll. The client would miss
 * something without knowing, so what it hung on ends. Done at the end of the turn: the engine may
 * be in the middle of an order. */
static void on_lost(struct loop_task *t)
{
    struct remote_serve *v = LIST_OWNER(t, struct remote_serve, lost);
    struct eio_session *s;

    if (v->remote && v->peer) {
        lose(v, 0);
    } else if (v->remote && v->is_get) {
        s = map_get(&v->remote->eio->sessions, str_of(v->sid, EIO_ID_SIZE));
        if (s && !s->ws) eio_session_end(s, CLOSE_TRANSPORT_ERROR, STR("1"));
    }
    unref(v);
}

static void on_sent(void *ctx, int rc)
{
    struct remote_serve *v = ctx;

    if (rc != OK && v->remote && !v->is_lost) {
        metric_add(M_REMOTE_FAILED, 1);
        v->is_lost = true;
        v->refs++;
        loop_at_end(v->remote->eio->loop, &v->lost);
    }
    unref(v);
}

static void send(struct remote_serve *v, struct remote_message *m)
{
    struct sb payload = {0};

    m->pipe = v->number;
    m->seq = v->seq_out++;
    remote_wire_encode(m, &payload);
    v->refs++;
    adapter_send(v->remote->adapter, str_of(v->key, EIO_NODE_ID_SIZE), ADAPTER_PIPE,
                 sb_view(&payload), on_sent, v);
    sb_fini(&payload);
}

/* ---- orders of the engine ---- */

static void order_reply(struct pipe *p, const struct http_reply *r)
{
    struct remote_serve *v = serve_of(p);
    struct remote_message m = {.kind = REMOTE_REPLY};

    if (p->is_closed) return;
    m.numbers[REPLY_STATUS] = (uint64_t)r->status;
    m.numbers[REPLY_CLOSE] = r->close;
    m.texts[REPLY_TYPE] = r->content_type;
    m.texts[REPLY_HEADERS] = r->headers;
    m.texts[REPLY_BODY] = r->body;
    send(v, &m);
    finish(v);
}

static void order_accept(struct pipe *p, struct str headers)
{
    struct remote_message m = {.kind = REMOTE_ACCEPT};

    if (p->is_closed) return;
    p->is_ws = true;
    m.texts[ACCEPT_HEADERS] = headers;
    send(serve_of(p), &m);
}

static void flush(struct remote_serve *v)
{
    struct remote_message m = {.kind = REMOTE_SEND};

    if (v->frames.n == 0 || v->pipe.is_closed) return;
    m.texts[SEND_FRAMES] = sb_view(&v->frames);
    send(v, &m);
    sb_fini(&v->frames); /* an idle pipe keeps nothing */
    v->frames = (struct sb){0};
}

static void flush_at_end(struct loop_task *t)
{
    flush(LIST_OWNER(t, struct remote_serve, flush));
}

static void order_send(struct pipe *p, struct buf *b)
{
    struct remote_serve *v = serve_of(p);

    if (!p->is_closed && !(b->flags & BUF_RAW)) {
        remote_wire_put_frame(&v->frames, b->flags & BUF_BINARY ? 2 : 1, buf_body(b));
        v->sent_bytes += b->len - b->head;
        loop_at_end(v->remote->eio->loop, &v->flush);
        if (v->frames.n >= FRAMES_BYTES) flush(v);
    }
    buf_unref(b);
}

static void order_close(struct pipe *p, int code)
{
    struct remote_serve *v = serve_of(p);
    struct remote_message m = {.kind = REMOTE_CLOSE, .numbers = {(uint64_t)code}};

    if (p->is_closed) return;
    flush(v);
    send(v, &m);
    finish(v);
}

/* The asker tells what its client has not taken; what was sent since counts too once something is
 * stuck. */
static size_t order_queued(const struct pipe *p)
{
    const struct remote_serve *v = (const struct remote_serve *)(const void *)p;

    if (v->window_queued == 0) return 0;
    return (size_t)(v->window_queued + (v->sent_bytes - v->window_received));
}

static const struct pipe_ops serve_ops = {
    .reply = order_reply,
    .accept = order_accept,
    .send = order_send,
    .close = order_close,
    .queued = order_queued,
};

/* ---- messages of the asker ---- */

static void put_key(char key[EIO_NODE_ID_SIZE + 8], struct str from, uint64_t number)
{
    memcpy(key, from.p, EIO_NODE_ID_SIZE);
    memcpy(key + EIO_NODE_ID_SIZE, &number, sizeof number);
}

static struct remote_serve *serve_new(struct eio_remote *r, struct remote_peer *peer,
                                      const struct remote_message *m, struct str sid)
{
    struct remote_serve *v = MEM_NEW(struct remote_serve);

    v->pipe.ops = &serve_ops;
    v->remote = r;
    v->peer = peer;
    v->number = m->pipe;
    v->seq_in = 1;
    v->refs = 1;
    v->is_get = m->numbers[OPEN_METHOD] == HTTP_GET && !(m->numbers[OPEN_FLAGS] & OPEN_IS_UPGRADE);
    v->awaits_body = m->numbers[OPEN_FLAGS] & OPEN_HAS_BODY;
    loop_task_init(&v->flush, flush_at_end);
    loop_task_init(&v->lost, on_lost);
    memcpy(v->sid, sid.p, EIO_ID_SIZE);
    put_key(v->key, str_of(peer->id, EIO_NODE_ID_SIZE), m->pipe);
    (void)map_put(&r->serves, str_of(v->key, sizeof v->key), v);
    list_push(&peer->serves, &v->node);
    peer->serves_count++;
    metric_shift(M_REMOTE_PIPES, 1);
    peer->last_opened = m->pipe;
    return v;
}

static void feed_open(struct remote_serve *v, const struct remote_message *m)
{
    const struct http_header headers[] = {
        {STR("origin"), m->texts[OPEN_ORIGIN]},
        {STR("accept-encoding"), m->texts[OPEN_ACCEPT_ENCODING]},
        {STR("content-type"), m->texts[OPEN_CONTENT_TYPE]},
    };
    struct http_header present[3];
    struct http_request r = {
        .method = (enum http_method)m->numbers[OPEN_METHOD],
        .method_text = m->texts[OPEN_METHOD_TEXT],
        .path = m->texts[OPEN_PATH],
        .query = m->texts[OPEN_QUERY],
        .address = m->texts[OPEN_ADDRESS],
        .is_upgrade = m->numbers[OPEN_FLAGS] & OPEN_IS_UPGRADE,
        .has_body = m->numbers[OPEN_FLAGS] & OPEN_HAS_BODY,
        .content_length = m->numbers[OPEN_LENGTH],
        .headers = present,
    };

    for (size_t i = 0; i < 3; i++) {
        if (headers[i].value.n > 0) present[r.headers_count++] = headers[i];
    }
    eio_on_request(v->remote->eio, &v->pipe, &r);
}

static void on_open(struct eio_remote *r, struct str from, const struct remote_message *m)
{
    struct remote_peer *peer;
    struct remote_serve *v;
    struct str sid;

    /* Only requests for a session travel, and a number is used once: a repeated message opens
     * nothing. */
    if (m->seq != 0 || m->numbers[OPEN_METHOD] == HTTP_OPTIONS ||
        !str_query(m->texts[OPEN_QUERY], STR("sid"), &sid) || sid.n != EIO_ID_SIZE) {
        metric_add(M_REDIS_GARBAGE, 1);
        return;
    }
    peer = remote_peer_make(r, from);
    if (!peer || m->pipe <= peer->last_opened) {
        metric_add(M_REDIS_GARBAGE, 1);
        return;
    }
    metric_add(M_REMOTE_SERVED, 1);
    v = serve_new(r, peer, m, sid);
    if (peer->serves_count > r->eio->conf->max_connections) {
        eio_refuse(&v->pipe, m->numbers[OPEN_FLAGS] & OPEN_IS_UPGRADE, STR_NONE,
                   EIO_ERROR_UNREACHABLE);
        return;
    }
    feed_open(v, m);
}

/* The client gave up a poll while our answer was on its way: what was in it is lost, as for a poll
 * cut here. */
static void on_gone_unknown(struct eio_remote *r, const struct remote_message *m)
{
    struct eio_session *s;

    if (!m->numbers[GONE_IS_GET] || m->texts[GONE_SID].n != EIO_ID_SIZE) return;
    s = map_get(&r->eio->sessions, m->texts[GONE_SID]);
    if (s && !s->ws) eio_session_end(s, CLOSE_TRANSPORT_ERROR, STR("1"));
}

static int feed(struct remote_serve *v, const struct remote_message *m)
{
    struct eio *e = v->remote->eio;
    uint64_t max = e->conf->max_payload_bytes;

    switch (m->kind) {
    case REMOTE_BODY:
        if (!v->awaits_body || m->texts[BODY_DATA].n > max) return ERR_PROTO;
        v->awaits_body = false;
        eio_on_body(e, &v->pipe, -(int)m->numbers[BODY_RC], m->texts[BODY_DATA]);
        return OK;
    case REMOTE_MESSAGE:
        if (!v->pipe.is_ws || m->texts[MESSAGE_DATA].n > max) return ERR_PROTO;
        if (!m->numbers[MESSAGE_BINARY] && !str_is_utf8(m->texts[MESSAGE_DATA])) return ERR_PROTO;
        eio_on_message(e, &v->pipe, m->texts[MESSAGE_DATA], m->numbers[MESSAGE_BINARY]);
        return OK;
    case REMOTE_GONE:
        lose(v, (int)m->numbers[GONE_CODE]);
        return OK;
    case REMOTE_WINDOW:
        if (m->numbers[WINDOW_RECEIVED] > v->sent_bytes) return ERR_PROTO;
        v->window_queued = m->numbers[WINDOW_QUEUED];
        v->window_received = m->numbers[WINDOW_RECEIVED];
        return OK;
    case REMOTE_RELEASE:
        if (!v->is_get) return ERR_PROTO;
        eio_transport_release(&v->pipe);
        return OK;
    case REMOTE_OPEN:
    case REMOTE_REPLY:
    case REMOTE_ACCEPT:
    case REMOTE_SEND:
    case REMOTE_CLOSE:
    case REMOTE_KIND_COUNT:
        break;
    }
    return ERR_PROTO;
}

void remote_serve_message(struct eio_remote *r, struct str from, const struct remote_message *m)
{
    char key[EIO_NODE_ID_SIZE + 8];
    struct remote_serve *v;

    put_key(key, from, m->pipe);
    v = map_get(&r->serves, str_of(key, sizeof key));
    if (!v) {
        if (m->kind == REMOTE_OPEN) on_open(r, from, m);
        if (m->kind == REMOTE_GONE) on_gone_unknown(r, m);
        return; /* others: the pipe ended while it was on its way */
    }
    v->refs++;
    if (m->seq != v->seq_in++ || feed(v, m) != OK) { /* a gap, a repetition, or nonsense */
        metric_add(M_REMOTE_FAILED, 1);
        if (v->peer) {
            struct pipe *p = &v->pipe;

            eio_on_gone(r->eio, p, 0);
            order_close(p, CLOSE_GOING_AWAY);
        }
    }
    unref(v);
}

void remote_serve_node_down(struct eio_remote *r, struct remote_peer *peer)
{
    size_t count = peer->serves_count;

    (void)r;
    while (count-- > 0 && !list_is_empty(&peer->serves)) {
        lose(LIST_OWNER(peer->serves.next, struct remote_serve, node), 0);
    }
}

void remote_serve_forget(struct remote_serve *v)
{
    bool was_alive = v->peer != NULL; /* an ended one is freed by its task or its last message */

    v->remote = NULL;
    v->peer = NULL;
    if (!was_alive) return;
    v->pipe.is_closed = true;
    loop_task_cancel(&v->flush);
    unref(v);
}
