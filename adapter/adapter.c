/* The adapter's face: picks the driver, joins it with membership, and hands messages on. It holds
 * no state of rooms or sockets and never waits. */
#include "adapter/adapter_priv.h"

#include <assert.h>

#include "adapter/cluster.h"
#include "adapter/due_priv.h"
#include "adapter/request.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/forbid.h"

static struct str own_id(const struct adapter *a)
{
    return str_of(a->id, sizeof a->id);
}

/* ---- what the driver calls ---- */

static void on_cast(void *ctx, const struct adapter_cast *c)
{
    struct adapter *a = ctx;

    if (!a->closed) a->handler.on_cast(a->ctx, c);
}

static void on_wire(void *ctx, const struct wire *w)
{
    struct adapter *a = ctx;

    if (!a->closed) request_receive(a->requests, w);
}

static void hand_up(struct adapter *a, struct str from, enum adapter_kind kind, struct str payload)
{
    if (str_eq(from, own_id(a)))
        metric_add(M_REDIS_GARBAGE, 1);
    else
        a->handler.on_message(a->ctx, from, kind, payload);
}

static void on_bytes(void *ctx, struct str bytes)
{
    struct adapter *a = ctx;
    struct message m;

    if (a->closed) return;
    if (message_decode(bytes, &m) != OK) {
        metric_add(M_REDIS_GARBAGE, 1);
        return;
    }
    if (cluster_is_stale(a->cluster, &m)) return;
    switch (m.kind) {
    case MESSAGE_PIPE:
        hand_up(a, m.from, ADAPTER_PIPE, m.pipe.payload);
        return;
    case MESSAGE_FEATURE:
        hand_up(a, m.from, ADAPTER_FEATURE, m.feature.payload);
        return;
    case MESSAGE_PEOPLE:
        if (!str_eq(m.from, own_id(a)))
            a->handler.on_message(a->ctx, m.from, ADAPTER_PEOPLE, m.people.payload);
        return;
    case MESSAGE_DENIED:
        if (!str_eq(m.from, own_id(a)))
            a->handler.on_message(a->ctx, m.from, ADAPTER_DENIED, STR_NONE);
        return;
    case MESSAGE_HELLO:
    case MESSAGE_BEAT:
    case MESSAGE_BYE:
    case MESSAGE_LOST:
        cluster_receive(a->cluster, &m);
        return;
    case MESSAGE_DUE:
        due_table_receive(a->dues, &m);
        return;
    case MESSAGE_HEALTH: /* the driver's own affair */
    default:
        return;
    }
}

static void on_state(void *ctx, bool connected)
{
    struct adapter *a = ctx;

    if (a->closed || connected == a->connected) return;
    a->connected = connected;
    a->connects += connected;
    metric_set(M_DEGRADED, !connected);
    if (connected)
        LOG_INFO("adapter.connected", LOG_Z("driver", a->ops->name));
    else
        LOG_WARN("adapter.degraded", LOG_Z("driver", a->ops->name));
    cluster_connected(a->cluster, connected);
    if (!connected) request_lost(a->requests);
    due_table_connected(a->dues, connected);
    a->handler.on_state(a->ctx, connected);
}

/* ---- what the cluster calls ---- */

static void say(void *ctx, struct str bytes)
{
    struct adapter *a = ctx;

    a->ops->say(a->driver, bytes);
}

static void tell(void *ctx, struct str node, struct str bytes)
{
    struct adapter *a = ctx;

    if (a->ops->send(a->driver, node, bytes, NULL, NULL) != OK)
        LOG_DEBUG("adapter.tell_failed", LOG_S("peer", node)); /* the next beat says the same */
}

static void on_up(void *ctx, struct str node)
{
    struct adapter *a = ctx;

    if (!a->closed) a->handler.on_node_up(a->ctx, node);
}

static void on_down(void *ctx, struct str node)
{
    struct adapter *a = ctx;

    if (a->closed) return;
    request_node_down(a->requests, node);
    due_table_node_down(a->dues);
    a->handler.on_node_down(a->ctx, node);
}

static void on_return(void *ctx)
{
    struct adapter *a = ctx;

    if (a->closed) return;
    a->connects++;
    due_table_connected(a->dues, true);
    a->handler.on_state(a->ctx, true);
}

/* ---- answers at the end of the turn ---- */

static void answer_all(struct loop_task *t)
{
    struct adapter *a = LIST_OWNER(t, struct adapter, answer);
    struct list now, *node;

    list_init(&now);
    list_splice(&now, &a->laters);
    while ((node = list_shift(&now))) {
        struct adapter_later l = *LIST_OWNER(node, struct adapter_later, node);

        mem_free(LIST_OWNER(node, struct adapter_later, node));
        if (l.sent) l.sent(l.ctx, l.rc);
        if (l.done) l.done(l.ctx, l.rc, NULL, 0);
        if (l.counted) l.counted(l.ctx, l.rc, 0);
    }
}

void adapter_answer_later(struct adapter *a, const struct adapter_later *what)
{
    struct adapter_later *l = MEM_NEW(struct adapter_later);

    *l = *what;
    list_init(&l->node);
    list_push(&a->laters, &l->node);
    loop_at_end(a->loop, &a->answer);
}

/* ---- opening and closing ---- */

static void free_now(struct loop_task *t)
{
    struct adapter *a = LIST_OWNER(t, struct adapter, free);

    request_table_close(a->requests); /* again: of calls made while it closed */
    answer_all(&a->answer);
    loop_task_cancel(&a->answer);
    request_table_free(a->requests);
    cluster_free(a->cluster);
    sb_fini(&a->out);
    mem_free(a);
}

static void open_cluster(struct adapter *a, const struct conf *c)
{
    struct cluster_conf cc = {.loop = a->loop,
                              .node_id = own_id(a),
                              .name = str_z(c->node_name),
                              .beat_ms = c->beat_ms,
                              .dead_ms = c->dead_ms,
                              .ctx = a,
                              .say = say,
                              .tell = tell,
                              .on_up = on_up,
                              .on_down = on_down,
                              .on_return = on_return};

    a->cluster = cluster_new(&cc);
}

static void open_dues(struct adapter *a, const struct conf *c)
{
    a->dues = due_table_new(&(struct due_table_conf){.loop = a->loop,
                                                     .adapter = a,
                                                     .node_id = own_id(a),
                                                     .prefix = str_z(c->adapter_prefix),
                                                     .say = say});
}

int adapter_open_with(const struct driver_ops *ops, const struct driver_conf *c,
                      const struct adapter_handler *h, void *ctx, struct adapter **out, char **why)
{
    struct adapter *a = MEM_NEW(struct adapter);
    struct driver_conf dc = *c;
    int rc;

    assert(c->node_id.n == ADAPTER_NODE_ID_SIZE);
    a->loop = c->loop;
    a->handler = *h;
    a->ctx = ctx;
    a->ops = ops;
    memcpy(a->id, c->node_id.p, sizeof a->id);
    list_init(&a->laters);
    loop_task_init(&a->answer, answer_all);
    loop_task_init(&a->free, free_now);
    dc.node_id = own_id(a);
    dc.up = (struct driver_up){.ctx = a,
                               .on_cast = on_cast,
                               .on_bytes = on_bytes,
                               .on_state = on_state,
                               .on_wire = on_wire};
    rc = ops->open(&dc, &a->driver, why);
    if (rc != OK) {
        mem_free(a);
        return rc;
    }
    open_cluster(a, c->conf);
    adapter_requests_open(a);
    open_dues(a, c->conf);
    metric_set(M_DEGRADED, 1);
    *out = a;
    return OK;
}

/* NOLINTNEXTLINE(readability-function-size): the interface of the room */
int adapter_open(struct loop *l, const struct conf *c, struct str node_id,
                 const struct adapter_handler *h, void *ctx, struct adapter **out, char **why)
{
    static const struct driver_ops *const drivers[] = {
        &redis_bus_driver, &redis_sharded_bus_driver, &redis_streams_bus_driver, &local_bus_driver};
    struct driver_conf dc = {.loop = l, .conf = c, .node_id = node_id};

    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
        if (str_eq(str_z(c->adapter), str_z(drivers[i]->name)))
            return adapter_open_with(drivers[i], &dc, h, ctx, out, why);
    *why = str_dup(STR("ADAPTER must be redis, redis-sharded, redis-streams or local"));
    return ERR_CONFIG;
}

void adapter_close(struct adapter *a)
{
    if (!a || a->closed) return;
    cluster_bye(a->cluster);
    a->closed = true;
    due_table_free(a->dues);
    a->dues = NULL;
    cluster_connected(a->cluster, false);
    request_table_close(a->requests);
    answer_all(&a->answer);
    a->ops->close(a->driver);
    loop_free_at_end(a->loop, &a->free);
}

/* ---- calls of the upper rooms ---- */

void adapter_nsp_open(struct adapter *a, struct str nsp)
{
    if (!a->closed) a->ops->nsp_open(a->driver, nsp);
}

void adapter_room_open(struct adapter *a, struct str nsp, struct str room)
{
    if (!a->closed && a->ops->room) a->ops->room(a->driver, nsp, room, true);
}

void adapter_room_close(struct adapter *a, struct str nsp, struct str room)
{
    if (!a->closed && a->ops->room) a->ops->room(a->driver, nsp, room, false);
}

void adapter_room_ready(struct adapter *a, struct str nsp, struct str room, void (*done)(void *ctx),
                        void *ctx)
{
    if (a->closed || !a->ops->room_ready)
        done(ctx);
    else
        a->ops->room_ready(a->driver, nsp, room, done, ctx);
}

void adapter_publish(struct adapter *a, const struct adapter_cast *c)
{
    if (!a->closed) a->ops->publish(a->driver, c);
}

bool adapter_keep(struct adapter *a, const struct adapter_cast *c)
{
    return !a->closed && a->ops->keep && a->ops->keep(a->driver, c);
}

struct str adapter_offset(struct adapter *a, struct str nsp)
{
    return a->closed || !a->ops->offset ? STR_NONE : a->ops->offset(a->driver, nsp);
}

void session_restore(struct adapter *a, struct str nsp, struct str pid, struct str offset,
                     const struct session_restore *r)
{
    int rc = a->closed || !a->ops->restore ? ERR_UNAVAILABLE
                                           : a->ops->restore(a->driver, nsp, pid, offset, r);

    if (rc != OK)
        adapter_answer_later(a, &(struct adapter_later){.sent = r->done, .ctx = r->ctx, .rc = rc});
}

void adapter_send(struct adapter *a, struct str node, enum adapter_kind kind, struct str payload,
                  void (*sent)(void *ctx, int rc), void *ctx)
{
    struct message m = {/* all kinds of the upper floors are a payload, and nothing else */
                        .kind = (enum message_kind)kind,
                        .from = own_id(a),
                        .pipe = {.payload = payload}};
    int rc = ERR_UNAVAILABLE;

    if (node.n != ADAPTER_NODE_ID_SIZE) {
        rc = ERR_NOT_FOUND;
    } else if (str_eq(node, own_id(a))) {
        rc = ERR_INTERNAL;
        LOG_ERROR("adapter.send_to_self");
    } else if (!a->closed) {
        a->out.n = 0;
        message_encode(&m, &a->out);
        rc = a->ops->send(a->driver, node, sb_view(&a->out), sent, ctx);
    }
    if (rc != OK && sent)
        adapter_answer_later(a, &(struct adapter_later){.sent = sent, .ctx = ctx, .rc = rc});
}

void adapter_flush(struct adapter *a, void (*sent)(void *ctx, int rc), void *ctx)
{
    int rc = a->closed ? ERR_UNAVAILABLE : a->ops->flush(a->driver, sent, ctx);

    if (rc != OK)
        adapter_answer_later(a, &(struct adapter_later){.sent = sent, .ctx = ctx, .rc = rc});
}

void adapter_say(struct adapter *a, enum adapter_kind kind)
{
    struct message m = {.kind = (enum message_kind)kind, .from = own_id(a)};

    if (a->closed) return;
    a->out.n = 0;
    message_encode(&m, &a->out);
    a->ops->say(a->driver, sb_view(&a->out));
}

struct due_table *adapter_due_table(struct adapter *a)
{
    return a->dues;
}

bool adapter_is_alive(const struct adapter *a, struct str node)
{
    return cluster_is_alive(a->cluster, node);
}

bool adapter_is_lost(const struct adapter *a, struct str node)
{
    return cluster_is_lost(a->cluster, node);
}

unsigned adapter_nodes(const struct adapter *a)
{
    return cluster_count(a->cluster);
}

struct str adapter_node_id(const struct adapter *a)
{
    return own_id(a);
}

bool adapter_is_connected(const struct adapter *a)
{
    return a->connected;
}

unsigned adapter_connects(const struct adapter *a)
{
    return a->connects;
}

void adapter_each_node(const struct adapter *a, void (*fn)(void *ctx, struct str node), void *ctx)
{
    cluster_each(a->cluster, fn, ctx);
}

/* NOLINTNEXTLINE(readability-function-size): the interface of the room */
void adapter_eval(struct adapter *a, struct adapter_script *s, const struct str *keys,
                  unsigned keys_count, const struct str *args, unsigned args_count,
                  void (*done)(void *ctx, int rc, const struct str *reply, unsigned reply_count),
                  void *ctx)
{
    struct driver_eval e = {.script = s,
                            .keys = keys,
                            .keys_count = keys_count,
                            .args = args,
                            .args_count = args_count,
                            .done = done,
                            .ctx = ctx};
    int rc = a->closed ? ERR_UNAVAILABLE : a->ops->eval(a->driver, &e);

    assert(!s->keys_count || key_fit(s->keys, s->keys_count, keys, keys_count));
    if (rc != OK)
        adapter_answer_later(a, &(struct adapter_later){.done = done, .ctx = ctx, .rc = rc});
}
