/* Drain. Each tick closes the share of sessions that keeps the pace even up to the deadline. */
#include "node/ops/drain.h"

#include "base/clock.h"
#include "base/log.h"

#define TICK_MS 50
#define LAST_BYTES_MS 100 /* for close frames to leave before the process ends */

static void on_last(struct timer *t)
{
    struct ops_drain *d = LIST_OWNER(t, struct ops_drain, tick);

    d->done(d->ctx);
}

static void on_tick(struct timer *t)
{
    struct ops_drain *d = LIST_OWNER(t, struct ops_drain, tick);
    size_t left = eio_sessions_count(d->eio);
    uint64_t now = clock_ms();
    uint64_t ticks = d->end_ms > now ? (d->end_ms - now + TICK_MS - 1) / TICK_MS : 1;

    if (left) left = eio_close_some(d->eio, (left + ticks - 1) / ticks);
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
    d->end_ms = clock_ms() + seconds * 1000;
    LOG_INFO("drain.started", LOG_U("sessions", eio_sessions_count(e)), LOG_U("seconds", seconds));
    timer_init(&d->tick, on_tick);
    loop_timer(l, &d->tick, TICK_MS);
}
