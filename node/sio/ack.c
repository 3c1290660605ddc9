/* Acknowledgements that the server waits for: ids count per namespace, each answered exactly once
 * with an answer, ERR_TIMEOUT or ERR_CLOSED. Only the socket that was asked may answer. A cast has
 * one id for everybody on this node: its group. */
#include "node/sio/sio_priv.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/metric.h"

struct sio_ack {
    struct list node; /* of the socket */
    struct timer timer;
    struct sio_socket *socket;
    struct sio_ack_group *group; /* NULL: asked alone */
    struct list peer;            /* of the group */
    void (*done)(void *ctx, int rc, struct str array, const struct str *attachments, unsigned n);
    void *ctx;
    struct sb id; /* digits: key in nsp->acks; of a group: in the group */
};

struct sio_ack_group {
    struct sio_nsp *nsp;
    struct timer timer;
    struct list waiting; /* struct sio_ack, peer */
    unsigned gone;       /* sockets that went away without an answer */
    bool is_starting;    /* recipients are still being added */
    void (*each)(void *ctx, struct str json, const struct str *attachments, unsigned n);
    void (*done)(void *ctx, int rc);
    void *ctx;
    struct sb id; /* key in nsp->ack_groups */
};

static void finish(struct sio_ack *a, int rc, struct str array, const struct str *attachments,
                   unsigned n)
{
    list_unlink(&a->node);
    loop_timer_stop(a->socket->nsp->sio->loop, &a->timer);
    map_del(&a->socket->nsp->acks, sb_view(&a->id));
    a->done(a->ctx, rc, array, attachments, n);
    sb_fini(&a->id);
    mem_free(a);
}

static void on_timeout(struct timer *t)
{
    metric_add(M_ACKS_TIMED_OUT, 1);
    finish(LIST_OWNER(t, struct sio_ack, timer), ERR_TIMEOUT, STR_NONE, NULL, 0);
}

struct str sio_ack_new(struct sio_socket *s, uint64_t timeout_ms,
                       void (*done)(void *ctx, int rc, struct str array,
                                    const struct str *attachments, unsigned n),
                       void *ctx)
{
    struct sio_ack *a = MEM_NEW(struct sio_ack);

    a->socket = s;
    a->done = done;
    a->ctx = ctx;
    sb_u64(&a->id, s->nsp->next_ack++);
    list_push(&s->acks, &a->node);
    map_put(&s->nsp->acks, sb_view(&a->id), a);
    timer_init(&a->timer, on_timeout);
    loop_timer(s->nsp->sio->loop, &a->timer, timeout_ms);
    return sb_view(&a->id);
}

/* ---- groups ---- */

static void member_free(struct sio_ack *a)
{
    list_unlink(&a->node);
    list_unlink(&a->peer);
    mem_free(a);
}

static void group_end(struct sio_ack_group *g, int rc)
{
    LIST_EACH_SAFE(at, after, &g->waiting)
    {
        member_free(LIST_OWNER(at, struct sio_ack, peer));
    }
    loop_timer_stop(g->nsp->sio->loop, &g->timer);
    map_del(&g->nsp->ack_groups, sb_view(&g->id));
    g->done(g->ctx, rc);
    sb_fini(&g->id);
    mem_free(g);
}

static void group_settle(struct sio_ack_group *g)
{
    if (!g->is_starting && list_is_empty(&g->waiting)) group_end(g, g->gone ? ERR_CLOSED : OK);
}

static void on_group_timeout(struct timer *t)
{
    struct sio_ack_group *g = LIST_OWNER(t, struct sio_ack_group, timer);

    metric_add(M_ACKS_TIMED_OUT, 1);
    group_end(g, ERR_TIMEOUT);
}

/* NOLINTNEXTLINE(readability-function-size): as sio_socket_emit_ack */
struct sio_ack_group *sio_ack_group_new(struct sio_nsp *n, uint64_t timeout_ms,
                                        void (*each)(void *ctx, struct str json,
                                                     const struct str *attachments, unsigned n),
                                        void (*done)(void *ctx, int rc), void *ctx)
{
    struct sio_ack_group *g = MEM_NEW(struct sio_ack_group);

    g->nsp = n;
    g->is_starting = true;
    g->each = each;
    g->done = done;
    g->ctx = ctx;
    list_init(&g->waiting);
    sb_u64(&g->id, n->next_ack++);
    map_put(&n->ack_groups, sb_view(&g->id), g);
    timer_init(&g->timer, on_group_timeout);
    loop_timer(n->sio->loop, &g->timer, timeout_ms);
    return g;
}

struct str sio_ack_group_id(const struct sio_ack_group *g)
{
    return sb_view(&g->id);
}

struct sio_nsp *sio_ack_group_nsp(const struct sio_ack_group *g)
{
    return g->nsp;
}

void sio_ack_group_add(struct sio_ack_group *g, struct sio_socket *s)
{
    struct sio_ack *a = MEM_NEW(struct sio_ack);

    a->socket = s;
    a->group = g;
    timer_init(&a->timer, on_timeout);
    list_init(&a->peer);
    list_push(&s->acks, &a->node);
    list_push(&g->waiting, &a->peer);
}

void sio_ack_group_start(struct sio_ack_group *g)
{
    g->is_starting = false;
    group_settle(g);
}

static struct str first_of(struct str array)
{
    struct json v = {JSON_ARRAY, array};
    struct str rest = json_begin(v);

    return json_next_item(&rest, &v) ? v.raw : STR_NONE;
}

static void take_for_group(struct sio_socket *s, struct sio_ack_group *g, struct str array,
                           const struct str *attachments, unsigned n)
{
    LIST_EACH_SAFE(at, after, &s->acks)
    {
        struct sio_ack *a = LIST_OWNER(at, struct sio_ack, node);

        if (a->group != g) continue;
        member_free(a);
        g->each(g->ctx, first_of(array), attachments, n);
        group_settle(g);
        return;
    }
}

/* ---- both ---- */

void sio_ack_take(struct sio_socket *s, struct str id, struct str array,
                  const struct str *attachments, unsigned n)
{
    struct sio_ack *a = map_get(&s->nsp->acks, id);
    struct sio_ack_group *g = a ? NULL : map_get(&s->nsp->ack_groups, id);

    if (a && a->socket == s) finish(a, OK, array, attachments, n);
    if (g) take_for_group(s, g, array, attachments, n);
}

static void fail(struct sio_ack *a)
{
    struct sio_ack_group *g = a->group;

    if (!g) {
        finish(a, ERR_CLOSED, STR_NONE, NULL, 0);
        return;
    }
    member_free(a);
    g->gone++;
    group_settle(g);
}

void sio_ack_fail_all(struct sio_socket *s)
{
    while (!list_is_empty(&s->acks))
        fail(LIST_OWNER(s->acks.next, struct sio_ack, node));
}
