/* See private.h. The table of events, and what comes from the core. private_send.c stores,
 * private_read.c delivers, private_history.c and private_ask.c answer questions. */
#include "node/features/private/private.h"

#include "base/mem.h"
#include "node/features/private/private_priv.h"

static int on_message(struct event_ctx *c, const union event_in *in)
{
    const struct in_private_message *m = &in->private_message;
    struct private *p = c->state;
    struct private_id from = {0}, to = {0};
    int rc = p->adapter ? OK : ERR_UNAVAILABLE;

    if (rc == OK) rc = private_id_init(&from, c->who->id);
    if (rc == OK) rc = private_id_init(&to, m->recipient_id);
    if (rc == OK) {
        const struct private_sending s = {.from = &from,
                                          .to = &to,
                                          .from_name = c->who->name,
                                          .message = m->message,
                                          .type = m->type,
                                          .client_msg_id = m->client_msg_id,
                                          .socket = c->socket,
                                          .later = event_defer(c)};

        private_send(p, &s);
    }
    private_id_fini(&from);
    private_id_fini(&to);
    return rc;
}

static void on_connect(void *state, struct sio_socket *s, const struct identity *who)
{
    struct private *p = state;

    if (p->adapter && who->id.n && sio_socket_nsp(s) == p->nsp) private_device_open(p, s, who);
}

static void on_leave(void *state, struct sio_socket *s, const struct identity *who)
{
    if (who->id.n) private_device_close(state, s, who);
}

static void on_state(void *state, bool connected)
{
    if (connected) private_ring_all(state);
}

/* Another node put something into the inbox of a user with devices here. */
static void on_node_message(void *state, struct str from, struct str payload)
{
    (void)from;
    (void)private_ring(state, payload);
}

static void *private_open(struct events *e)
{
    struct private *p = MEM_NEW(struct private);

    p->events = e;
    p->adapter = events_adapter(e);
    if (p->adapter) p->node = adapter_node_id(p->adapter);
    p->nsp = sio_nsp_get(events_sio(e), STR("/"));
    p->archive = events_app(e); /* of gateway.c */
    private_archive_open(p);
    return p;
}

void private_settle(struct private *p)
{
    if (!p->is_closed || p->under_way) return;
    map_fini(&p->lanes);
    map_fini(&p->readers);
    mem_free(p);
}

static void private_close(void *state)
{
    private_readers_close(state); /* lanes and busy readers end with their answers */
    private_archive_close(state);
    private_settle(state);
}

static const struct event_row events[] = {
    {EVENT(privateMessage), .handle = on_message},
    {EVENT(privateHistory), .handle = private_on_history},
    {EVENT(markAsRead), .handle = private_on_read},
    {EVENT(unreadCounts), .handle = private_on_unread},
    {EVENT(blockUser), .handle = private_on_block},
    {EVENT(unblockUser), .handle = private_on_unblock},
    {EVENT(blockedUsers), .handle = private_on_blocked},
    {0},
};

const struct feature feature_private = {
    .name = "private",
    .events = events,
    .open = private_open,
    .close = private_close,
    .on_connect = on_connect,
    .on_leave = on_leave,
    .on_state = on_state,
    .on_message = on_node_message,
};
