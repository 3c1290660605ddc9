/* Where publications wait for the entries before them. A stream and the channels beside it come on
 * two connections; so that all of a namespace keeps one order, a publication is let through when
 * the reader has come to where the stream ended after it had arrived. */
#ifndef ADAPTER_REDIS_STREAM_GATE_PRIV_H
#define ADAPTER_REDIS_STREAM_GATE_PRIV_H

#include "adapter/redis/link.h"
#include "adapter/streams.h"
#include "base/list.h"

#define STREAM_GATE_MAX 1000 /* publications that wait; above it the first one passes early */

struct stream_gate {
    void *ctx;
    /* Asks Redis for the last entry (XREVRANGE … COUNT 1). Errors: as redis_link_send. */
    int (*ask_end)(void *ctx, redis_link_reply_fn *done, void *done_ctx);
    /* payload borrows. May put, open and close whatever it likes, but not free the gate. */
    void (*on_passed)(void *ctx, const void *owner, struct str payload);
    /* of stream_gate.c */
    struct list waiting;
    unsigned count;
    bool is_ready, is_passing;
    struct streams_id position;
};

void stream_gate_init(struct stream_gate *g); /* ctx and calls are set before */
void stream_gate_fini(struct stream_gate *g); /* every ask_end was answered before */

/* Copies payload. It passes within the call when nobody can say what is before it. */
void stream_gate_put(struct stream_gate *g, const void *owner, struct str payload);

/* The reader has come to position; when it is not ready nobody waits for it. */
void stream_gate_open(struct stream_gate *g, bool is_ready, struct streams_id position);

#endif
