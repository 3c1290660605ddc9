/* ping {…} → pong {…, serverTime}: the fields of an object come back as they came; any other
 * payload is answered with serverTime alone. latencyUpdate comes back as it is. Keeps no state. */
#include "node/features/ping/ping.h"

#include "base/clock.h"
#include "events_out.h"

static int on_ping(struct event_ctx *c, const union event_in *in)
{
    char now[CLOCK_ISO_SIZE];
    struct sio_cast to = sio_cast_self(c->socket);
    struct out_pong say = {.passthrough = in->ping.raw};

    clock_iso(clock_wall_ms(), now);
    say.server_time = str_z(now);
    return emit_pong(&to, &say);
}

/* Never to anybody else, and nobody answers it: so it goes round once. */
static int on_latency(struct event_ctx *c, const union event_in *in)
{
    (void)in;
    sio_socket_emit(c->socket, c->event->array, NULL, 0);
    return OK;
}

static const struct event_row events[] = {
    {EVENT(ping), .handle = on_ping},
    {EVENT(latencyUpdate), .handle = on_latency},
    {0},
};

const struct feature feature_ping = {
    .name = "ping",
    .events = events,
};
