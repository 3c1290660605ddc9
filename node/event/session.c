/* Tokens that end while their socket lives. Two ways out: a token that ran out ends the transport
 * (stock clients come back by themselves, with a new token or as guests); who was revoked or banned
 * gets DISCONNECT, after which they stay away. */
#include "node/event/session.h"

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "events_out.h"
#include "node/auth/token.h"
#include "node/event/event_priv.h"

enum {
    LOOK_MS = 50,           /* several entries at once are one walk */
    LOOK_STEP = 4000,       /* sockets */
    TIMER_MAX_S = 24 * 3600 /* a longer one is set again */
};

static void say(struct event_peer *p, int code, uint64_t retry_after_ms)
{
    const struct out_auth_error error = {.code = str_z(err_wire(code)),
                                         .message = str_z(err_text(code)),
                                         .has_retry_after_ms = retry_after_ms > 0,
                                         .retry_after_ms = (int64_t)retry_after_ms};
    struct sio_cast to = sio_cast_self(p->socket);

    to.flags |= SIO_LOCAL;
    emit_auth_error(&to, &error);
}

void dispatch_auth_error(struct event_peer *p, int code)
{
    say(p, code, 0);
}

/* ---- denied ---- */

static enum denied_kind denied_kind_of(const struct events *e, const struct identity *who,
                                       struct str jti, struct str address, uint64_t *left_ms)
{
    const struct denied *d = e->denied;

    if ((*left_ms = denied_left_ms(d, DENIED_BAN_ADDRESS, address, 0))) return DENIED_BAN_ADDRESS;
    if (who->role == ROLE_GUEST) return DENIED_KIND_COUNT;
    if ((*left_ms = denied_left_ms(d, DENIED_BAN_USER, who->id_text, 0))) return DENIED_BAN_USER;
    if ((*left_ms = denied_left_ms(d, DENIED_USER, who->id_text, who->issued_s)))
        return DENIED_USER;
    if ((*left_ms = denied_left_ms(d, DENIED_JTI, jti, 0))) return DENIED_JTI;
    return DENIED_KIND_COUNT;
}

static int code_of(enum denied_kind kind)
{
    return kind == DENIED_USER || kind == DENIED_JTI ? ERR_REVOKED : ERR_BANNED;
}

int session_check(const struct events *e, const struct identity *who, struct str address,
                  uint64_t *left_ms)
{
    enum denied_kind kind = denied_kind_of(e, who, who->jti, address, left_ms);

    if (kind == DENIED_KIND_COUNT) return OK;
    metric_add_at(M_DENIED_REFUSED, kind, 1);
    return code_of(kind);
}

static void look_at(struct events *e, struct event_peer *p)
{
    struct str address = sio_socket_handshake(p->socket)->address;
    uint64_t left_ms;
    enum denied_kind kind;
    int code;

    if (!p->is_connected || p->is_closing) return;
    kind = denied_kind_of(e, p->who, p->fresh ? p->fresh->jti : p->who->jti, address, &left_ms);
    if (kind == DENIED_KIND_COUNT) return;
    code = code_of(kind);
    p->is_closing = true;
    metric_add_at(M_DENIED_CLOSED, kind, 1);
    LOG_INFO("session.denied", LOG_S("socket", sio_socket_id(p->socket)),
             LOG_Z("code", err_wire(code)));
    say(p, code, code == ERR_BANNED ? left_ms : 0);
    sio_socket_disconnect(p->socket, true);
}

/* Who was looked at goes to the end of the list; who comes meanwhile is at the end already. */
static void on_look(struct timer *t)
{
    struct events *e = LIST_OWNER(t, struct events, look);

    for (unsigned i = 0; i < LOOK_STEP && e->to_look && !list_is_empty(&e->peers); i++) {
        struct event_peer *p = LIST_OWNER(e->peers.next, struct event_peer, node);

        list_unlink(&p->node);
        list_push(&e->peers, &p->node);
        e->to_look--;
        look_at(e, p);
    }
    if (list_is_empty(&e->peers)) e->to_look = 0;
    if (e->to_look) loop_timer(e->loop, &e->look, 1);
}

void session_look_again(struct events *e)
{
    e->to_look = e->peers_count;
    if (!timer_is_set(&e->look)) loop_timer(e->loop, &e->look, LOOK_MS);
}

void session_walk_init(struct events *e)
{
    timer_init(&e->look, on_look);
}

void session_walk_stop(struct events *e)
{
    e->to_look = 0;
    loop_timer_stop(e->loop, &e->look);
}

void session_ban(struct event_peer *p)
{
    const struct conf *c = p->events->conf;
    struct str address = sio_socket_handshake(p->socket)->address;
    uint64_t left_ms = c->ban_seconds * 1000;
    bool is_user = p->who->role != ROLE_GUEST;

    p->is_closing = true;
    metric_add(M_RATE_CLOSED, 1);
    LOG_INFO("event.struck_out", LOG_S("socket", sio_socket_id(p->socket)));
    if (left_ms && (is_user || !limits_is_exempt(p->events->limiter, address))) {
        int rc = denied_add(p->events->denied, is_user ? DENIED_BAN_USER : DENIED_BAN_ADDRESS,
                            is_user ? p->who->id_text : address, c->ban_seconds, NULL, NULL);

        if (rc == OK) say(p, ERR_BANNED, left_ms);
    }
    sio_socket_disconnect(p->socket, true);
}

/* ---- exp ---- */

static void end(struct event_peer *p)
{
    if (p->is_closing) return;
    p->is_closing = true;
    metric_add(M_AUTH_EXPIRED_CLOSED, 1);
    LOG_INFO("session.expired", LOG_S("socket", sio_socket_id(p->socket)));
    sio_socket_end_transport(p->socket, CLOSE_AUTH_EXPIRED);
}

static void set_timer(struct event_peer *p, uint64_t at_ms)
{
    uint64_t now_ms = clock_wall_ms(), wait_ms = at_ms > now_ms ? at_ms - now_ms : 0;

    if (wait_ms > TIMER_MAX_S * UINT64_C(1000)) wait_ms = TIMER_MAX_S * UINT64_C(1000);
    loop_timer(p->events->loop, &p->expiry, wait_ms);
}

static void on_expiry(struct timer *t)
{
    struct event_peer *p = LIST_OWNER(t, struct event_peer, expiry);
    uint64_t now_ms = clock_wall_ms(), over_ms = p->token->expires_s * 1000;
    uint64_t end_ms = over_ms + p->events->conf->auth_grace_ms;

    if (now_ms < over_ms) { /* a day is over, or somebody moved the clock */
        set_timer(p, over_ms);
    } else if (now_ms >= end_ms) {
        if (!p->is_told) say(p, ERR_EXPIRED, 0);
        end(p);
    } else {
        if (!p->is_told) say(p, ERR_EXPIRED, 0);
        p->is_told = true;
        set_timer(p, end_ms);
    }
}

void session_start(struct event_peer *p)
{
    timer_init(&p->expiry, on_expiry);
    if (p->token && p->token->expires_s) set_timer(p, p->token->expires_s * 1000);
}

void session_stop(struct event_peer *p)
{
    loop_timer_stop(p->events->loop, &p->expiry);
}

bool session_is_live(struct event_peer *p)
{
    uint64_t expires_s = p->token ? p->token->expires_s : 0;

    if (!expires_s || clock_wall_ms() <= (expires_s + EXPIRY_GRACE_S) * 1000) return true;
    if (!p->is_told) say(p, ERR_EXPIRED, 0);
    end(p);
    return false;
}

/* ---- auth:refresh ---- */

enum refresh_result { REFRESH_OK, REFRESH_INVALID, REFRESH_OTHER_USER, REFRESH_DENIED };

static int check_refresh(struct event_ctx *c, struct str text, struct identity **out)
{
    const struct event_peer *p = sio_socket_user(c->socket);
    uint64_t left_ms = 0;
    struct identity *fresh = NULL;
    int rc = auth_token_check(p->events->auth, text, clock_wall_ms(), &fresh);
    unsigned result = REFRESH_INVALID;

    if (rc == OK && !str_eq(fresh->id, p->who->id)) {
        rc = ERR_FORBIDDEN;
        result = REFRESH_OTHER_USER;
        sb_z(c->why, "the token is of another user; connect again with it");
    } else if (rc == OK) {
        rc = session_check(p->events, fresh, sio_socket_handshake(c->socket)->address, &left_ms);
        result = rc == OK ? REFRESH_OK : REFRESH_DENIED;
        c->retry_after_ms = rc == ERR_BANNED ? left_ms : 0;
    }
    metric_add_at(M_AUTH_REFRESHED, result, 1);
    if (rc == OK)
        *out = fresh;
    else
        identity_free(fresh);
    return rc;
}

/* Features hold the identity of the first token: what may change is written into it. */
static int on_refresh(struct event_ctx *c, const union event_in *in)
{
    struct event_peer *p = sio_socket_user(c->socket);
    struct identity *fresh = NULL;
    struct str text = in->auth_refresh.token;
    int rc;

    if (!p->token) return ERR_FORBIDDEN;
    rc = check_refresh(c, text, &fresh);
    if (rc != OK) return rc;
    p->token->expires_s = fresh->expires_s;
    p->token->issued_s = fresh->issued_s;
    p->token->role = fresh->role;
    identity_free(p->fresh);
    p->fresh = fresh;
    p->is_told = false;
    session_stop(p);
    if (fresh->expires_s) set_timer(p, fresh->expires_s * 1000);
    sb_z(c->reply, "\"expiresAt\":");
    if (fresh->expires_s)
        sb_u64(c->reply, fresh->expires_s);
    else
        sb_z(c->reply, "null");
    return OK;
}

static void *open_auth(struct events *e)
{
    static const char *const results[] = {[REFRESH_OK] = "ok",
                                          [REFRESH_INVALID] = "invalid",
                                          [REFRESH_OTHER_USER] = "other_user",
                                          [REFRESH_DENIED] = "denied"};

    (void)e;
    metric_labels(M_AUTH_REFRESHED, results, 4);
    return NULL;
}

static const struct event_row rows[] = {{EVENT(auth_refresh), .handle = on_refresh}, {0}};

const struct feature feature_auth = {.name = "auth", .events = rows, .open = open_auth};
