/* The Socket.IO server of one node: what belongs to no namespace. Must never look into packets. */
#include "node/sio/sio_priv.h"

#include "adapter/adapter.h"
#include "base/mem.h"
#include "base/metric.h"

enum { TRIM_ROOMS = 10000 };

static const char *const close_texts[CLOSE_COUNT] = {
#define CLOSE(id, text, recover) [CLOSE_##id] = (text),
#include "node/eio/close.def"
#undef CLOSE
};

static const char *const recovery_texts[] = {"recovered", "new"};

struct sio *sio_new(struct loop *l, const struct conf *c, const struct sio_app *app, void *ctx)
{
    struct sio *s = MEM_NEW(struct sio);

    s->loop = l;
    s->conf = c;
    s->app = app;
    s->ctx = ctx;
    list_init(&s->clients);
    list_init(&s->gapped);
    list_init(&s->gathers);
    loop_task_init(&s->gather_task, sio_gather_finish_all);
    trim_init(&s->trim, l, TRIM_ROOMS);
    sio_keep_init(s);
    metric_labels(M_SOCKETS_DISCONNECTED, close_texts, CLOSE_COUNT);
    metric_labels(M_RECOVERIES, recovery_texts, 2);
    return s;
}

void sio_free(struct sio *s)
{
    struct sio_nsp *n;
    struct list *node;
    size_t i = 0;

    s->adapter = NULL; /* gone or going, as the engine: nothing is said to them any more */
    sio_keep_fini(s);
    LIST_EACH(at, &s->clients)
    {
        for (struct sio_socket *o = LIST_OWNER(at, struct sio_client, node)->sockets; o;
             o = o->next) {
            sio_socket_hush(o);
        }
    }
    while ((node = list_shift(&s->clients))) {
        sio_client_free(LIST_OWNER(node, struct sio_client, node));
    }
    sio_gather_finish_all(&s->gather_task);
    loop_task_cancel(&s->gather_task);
    while ((n = map_next(&s->nsps, &i)))
        sio_nsp_free(n);
    map_fini(&s->nsps);
    trim_fini(&s->trim);
    sb_fini(&s->text);
    sb_fini(&s->name);
    mem_free(s->targets);
    mem_free(s);
}

void sio_attach(struct sio *s, struct eio *e)
{
    s->eio = e;
}

struct str sio_node(const struct sio *s)
{
    return eio_node_id(s->eio);
}

void sio_attach_adapter(struct sio *s, struct adapter *a)
{
    struct sio_nsp *n;
    size_t i = 0;

    s->adapter = a;
    while (a && (n = map_next(&s->nsps, &i)))
        adapter_nsp_open(a, sio_nsp_str(n));
}

const struct eio_app *sio_eio_app(void)
{
    static const struct eio_app app = {
        .on_open = sio_client_on_open,
        .on_message = sio_client_on_message,
        .on_close = sio_client_on_close,
    };

    return &app;
}
