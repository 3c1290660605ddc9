/* Orders and questions of other servers, applied to the sockets of this node; the same for our own
 * orders (sockets.c). Must never publish anything. Source: reference "Adapter semantics", 3. */
#include "node/sio/remote.h"

#include "node/sio/sio_priv.h"

/* Calls fn for each matching socket; it may join, leave and disconnect. */
static void each_target(struct sio *s, const struct adapter_target *t,
                        void (*fn)(struct sio_socket *o, void *ctx), void *ctx)
{
    struct sio_nsp *n = sio_nsp_get(s, t->nsp);
    size_t first, end;

    if (!n) return;
    first = sio_targets_begin(n, t);
    end = s->targets_count;
    for (size_t i = first; i < end; i++)
        if (s->targets[i]->state == SIO_STATE_CONNECTED) fn(s->targets[i], ctx);
    sio_targets_end(s, first);
}

struct names {
    const struct str *rooms;
    unsigned count;
};

static void join_one(struct sio_socket *o, void *ctx)
{
    const struct names *r = ctx;

    for (unsigned i = 0; i < r->count; i++)
        if (sio_socket_join(o, r->rooms[i]) != OK) return; /* MAX_ROOMS: there is nobody to tell */
}

static void leave_one(struct sio_socket *o, void *ctx)
{
    const struct names *r = ctx;

    for (unsigned i = 0; i < r->count; i++)
        sio_socket_leave(o, r->rooms[i]);
}

static void disconnect_one(struct sio_socket *o, void *ctx)
{
    sio_socket_disconnect(o, *(const bool *)ctx);
}

static void describe_one(struct sio_socket *o, void *ctx)
{
    struct sb *out = ctx;

    if (out->p[out->n - 1] != '[') sb_char(out, ',');
    sio_describe(o, out);
}

void sio_remote_join(struct sio *s, const struct adapter_target *t, const struct str *rooms,
                     unsigned count)
{
    each_target(s, t, join_one, &(struct names){rooms, count});
}

void sio_remote_leave(struct sio *s, const struct adapter_target *t, const struct str *rooms,
                      unsigned count)
{
    each_target(s, t, leave_one, &(struct names){rooms, count});
}

void sio_remote_disconnect(struct sio *s, const struct adapter_target *t, bool close)
{
    each_target(s, t, disconnect_one, &close);
}

void sio_remote_fetch(struct sio *s, const struct adapter_target *t, struct sb *out)
{
    sb_char(out, '[');
    each_target(s, t, describe_one, out);
    sb_char(out, ']');
}

static void on_ack(void *q, struct str json, const struct str *attachments, unsigned n)
{
    adapter_answer(q, json, attachments, n);
}

static void on_acks_end(void *q, int rc)
{
    (void)rc; /* who asked has a deadline of his own */
    adapter_answer_end(q);
}

void sio_remote_cast_ack(struct sio *s, const struct adapter_cast *c, uint64_t timeout_ms,
                         struct adapter_question *q)
{
    struct sio_nsp *n = sio_nsp_get(s, c->nsp);
    struct sio_ack_group *g;

    if (!n) {
        adapter_answer_count(q, 0);
        adapter_answer_end(q);
        return;
    }
    g = sio_ack_group_new(n, timeout_ms, on_ack, on_acks_end, q);
    adapter_answer_count(q, sio_cast_deliver_ack(g, c));
    sio_ack_group_start(g);
}

void sio_remote_server_emit(struct sio *s, struct str nsp, struct str array,
                            struct adapter_question *q)
{
    struct sio_nsp *n = sio_nsp_get(s, nsp);

    if (n && s->app->on_server_emit)
        s->app->on_server_emit(s->ctx, n, array, q);
    else if (q)
        adapter_answer_end(q);
}
