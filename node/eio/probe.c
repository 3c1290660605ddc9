/* The upgrade: a WebSocket proves that it works (2probe, 3probe), then takes the session over (5).
 * Until then data goes over polling; whatever goes wrong costs only the new connection. Source:
 * socketio-wire 1.7. */
#include "node/eio/session_priv.h"
#include "base/forbid.h"

enum { NOOP_MS = 100 };                              /* engine.io 6.6 `_maybeUpgrade` */
enum { RESULT_DONE, RESULT_FAILED, RESULT_TIMEOUT }; /* labels of M_UPGRADES, eio.c */

static void stop(struct eio_probe *p)
{
    loop_timer_stop(p->session->eio->loop, &p->timeout);
    loop_timer_stop(p->session->eio->loop, &p->noop);
}

void eio_probe_free(struct eio_probe *p)
{
    stop(p);
    p->session->probe = NULL;
    mem_free(p);
}

static void give_up(struct eio_probe *p, bool is_gone, unsigned result)
{
    struct eio_session *s = p->session;

    metric_add_at(M_UPGRADES, result, 1);
    if (!is_gone) {
        p->pipe->user = NULL;
        pipe_close(p->pipe, 0);
    }
    eio_probe_free(p);
    eio_session_move(s, EIO_STATE_OPEN);
}

void eio_probe_fail(struct eio_probe *p, bool is_gone)
{
    give_up(p, is_gone, RESULT_FAILED);
}

static void on_timeout(struct timer *t)
{
    give_up(LIST_OWNER(t, struct eio_probe, timeout), false, RESULT_TIMEOUT);
}

/* A poll with nothing to fetch is let go, so that the client can stop polling. */
static void free_parked_get(struct eio_probe *p)
{
    struct eio_session *s = p->session;

    loop_timer(s->eio->loop, &p->noop, NOOP_MS);
    if (s->get && s->queue.count == 0) eio_transport_answer_get(s, STR("6"));
}

static void on_noop(struct timer *t)
{
    free_parked_get(LIST_OWNER(t, struct eio_probe, noop));
}

void eio_probe_start(const struct eio_request *q, struct eio_session *s)
{
    struct eio_probe *p;

    if (s->state != EIO_STATE_OPEN ||
        q->r->method != HTTP_GET) { /* closing, or another probe runs */
        eio_refuse(q->pipe, true, q->cors, EIO_ERROR_BAD_REQUEST);
        return;
    }
    p = MEM_NEW(struct eio_probe);
    p->owner.kind = EIO_OWNER_PROBE;
    p->session = s;
    p->pipe = q->pipe;
    p->b64 = q->b64;
    timer_init(&p->timeout, on_timeout);
    timer_init(&p->noop, on_noop);
    s->probe = p;
    eio_session_move(s, EIO_STATE_PROBING);
    loop_timer(s->eio->loop, &p->timeout, s->eio->conf->upgrade_timeout_ms);
    q->pipe->user = p;
    pipe_accept(q->pipe, q->cors);
}

static void take_over(struct eio_probe *p)
{
    struct eio_session *s = p->session;

    metric_add_at(M_UPGRADES, RESULT_DONE, 1);
    s->ws = p->pipe;
    s->b64 = p->b64;
    s->fast = s->b64 || s->is_doomed ? NULL : s->ws;
    s->ws->user = s;
    eio_probe_free(p);
    eio_session_move(s, EIO_STATE_OPEN);
    if (s->get) eio_transport_answer_get(s, STR("1"));
    eio_send_over_websocket(s);
    if (s->protocol == 3) eio_heartbeat_start(s);
}

void eio_probe_message(struct eio_probe *p, struct str data, bool binary)
{
    if (binary) {
        eio_probe_fail(p, false);
    } else if (!p->is_answered && str_eq(data, STR("2probe"))) {
        p->is_answered = true;
        pipe_send(p->pipe, buf_ref(p->session->eio->probe_pong));
        free_parked_get(p);
    } else if (p->is_answered && str_eq(data, STR("5"))) {
        take_over(p);
    } else {
        eio_probe_fail(p, false);
    }
}
