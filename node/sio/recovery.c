/* A client that comes back: its session is taken out of Redis, what it missed is sent before the
 * CONNECT packet, and it is the socket that it was. It has passed the application's check by then,
 * as any other; whatever goes wrong, it is let in as a new one. Source: reference 2.4 and 6.2. */
#include "node/sio/sio_priv.h"

#include "adapter/session.h"
#include "base/conf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/metric.h"

struct frames { /* of what was missed, in order */
    struct buf **items;
    size_t count, cap;
};

struct sio_recovery {
    struct sio_recovery *next; /* of the same client */
    struct sio_socket *socket; /* NULL: gone meanwhile */
    struct sio_nsp *nsp;
    struct sb who;
    struct sb texts; /* of the session */
    struct session session;
    struct str *rooms;
    struct frames missed, late;
    size_t bytes;
    bool is_taken, is_too_much;
};

/* ---- what was missed ---- */

static bool meets(const struct session *s, const struct str *rooms, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < s->rooms_count; k++)
            if (str_eq(rooms[i], s->rooms[k])) return true;
    return false;
}

static void keep_frame(void *ctx, struct buf *b)
{
    struct frames *f = ctx;

    if (f->count == f->cap) {
        f->cap = f->cap ? 2 * f->cap : 16;
        f->items = mem_grow(f->items, f->cap * sizeof(struct buf *));
    }
    f->items[f->count++] = b;
}

static void on_missed(void *ctx, const struct adapter_cast *c, bool is_late)
{
    struct sio_recovery *r = ctx;

    if (c->rooms_count && !meets(&r->session, c->rooms, c->rooms_count)) return;
    if (meets(&r->session, c->except, c->except_count) || r->is_too_much) return;
    r->bytes += c->array.n;
    for (unsigned i = 0; i < c->attachments_count; i++)
        r->bytes += c->attachments[i].n;
    if (r->bytes > r->nsp->sio->conf->out_soft_bytes)
        r->is_too_much = true; /* to be sent at once, it would look like a slow reader */
    else
        sio_cast_frames(r->nsp, c, keep_frame, is_late ? &r->late : &r->missed);
}

static void frames_send(struct frames *f, struct eio_session *to)
{
    for (size_t i = 0; i < f->count; i++) {
        if (to)
            eio_session_send(to, f->items[i]);
        else
            buf_unref(f->items[i]);
    }
    mem_free(f->items);
    *f = (struct frames){0};
}

/* ---- the session ---- */

static struct str copy(struct sb *b, struct str s)
{
    size_t start = b->n;

    sb_str(b, s);
    return str_of(b->p + start, s.n);
}

static void remember(struct sio_recovery *r, const struct session *s)
{
    size_t bytes = s->sid.n + s->pid.n + s->data.n + s->since.n + s->who.n + 1;

    for (unsigned i = 0; i < s->rooms_count; i++)
        bytes += s->rooms[i].n;
    sb_reserve(&r->texts, bytes); /* so that it does not move */
    r->session = *s;
    r->session.sid = copy(&r->texts, s->sid);
    r->session.pid = copy(&r->texts, s->pid);
    r->session.data = copy(&r->texts, s->data);
    r->session.since = copy(&r->texts, s->since);
    r->session.who = copy(&r->texts, s->who);
    r->rooms = mem_new(s->rooms_count + 1, sizeof *r->rooms);
    for (unsigned i = 0; i < s->rooms_count; i++)
        r->rooms[i] = copy(&r->texts, s->rooms[i]);
    r->session.rooms = r->rooms;
}

/* Somebody else's, or one that would not be the same here, is not given back in part. */
static bool fits(const struct sio_recovery *r, const struct session *s)
{
    const struct sio_socket *now = r->socket;
    unsigned rooms = now ? now->seats_count - now->inner_count : 0;

    if (s->has_who && !str_eq(s->who, sb_view(&r->who))) return false;
    if (!session_is_pid(s->sid)) return false; /* of the same make */
    for (unsigned i = 0; i < s->rooms_count; i++) {
        if (s->rooms[i].n == 0 || s->rooms[i].n > SIO_ROOM_NAME_MAX) return false;
        rooms += !str_eq(s->rooms[i], s->sid) && !sio_room_is_inner(s->rooms[i]);
    }
    return rooms <= r->nsp->sio->conf->max_rooms;
}

static bool on_session(void *ctx, const struct session *s)
{
    struct sio_recovery *r = ctx;

    if (!fits(r, s)) return false;
    remember(r, s);
    r->is_taken = true;
    return true;
}

/* ---- the end ---- */

/* A client that came back before its old connection was given up; on another node, too. */
static void end_old(const struct sio_recovery *r)
{
    struct sio *sio = r->nsp->sio;
    struct sio_socket *old = map_get(&r->nsp->sockets, r->session.sid);
    const struct adapter_target others = {
        .nsp = sio_nsp_str(r->nsp), .rooms = &r->session.sid, .rooms_count = 1};

    if (old) {
        sio_keep_forget(old);
        sio_socket_disconnect(old, false);
    }
    if (!old && r->session.is_live) adapter_disconnect(sio->adapter, &others, false);
}

/* The client may go away at each step: r->socket is NULL then. */
static void restore(struct sio_recovery *r)
{
    struct sio_socket *s = r->socket;

    end_old(r);
    if (!r->socket) return;
    memcpy(s->id, r->session.sid.p, s->id_n);
    for (unsigned i = 0; i < r->session.rooms_count; i++)
        if (sio_socket_join(s, r->rooms[i]) != OK) continue; /* inner ones: the core joins them */
    frames_send(&r->missed, s->session);
    frames_send(&r->late, s->session);
    if (r->session.has_who) return;
    r->session.who = sb_view(&r->who);
    r->session.has_who = true;
}

static void recovery_free(struct sio_recovery *r)
{
    frames_send(&r->missed, NULL);
    frames_send(&r->late, NULL);
    sb_fini(&r->who);
    sb_fini(&r->texts);
    mem_free(r->rooms);
    mem_free(r);
}

static void unlink_from_client(const struct sio_recovery *r)
{
    struct sio_recovery **at = r->socket ? &r->socket->client->recoveries : NULL;

    while (at && *at != r)
        at = &(*at)->next;
    if (at) *at = r->next;
}

/* Whoever went away again may still come back. */
static void put_back(struct sio_recovery *r)
{
    struct sio *sio = r->nsp->sio;
    struct session_mark mark = {0};

    r->session.is_live = false;
    session_put(sio->adapter, &r->session, sio->conf->recovery_ms, &mark);
}

static void on_done(void *ctx, int rc)
{
    struct sio_recovery *r = ctx;
    const struct session fresh = {.who = sb_view(&r->who), .has_who = true};
    bool is_whole = rc == OK && !r->is_too_much, is_end = !r->nsp->sio->adapter;

    metric_add_at(M_RECOVERIES, is_whole ? 0 : 1, 1);
    if (r->socket && is_whole && !is_end) restore(r);
    unlink_from_client(r);
    if (is_end && r->socket)
        sio_socket_free(r->socket); /* nothing is said to anybody */
    else if (r->socket)
        sio_connect_welcome(r->socket, is_whole ? &r->session : &fresh);
    else if (r->is_taken && !is_end)
        put_back(r);
    recovery_free(r);
}

/* ---- the beginning ---- */

static bool read_auth(struct str auth, struct sb *scratch, struct str *pid, struct str *offset)
{
    struct json whole, v;

    if (json_parse(auth, &whole) != OK || !json_member(whole, STR("pid"), &v)) return false;
    sb_reserve(scratch, auth.n + 1);
    if (v.type != JSON_STRING || json_text(v, scratch, pid) != OK) return false;
    *offset = STR_NONE;
    if (json_member(whole, STR("offset"), &v)) {
        if (v.type != JSON_STRING || json_text(v, scratch, offset) != OK) return false;
        if (!offset->n) return false;
    }
    return session_is_pid(*pid);
}

bool sio_recovery_try(struct sio_socket *s, struct str who)
{
    struct sio *sio = s->nsp->sio;
    struct sb scratch = {0};
    struct str pid, offset;
    struct sio_recovery *r;
    bool is_one = sio->conf->recovery_ms && sio->adapter && s->id_n == SESSION_PID_SIZE &&
                  eio_session_protocol(s->session) != 3 &&
                  read_auth(sio_socket_auth(s), &scratch, &pid, &offset);

    if (is_one) {
        r = MEM_NEW(struct sio_recovery);
        r->socket = s;
        r->nsp = s->nsp;
        sb_str(&r->who, who);
        r->next = s->client->recoveries;
        s->client->recoveries = r;
        session_restore(
            sio->adapter, sio_nsp_str(s->nsp), pid, offset,
            &(struct session_restore){
                .ctx = r, .on_session = on_session, .on_missed = on_missed, .done = on_done});
    }
    sb_fini(&scratch);
    return is_one;
}

bool sio_recovery_is_of(const struct sio_client *c, struct str nsp)
{
    for (const struct sio_recovery *r = c->recoveries; r; r = r->next)
        if (str_eq(sio_nsp_str(r->nsp), nsp)) return true;
    return false;
}

unsigned sio_recovery_count(const struct sio_client *c)
{
    unsigned n = 0;

    for (const struct sio_recovery *r = c->recoveries; r; r = r->next)
        n++;
    return n;
}

struct sio_socket *sio_recovery_abandon(struct sio_client *c)
{
    struct sio_recovery *r = c->recoveries;
    struct sio_socket *s;

    if (!r) return NULL;
    c->recoveries = r->next;
    s = r->socket;
    r->socket = NULL;
    return s;
}
