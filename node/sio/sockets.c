/* Orders and questions of this node to all servers of the cluster: its own sockets first, then the
 * others. */
#include "node/sio/sio_priv.h"

#include "node/sio/remote.h"

static struct adapter_target target_of(const struct sio_cast *to)
{
    return (struct adapter_target){.nsp = sio_nsp_str(to->nsp),
                                   .rooms = to->rooms,
                                   .except = to->except,
                                   .rooms_count = to->rooms_count,
                                   .except_count = to->except_count};
}

static struct adapter *others_of(const struct sio_cast *to) /* NULL: this node alone */
{
    return to->flags & SIO_LOCAL ? NULL : to->nsp->sio->adapter;
}

void sio_sockets_join(const struct sio_cast *to, const struct str *rooms, unsigned count)
{
    const struct adapter_target t = target_of(to);
    struct adapter *others = others_of(to);

    sio_remote_join(to->nsp->sio, &t, rooms, count);
    if (others) adapter_join(others, &t, rooms, count);
}

void sio_sockets_leave(const struct sio_cast *to, const struct str *rooms, unsigned count)
{
    const struct adapter_target t = target_of(to);
    struct adapter *others = others_of(to);

    sio_remote_leave(to->nsp->sio, &t, rooms, count);
    if (others) adapter_leave(others, &t, rooms, count);
}

void sio_sockets_disconnect(const struct sio_cast *to, bool close)
{
    const struct adapter_target t = target_of(to);
    struct adapter *others = others_of(to);

    sio_remote_disconnect(to->nsp->sio, &t, close);
    if (others) adapter_disconnect(others, &t, close);
}

void sio_sockets_fetch(const struct sio_cast *to, const struct adapter_ask *ask)
{
    const struct adapter_target t = target_of(to);
    struct sio *sio = to->nsp->sio;
    struct adapter *others = others_of(to);
    struct sio_gather *g = sio_gather_begin(sio, ask, others ? 1 : 0);

    sio_remote_fetch(sio, &t, sio_gather_local(g));
    if (others) adapter_fetch(others, &t, sio_gather_ask(g));
    sio_gather_end(g);
}

void sio_server_emit(struct sio_nsp *n, struct str array, const struct adapter_ask *ask)
{
    struct adapter *others = n->sio->adapter;

    if (others)
        adapter_server_emit(others, sio_nsp_str(n), array, ask);
    else if (ask)
        sio_gather_end(sio_gather_begin(n->sio, ask, 0));
}

void sio_server_count(struct sio_nsp *n, void (*done)(void *ctx, int rc, unsigned count), void *ctx)
{
    if (n->sio->adapter)
        adapter_server_count(n->sio->adapter, sio_nsp_str(n), done, ctx);
    else
        done(ctx, OK, 1);
}
