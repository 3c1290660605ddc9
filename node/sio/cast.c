/* Emissions to many: encoded once, the same bytes for every recipient. Per recipient there is no
 * allocation, no JSON and no hashing. Local delivery comes first, publishing in the same turn;
 * neither waits for the other. Source: socket.io-adapter, broadcast(): rooms are joined, each
 * socket once, minus all who are in an except room. */
#include "node/sio/sio_priv.h"

#include "adapter/adapter.h"
#include "base/conf.h"
#include "base/mem.h"
#include "base/metric.h"

struct run { /* one cast on this node */
    struct sio_nsp *nsp;
    const struct str *rooms, *except;
    unsigned rooms_count, except_count;
    struct str array;
    const struct str *attachments;
    unsigned attachments_count;
    struct str offset; /* for clients that come back; empty: none */
    bool is_volatile, no_compress;
    struct sio_ack_group *group; /* NULL: no acks are wanted */
    struct buf *text;            /* made for the first recipient */
    struct buf **binary_v3,
        **binary_v4; /* frames of the attachments, made for the first of each protocol */
    uint64_t delivered, dropped;
};

/* ---- frames ---- */

static struct buf *finished(const struct run *c, struct buf *b)
{
    if (c->no_compress) b->flags &= (uint8_t)~BUF_COMPRESS;
    return b;
}

static void encode(struct run *c)
{
    struct sb *text = &c->nsp->sio->text;
    struct sio_packet p = {
        .type = c->attachments_count ? SIO_PACKET_BINARY_EVENT : SIO_PACKET_EVENT,
        .attachments = c->attachments_count,
        .nsp = sio_nsp_str(c->nsp),
        .ack = c->group ? sio_ack_group_id(c->group) : STR_NONE,
        .json = c->array,
    };

    text->n = 0;
    sio_packet_encode(text, &p);
    if (c->offset.n && !c->group) {
        text->n--; /* the closing bracket */
        sb_char(text, ',');
        sb_json(text, c->offset);
        sb_char(text, ']');
    }
    c->text = finished(c, eio_text_message(sb_view(text)));
}

static struct buf **binary_for(struct run *c, int protocol)
{
    struct buf ***frames = protocol == 3 ? &c->binary_v3 : &c->binary_v4;

    if (*frames) return *frames;
    *frames = mem_new(c->attachments_count, sizeof **frames);
    for (unsigned i = 0; i < c->attachments_count; i++) {
        (*frames)[i] = finished(c, eio_binary_message(protocol, c->attachments[i]));
    }
    return *frames;
}

static void free_frames(struct run *c, struct buf **frames)
{
    for (unsigned i = 0; frames && i < c->attachments_count; i++)
        buf_unref(frames[i]);
    mem_free(frames);
}

/* ---- recipients ---- */

static void send_attachments(struct run *c, struct sio_socket *s)
{
    struct buf **frames = binary_for(c, eio_session_protocol(s->session));

    for (unsigned i = 0; i < c->attachments_count; i++)
        eio_session_send(s->session, buf_ref(frames[i]));
}

static inline void send_to(struct run *c, struct sio_socket *s)
{
    if (s->state != SIO_STATE_CONNECTED) return;
    if (c->is_volatile && !eio_session_is_writable(s->session)) {
        c->dropped++;
        return;
    }
    if (!c->text) encode(c);
    c->delivered++;
    if (c->group) sio_ack_group_add(c->group, s);
    eio_session_send(s->session, buf_ref(c->text));
    if (c->attachments_count != 0) send_attachments(c, s);
}

static void send_to_room(struct run *c, struct sio_room *r, const struct sio_socket *but)
{
    uint32_t count = r->count; /* who joins meanwhile was not addressed */

    sio_room_walk_begin(c->nsp->sio);
    for (uint32_t i = 0; i < count; i++) {
        struct sio_socket *s = r->members[i].socket; /* members may move: read anew */

        if (s && s != but) send_to(c, s);
    }
    sio_room_walk_end(c->nsp->sio);
}

/* One room or the whole namespace, nobody or one socket left out: the array is walked as it lies.
 */
static bool is_simple(const struct run *c, const struct sio_socket **but)
{
    *but = NULL;
    if (c->rooms_count > 1 || c->except_count > 1) return false;
    if (c->except_count == 0) return true;
    if (sio_room_get(c->nsp, c->except[0])) return false;
    *but = map_get(&c->nsp->sockets, c->except[0]);
    return true;
}

static void send_simple(struct run *c, const struct sio_socket *but)
{
    struct sio_socket *own;
    struct sio_room *r;

    if (c->rooms_count == 0) {
        send_to_room(c, c->nsp->all, but);
        return;
    }
    own = map_get(&c->nsp->sockets, c->rooms[0]);
    r = sio_room_get(c->nsp, c->rooms[0]);
    if (own && own != but) send_to(c, own);
    if (r) send_to_room(c, r, but); /* own is never in it */
}

static void target(struct sio *sio, struct sio_socket *s, bool wanted)
{
    if (!s || s->stamp == sio->stamp) return;
    s->stamp = sio->stamp;
    if (!wanted) return;
    if (sio->targets_count == sio->targets_cap) {
        sio->targets_cap = sio->targets_cap ? sio->targets_cap * 2 : 64;
        sio->targets = mem_grow(sio->targets, sio->targets_cap * sizeof(struct sio_socket *));
    }
    sio->targets[sio->targets_count++] = s;
}

static void target_room(struct sio_nsp *n, const struct sio_room *r, bool wanted)
{
    for (uint32_t i = 0; r && i < r->count; i++)
        target(n->sio, r->members[i].socket, wanted);
}

static void target_name(struct sio_nsp *n, struct str name, bool wanted)
{
    target(n->sio, map_get(&n->sockets, name), wanted);
    target_room(n, sio_room_get(n, name), wanted);
}

size_t sio_targets_begin(struct sio_nsp *n, const struct adapter_target *t)
{
    struct sio *sio = n->sio;
    size_t first = sio->targets_count;

    sio->stamp++;
    for (unsigned i = 0; i < t->except_count; i++)
        target_name(n, t->except[i], false);
    for (unsigned i = 0; i < t->rooms_count; i++)
        target_name(n, t->rooms[i], true);
    if (t->rooms_count == 0) target_room(n, n->all, true);
    return first;
}

void sio_targets_end(struct sio *s, size_t first)
{
    s->targets_count = first;
}

/* The general case: first the recipients are collected, each stamped so that it counts once, then
 * they are sent to. A send may end a session and start further casts: they stack their targets
 * above ours. */
static void send_general(struct run *c)
{
    struct sio *sio = c->nsp->sio;
    const struct adapter_target t = {.rooms = c->rooms,
                                     .except = c->except,
                                     .rooms_count = c->rooms_count,
                                     .except_count = c->except_count};
    size_t first = sio_targets_begin(c->nsp, &t), end = sio->targets_count;

    for (size_t i = first; i < end; i++)
        send_to(c, sio->targets[i]);
    sio_targets_end(sio, first);
}

static void deliver(struct run *c)
{
    const struct sio_socket *but;

    if (is_simple(c, &but)) {
        send_simple(c, but);
    } else {
        send_general(c);
    }
    if (c->text) buf_unref(c->text);
    free_frames(c, c->binary_v3);
    free_frames(c, c->binary_v4);
    metric_add(M_DELIVERIES, c->delivered);
    if (c->dropped != 0) metric_add(M_VOLATILE_DROPPED, c->dropped);
}

/* ---- public ---- */

struct sio_cast sio_cast_all(struct sio_nsp *n)
{
    return (struct sio_cast){.nsp = n};
}

struct sio_cast sio_cast_room(struct sio_nsp *n, struct str room)
{
    return (struct sio_cast){.nsp = n, .rooms = {room}, .rooms_count = 1};
}

struct sio_cast sio_cast_room_but(struct sio_socket *s, struct str room)
{
    struct sio_cast c = sio_cast_room(s->nsp, room);

    c.except[0] = sio_socket_str(s);
    c.except_count = 1;
    return c;
}

struct sio_cast sio_cast_self(struct sio_socket *s)
{
    struct sio_cast c = sio_cast_room(s->nsp, sio_socket_str(s));

    if (!s->keep) c.flags = SIO_LOCAL;
    return c;
}

static struct adapter_cast outside(const struct sio_cast *c, struct str array,
                                   const struct str *attachments, unsigned n)
{
    return (struct adapter_cast){
        .nsp = sio_nsp_str(c->nsp),
        .rooms = c->rooms,
        .except = c->except,
        .rooms_count = c->rooms_count,
        .except_count = c->except_count,
        .flags = (c->flags & SIO_VOLATILE ? ADAPTER_VOLATILE : 0u) |
                 (c->flags & SIO_NO_COMPRESS ? ADAPTER_NO_COMPRESS : 0u),
        .array = array,
        .attachments = attachments,
        .attachments_count = n,
    };
}

static struct run run_of(struct sio *s, const struct adapter_cast *c)
{
    return (struct run){
        .nsp = sio_nsp_get(s, c->nsp),
        .rooms = c->rooms,
        .except = c->except,
        .rooms_count = c->rooms_count,
        .except_count = c->except_count,
        .array = c->array,
        .attachments = c->attachments,
        .attachments_count = c->attachments_count,
        .offset = c->offset,
        .is_volatile = (c->flags & ADAPTER_VOLATILE) != 0,
        .no_compress = (c->flags & ADAPTER_NO_COMPRESS) != 0,
    };
}

void sio_cast_emit(const struct sio_cast *c, struct str array, const struct str *attachments,
                   unsigned n)
{
    struct sio *sio = c->nsp->sio;
    const struct adapter_cast out = outside(c, array, attachments, n);
    struct run r = run_of(sio, &out);
    bool is_to_keep = false;

    metric_add(M_CASTS, 1);
    if (sio->conf->recovery_ms && sio->adapter) {
        is_to_keep = !(c->flags & (SIO_LOCAL | SIO_VOLATILE));
        if (is_to_keep && adapter_keep(sio->adapter, &out)) return;
        /* a text at the end is taken for an offset: let there be one */
        r.offset = adapter_offset(sio->adapter, out.nsp);
    }
    if (!is_to_keep && !(c->flags & SIO_LOCAL) && sio->adapter) adapter_publish(sio->adapter, &out);
    deliver(&r); /* behind it: the turn writes in this order, and Redis is one write */
}

void sio_cast_deliver(struct sio *s, const struct adapter_cast *c)
{
    struct run r = run_of(s, c);

    if (r.nsp) deliver(&r); /* a namespace that this node does not serve is no mistake */
}

void sio_cast_frames(struct sio_nsp *n, const struct adapter_cast *c,
                     void (*fn)(void *ctx, struct buf *b), void *ctx)
{
    struct run r = run_of(n->sio, c);
    struct buf **frames;

    encode(&r);
    fn(ctx, r.text);
    if (!r.attachments_count) return;
    frames = binary_for(&r, 4);
    for (unsigned i = 0; i < r.attachments_count; i++)
        fn(ctx, frames[i]);
    mem_free(frames);
}

unsigned sio_cast_deliver_ack(struct sio_ack_group *g, const struct adapter_cast *c)
{
    struct run r = run_of(sio_ack_group_nsp(g)->sio, c);

    r.group = g;
    deliver(&r);
    return (unsigned)r.delivered;
}

void sio_cast_emit_ack(const struct sio_cast *c, struct str array, const struct str *attachments,
                       unsigned n, const struct adapter_ask *ask)
{
    struct sio *sio = c->nsp->sio;
    const struct adapter_cast out = outside(c, array, attachments, n);
    struct sio_gather *g = sio_gather_begin(sio, ask, 2);
    struct sio_ack_group *group =
        sio_ack_group_new(c->nsp, sio_gather_timeout(g), sio_gather_each, sio_gather_done, g);
    unsigned count;

    metric_add(M_CASTS, 1);
    count = sio_cast_deliver_ack(group, &out);
    if (ask->on_count) ask->on_count(ask->ctx, count);
    sio_ack_group_start(group);
    if ((c->flags & SIO_LOCAL) || !sio->adapter)
        sio_gather_done(g, OK);
    else
        adapter_publish_ack(sio->adapter, &out, sio_gather_ask(g));
    sio_gather_end(g);
}
