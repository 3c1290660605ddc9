/* Acknowledgements that the server waits for: ids count per namespace, each answered exactly once
 * with an answer, ERR_TIMEOUT or ERR_CLOSED. Only the socket that was asked may answer. */
#include "node/sio/sio_priv.h"

#include "base/mem.h"
#include "base/metric.h"

struct sio_ack {
    struct list node; /* of the socket */
    struct timer timer;
    struct sio_socket *socket;
    void (*done)(void *ctx, int rc, struct str array, const struct str *attachments, unsigned n);
    void *ctx;
    struct sb id; /* digits: key in nsp->acks */
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

void sio_ack_take(struct sio_socket *s, struct str id, struct str array,
                  const struct str *attachments, unsigned n)
{
    struct sio_ack *a = map_get(&s->nsp->acks, id);

    if (a && a->socket == s) finish(a, OK, array, attachments, n);
}

void sio_ack_fail_all(struct sio_socket *s)
{
    while (!list_is_empty(&s->acks)) {
        finish(LIST_OWNER(s->acks.next, struct sio_ack, node), ERR_CLOSED, STR_NONE, NULL, 0);
    }
}
