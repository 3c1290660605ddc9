/* Namespaces: declared at start, never made by clients. */
#include "node/sio/sio_priv.h"

#include "adapter/adapter.h"
#include "base/mem.h"

struct sio_nsp *sio_nsp_add(struct sio *s, struct str name)
{
    struct sio_nsp *n = sio_nsp_get(s, name);

    if (n) return n;
    n = mem_new(1, sizeof *n + name.n);
    n->sio = s;
    n->name_n = name.n;
    memcpy(n->name, name.p, name.n);
    n->all = sio_room_new(n, STR(""));
    map_put(&s->nsps, sio_nsp_str(n), n);
    if (s->adapter) adapter_nsp_open(s->adapter, sio_nsp_str(n));
    return n;
}

void sio_nsp_free(struct sio_nsp *n)
{
    struct sio_room *r;
    size_t i = 0;

    while ((r = map_next(&n->rooms, &i)))
        sio_room_free(r);
    map_fini(&n->rooms);
    map_fini(&n->sockets);
    map_fini(&n->acks);
    map_fini(&n->ack_groups);
    sio_room_free(n->all);
    mem_free(n);
}

struct sio_nsp *sio_nsp_get(struct sio *s, struct str name)
{
    return map_get(&s->nsps, name);
}

struct str sio_nsp_name(const struct sio_nsp *n)
{
    return sio_nsp_str(n);
}

size_t sio_nsp_sockets(const struct sio_nsp *n)
{
    return n->sockets.count;
}

bool sio_nsp_each_room(const struct sio_nsp *n, size_t *at, unsigned most,
                       void (*fn)(void *ctx, struct str room), void *ctx)
{
    for (unsigned i = 0; i < most; i++) {
        const struct sio_room *r = map_next(&n->rooms, at);
        struct str name;

        if (!r) return false;
        name = str_of(r->name, r->name_n);
        if (r->count != r->gaps && !sio_room_is_inner(name)) fn(ctx, name);
    }
    return true;
}
