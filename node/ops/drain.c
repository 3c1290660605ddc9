/* Drain. Each tick closes what is over the line from all sessions at the start to none at the end.
 */
#include "node/ops/drain.h"

#include "base/clock.h"
#include "base/log.h"

#define TICK_MS 50
#define LAST_BYTES_MS 100 /* for close frames to leave before the process ends */
#define LAST_ROUNDS 20    /* of LAST_BYTES_MS, while somebody is still to be answered */

/* A balancer may still have sent a request on a kept-alive connection, a poll of another node's
 * session say: it is closed as all others, and its answer leaves before the end. A client between
 * two polls hears of the close with its next one, which only this node can answer. */
static void on_last(struct timer *t)
{
    struct ops_drain *d = LIST_OWNER(t, struct ops_drain, tick);

    bool is_awaited = eio_close_some(d->eio, 0) > 0 || eio_has_closing(d->eio);

    if (is_awaited && d->rounds++ < LAST_ROUNDS) {
        (void)eio_close_some(d->eio, SIZE_MAX);
        loop_timer(d->loop, &d->tick, LAST_BYTES_MS);
        return;
    }
    d->done(d->ctx);
}

/* Sessions that may still be open at this moment. */
static size_t allowed(const struct ops_drain *d)
{
    uint64_t passed = clock_ms() - d->start_ms;

    if (passed >= d->length_ms) return 0;
    return (size_t)(d->total * (d->length_ms - passed) / d->length_ms);
}

static void on_tick(struct timer *t)
{
    struct ops_drain *d = LIST_OWNER(t, struct ops_drain, tick);
    size_t left = eio_close_some(d->eio, 0), may = allowed(d);

    if (left > may) left = eio_close_some(d->eio, left - may);
    if (left == 0) {
        LOG_INFO("drain.done");
        timer_init(&d->tick, on_last);
        loop_timer(d->loop, &d->tick, LAST_BYTES_MS);
        return;
    }
    loop_timer(d->loop, &d->tick, TICK_MS);
}

void ops_drain_start(struct ops_drain *d, struct loop *l, struct eio *e, uint64_t seconds,
                     void (*done)(void *ctx), void *ctx)
{
    *d = (struct ops_drain){.loop = l, .eio = e, .done = done, .ctx = ctx};
    d->start_ms = clock_ms();
    d->length_ms = seconds * 1000;
    d->total = eio_close_some(e, 0); /* and what is forwarded to other nodes */
    LOG_INFO("drain.started", LOG_U("sessions", eio_sessions_count(e)), LOG_U("seconds", seconds));
    timer_init(&d->tick, on_tick);
    loop_timer(l, &d->tick, TICK_MS);
}
