/* The adapter's face, requests between nodes: orders and questions go to the driver and to the
 * table of what was asked (request.h). */
#include "adapter/adapter_priv.h"

#include "adapter/cluster.h"
#include "adapter/request.h"
#include "base/metric.h"
#include "base/forbid.h"

/* ---- what the requests call ---- */

static int send_wire(void *ctx, const struct wire *w)
{
    struct adapter *a = ctx;

    return a->closed || !a->ops->wire ? ERR_UNAVAILABLE : a->ops->wire(a->driver, w);
}

/* Questions are for a cluster that can be heard: degraded, no answer would come. */
static int count_servers(void *ctx, struct str nsp, driver_count_fn *done, void *done_ctx)
{
    struct adapter *a = ctx;

    if (a->closed || !a->connected || !a->ops->count) return ERR_UNAVAILABLE;
    return a->ops->count(a->driver, nsp, done, done_ctx);
}

struct each_other {
    struct str own;
    void (*fn)(void *ctx, struct str node);
    void *ctx;
};

static void if_other(void *ctx, struct str node)
{
    const struct each_other *e = ctx;

    if (!str_eq(node, e->own)) e->fn(e->ctx, node);
}

static void each_other_node(void *ctx, void (*fn)(void *ctx, struct str node), void *fn_ctx)
{
    struct adapter *a = ctx;
    struct each_other e = {adapter_node_id(a), fn, fn_ctx};

    cluster_each(a->cluster, if_other, &e);
}

void adapter_requests_open(struct adapter *a)
{
    struct request_conf rc = {.loop = a->loop,
                              .ctx = a,
                              .wire = send_wire,
                              .count = count_servers,
                              .each_node = each_other_node,
                              .handler = a->handler,
                              .handler_ctx = a->ctx};

    a->requests = request_table_new(&rc);
}

/* ---- requests between nodes ---- */

static void order(struct adapter *a, const struct wire *w)
{
    if (send_wire(a, w) != OK) metric_add(M_REDIS_DROPPED, 1);
}

void adapter_join(struct adapter *a, const struct adapter_target *t, const struct str *rooms,
                  unsigned count)
{
    order(
        a,
        &(struct wire){
            .type = WIRE_JOIN, .nsp = t->nsp, .target = *t, .rooms = rooms, .rooms_count = count});
}

void adapter_leave(struct adapter *a, const struct adapter_target *t, const struct str *rooms,
                   unsigned count)
{
    order(
        a,
        &(struct wire){
            .type = WIRE_LEAVE, .nsp = t->nsp, .target = *t, .rooms = rooms, .rooms_count = count});
}

void adapter_disconnect(struct adapter *a, const struct adapter_target *t, bool close)
{
    order(a, &(struct wire){.type = WIRE_DISCONNECT, .nsp = t->nsp, .target = *t, .close = close});
}

void adapter_fetch(struct adapter *a, const struct adapter_target *t, const struct adapter_ask *ask)
{
    request_ask(a->requests, &(struct wire){.type = WIRE_FETCH, .nsp = t->nsp, .target = *t}, ask);
}

void adapter_publish_ack(struct adapter *a, const struct adapter_cast *c,
                         const struct adapter_ask *ask)
{
    struct wire w = {.type = WIRE_CAST, .nsp = c->nsp, .cast = *c};

    w.target = (struct adapter_target){.nsp = c->nsp,
                                       .rooms = c->rooms,
                                       .except = c->except,
                                       .rooms_count = c->rooms_count,
                                       .except_count = c->except_count};
    request_ask(a->requests, &w, ask);
}

void adapter_server_emit(struct adapter *a, struct str nsp, struct str array,
                         const struct adapter_ask *ask)
{
    request_ask(a->requests, &(struct wire){.type = WIRE_EMIT, .nsp = nsp, .json = array}, ask);
}

void adapter_server_count(struct adapter *a, struct str nsp,
                          void (*done)(void *ctx, int rc, unsigned count), void *ctx)
{
    int rc = count_servers(a, nsp, done, ctx);

    if (rc != OK)
        adapter_answer_later(a, &(struct adapter_later){.counted = done, .ctx = ctx, .rc = rc});
}
