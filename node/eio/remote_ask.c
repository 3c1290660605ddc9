/* The asker: a client's pipe here, its session on another node. Orders of the owner are carried out
 * as they come; when the owner is gone or silent, the client gets the answer that makes it
 * reconnect. */
#include "base/clock.h"
#include "node/eio/remote_priv.h"
#include "base/forbid.h"

enum {
    STEP_MS = 5000,  /* for what the owner does at once */
    WINDOW_MS = 100, /* between two looks at the queue of a client that gets frames */
    DUE_MS = 500,    /* between two tries to tell an owner that a pipe is gone */
    DUE_MAX = 10000,
    CLOSE_GOING_AWAY = 1001 /* RFC 6455 7.4.1 */
};

static void unref(struct remote_ask *k)
{
    if (--k->refs == 0) mem_free(k);
}

static void end(struct remote_ask *k) /* the pipe was answered, closed or is gone */
{
    struct loop *loop = k->remote->eio->loop;

    loop_timer_stop(loop, &k->deadline);
    loop_timer_stop(loop, &k->window);
    (void)map_del(&k->remote->asks, str_of(&k->number, sizeof k->number));
    list_unlink(&k->node);
    k->peer->asks_count--;
    metric_shift(M_REMOTE_PIPES, -1);
    remote_peer_unused(k->remote, k->peer);
    k->peer = NULL;
    k->pipe->user = NULL;
    k->pipe = NULL;
    unref(k);
}

static void fail(struct remote_ask *k, int rc)
{
    struct pipe *p = k->pipe;
    bool is_upgrade = k->is_upgrade, is_ws;

    if (!p) return;
    is_ws = p->is_ws;
    metric_add(M_REMOTE_FAILED, 1);
    k->refs++;
    end(k);
    if (is_ws) {
        pipe_close(p, CLOSE_GOING_AWAY);
    } else {
        eio_refuse(p, is_upgrade, str_of(k->cors, k->cors_size),
                   rc == ERR_NOT_FOUND ? EIO_ERROR_UNKNOWN_SID : EIO_ERROR_UNREACHABLE);
    }
    unref(k);
}

/* Redis did not say that it took a message; a Redis that hung, or was only slow, may carry it out
 * all the same, later. The owner would then answer a poll that nobody waits for, and what was in
 * the answer would be lost without the client's knowing, or keep a WebSocket that has ended. So it
 * is told GONE until that arrives, or until its heartbeat has ended the session anyway. */
static void due_begin(struct remote_ask *k)
{
    struct eio_remote *r = k->remote;
    const struct conf *c = r->eio->conf;

    if (!k->is_due) {
        if (r->due_count >= DUE_MAX) return;
        k->is_due = true;
        k->due_until_ms = clock_ms() + c->ping_interval_ms + c->ping_timeout_ms;
        k->refs++;
        r->due_count++;
        list_push(&r->due, &k->node);
    }
    loop_timer(r->eio->loop, &k->deadline, DUE_MS);
}

static void due_end(struct remote_ask *k)
{
    k->is_due = false;
    k->remote->due_count--;
    loop_timer_stop(k->remote->eio->loop, &k->deadline);
    list_unlink(&k->node);
    unref(k);
}

static void on_sent(void *ctx, int rc)
{
    struct remote_ask *k = ctx;

    if (k->remote) {
        if (rc != OK && k->pipe) fail(k, rc);
        if (k->is_due && (rc == OK || rc == ERR_NOT_FOUND))
            due_end(k);
        else if (rc != OK && rc != ERR_NOT_FOUND && k->may_be_open)
            due_begin(k);
    }
    unref(k);
}

static void send(struct remote_ask *k, struct remote_message *m)
{
    struct sb payload = {0};

    m->pipe = k->number;
    m->seq = k->seq_out++;
    remote_wire_encode(m, &payload);
    k->refs++;
    adapter_send(k->remote->adapter, str_of(k->sid, EIO_NODE_ID_SIZE), ADAPTER_PIPE,
                 sb_view(&payload), on_sent, k);
    sb_fini(&payload);
}

static void say_gone(struct remote_ask *k, int code)
{
    struct remote_message m = {.kind = REMOTE_GONE};

    m.numbers[GONE_CODE] = code > 0 && code < 5000 ? (uint64_t)code : 0;
    m.numbers[GONE_IS_GET] = k->is_get;
    m.texts[GONE_SID] = str_of(k->sid, EIO_ID_SIZE);
    send(k, &m);
}

/* We give up, and the owner has to know. */
static void break_off(struct remote_ask *k, int rc)
{
    k->refs++;
    say_gone(k, 0);
    if (k->pipe) fail(k, rc);
    unref(k);
}

static void on_deadline(struct timer *t)
{
    struct remote_ask *k = LIST_OWNER(t, struct remote_ask, deadline);

    if (!k->is_due)
        break_off(k, ERR_TIMEOUT);
    else if (clock_ms() >= k->due_until_ms)
        due_end(k);
    else if (adapter_is_connected(k->remote->adapter))
        say_gone(k, 0);
    else
        loop_timer(k->remote->eio->loop, &k->deadline, DUE_MS);
}

static void on_window(struct timer *t)
{
    struct remote_ask *k = LIST_OWNER(t, struct remote_ask, window);
    const struct eio *e = k->remote->eio;
    uint64_t queued = pipe_queued(k->pipe);
    struct remote_message m = {.kind = REMOTE_WINDOW};

    if (queued >= 2 * e->conf->out_hard_bytes) { /* the owner should have ended it long ago */
        metric_add(M_SLOW_CLOSED, 1);
        break_off(k, ERR_LIMIT);
        return;
    }
    if (queued > 0) loop_timer(e->loop, &k->window, WINDOW_MS);
    if (queued == k->reported_bytes) return;
    k->reported_bytes = queued;
    m.numbers[WINDOW_QUEUED] = queued < UINT32_MAX ? queued : UINT32_MAX;
    m.numbers[WINDOW_RECEIVED] = k->received_bytes;
    send(k, &m);
}

static struct remote_ask *ask_new(struct eio_remote *r, struct remote_peer *peer,
                                  const struct eio_request *q)
{
    struct remote_ask *k = mem_new(1, sizeof *k + q->cors.n);

    k->owner.kind = EIO_OWNER_ASK;
    k->remote = r;
    k->peer = peer;
    k->pipe = q->pipe;
    k->number = r->next_number++;
    k->refs = 1;
    k->is_upgrade = q->r->is_upgrade;
    k->is_get = q->r->method == HTTP_GET && !q->r->is_upgrade;
    timer_init(&k->deadline, on_deadline);
    timer_init(&k->window, on_window);
    memcpy(k->sid, q->sid.p, EIO_ID_SIZE);
    k->cors_size = q->cors.n;
    if (q->cors.n > 0) memcpy(k->cors, q->cors.p, q->cors.n);
    list_push(&peer->asks, &k->node);
    peer->asks_count++;
    metric_shift(M_REMOTE_PIPES, 1);
    (void)map_put(&r->asks, str_of(&k->number, sizeof k->number), k);
    q->pipe->user = k;
    return k;
}

static void send_open(struct remote_ask *k, const struct http_request *r)
{
    struct remote_message m = {.kind = REMOTE_OPEN};

    k->may_be_open = adapter_is_connected(k->remote->adapter);
    m.numbers[OPEN_METHOD] = r->method;
    m.numbers[OPEN_FLAGS] =
        (r->is_upgrade ? OPEN_IS_UPGRADE : 0u) | (r->has_body ? OPEN_HAS_BODY : 0u);
    m.numbers[OPEN_LENGTH] = r->content_length;
    m.texts[OPEN_METHOD_TEXT] = r->method_text;
    m.texts[OPEN_PATH] = r->path;
    m.texts[OPEN_QUERY] = r->query;
    m.texts[OPEN_ADDRESS] = r->address;
    m.texts[OPEN_ORIGIN] = http_header(r, STR("origin"));
    m.texts[OPEN_ACCEPT_ENCODING] = http_header(r, STR("accept-encoding"));
    m.texts[OPEN_CONTENT_TYPE] = http_header(r, STR("content-type"));
    send(k, &m);
}

void remote_ask(struct eio_remote *r, const struct eio_request *q)
{
    const struct conf *c = r->eio->conf;
    struct str node = str_head(q->sid, EIO_NODE_ID_SIZE);
    struct remote_peer *peer;
    struct remote_ask *k;

    /* A stopped process still holds its channel: nobody would answer, and nobody would say so. */
    if (adapter_is_lost(r->adapter, node)) {
        metric_add(M_REMOTE_FAILED, 1);
        eio_refuse(q->pipe, q->r->is_upgrade, q->cors, EIO_ERROR_UNKNOWN_SID);
        return;
    }
    peer = remote_peer_make(r, node);
    if (!peer || peer->asks_count >= c->max_connections) {
        metric_add(M_REMOTE_FAILED, 1);
        eio_refuse(q->pipe, q->r->is_upgrade, q->cors, EIO_ERROR_UNREACHABLE);
        return;
    }
    metric_add(M_REMOTE_REQUESTS, 1);
    k = ask_new(r, peer, q);
    if (k->is_get) { /* parked: the owner's heartbeat answers it in time */
        loop_timer(r->eio->loop, &k->deadline, c->ping_interval_ms + c->ping_timeout_ms + STEP_MS);
    } else if (!q->r->has_body) {
        loop_timer(r->eio->loop, &k->deadline, STEP_MS);
    }
    send_open(k, q->r); /* k may be gone after this */
}

void remote_ask_body(struct remote_ask *k, int rc, struct str body)
{
    struct remote_message m = {.kind = REMOTE_BODY};

    m.numbers[BODY_RC] = rc < 0 && rc > -255 ? (uint64_t)-rc : 0;
    m.texts[BODY_DATA] = rc == OK ? body : STR_NONE;
    loop_timer(k->remote->eio->loop, &k->deadline, STEP_MS);
    send(k, &m);
}

void remote_ask_message(struct remote_ask *k, struct str data, bool binary)
{
    struct remote_message m = {.kind = REMOTE_MESSAGE};

    m.numbers[MESSAGE_BINARY] = binary;
    m.texts[MESSAGE_DATA] = data;
    send(k, &m);
}

void remote_ask_gone(struct remote_ask *k, int code)
{
    k->refs++;
    say_gone(k, code);
    if (k->pipe) end(k);
    unref(k);
}

/* ---- orders of the owner ---- */

static int on_reply(struct remote_ask *k, const struct remote_message *m)
{
    struct pipe *p = k->pipe;
    const struct http_reply reply = {
        .status = (int)m->numbers[REPLY_STATUS],
        .content_type = m->texts[REPLY_TYPE],
        .headers = m->texts[REPLY_HEADERS],
        .body = m->texts[REPLY_BODY],
        .close = m->numbers[REPLY_CLOSE],
    };
    struct sb type_line = {0};
    bool is_clean;

    sb_str(&type_line, reply.content_type); /* checked as if it were a line of its own */
    sb_z(&type_line, reply.content_type.n > 0 ? "\r\n" : "");
    is_clean =
        remote_wire_are_headers(sb_view(&type_line)) && remote_wire_are_headers(reply.headers);
    sb_fini(&type_line);
    if (p->is_ws || reply.status < 200 || !is_clean) return ERR_PROTO;
    end(k);
    pipe_reply(p, &reply);
    return OK;
}

static int on_accept(struct remote_ask *k, const struct remote_message *m)
{
    if (!k->is_upgrade || k->pipe->is_ws) return ERR_PROTO;
    if (!remote_wire_are_headers(m->texts[ACCEPT_HEADERS])) return ERR_PROTO;
    loop_timer_stop(k->remote->eio->loop, &k->deadline);
    pipe_accept(k->pipe, m->texts[ACCEPT_HEADERS]);
    return OK;
}

static int on_send(struct remote_ask *k, const struct remote_message *m)
{
    struct str rest = m->texts[SEND_FRAMES], data;
    int opcode, rc = OK;

    if (!k->pipe->is_ws) return ERR_PROTO;
    while ((rc = remote_wire_next_frame(&rest, &opcode, &data)) == OK) {
        pipe_send(k->pipe, buf_frame(opcode, &data, 1));
        k->received_bytes += data.n;
    }
    if (!timer_is_set(&k->window)) loop_timer(k->remote->eio->loop, &k->window, WINDOW_MS);
    return rc == ERR_AGAIN ? OK : rc;
}

static int on_close(struct remote_ask *k, const struct remote_message *m)
{
    struct pipe *p = k->pipe;

    end(k);
    pipe_close(p, (int)m->numbers[CLOSE_CODE]);
    return OK;
}

void remote_ask_answer(struct eio_remote *r, struct str from, const struct remote_message *m)
{
    static int (*const carry_out[REMOTE_KIND_COUNT])(struct remote_ask *,
                                                     const struct remote_message *) = {
        [REMOTE_REPLY] = on_reply,
        [REMOTE_ACCEPT] = on_accept,
        [REMOTE_SEND] = on_send,
        [REMOTE_CLOSE] = on_close,
    };
    struct remote_ask *k = map_get(&r->asks, str_of(&m->pipe, sizeof m->pipe));

    if (!k)
        return; /* the client left while the answer was on its way: our GONE is with the owner */
    if (memcmp(k->peer->id, from.p, EIO_NODE_ID_SIZE) != 0) {
        metric_add(M_REDIS_GARBAGE, 1);
        return;
    }
    if (m->seq != k->seq_in++ || carry_out[m->kind](k, m) != OK) break_off(k, ERR_PROTO);
}

void remote_ask_node_down(struct eio_remote *r, struct remote_peer *peer)
{
    size_t count = peer->asks_count; /* what is begun meanwhile is not touched */

    (void)r;
    while (count-- > 0 && !list_is_empty(&peer->asks)) {
        fail(LIST_OWNER(peer->asks.next, struct remote_ask, node), ERR_NOT_FOUND);
    }
}

/* The owner answers the poll with a noop; its session lives on. */
static void release(struct remote_ask *k)
{
    struct remote_message m = {.kind = REMOTE_RELEASE};

    k->is_released = true;
    loop_timer(k->remote->eio->loop, &k->deadline, STEP_MS);
    send(k, &m);
}

size_t remote_close_some(struct eio_remote *r, size_t *count)
{
    size_t i = 0;
    struct remote_ask *k;

    while (*count > 0 && (k = map_next(&r->asks, &i)) != NULL) {
        if (k->is_upgrade) {
            break_off(k, ERR_UNAVAILABLE);
            i = 0; /* the entry is gone */
        } else if (k->is_get && !k->is_released) {
            release(k);
        } else {
            continue; /* a POST: answered in a moment */
        }
        --*count;
    }
    return r->asks.count;
}

void remote_ask_forget(struct remote_ask *k)
{
    loop_timer_stop(k->remote->eio->loop, &k->deadline);
    loop_timer_stop(k->remote->eio->loop, &k->window);
    k->remote = NULL;
    k->pipe = NULL;
    unref(k);
}
