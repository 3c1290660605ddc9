/* The wiring: sockets come and go, features are opened and closed, hooks are handed on.
 * Events themselves go through dispatch.c. */
#include "node/event/event.h"

#include "adapter/adapter.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/order.h"
#include "node/auth/token.h"
#include "node/event/event_priv.h"
#include "node/event/session.h"

enum { ERR_LABELS = 64, FULL_RETRY_MS = 10000 };

/* The codes of err.def as labels, by their absolute value. */
static unsigned err_labels(const char *labels[ERR_LABELS])
{
    unsigned count = 0;
    int code;

    labels[0] = err_wire(OK);
    for (unsigned i = 0; err_row(i, &code); i++) {
        if (-code >= ERR_LABELS) continue;
        labels[-code] = err_wire(code);
        if ((unsigned)-code > count) count = (unsigned)-code;
    }
    for (unsigned i = 0; i < count; i++)
        if (!labels[i]) labels[i] = "unused"; /* a gap in the table */
    return count + 1;
}

static void label_metrics(void)
{
    static const char *names[EVENT_COUNT], *codes[ERR_LABELS];

    for (int i = 0; i < EVENT_COUNT; i++)
        names[i] = event_schemas[i].label;
    metric_labels(M_EVENTS_IN, names, EVENT_COUNT);
    metric_labels(M_EVENTS_REFUSED, codes, err_labels(codes));
}

static void on_denied(void *ctx)
{
    session_look_again(ctx);
}

/* In front of names in Redis; STR_NONE for the gateway. scratch lives as long as the result. */
static struct str scope_of(const struct events *e, struct sb *scratch)
{
    if (str_eq(e->nsp, STR("/"))) return STR_NONE;
    sb_printf(scratch, "%s:", e->conf->adapter_prefix);
    return sb_view(scratch);
}

struct events *events_new(struct loop *l, const struct conf *c, const struct auth *auth,
                          struct str nsp, const struct feature *const features[])
{
    struct events *e = MEM_NEW(struct events);
    struct sb mistakes = {0}, scope = {0};
    int rc;

    list_init(&e->peers);
    e->loop = l;
    e->conf = c;
    e->auth = auth;
    e->nsp = nsp;
    e->limits = rate_limits_of(c);
    e->denied = denied_new(l, c, on_denied, e);
    session_walk_init(e);
    e->limiter = limits_new(l, c, scope_of(e, &scope));
    sb_fini(&scope);
    rc = registry_init(&e->registry, nsp, features, &mistakes);
    for (unsigned i = 0; features[i]; i++) {
        if (i == EVENT_FEATURES_MAX) {
            sb_z(&mistakes, "too many features\n");
            rc = ERR_CONFIG;
            break;
        }
        e->features[e->features_count++] = features[i];
    }
    label_metrics();
    if (rc != OK) {
        LOG_ERROR("events.mistakes", LOG_S("text", sb_view(&mistakes)));
        events_free(e);
        e = NULL;
    }
    sb_fini(&mistakes);
    return e;
}

static void on_first_device(void *ctx, const struct people_user *u)
{
    struct events *e = ctx;

    for (unsigned i = 0; i < e->features_count; i++)
        if (e->features[i]->on_first_device) e->features[i]->on_first_device(e->states[i], u);
}

static void on_last_device(void *ctx, const struct people_user *u)
{
    struct events *e = ctx;

    for (unsigned i = 0; i < e->features_count; i++)
        if (e->features[i]->on_last_device) e->features[i]->on_last_device(e->states[i], u);
}

static void on_counted(void *ctx, const struct people_user *u)
{
    struct events *e = ctx;

    for (unsigned i = 0; i < e->features_count; i++)
        if (e->features[i]->on_counted) e->features[i]->on_counted(e->states[i], u);
}

static void on_hidden(void *ctx, struct str id_text, bool hidden)
{
    struct events *e = ctx;

    for (unsigned i = 0; i < e->features_count; i++)
        if (e->features[i]->on_hidden) e->features[i]->on_hidden(e->states[i], id_text, hidden);
}

void events_attach(struct events *e, struct sio *s, struct adapter *a)
{
    e->sio = s;
    e->adapter = a;
    denied_attach(e->denied, a);
    limits_attach(e->limiter, a);
    e->people = people_new(&(struct people_conf){.loop = e->loop,
                                                 .conf = e->conf,
                                                 .adapter = a,
                                                 .nsp = e->nsp,
                                                 .hooks = {.on_first_device = on_first_device,
                                                           .on_last_device = on_last_device,
                                                           .on_counted = on_counted,
                                                           .on_hidden = on_hidden},
                                                 .ctx = e});
    for (unsigned i = 0; i < e->features_count; i++)
        if (e->features[i]->open) e->states[i] = e->features[i]->open(e);
}

void events_detach(struct events *e)
{
    if (!e->sio) return;
    denied_attach(e->denied, NULL);
    limits_attach(e->limiter, NULL);
    session_walk_stop(e);
    for (unsigned i = e->features_count; i-- > 0;) {
        if (e->features[i]->close) e->features[i]->close(e->states[i]);
        e->states[i] = NULL;
    }
    people_free(e->people);
    e->people = NULL;
    e->sio = NULL;
    e->adapter = NULL;
}

static void free_peer(struct loop_task *t)
{
    struct event_peer *peer = LIST_OWNER(t, struct event_peer, free_task);

    identity_free(peer->token);
    identity_free(peer->fresh);
    mem_free(peer);
}

void events_free(struct events *e)
{
    struct list *node;

    if (!e) return;
    events_detach(e);
    /* sockets that sio freed without a word, at the very end */
    while ((node = list_shift(&e->peers))) {
        session_stop(LIST_OWNER(node, struct event_peer, node));
        free_peer(&LIST_OWNER(node, struct event_peer, node)->free_task);
    }
    session_walk_stop(e);
    denied_free(e->denied);
    limits_free(e->limiter);
    registry_fini(&e->registry);
    mem_free(e);
}

static void order_refuse(const struct order *o, int status, const char *body)
{
    const struct order_reply r = {
        .status = status, .type = STR("application/json"), .body = str_z(body)};

    o->ticket.answer(o->ticket.to, &r);
}

void events_order(struct events *e, const struct order *o)
{
    struct str feature = str_skip(o->path, 1), rest;

    (void)str_cut(feature, '/', &feature, &rest);
    for (unsigned i = 0; i < e->features_count; i++) {
        const struct feature *f = e->features[i];

        if (!f->on_order || !str_eq(feature, str_z(f->name))) continue;
        if (e->sio)
            f->on_order(e->states[i], o);
        else
            order_refuse(o, 503, "{\"error\":\"closing\",\"code\":\"closed\"}");
        return;
    }
    order_refuse(o, 404, "{\"error\":\"not found\",\"code\":\"not_found\"}");
}

void events_set_app(struct events *e, void *app)
{
    e->app = app;
}

void *events_app(const struct events *e)
{
    return e->app;
}

struct loop *events_loop(const struct events *e)
{
    return e->loop;
}

const struct conf *events_conf(const struct events *e)
{
    return e->conf;
}

struct sio *events_sio(const struct events *e)
{
    return e->sio;
}

struct adapter *events_adapter(const struct events *e)
{
    return e->adapter;
}

struct people *events_people(const struct events *e)
{
    return e->people;
}

struct denied *events_denied(const struct events *e)
{
    return e->denied;
}

const struct identity *event_identity(const struct sio_socket *s)
{
    const struct event_peer *peer = sio_socket_user(s);

    return peer ? peer->who : identity_guest();
}

void events_on_node_lost(struct events *e, struct str node)
{
    if (e->sio) people_on_node_lost(e->people, node);
    for (unsigned i = 0; e->sio && i < e->features_count; i++)
        if (e->features[i]->on_node_lost) e->features[i]->on_node_lost(e->states[i], node);
}

void events_on_node_up(struct events *e, struct str node)
{
    for (unsigned i = 0; e->sio && i < e->features_count; i++)
        if (e->features[i]->on_node_up) e->features[i]->on_node_up(e->states[i], node);
}

void events_on_people(struct events *e, struct str payload)
{
    if (e->sio) people_on_message(e->people, payload);
}

void events_on_state(struct events *e, bool connected)
{
    if (connected) denied_connected(e->denied);
    if (e->sio) people_on_state(e->people, connected);
    for (unsigned i = 0; e->sio && i < e->features_count; i++)
        if (e->features[i]->on_state) e->features[i]->on_state(e->states[i], connected);
}

/* On the wire: the feature's name, a blank, what it says. */
void events_on_message(struct events *e, struct str from, struct str payload)
{
    struct str name, rest;

    (void)str_cut(payload, ' ', &name, &rest);
    for (unsigned i = 0; e->sio && i < e->features_count; i++)
        if (e->features[i]->on_message && str_eq(name, str_z(e->features[i]->name)))
            e->features[i]->on_message(e->states[i], from, rest);
}

void events_send(struct events *e, const char *feature, struct str node, struct str payload,
                 void (*sent)(void *ctx, int rc), void *ctx)
{
    struct sb b = {0};

    if (!e->adapter) {
        if (sent) sent(ctx, ERR_UNAVAILABLE);
        return;
    }
    sb_printf(&b, "%s ", feature);
    sb_str(&b, payload);
    adapter_send(e->adapter, node, ADAPTER_FEATURE, sb_view(&b), sent, ctx);
    sb_fini(&b);
}

/* ---- sockets ---- */

/* The first gate: a guest without a token, a guest with a bad one, or somebody. */
static int authenticate(const struct events *e, struct sio_socket *s, struct identity **who,
                        uint64_t *left_ms)
{
    const struct eio_handshake *h = sio_socket_handshake(s);
    struct sb scratch = {0};
    struct identity *found = NULL;
    struct str token;
    int rc = ERR_AUTH_REQUIRED, denied;

    if (auth_token_find(sio_socket_auth(s), h->query, h->authorization, &scratch, &token))
        rc = auth_token_check(e->auth, token, clock_wall_ms(), &found);
    sb_fini(&scratch);
    denied = session_check(e, found ? found : identity_guest(), h->address, left_ms);
    if (denied != OK) {
        identity_free(found);
        return denied;
    }
    *who = found;
    return rc == ERR_UNAVAILABLE ? ERR_AUTH_REQUIRED : rc;
}

/* What a refused client's connect_error says: its message in capitals, as applications compare it.
 */
static void refuse_connect(struct sio_connect *c, int rc, uint64_t left_ms)
{
    for (const char *p = err_wire(rc); *p; p++)
        sb_char(&c->error_message, *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
    sb_printf(&c->error_data, "{\"code\":\"%s\"", err_wire(rc));
    if (left_ms) sb_printf(&c->error_data, ",\"retryAfterMs\":%llu", (unsigned long long)left_ms);
    sb_char(&c->error_data, '}');
}

/* Sockets of one address, and of one user, on this node. */
static int join_limits(struct events *e, struct sio_socket *s, const struct identity *who,
                       struct event_peer *peer)
{
    struct str address = sio_socket_handshake(s)->address;
    int rc = limit_join(e->limiter, LIMIT_IP, address, &peer->ip_share);

    if (rc != OK || !who) return rc;
    rc = limit_join(e->limiter, LIMIT_USER, who->id_text, &peer->user_share);
    if (rc != OK) limit_leave(e->limiter, peer->ip_share);
    return rc;
}

uint64_t events_admit(struct events *e, struct str address)
{
    uint64_t left_ms = denied_left_ms(e->denied, DENIED_BAN_ADDRESS, address, 0);

    if (left_ms) metric_add_at(M_DENIED_REFUSED, DENIED_BAN_ADDRESS, 1);
    return left_ms ? left_ms : limit_handshake(e->limiter, address);
}

static int on_connecting(void *ctx, struct sio_socket *s, struct sio_connect *c)
{
    struct events *e = ctx;
    struct identity *who = NULL;
    uint64_t left_ms = 0;
    int rc = authenticate(e, s, &who, &left_ms);
    struct event_peer *peer;

    if (rc == ERR_BANNED || (rc != OK && e->conf->auth_required)) {
        refuse_connect(c, rc, rc == ERR_BANNED ? left_ms : 0);
        return rc;
    }
    peer = MEM_NEW(struct event_peer);
    if (join_limits(e, s, who, peer) != OK) {
        refuse_connect(c, ERR_LIMIT, FULL_RETRY_MS);
        identity_free(who);
        mem_free(peer);
        return ERR_LIMIT;
    }
    loop_task_init(&peer->free_task, free_peer);
    peer->events = e;
    peer->socket = s;
    peer->rows = registry_nsp(&e->registry, sio_nsp_name(sio_socket_nsp(s)));
    peer->token = who;
    peer->who = who ? who : identity_guest();
    peer->auth_rc = rc;
    list_init(&peer->node);
    list_push(&e->peers, &peer->node);
    e->peers_count++;
    session_start(peer);
    sio_socket_set_user(s, peer);
    c->who = peer->who->id_text;
    return OK;
}

static void on_connect(void *ctx, struct sio_socket *s)
{
    struct events *e = ctx;
    struct event_peer *peer = sio_socket_user(s);

    if (!peer || !e->sio) return;
    peer->is_connected = true;
    if (peer->auth_rc != OK && peer->auth_rc != ERR_AUTH_REQUIRED)
        dispatch_auth_error(peer, peer->auth_rc);
    peer->person = people_enter(e->people, s, peer->who);
    for (unsigned i = 0; i < e->features_count; i++)
        if (e->features[i]->on_connect) e->features[i]->on_connect(e->states[i], s, peer->who);
}

static void on_event(void *ctx, struct sio_socket *s, const struct sio_event *event)
{
    dispatch_event(ctx, s, event);
}

static void on_disconnect(void *ctx, struct sio_socket *s, enum close_reason why)
{
    struct events *e = ctx;
    struct event_peer *peer = sio_socket_user(s);

    (void)why;
    if (!peer) return;
    for (unsigned i = 0; e->sio && peer->is_connected && i < e->features_count; i++)
        if (e->features[i]->on_leave) e->features[i]->on_leave(e->states[i], s, peer->who);
    if (e->sio && peer->is_connected) people_exit(peer->person);
    peer->is_connected = false;
    session_stop(peer);
    limit_leave(e->limiter, peer->ip_share);
    limit_leave(e->limiter, peer->user_share);
    peer->ip_share = peer->user_share = NULL;
    list_unlink(&peer->node);
    e->peers_count--;
    /* A handler of this very socket may be running: its identity lives to the end of the turn, as
     * the socket does. */
    loop_free_at_end(e->loop, &peer->free_task);
}

const struct sio_app *event_sio_app(void)
{
    static const struct sio_app app = {
        .on_connecting = on_connecting,
        .on_connect = on_connect,
        .on_event = on_event,
        .on_disconnect = on_disconnect,
    };

    return &app;
}
