/* The orderly end of a node: not ready, no new connections, sessions closed evenly over
 * DRAIN_SECONDS, then done. Clients get a transport close, never the DISCONNECT packet: from that
 * stock clients would not come back. */
#ifndef NODE_OPS_DRAIN_H
#define NODE_OPS_DRAIN_H

#include "base/loop.h"
#include "node/eio/eio.h"

struct ops_drain {
    struct timer tick;
    struct loop *loop;
    struct eio *eio;
    uint64_t start_ms, length_ms;
    size_t total;    /* sessions at the start */
    unsigned rounds; /* that the end was put off */
    void (*done)(void *ctx);
    void *ctx;
};

/* done is called once, when no session is left and what was queued had a moment to leave. */
void ops_drain_start(struct ops_drain *d, struct loop *l, struct eio *e, uint64_t seconds,
                     void (*done)(void *ctx), void *ctx);

#endif
