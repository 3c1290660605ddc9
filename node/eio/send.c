/* What goes out of a session. An open WebSocket takes frames as they are: a fan-out runs through
 * eio_session_send for every member, so its first lines must stay a few instructions without an
 * allocation. */
#include "node/eio/payload.h"
#include "node/eio/session_priv.h"
#include "base/forbid.h"

enum {
    PLACE_BYTES = 16,
    CHECK_BYTES = 16384,           /* sent over a WebSocket between two looks at its out queue */
    POLL_BATCH_BYTES = 1024 * 1024 /* one answer to a poll; the rest waits for the next */
};

/* A queued packet of a few bytes holds a place as well: without it a flood of small ones would cost
 * ten times the limit. */
static size_t waiting(const struct eio_session *s)
{
    return s->ws ? pipe_queued(s->ws) : s->queue.bytes + s->queue.count * PLACE_BYTES;
}

static void doom(struct eio_session *s) /* not now: the caller may be walking a room */
{
    s->is_doomed = true;
    s->fast = NULL;
    eio_send_flush_soon(s);
}

static void check_queue(struct eio_session *s)
{
    const struct conf *c = s->eio->conf;
    size_t queued = waiting(s);

    s->unchecked_bytes = 0;
    if (queued >= c->out_hard_bytes) {
        doom(s);
    } else if (queued <= c->out_soft_bytes) {
        loop_timer_stop(s->eio->loop, &s->slow);
    } else if (!timer_is_set(&s->slow)) {
        loop_timer(s->eio->loop, &s->slow, c->out_soft_ms);
    }
}

void eio_send_slow_fired(struct timer *t)
{
    struct eio_session *s = LIST_OWNER(t, struct eio_session, slow);
    size_t queued = waiting(s);

    if (queued > s->eio->conf->out_soft_bytes) eio_session_end(s, CLOSE_SLOW, STR("1"));
}

/* A client that takes no binary gets it as base64 text. */
static struct buf *without_binary(const struct eio_session *s, struct buf *b)
{
    struct sb text = {0};
    struct buf *out;

    if (!s->b64 || !(b->flags & BUF_BINARY)) return b;
    eio_packet_base64(s->protocol, buf_body(b), &text);
    out = buf_text(sb_view(&text));
    sb_fini(&text);
    buf_unref(b);
    return out;
}

static __attribute__((noinline)) void send_other(struct eio_session *s, struct buf *b)
{
    if (s->state >= EIO_STATE_CLOSING || s->is_doomed) {
        buf_unref(b);
    } else if (s->ws) {
        b = without_binary(s, b);
        s->unchecked_bytes += b->len;
        pipe_send(s->ws, b);
        if (s->unchecked_bytes >= CHECK_BYTES) check_queue(s);
    } else {
        buf_queue_push(&s->queue, b);
        if (s->get) eio_send_flush_soon(s);
        if (waiting(s) > s->eio->conf->out_soft_bytes) check_queue(s);
    }
}

void eio_session_send(struct eio_session *s, struct buf *b)
{
    struct pipe *ws = s->fast;

    if (__builtin_expect(ws == NULL, 0)) {
        send_other(s, b);
        return;
    }
    s->unchecked_bytes += b->len;
    pipe_send(ws, b);
    if (__builtin_expect(s->unchecked_bytes >= CHECK_BYTES, 0)) check_queue(s);
}

bool eio_session_is_writable(const struct eio_session *s)
{
    if (s->state >= EIO_STATE_CLOSING || s->is_doomed) return false;
    return s->ws ? pipe_queued(s->ws) == 0 : s->get != NULL;
}

void eio_send_flush(struct eio_session *s)
{
    struct eio_batch batch;

    if (!s->get || s->queue.count == 0) return;
    eio_payload_take(&s->queue, s->protocol, s->b64, POLL_BATCH_BYTES, &batch);
    eio_transport_answer_batch(s, sb_view(&batch.body), batch.is_octets, batch.may_compress);
    sb_fini(&batch.body);
    if (timer_is_set(&s->slow)) check_queue(s);
}

void eio_send_flush_soon(struct eio_session *s)
{
    loop_at_end(s->eio->loop, &s->flush);
}

void eio_send_end_of_turn(struct loop_task *t)
{
    struct eio_session *s = LIST_OWNER(t, struct eio_session, flush);

    if (s->is_doomed) {
        eio_session_end(s, CLOSE_SLOW, STR("1"));
    } else {
        eio_send_flush(s);
    }
}

void eio_send_over_websocket(struct eio_session *s)
{
    struct buf *b;

    while ((b = buf_queue_shift(&s->queue)) != NULL) {
        pipe_send(s->ws, without_binary(s, b));
    }
    check_queue(s);
}
