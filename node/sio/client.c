/* One Engine.IO session and its sockets: takes its messages apart and gives each packet to the
 * socket it is for. Whatever breaks the protocol closes the session here and nowhere else. Source:
 * socket.io-protocol v5; what closes: Node.js' client.ts and its parser, seen on the wire. */
#include "node/sio/sio_priv.h"

#include "base/conf.h"
#include "base/mem.h"
#include "base/metric.h"

static void on_connect_timeout(struct timer *t)
{
    struct sio_client *c = LIST_OWNER(t, struct sio_client, connect_timer);

    if (c->session) eio_session_close(c->session, CLOSE_CONNECT_TIMEOUT);
}

void sio_client_on_open(void *ctx, struct eio_session *session)
{
    struct sio *sio = ctx;
    struct sio_client *c = MEM_NEW(struct sio_client);

    c->sio = sio;
    c->session = session;
    list_push(&sio->clients, &c->node);
    timer_init(&c->connect_timer, on_connect_timeout);
    loop_timer(sio->loop, &c->connect_timer, sio->conf->connect_timeout_ms);
    eio_session_set_user(session, c);
    /* protocol 4: the server connects its client to "/" unasked */
    if (eio_session_protocol(session) == 3) sio_connect_try(c, STR("/"), STR_NONE);
}

static void free_later(struct loop_task *t)
{
    mem_free(LIST_OWNER(t, struct sio_client, free_task));
}

static void release(struct sio_client *c)
{
    list_unlink(&c->node);
    loop_timer_stop(c->sio->loop, &c->connect_timer);
    sio_binary_free(c->binary);
    c->binary = NULL;
    c->session = NULL;
}

void sio_client_on_close(void *ctx, struct eio_session *session, enum close_reason why)
{
    struct sio_client *c = eio_session_user(session);
    struct sio_socket *s;

    (void)ctx;
    if (!c) return;
    eio_session_set_user(session, NULL);
    c->closed_why = (uint8_t)why;
    release(c);
    while ((s = sio_recovery_abandon(c)))
        sio_socket_refuse(s, why);
    while (c->sockets)
        sio_socket_close(c->sockets, why);
    loop_task_init(&c->free_task, free_later);
    loop_free_at_end(c->sio->loop, &c->free_task);
}

void sio_client_free(struct sio_client *c)
{
    struct sio_socket *s;

    release(c); /* the engine may be gone already */
    while ((s = sio_recovery_abandon(c)))
        sio_socket_free(s);
    while (c->sockets) {
        s = c->sockets;

        c->sockets = s->next;
        sio_socket_free(s);
    }
    mem_free(c);
}

static struct sio_socket *socket_in(const struct sio_client *c, struct str nsp)
{
    for (struct sio_socket *s = c->sockets; s; s = s->next) {
        if (str_eq(sio_nsp_str(s->nsp), nsp)) return s;
    }
    return NULL;
}

/* Protocol 4 has no payload in CONNECT: auth is the query of the name, `40/admin?token=1,`. */
static int connect_v4(struct sio_client *c, struct str nsp)
{
    struct str path, query, pair, key, value;
    struct sb auth = {0}, text = {0};

    str_cut(nsp, '?', &path, &query);
    if (socket_in(c, path)) return ERR_PROTO;
    sb_char(&auth, '{');
    while (query.n != 0 && str_next(&query, '&', &pair)) {
        if (pair.n == 0) continue;
        if (!str_cut(pair, '=', &key, &value)) value = STR("");
        if (auth.n > 1) sb_char(&auth, ',');
        text.n = 0;
        sb_percent_decode(&text, key);
        sb_json(&auth, sb_view(&text));
        sb_char(&auth, ':');
        text.n = 0;
        sb_percent_decode(&text, value);
        sb_json(&auth, sb_view(&text));
    }
    sb_char(&auth, '}');
    sio_connect_try(c, path, sb_view(&auth));
    sb_fini(&text);
    sb_fini(&auth);
    return OK;
}

static int take_connect(struct sio_client *c, const struct sio_packet *p)
{
    if (!str_is_utf8(p->nsp)) return ERR_UTF8; /* a refusal repeats it */
    if (eio_session_protocol(c->session) == 3) return connect_v4(c, p->nsp);
    if (socket_in(c, p->nsp) || sio_recovery_is_of(c, p->nsp)) return ERR_PROTO;
    sio_connect_try(c, p->nsp, p->json);
    return OK;
}

/* A complete packet. ERR_PROTO: not for a socket of this client, or not now. */
static int take_packet(struct sio_client *c, const struct sio_packet *p,
                       const struct str *attachments, unsigned n)
{
    struct sio *sio = c->sio;
    struct sio_socket *s = socket_in(c, p->nsp);

    if (p->type == SIO_PACKET_CONNECT) return take_connect(c, p);
    if (!s) return ERR_PROTO;
    switch (p->type) {
    case SIO_PACKET_DISCONNECT:
        sio_socket_close(s, CLOSE_CLIENT_DISCONNECT);
        return OK;
    case SIO_PACKET_EVENT:
    case SIO_PACKET_BINARY_EVENT:
        sio->app->on_event(sio->ctx, s,
                           &(struct sio_event){.name = p->name,
                                               .args = p->args,
                                               .array = p->json,
                                               .ack = p->ack,
                                               .attachments = attachments,
                                               .attachments_count = n});
        return OK;
    case SIO_PACKET_ACK:
    case SIO_PACKET_BINARY_ACK:
        sio_ack_take(s, p->ack, p->json, attachments, n);
        return OK;
    case SIO_PACKET_CONNECT:
    case SIO_PACKET_CONNECT_ERROR:
    default:
        return ERR_PROTO;
    }
}

static unsigned attachments_max(const struct sio_client *c)
{
    return (unsigned)c->sio->conf->max_attachments;
}

static int take_text(struct sio_client *c, struct str text)
{
    struct sio_packet p;
    int rc;

    if (c->binary) return ERR_PROTO; /* an attachment is due */
    rc = sio_packet_decode(text, attachments_max(c), &c->sio->name, &p);
    if (rc != OK) return rc;
    if (p.attachments == 0) return take_packet(c, &p, NULL, 0);
    return sio_binary_new(&p, c->sio->conf->max_payload_bytes, &c->binary);
}

static int take_binary(struct sio_client *c, struct str bytes)
{
    struct sio_binary *b = c->binary;
    const struct str *attachments;
    struct sio_packet p;
    unsigned n;
    int rc;

    if (!b) return ERR_PROTO;
    rc = sio_binary_add(b, bytes);
    if (rc == ERR_AGAIN) return OK;
    c->binary = NULL; /* the packet's handler may close the session */
    if (rc == OK) rc = sio_packet_decode(sio_binary_text(b), attachments_max(c), &c->sio->name, &p);
    if (rc == OK) {
        attachments = sio_binary_attachments(b, &n);
        rc = take_packet(c, &p, attachments, n);
    }
    sio_binary_free(b);
    return rc;
}

void sio_client_on_message(void *ctx, struct eio_session *session, struct str data, bool binary)
{
    struct sio_client *c = eio_session_user(session);
    int rc;

    (void)ctx;
    if (!c) return;
    rc = binary ? take_binary(c, data) : take_text(c, data);
    if (rc == OK || !c->session) return; /* closed meanwhile: freed at the end of the turn */
    metric_add(M_EIO_PARSE_ERRORS, 1);
    eio_session_close(c->session, CLOSE_PARSE_ERROR);
}
