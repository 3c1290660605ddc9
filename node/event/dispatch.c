/* The five gates of an event: token, rate, role, schema, handler. The only place where a code of a
 * handler becomes an answer, a metric and a log line. */
#include "node/event/event.h"

#include <assert.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "node/event/event_priv.h"
#include "node/event/session.h"

struct refusal {
    const struct event_schema *schema; /* NULL: an unknown event */
    int code;
    struct str why; /* STR_NONE: the text of the code */
    uint64_t retry_after_ms;
    struct str ack;
    struct str more; /* further members, `"a":1,"b":2` */
};

static void put_refusal(struct sb *b, const struct refusal *r, const char *text_key)
{
    sb_z(b, "\"code\":");
    sb_json(b, str_z(err_wire(r->code)));
    sb_printf(b, ",\"%s\":", text_key);
    sb_json(b, r->why.n ? r->why : str_z(err_text(r->code)));
    if (r->retry_after_ms) {
        sb_z(b, ",\"retryAfterMs\":");
        sb_u64(b, r->retry_after_ms);
    }
    if (r->more.n) {
        sb_char(b, ',');
        sb_str(b, r->more);
    }
    sb_char(b, '}');
}

/* The event's own error event (shape: schemas/gateway/out/roomError.json and its like), and the ack
 * if one is due. */
static void tell_refusal(struct sio_socket *s, const struct refusal *r)
{
    struct sio_cast to = sio_cast_self(s);
    struct sb b = {0};

    to.flags |= SIO_LOCAL; /* not kept: mistakes of clients are no business of Redis */
    if (r->schema && r->schema->error_event) {
        sb_printf(&b, "[\"%s\",{\"event\":\"%s\",", r->schema->error_event, r->schema->name);
        put_refusal(&b, r, "error");
        sb_char(&b, ']');
        sio_cast_emit(&to, sb_view(&b), NULL, 0);
    }
    if (r->ack.n) {
        b.n = 0;
        sb_z(&b, "[{\"ok\":false,");
        put_refusal(&b, r, "message");
        sb_char(&b, ']');
        sio_socket_ack(s, r->ack, sb_view(&b), NULL, 0);
    }
    sb_fini(&b);
}

/* One strike; persistent abuse ends the connection. */
static void strike(struct event_peer *peer)
{
    if (peer->is_closing || !rate_strike(&peer->rate, &peer->events->limits, clock_ms())) return;
    session_ban(peer);
}

static void refuse(struct sio_socket *s, struct event_peer *peer, const struct refusal *r)
{
    /* what a client does wrong would fill the log: only trouble of ours is reported at its own
     * level */
    enum log_level level = (enum log_level)err_level(r->code);

    if (level == LOG_LEVEL_INFO) level = LOG_LEVEL_DEBUG;
    LOG_AT(level, "event.refused", LOG_Z("event", r->schema ? r->schema->name : "?"),
           LOG_Z("code", err_wire(r->code)), LOG_S("socket", sio_socket_id(s)));
    metric_add_at(M_EVENTS_REFUSED, (unsigned)-r->code, 1);
    tell_refusal(s, r);
    strike(peer);
}

static void accept_ack(struct sio_socket *s, struct str ack, struct str reply)
{
    struct sb b = {0};

    if (!ack.n) return;
    sb_z(&b, "[{\"ok\":true");
    if (reply.n) sb_char(&b, ',');
    sb_str(&b, reply);
    sb_z(&b, "}]");
    sio_socket_ack(s, ack, sb_view(&b), NULL, 0);
    sb_fini(&b);
}

/* The first argument; null when there is none. Already validated by sio. */
static struct json first_argument(const struct sio_event *event)
{
    struct json array = {JSON_ARRAY, event->array}, item;
    struct str rest = json_begin(array);

    if (json_next_item(&rest, &item) && json_next_item(&rest, &item)) return item;
    return (struct json){JSON_NULL, STR("null")};
}

/* Gates three to five. */
static int run(struct events *e, const struct registry_row *row, struct event_ctx *c,
               struct sb *scratch)
{
    const struct event_schema *schema = row->schema;
    union event_in in = {0};
    int rc;

    if (c->who->role < schema->role) return ERR_FORBIDDEN;
    if (schema->decode) {
        if (c->event->attachments_count) {
            sb_z(c->why, "payload: binary data is not accepted");
            return ERR_SCHEMA;
        }
        rc = schema->decode(first_argument(c->event), scratch, &in, c->why);
        if (rc != OK) return rc;
    }
    c->state = e->states[row->feature_i];
    return row->handle(c, &in);
}

static void dispatch_known(struct events *e, struct sio_socket *s, struct event_peer *peer,
                           const struct registry_row *row, const struct sio_event *event,
                           unsigned stage)
{
    struct sb scratch = {0}, reply = {0}, why = {0};
    struct event_ctx c = {.events = e,
                          .socket = s,
                          .who = peer->who,
                          .event = event,
                          .reply = &reply,
                          .why = &why,
                          .stage = stage};
    int rc = run(e, row, &c, &scratch);

    if (rc == OK && !c.is_deferred) {
        accept_ack(s, event->ack, sb_view(&reply));
    } else if (rc != OK) {
        const struct refusal r = {row->schema,      rc,         sb_view(&why),
                                  c.retry_after_ms, event->ack, STR_NONE};

        refuse(s, peer, &r);
    }
    sb_fini(&scratch);
    sb_fini(&reply);
    sb_fini(&why);
}

static void dispatch_unknown(struct sio_socket *s, const struct sio_event *event)
{
    const struct refusal r = {.code = ERR_UNKNOWN_EVENT, .ack = event->ack};

    metric_add(M_EVENTS_UNKNOWN, 1);
    tell_refusal(s, &r);
}

/* The socket's own bucket first; pings and echoes are nobody else's affair. */
static uint64_t take_token(struct events *e, struct event_peer *peer, enum event_rate rate)
{
    uint64_t wait_ms = rate_take(&peer->rate, &e->limits, rate, clock_ms());

    if (wait_ms || rate == EVENT_RATE_PING || rate == EVENT_RATE_ECHO) return wait_ms;
    wait_ms = limit_take(e->limiter, peer->user_share);
    return wait_ms ? wait_ms : limit_take(e->limiter, peer->ip_share);
}

void dispatch_event(struct events *e, struct sio_socket *s, const struct sio_event *event)
{
    uint64_t start_us = clock_us(), wait_ms;
    struct event_peer *peer = sio_socket_user(s);
    const struct registry_row *row;
    enum event_rate rate;

    if (!peer || peer->is_closing || !e->sio || !session_is_live(peer)) return;
    row = registry_find(peer->rows, event->name);
    rate = row ? row->schema->rate : EVENT_RATE_EVENT;
    if (row) metric_add_at(M_EVENTS_IN, row->schema->id, 1);
    wait_ms = take_token(e, peer, rate);
    if (rate == EVENT_RATE_ECHO) { /* answered, it would come back for ever */
        metric_add(M_EVENTS_SWALLOWED, 1);
        if (wait_ms) strike(peer);
    } else if (wait_ms) {
        const struct refusal r = {
            row ? row->schema : NULL, ERR_RATE, STR_NONE, wait_ms, event->ack, STR_NONE};

        refuse(s, peer, &r);
    } else if (row) {
        dispatch_known(e, s, peer, row, event, 0);
    } else {
        dispatch_unknown(s, event);
    }
    metric_observe_us(M_EVENT_SECONDS, clock_us() - start_us);
}

/* ---- an event without a socket ---- */

struct str event_address(const struct event_ctx *c)
{
    return c->ask ? c->ask->address : sio_socket_handshake(c->socket)->address;
}

void events_ask(struct events *e, const struct event_ask *ask)
{
    const struct registry_row *row = &e->registry.rows[ask->event];
    struct sb reply = {0}, why = {0};
    struct event_ctx c = {.events = e, .who = ask->who, .ask = ask, .reply = &reply, .why = &why};
    int rc = e->sio ? OK : ERR_UNAVAILABLE;

    assert(row->is_askable);
    if (rc == OK && ask->who->role < row->schema->role) rc = ERR_FORBIDDEN;
    if (rc == OK) {
        c.state = e->states[row->feature_i];
        rc = row->handle(&c, ask->in);
    }
    if (!c.is_deferred)
        ask->told(ask->ctx, &(struct event_answer){.rc = rc,
                                                   .members = sb_view(&reply),
                                                   .why = sb_view(&why),
                                                   .retry_after_ms = c.retry_after_ms});
    sb_fini(&reply);
    sb_fini(&why);
}

/* ---- an answer that comes later ---- */

struct event_later {
    struct sio_nsp *nsp; /* NULL: an ask */
    const struct event_schema *schema;
    void (*told)(void *ctx, const struct event_answer *a);
    void *ctx;
    struct str id, ack;
    char bytes[]; /* both */
};

struct event_later *event_defer(struct event_ctx *c)
{
    const struct event_peer *peer;
    struct str id, ack;
    struct event_later *l;

    c->is_deferred = true;
    if (c->ask) {
        l = MEM_NEW(struct event_later);
        l->told = c->ask->told;
        l->ctx = c->ask->ctx;
        return l;
    }
    peer = sio_socket_user(c->socket);
    id = sio_socket_id(c->socket);
    ack = c->event->ack;
    l = mem_new(1, sizeof *l + id.n + ack.n);
    l->nsp = sio_socket_nsp(c->socket);
    l->schema = registry_find(peer->rows, c->event->name)->schema;
    memcpy(l->bytes, id.p, id.n);
    if (ack.n) memcpy(l->bytes + id.n, ack.p, ack.n);
    l->id = str_of(l->bytes, id.n);
    l->ack = str_of(l->bytes + id.n, ack.n);
    return l;
}

struct sio_socket *event_later_socket(const struct event_later *l)
{
    struct sio_socket *s = l->nsp ? sio_socket_find(l->nsp, l->id) : NULL;

    return s && sio_socket_is_connected(s) ? s : NULL;
}

/* True: it was an ask. Takes l then. */
static bool end_ask(struct event_later *l, const struct event_answer *a)
{
    if (l->nsp) return false;
    l->told(l->ctx, a);
    mem_free(l);
    return true;
}

/* schema and ack are l's own. Takes l. */
static void end_refused(struct event_later *l, struct refusal *r)
{
    struct sio_socket *s = event_later_socket(l);
    struct event_peer *peer = s ? sio_socket_user(s) : NULL;

    if (end_ask(l, &(struct event_answer){r->code, r->more, r->why, r->retry_after_ms})) return;
    r->schema = l->schema;
    r->ack = l->ack;
    if (peer) refuse(s, peer, r);
    mem_free(l);
}

static void end(struct event_later *l, int rc, struct str reply, struct str why)
{
    struct sio_socket *s = event_later_socket(l);
    struct event_peer *peer = s ? sio_socket_user(s) : NULL;

    if (rc != OK) {
        end_refused(l, &(struct refusal){.code = rc, .why = why});
        return;
    }
    if (end_ask(l, &(struct event_answer){.members = reply})) return;
    if (peer) accept_ack(s, l->ack, reply);
    mem_free(l);
}

void event_later_end(struct event_later *l, int rc, struct str reply)
{
    end(l, rc, reply, STR_NONE);
}

void event_later_answer(struct event_later *l, struct str array)
{
    struct sio_socket *s = event_later_socket(l);
    struct str members = str_skip(array, str_find(array, '{') + 1); /* behind ["name",{ */

    if (!l->ack.n && s) sio_socket_emit(s, array, NULL, 0);
    end(l, OK, str_head(members, members.n - 2), STR_NONE);
}

void event_later_refuse(struct event_later *l, int rc, struct str why)
{
    end(l, rc, STR_NONE, why);
}

void event_later_refuse_more(struct event_later *l, const struct event_refusal *r)
{
    end_refused(l, &(struct refusal){.code = r->code,
                                     .why = r->why,
                                     .retry_after_ms = r->retry_after_ms,
                                     .more = r->more});
}

void event_later_drop(struct event_later *l)
{
    if (!end_ask(l, &(struct event_answer){.rc = ERR_UNAVAILABLE})) mem_free(l);
}

/* ---- an event that waits ---- */

struct event_held {
    struct events *events;
    struct sio_nsp *nsp;
    struct str id, name, args, array, ack;
    char bytes[]; /* all of them */
};

static struct str copy(char **at, struct str s)
{
    struct str kept = {*at, s.n};

    if (s.n) memcpy(*at, s.p, s.n);
    *at += s.n;
    return kept;
}

struct event_held *event_hold(struct event_ctx *c)
{
    const struct sio_event *e = c->event;
    struct str id = sio_socket_id(c->socket);
    struct event_held *h =
        mem_new(1, sizeof *h + id.n + e->name.n + e->args.n + e->array.n + e->ack.n);
    char *at = h->bytes;

    h->events = c->events;
    h->nsp = sio_socket_nsp(c->socket);
    h->id = copy(&at, id);
    h->name = copy(&at, e->name);
    h->args = copy(&at, e->args);
    h->array = copy(&at, e->array);
    h->ack = copy(&at, e->ack);
    c->is_deferred = true;
    return h;
}

/* Its socket, if it is still there to be answered; NULL: it is not. */
static struct sio_socket *socket_of(const struct event_held *h, struct event_peer **peer,
                                    const struct registry_row **row)
{
    struct sio_socket *s = sio_socket_find(h->nsp, h->id);

    *peer = s && sio_socket_is_connected(s) ? sio_socket_user(s) : NULL;
    if (!*peer || (*peer)->is_closing || !h->events->sio) return NULL;
    *row = registry_find((*peer)->rows, h->name);
    return *row ? s : NULL;
}

void event_resume(struct event_held *h, unsigned stage)
{
    const struct sio_event event = {
        .name = h->name, .args = h->args, .array = h->array, .ack = h->ack};
    const struct registry_row *row;
    struct event_peer *peer;
    struct sio_socket *s = socket_of(h, &peer, &row);

    if (s) dispatch_known(h->events, s, peer, row, &event, stage);
    mem_free(h);
}

void event_held_refuse(struct event_held *h, int rc, uint64_t retry_after_ms)
{
    const struct registry_row *row;
    struct event_peer *peer;
    struct sio_socket *s = socket_of(h, &peer, &row);

    if (s) {
        const struct refusal r = {
            .schema = row->schema, .code = rc, .retry_after_ms = retry_after_ms, .ack = h->ack};

        refuse(s, peer, &r);
    }
    mem_free(h);
}

void event_held_drop(struct event_held *h)
{
    mem_free(h);
}
