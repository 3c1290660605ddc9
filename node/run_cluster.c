/* What the other nodes say, to whom it is for. It may come before the layers above are there, and
 * after they are gone. */
#include "node/run_priv.h"

#include "base/log.h"
#include "node/event/event.h"
#include "node/guard/denied.h"
#include "node/ops/ops.h"
#include "node/sio/remote.h"

static void on_cast(void *ctx, const struct adapter_cast *c)
{
    struct node *n = ctx;

    if (n->sio) sio_cast_deliver(n->sio, c);
}

static void on_node_message(void *ctx, struct str from, enum adapter_kind kind, struct str payload)
{
    struct node *n = ctx;

    if (kind == ADAPTER_PIPE && n->eio) eio_on_node_message(n->eio, from, payload);
    if (kind == ADAPTER_PEOPLE && n->events) events_on_people(n->events, payload);
    if (kind == ADAPTER_FEATURE && n->events) events_on_message(n->events, from, payload);
    if (kind == ADAPTER_DENIED && n->events) denied_sync(events_denied(n->events));
}

static void on_join(void *ctx, const struct adapter_target *t, const struct str *rooms,
                    unsigned count)
{
    struct node *n = ctx;

    if (n->sio) sio_remote_join(n->sio, t, rooms, count);
}

static void on_leave(void *ctx, const struct adapter_target *t, const struct str *rooms,
                     unsigned count)
{
    struct node *n = ctx;

    if (n->sio) sio_remote_leave(n->sio, t, rooms, count);
}

static void on_disconnect(void *ctx, const struct adapter_target *t, bool close)
{
    struct node *n = ctx;

    if (n->sio) sio_remote_disconnect(n->sio, t, close);
}

static void on_fetch(void *ctx, const struct adapter_target *t, struct sb *out)
{
    struct node *n = ctx;

    if (n->sio) sio_remote_fetch(n->sio, t, out);
}

static void on_cast_ack(void *ctx, const struct adapter_cast *c, uint64_t timeout_ms,
                        struct adapter_question *q)
{
    struct node *n = ctx;

    if (n->sio)
        sio_remote_cast_ack(n->sio, c, timeout_ms, q);
    else
        adapter_answer_end(q);
}

static void on_server_emit(void *ctx, struct str nsp, struct str array, struct adapter_question *q)
{
    struct node *n = ctx;

    if (n->sio)
        sio_remote_server_emit(n->sio, nsp, array, q);
    else if (q)
        adapter_answer_end(q);
}

static void on_node_up(void *ctx, struct str node)
{
    struct node *n = ctx;

    if (n->events) events_on_node_up(n->events, node);
}

static void on_node_down(void *ctx, struct str node)
{
    struct node *n = ctx;

    if (n->eio) eio_on_node_down(n->eio, node);
    if (n->events) events_on_node_lost(n->events, node);
}

static void on_state(void *ctx, bool connected)
{
    struct node *n = ctx;

    LOG_INFO("cluster.state", LOG_Z("redis", connected ? "connected" : "away"));
    if (connected) ops_set_connected(n->ops);
    if (n->events) events_on_state(n->events, connected);
}

const struct adapter_handler run_cluster_handler = {.on_cast = on_cast,
                                                    .on_message = on_node_message,
                                                    .on_join = on_join,
                                                    .on_leave = on_leave,
                                                    .on_disconnect = on_disconnect,
                                                    .on_fetch = on_fetch,
                                                    .on_cast_ack = on_cast_ack,
                                                    .on_server_emit = on_server_emit,
                                                    .on_node_up = on_node_up,
                                                    .on_node_down = on_node_down,
                                                    .on_state = on_state};
