/* One client in one namespace: its life, what is sent to it alone, what is known of it.
 * A closed socket stays readable until the end of the turn and takes no orders any more. */
#include "node/sio/sio_priv.h"

#include <assert.h>
#include "base/mem.h"
#include "base/metric.h"

static void free_later(struct loop_task *t)
{
    sio_socket_free(LIST_OWNER(t, struct sio_socket, free_task));
}

/* Protocol 5: an identifier of its own. Protocol 4: the session's, with the namespace in front of
 * it. */
static size_t make_id(const struct sio_client *c, const struct sio_nsp *n, struct sb *out)
{
    char id[EIO_ID_SIZE];

    if (eio_session_protocol(c->session) != 3) {
        eio_new_id(c->sio->eio, id);
        sb_put(out, id, sizeof id);
        return out->n;
    }
    if (n->name_n > 1) {
        sb_str(out, str_head(sio_nsp_str(n), UINT8_MAX - 1 - EIO_ID_SIZE));
        sb_char(out, '#');
    }
    sb_str(out, str_head(eio_session_id(c->session), EIO_ID_SIZE));
    return out->n;
}

struct sio_socket *sio_socket_new(struct sio_client *c, struct sio_nsp *n, struct str auth)
{
    struct sb id = {0};
    struct sio_socket *s = mem_new(1, sizeof *s + make_id(c, n, &id));

    s->session = c->session;
    s->client = c;
    s->nsp = n;
    s->state = SIO_STATE_CONNECTING;
    s->id_n = (uint8_t)id.n;
    memcpy(s->id, id.p, id.n);
    list_init(&s->acks);
    loop_task_init(&s->free_task, free_later);
    if (auth.n > 2) { /* more than {} */
        s->auth = mem_dup(auth.p, auth.n);
        s->auth_n = (uint16_t)auth.n;
    }
    sb_fini(&id);
    return s;
}

void sio_socket_free(struct sio_socket *s)
{
    sio_ack_fail_all(s);
    sio_keep_forget(s);
    sio_room_leave_all(s);
    mem_free(s->seats);
    mem_free(s->auth);
    mem_free(s);
}

void sio_socket_hush(struct sio_socket *s)
{
    s->state = SIO_STATE_CLOSED;
    sio_room_exit_all(s);
    map_del(&s->nsp->sockets, sio_socket_str(s));
    metric_shift(M_SOCKETS, -1);
}

void sio_socket_enter(struct sio_socket *s)
{
    s->next = s->client->sockets;
    s->client->sockets = s;
    s->state = SIO_STATE_CONNECTED;
    map_put(&s->nsp->sockets, sio_socket_str(s), s); /* its own room is nothing but this entry */
    sio_room_enter_all(s);
    metric_shift(M_SOCKETS, 1);
}

static void unlink_from_client(struct sio_socket *s)
{
    struct sio_socket **at = &s->client->sockets;

    while (*at && *at != s)
        at = &(*at)->next;
    if (*at) *at = s->next;
    s->next = NULL;
}

void sio_socket_close(struct sio_socket *s, enum close_reason why)
{
    struct sio *sio = s->nsp->sio;

    if (s->state != SIO_STATE_CONNECTED) return;
    s->state = SIO_STATE_CLOSED;
    unlink_from_client(s);
    metric_add_at(M_SOCKETS_DISCONNECTED, why, 1);
    sio_keep_close(s, why); /* it is in its rooms until here */
    if (sio->app->on_disconnect) sio->app->on_disconnect(sio->ctx, s, why);
    sio_ack_fail_all(s);
    sio_socket_hush(s);
    sio_socket_drop(s);
}

void sio_socket_drop(struct sio_socket *s)
{
    s->state = SIO_STATE_CLOSED;
    sio_room_leave_all(s);
    loop_free_at_end(s->nsp->sio->loop, &s->free_task);
}

void sio_socket_refuse(struct sio_socket *s, enum close_reason why)
{
    struct sio *sio = s->nsp->sio;

    s->state = SIO_STATE_CLOSED;
    if (sio->app->on_disconnect) sio->app->on_disconnect(sio->ctx, s, why);
    sio_socket_drop(s);
}

/* p->nsp, p->attachments and the binary form of p->type are filled in here. */
void sio_socket_send(struct sio_socket *s, struct sio_packet *p, const struct str *attachments)
{
    struct sb *text = &s->nsp->sio->text;
    int protocol;

    if (s->state != SIO_STATE_CONNECTED) return;
    p->nsp = sio_nsp_str(s->nsp);
    if (p->attachments != 0) {
        p->type = p->type == SIO_PACKET_ACK ? SIO_PACKET_BINARY_ACK : SIO_PACKET_BINARY_EVENT;
    }
    text->n = 0;
    sio_packet_encode(text, p);
    eio_session_send(s->session, eio_text_message(sb_view(text)));
    protocol = eio_session_protocol(s->session);
    for (unsigned i = 0; i < p->attachments; i++) {
        eio_session_send(s->session, eio_binary_message(protocol, attachments[i]));
    }
}

void sio_socket_emit(struct sio_socket *s, struct str array, const struct str *attachments,
                     unsigned n)
{
    struct sio_packet p = {.type = SIO_PACKET_EVENT, .attachments = n, .json = array};
    struct sio_cast self;

    if (s->keep) {
        self = sio_cast_self(s);
        sio_cast_emit(&self, array, attachments, n);
    } else {
        sio_socket_send(s, &p, attachments);
    }
}

void sio_socket_emit_ack(struct sio_socket *s, struct str array, const struct str *attachments,
                         unsigned n, uint64_t timeout_ms,
                         void (*done)(void *ctx, int rc, struct str array,
                                      const struct str *attachments, unsigned n),
                         void *ctx)
{
    struct sio_packet p = {.type = SIO_PACKET_EVENT, .attachments = n, .json = array};

    if (s->state != SIO_STATE_CONNECTED) {
        done(ctx, ERR_CLOSED, STR_NONE, NULL, 0);
        return;
    }
    p.ack = sio_ack_new(s, timeout_ms, done, ctx);
    sio_socket_send(s, &p, attachments);
}

void sio_socket_ack(struct sio_socket *s, struct str ack, struct str array,
                    const struct str *attachments, unsigned n)
{
    struct sio_packet p = {.type = SIO_PACKET_ACK, .attachments = n, .ack = ack, .json = array};

    if (ack.n != 0) sio_socket_send(s, &p, attachments);
}

static void say_disconnect(struct sio_socket *s)
{
    struct sio_packet p = {.type = SIO_PACKET_DISCONNECT};

    sio_socket_send(s, &p, NULL);
    sio_socket_close(s, CLOSE_SERVER_DISCONNECT);
}

void sio_socket_disconnect(struct sio_socket *s, bool close)
{
    struct sio_client *c = s->client;

    if (s->state == SIO_STATE_CLOSED) return;
    if (!close) {
        say_disconnect(s);
        return;
    }
    while (c->session && c->sockets)
        say_disconnect(c->sockets);
    if (c->session) eio_session_close(c->session, CLOSE_FORCED_SERVER_CLOSE);
}

void sio_socket_end_transport(struct sio_socket *s, enum close_reason why)
{
    if (s->state != SIO_STATE_CLOSED && s->client->session)
        eio_session_close(s->client->session, why);
}

struct str sio_socket_id(const struct sio_socket *s)
{
    return sio_socket_str(s);
}

struct sio_nsp *sio_socket_nsp(const struct sio_socket *s)
{
    return s->nsp;
}

const struct eio_handshake *sio_socket_handshake(const struct sio_socket *s)
{
    return eio_session_handshake(s->session);
}

uint32_t sio_socket_rtt_ms(const struct sio_socket *s)
{
    return eio_session_rtt_ms(s->session);
}

void sio_socket_measure(struct sio_socket *s)
{
    eio_session_measure(s->session);
}

struct str sio_socket_auth(const struct sio_socket *s)
{
    return s->auth ? str_of(s->auth, s->auth_n) : STR("{}");
}

bool sio_socket_is_connected(const struct sio_socket *s)
{
    return s->state == SIO_STATE_CONNECTED;
}

void *sio_socket_user(const struct sio_socket *s)
{
    return s->user;
}

void sio_socket_set_user(struct sio_socket *s, void *user)
{
    s->user = user;
}

struct sio_socket *sio_socket_find(struct sio_nsp *n, struct str id)
{
    return map_get(&n->sockets, id);
}

int sio_socket_join(struct sio_socket *s, struct str room)
{
    return sio_room_is_inner(room) ? ERR_FORBIDDEN : sio_room_join(s, room);
}

int sio_socket_join_inner(struct sio_socket *s, struct str room)
{
    assert(sio_room_is_inner(room));
    return sio_room_join(s, room);
}

void sio_socket_leave(struct sio_socket *s, struct str room)
{
    if (!sio_room_is_inner(room)) sio_room_leave(s, room);
}

bool sio_socket_is_in(const struct sio_socket *s, struct str room)
{
    const struct sio_room *r = sio_room_get(s->nsp, room);

    return str_eq(sio_socket_str(s), room) || (r && sio_room_has(r, s));
}

void sio_socket_each_room(struct sio_socket *s, void (*fn)(void *ctx, struct str room), void *ctx)
{
    fn(ctx, sio_socket_str(s));
    for (uint32_t i = 0; i < s->seats_count; i++) {
        const struct sio_room *r = s->seats[i].room;

        if (!sio_room_is_inner(str_of(r->name, r->name_n))) fn(ctx, str_of(r->name, r->name_n));
    }
}
