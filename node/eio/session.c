/* One client's session: its states, its packets, its end. Bytes go out through send.c, come in
 * through transport.c; whatever ends a session ends in eio_session_end, and on_close is called
 * exactly once. */
#include <assert.h>
#include "node/eio/session_priv.h"
#include "base/forbid.h"

#define TO(state) (1u << EIO_STATE_##state)
static const unsigned next_states[] = {
    [EIO_STATE_OPENING] = TO(OPEN),
    [EIO_STATE_OPEN] = TO(PROBING) | TO(CLOSING) | TO(CLOSED),
    [EIO_STATE_PROBING] = TO(OPEN) | TO(CLOSED),
    [EIO_STATE_CLOSING] = TO(CLOSED),
    [EIO_STATE_CLOSED] = 0,
};

void eio_session_move(struct eio_session *s, enum eio_state next)
{
    assert(next_states[s->state] & (1u << next));
    s->state = next;
}

struct eio_session *eio_session_new(const struct eio_request *q)
{
    struct eio *e = q->eio;
    struct eio_session *s = MEM_NEW(struct eio_session);

    s->owner.kind = EIO_OWNER_SESSION;
    s->eio = e;
    s->protocol = (uint8_t)q->protocol;
    s->b64 = q->b64;
    s->state = EIO_STATE_OPENING;
    loop_task_init(&s->flush, eio_send_end_of_turn);
    timer_init(&s->slow, eio_send_slow_fired);
    do {
        eio_new_id(e, s->id);
    } while (map_get(&e->sessions, eio_session_id(s)));
    (void)map_put(&e->sessions, eio_session_id(s), s);
    list_push(&e->open, &s->node);
    e->open_count++;
    metric_shift(M_SESSIONS, 1);
    eio_heartbeat_start(s);
    return s;
}

static void release(struct eio_session *s)
{
    loop_task_cancel(&s->flush);
    loop_timer_stop(s->eio->loop, &s->beat);
    loop_timer_stop(s->eio->loop, &s->slow);
    buf_queue_clear(&s->queue);
}

void eio_session_free(struct eio_session *s)
{
    release(s);
    if (!s->is_told) metric_shift(M_SESSIONS, -1);
    if (s->probe) eio_probe_free(s->probe);
    mem_free(s->get);
    mem_free(s->post);
    mem_free(s->strings);
    mem_free(s);
}

static void
free_at_end(struct loop_task *t) /* all was let go by eio_session_end; the engine may be gone */
{
    struct eio_session *s = LIST_OWNER(t, struct eio_session, flush);

    mem_free(s->strings);
    mem_free(s);
}

void eio_session_open(struct eio_session *s)
{
    eio_session_move(s, EIO_STATE_OPEN);
    s->eio->app->on_open(s->eio->app_ctx, s);
}

/* The app hears of the end, once, before anything is freed. */
static void tell(struct eio_session *s, enum close_reason why)
{
    if (s->is_told) return;
    s->is_told = true;
    list_unlink(&s->node);
    s->eio->open_count--;
    metric_shift(M_SESSIONS, -1);
    metric_add_at(M_SESSIONS_CLOSED, (unsigned)why, 1);
    if (why == CLOSE_SLOW) metric_add(M_SLOW_CLOSED, 1);
    s->eio->app->on_close(s->eio->app_ctx, s, why);
}

static void drop_pipes(struct eio_session *s, struct str last)
{
    struct eio_exchange *post = s->post;
    struct pipe *ws = s->ws;

    s->post = NULL;
    s->ws = s->fast = NULL;
    if (s->probe) {
        s->probe->pipe->user = NULL;
        pipe_close(s->probe->pipe, 0);
        eio_probe_free(s->probe);
    }
    if (s->get) eio_transport_answer_get(s, last);
    if (post) {
        post->pipe->user = NULL;
        pipe_close(post->pipe, 0); /* the first of two posts is cut, as Node.js does */
        mem_free(post);
    }
    if (!ws) return;
    ws->user = NULL;
    pipe_close(ws, 0);
}

void eio_session_end(struct eio_session *s, enum close_reason why, struct str last)
{
    if (s->state == EIO_STATE_CLOSED) return;
    if (s->state == EIO_STATE_OPENING) eio_session_move(s, EIO_STATE_OPEN);
    eio_session_move(s, EIO_STATE_CLOSED);
    (void)map_del(&s->eio->sessions, eio_session_id(s));
    drop_pipes(s, last);
    release(s);
    tell(s, why);
    if (list_is_linked(&s->node)) list_unlink(&s->node); /* it was closing */
    loop_task_init(&s->flush, free_at_end);
    loop_free_at_end(s->eio->loop, &s->flush);
}

/* Polling: the client fetches what is left, then `noop, close`; it has a while for that. */
static void close_polling(struct eio_session *s, enum close_reason why)
{
    if (s->probe) eio_probe_fail(s->probe, false);
    if (s->get && s->queue.count > 0) eio_send_flush(s);
    if (s->get) {
        eio_session_end(s, why, STR("1"));
        return;
    }
    eio_session_move(s, EIO_STATE_CLOSING);
    loop_timer_stop(s->eio->loop, &s->slow);
    eio_heartbeat_linger(s);
    tell(s, why);
    list_push(&s->eio->closing, &s->node);
}

void eio_session_close(struct eio_session *s, enum close_reason why)
{
    if (s->state == EIO_STATE_CLOSING || s->state == EIO_STATE_CLOSED) return;
    if (s->ws || s->is_doomed) {
        eio_session_end(s, why, STR("1"));
    } else {
        close_polling(s, why);
    }
}

void eio_session_packet(struct eio_session *s, const struct eio_packet *p)
{
    metric_add(M_EIO_PACKETS_IN, 1);
    switch (p->type) {
    case EIO_PACKET_MESSAGE:
        eio_heartbeat_other(s);
        s->eio->app->on_message(s->eio->app_ctx, s, p->data, p->binary);
        break;
    case EIO_PACKET_PONG:
        if (s->protocol == 4) {
            eio_heartbeat_pong(s);
        } else {
            eio_session_end(s, CLOSE_TRANSPORT_ERROR, STR("1"));
        }
        break;
    case EIO_PACKET_PING:
        if (s->protocol == 3) {
            eio_heartbeat_ping(s);
        } else {
            eio_session_end(s, CLOSE_TRANSPORT_ERROR, STR("1"));
        }
        break;
    case EIO_PACKET_CLOSE:
        eio_session_end(s, CLOSE_TRANSPORT_CLOSE, STR("6"));
        break;
    case EIO_PACKET_OPEN:
    case EIO_PACKET_UPGRADE:
    case EIO_PACKET_NOOP: /* ignored, as Node.js does */
        eio_heartbeat_other(s);
        break;
    }
}

struct str eio_session_id(const struct eio_session *s)
{
    return str_of(s->id, EIO_ID_SIZE);
}

int eio_session_protocol(const struct eio_session *s)
{
    return s->protocol;
}

bool eio_session_is_websocket(const struct eio_session *s)
{
    return s->ws != NULL;
}

const struct eio_handshake *eio_session_handshake(const struct eio_session *s)
{
    return &s->handshake;
}

void *eio_session_user(const struct eio_session *s)
{
    return s->user;
}

void eio_session_set_user(struct eio_session *s, void *user)
{
    s->user = user;
}
