/* The engine of one node: its life, its tables, and where a pipe's callback goes. */
#include "node/eio/eio.h"

#include "base/rand.h"
#include "node/eio/remote.h"
#include "node/eio/session_priv.h"
#include "base/forbid.h"

/* Label values are the same for every engine of the process, so setting them again changes nothing.
 */
static void name_labels(void)
{
    static const char *const transports[] = {"polling", "websocket"};
    static const char *const upgrades[] = {"done", "failed", "timeout"};
    static const char *const codes[] = {"0", "1", "2", "3", "4", "5"};
    static const char *const reasons[] = {
#define CLOSE(id, text, recover) [CLOSE_##id] = (text),
#include "node/eio/close.def"
#undef CLOSE
    };

    metric_labels(M_SESSIONS_OPENED, transports, 2);
    metric_labels(M_UPGRADES, upgrades, 3);
    metric_labels(M_EIO_ERRORS, codes, 6);
    metric_labels(M_SESSIONS_CLOSED, reasons, CLOSE_COUNT);
}

struct eio *eio_new(struct loop *l, const struct conf *c, struct str node_id,
                    const struct eio_app *app, void *app_ctx, const struct eio_cors *cors)
{
    struct eio *e = MEM_NEW(struct eio);

    *e = (struct eio){.loop = l, .conf = c, .app = app, .app_ctx = app_ctx, .cors = cors};
    memcpy(e->node_id, node_id.p, EIO_NODE_ID_SIZE);
    list_init(&e->open);
    list_init(&e->closing);
    e->ping = buf_text(STR("2"));
    e->pong = buf_text(STR("3"));
    e->probe_pong = buf_text(STR("3probe"));
    name_labels();
    return e;
}

void eio_free(struct eio *e)
{
    struct list *lists[] = {&e->open, &e->closing};

    if (e->remote) remote_free(e->remote);
    for (size_t i = 0; i < 2; i++) {
        LIST_EACH_SAFE(node, after, lists[i])
        {
            eio_session_free(LIST_OWNER(node, struct eio_session, node));
        }
    }
    map_fini(&e->sessions);
    eio_compress_free(e->compress);
    buf_unref(e->ping);
    buf_unref(e->pong);
    buf_unref(e->probe_pong);
    mem_free(e);
}

void eio_on_body(struct eio *e, struct pipe *p, int rc, struct str body)
{
    struct eio_owner *o = p->user;

    (void)e;
    if (!o) return;
    if (o->kind == EIO_OWNER_EXCHANGE) {
        eio_transport_body(eio_exchange_of(o), rc, body);
    } else if (o->kind == EIO_OWNER_ASK) {
        remote_ask_body((struct remote_ask *)(void *)o, rc, body);
    }
}

void eio_on_message(struct eio *e, struct pipe *p, struct str data, bool binary)
{
    struct eio_owner *o = p->user;

    (void)e;
    if (!o) return;
    switch (o->kind) {
    case EIO_OWNER_SESSION:
        eio_transport_message((struct eio_session *)(void *)o, data, binary);
        break;
    case EIO_OWNER_PROBE:
        eio_probe_message((struct eio_probe *)(void *)o, data, binary);
        break;
    case EIO_OWNER_ASK:
        remote_ask_message((struct remote_ask *)(void *)o, data, binary);
        break;
    case EIO_OWNER_EXCHANGE:
        break;
    }
}

void eio_on_gone(struct eio *e, struct pipe *p, int code)
{
    struct eio_owner *o = p->user;
    struct eio_session *s;

    (void)e;
    if (!o) return;
    p->user = NULL;
    switch (o->kind) {
    case EIO_OWNER_SESSION:
        s = (struct eio_session *)(void *)o;
        s->ws = s->fast = NULL;
        /* A code means that the edge ended it for a breach: as the "error" of Node's transport. */
        eio_session_end(s, code == 0 ? CLOSE_TRANSPORT_CLOSE : CLOSE_TRANSPORT_ERROR, STR_NONE);
        break;
    case EIO_OWNER_PROBE:
        eio_probe_fail((struct eio_probe *)(void *)o, true);
        break;
    case EIO_OWNER_ASK:
        remote_ask_gone((struct remote_ask *)(void *)o, code);
        break;
    case EIO_OWNER_EXCHANGE:
        eio_transport_gone(eio_exchange_of(o));
        break;
    }
}

size_t eio_sessions_count(const struct eio *e)
{
    return e->open_count;
}

size_t eio_close_some(struct eio *e, size_t count)
{
    for (; count > 0 && !list_is_empty(&e->open); count--) {
        eio_session_close(LIST_OWNER(e->open.next, struct eio_session, node),
                          CLOSE_SERVER_SHUTDOWN);
    }
    return e->open_count + (e->remote ? remote_close_some(e->remote, &count) : 0);
}

bool eio_has_closing(const struct eio *e)
{
    return !list_is_empty(&e->closing);
}

void eio_new_id(const struct eio *e, char out[EIO_ID_SIZE])
{
    memcpy(out, e->node_id, EIO_NODE_ID_SIZE);
    rand_id(out + EIO_NODE_ID_SIZE, EIO_ID_SIZE - EIO_NODE_ID_SIZE);
}

struct str eio_node_id(const struct eio *e)
{
    return str_of(e->node_id, EIO_NODE_ID_SIZE);
}
