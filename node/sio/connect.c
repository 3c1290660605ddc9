/* CONNECT: may this client have a socket in this namespace? The only file that answers CONNECT and
 * CONNECT_ERROR. Source: socket.io-protocol v5, "Connection to a namespace"; protocol 4 where the
 * session is Engine.IO 3. */
#include "node/sio/sio_priv.h"

#include "adapter/session.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/metric.h"

#define ATTEMPTS_WINDOW_MS 60000

static void send_text(struct sio_client *c, enum sio_packet_type type, struct str nsp,
                      struct str json)
{
    struct sb *text = &c->sio->text;

    text->n = 0;
    sio_packet_encode(text, &(struct sio_packet){.type = type, .nsp = nsp, .json = json});
    if (c->session) eio_session_send(c->session, eio_text_message(sb_view(text)));
}

/* message: plain text; data: raw JSON, may be empty. */
static void refuse(struct sio_client *c, struct str nsp, struct str message, struct str data)
{
    bool v4 = eio_session_protocol(c->session) == 3;
    struct sb json = {0};

    if (v4 && data.n != 0) {
        sb_str(&json, data);
    } else if (v4) {
        sb_json(&json, message);
    } else {
        sb_z(&json, "{\"message\":");
        sb_json(&json, message);
        if (data.n != 0) {
            sb_z(&json, ",\"data\":");
            sb_str(&json, data);
        }
        sb_char(&json, '}');
    }
    metric_add(M_SOCKETS_REFUSED, 1);
    send_text(c, SIO_PACKET_CONNECT_ERROR, nsp, sb_view(&json));
    sb_fini(&json);
}

static void refuse_unknown(struct sio_client *c, struct str nsp)
{
    metric_add(M_SOCKETS_REFUSED, 1); /* in protocol 4 an object too */
    send_text(c, SIO_PACKET_CONNECT_ERROR, nsp, STR("{\"message\":\"Invalid namespace\"}"));
}

static unsigned sockets_of(const struct sio_client *c)
{
    unsigned n = sio_recovery_count(c);

    for (const struct sio_socket *s = c->sockets; s; s = s->next)
        n++;
    return n;
}

/* Knocking at doors without end is no use of the protocol. */
static bool knocks_too_often(struct sio_client *c)
{
    uint64_t now = clock_ms();

    if (c->attempts == 0 || now - c->attempts_since_ms >= ATTEMPTS_WINDOW_MS) {
        c->attempts = 0;
        c->attempts_since_ms = now;
    }
    return ++c->attempts > c->sio->conf->max_namespaces * SIO_ATTEMPTS_PER_NSP;
}

void sio_connect_welcome(struct sio_socket *s, const struct session *was)
{
    struct sio_client *c = s->client;
    struct sio *sio = c->sio;
    struct sb json = {0};

    loop_timer_stop(sio->loop, &c->connect_timer);
    sio_keep_open(s, was);
    sio_socket_enter(s);
    if (eio_session_protocol(c->session) != 3) {
        sb_z(&json, "{\"sid\":");
        sb_json(&json, sio_socket_str(s));
        if (s->keep) {
            sb_z(&json, ",\"pid\":");
            sb_json(&json, sio_keep_pid(s));
        }
        sb_char(&json, '}');
    }
    send_text(c, SIO_PACKET_CONNECT, sio_nsp_str(s->nsp), sb_view(&json));
    sb_fini(&json);
    metric_add(M_SOCKETS_CONNECTED, 1);
    if (s->state == SIO_STATE_CONNECTED && sio->app->on_connect) sio->app->on_connect(sio->ctx, s);
}

static void ask_app(struct sio_client *c, struct sio_nsp *n, struct str auth)
{
    struct sio *sio = c->sio;
    struct sio_socket *s = sio_socket_new(c, n, auth);
    struct sio_connect ask = {.auth = sio_socket_auth(s)};
    int rc = sio->app->on_connecting ? sio->app->on_connecting(sio->ctx, s, &ask) : OK;

    if (rc == OK && c->session) {
        if (!sio_recovery_try(s, ask.who))
            sio_connect_welcome(s, &(struct session){.who = ask.who, .has_who = true});
    } else if (rc == OK) { /* the middleware closed the connection and yet said yes */
        sio_socket_refuse(s, c->closed_why);
    } else {
        if (c->session) {
            refuse(c, sio_nsp_str(n),
                   ask.error_message.n ? sb_view(&ask.error_message) : STR("Forbidden"),
                   sb_view(&ask.error_data));
        }
        sio_socket_drop(s);
    }
    sb_fini(&ask.error_message);
    sb_fini(&ask.error_data);
}

void sio_connect_try(struct sio_client *c, struct str nsp, struct str auth)
{
    struct sio *sio = c->sio;
    struct sio_nsp *n = sio_nsp_get(sio, nsp);

    if (knocks_too_often(c)) {
        eio_session_close(c->session, CLOSE_FORCED_SERVER_CLOSE);
    } else if (!n) {
        refuse_unknown(c, nsp);
    } else if (sockets_of(c) >= sio->conf->max_namespaces) {
        refuse(c, nsp, STR("too many namespaces"), STR_NONE);
    } else if (auth.n > SIO_AUTH_MAX) {
        refuse(c, nsp, STR("auth too large"), STR_NONE);
    } else {
        ask_app(c, n, auth);
    }
}
