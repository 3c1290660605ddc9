/* Who is still there. EIO 4: we ping, the client answers. EIO 3: the client pings and is gone when
 * it stops; the clock goes on over an upgrade (the Node.js server loses it there). Source:
 * socketio-wire 1.8. */
#include "node/eio/session_priv.h"

#include "base/clock.h"
#include "base/forbid.h"

enum {
    LINGER_MS = 30000
}; /* a closed polling session waits so long for its last poll; closeTimeout of Node.js */

static void arm(struct eio_session *s, uint64_t ms)
{
    loop_timer(s->eio->loop, &s->beat, ms);
}

static void arm_idle(struct eio_session *s)
{
    const struct conf *c = s->eio->conf;

    s->awaits_pong = s->is_prolonged = false;
    arm(s, s->protocol == 3 ? c->ping_interval_ms + c->ping_timeout_ms : c->ping_interval_ms);
}

static void fired(struct timer *t)
{
    struct eio_session *s = LIST_OWNER(t, struct eio_session, beat);

    if (s->state == EIO_STATE_CLOSING || s->protocol == 3 || s->awaits_pong) {
        eio_session_end(s, CLOSE_PING_TIMEOUT, STR("1"));
        return;
    }
    s->awaits_pong = true;
    s->pinged_us = clock_us();
    arm(s, s->eio->conf->ping_timeout_ms);
    eio_session_send(s, buf_ref(s->eio->ping));
}

void eio_heartbeat_start(struct eio_session *s)
{
    if (!s->beat.fire) timer_init(&s->beat, fired);
    arm_idle(s);
}

void eio_heartbeat_ping(struct eio_session *s)
{
    arm_idle(s);
    eio_session_send(s, buf_ref(s->eio->pong));
}

void eio_heartbeat_pong(struct eio_session *s)
{
    if (!s->awaits_pong) return; /* one that nobody asked for is ignored */
    s->rtt_ms = (uint32_t)((clock_us() - s->pinged_us) / 1000) + 1;
    arm_idle(s);
}

void eio_heartbeat_other(struct eio_session *s)
{
    if (!s->awaits_pong || s->is_prolonged) return;
    s->is_prolonged = true; /* once a ping, as 6.6.12 does */
    arm(s, s->eio->conf->ping_timeout_ms);
}

uint32_t eio_session_rtt_ms(const struct eio_session *s)
{
    return s->rtt_ms;
}

void eio_session_measure(struct eio_session *s)
{
    if (s->protocol == 4 && s->state == EIO_STATE_OPEN && !s->awaits_pong) arm(s, 0);
}

void eio_heartbeat_linger(struct eio_session *s)
{
    arm(s, LINGER_MS);
}
