/* News of one room, to its members on all nodes: each node takes over the rules, tells its own
 * members and takes out whom it has to, in this order, so that whoever is put out is told first. On
 * the wire: five fields, each as length, colon and bytes. */
#include "node/features/rooms/rooms_priv.h"

#include "base/mem.h"
#include "base/metric.h"
#include "node/features/rooms/rooms_key.h"

enum { FIELDS = 5 };

struct taking { /* out of a room */
    struct rooms *rooms;
    const struct rooms_news *news;
};

static void take_one(void *ctx, struct sio_socket *s)
{
    const struct taking *t = ctx;
    struct sb key = {0};
    bool all = str_eq(t->news->out, STR("*"));

    if (!rooms_is_member(s, t->news->room)) return;
    if (!all) rooms_key_put(event_identity(s), sio_socket_id(s), &key);
    if (all || str_eq(sb_view(&key), t->news->out))
        rooms_take_out(t->rooms, s, t->news->room, !all);
    sb_fini(&key);
}

static void apply(struct rooms *r, const struct rooms_news *n)
{
    struct sio_nsp *nsp = sio_nsp_get(events_sio(r->events), n->nsp);
    struct rooms_room *m = rooms_room_find(r, n->nsp, n->room);
    struct sio_cast to;

    if (m && n->rules.n) (void)rooms_rules_take(&m->rules, n->rules);
    if (!nsp) return;
    to = sio_cast_room(nsp, n->room);
    to.flags |= SIO_LOCAL;
    if (n->array.n) sio_cast_emit(&to, n->array, NULL, 0);
    if (n->out.n) sio_room_each(nsp, n->room, take_one, &(struct taking){r, n});
}

/* ---- to the other nodes ---- */

struct telling {
    struct rooms *rooms;
    struct sb payload;
    unsigned waiting;
    void (*done)(void *ctx);
    void *ctx;
};

static void put_field(struct sb *b, struct str field)
{
    sb_u64(b, field.n);
    sb_char(b, ':');
    sb_str(b, field);
}

static bool read_field(struct str *rest, struct str *field)
{
    struct str digits, tail;
    uint64_t n;

    if (!str_cut(*rest, ':', &digits, &tail) || str_u64(digits, tail.n, &n) != OK) return false;
    *field = str_head(tail, n);
    *rest = str_skip(tail, n);
    return true;
}

static void told_one(struct telling *t)
{
    struct rooms *r = t->rooms;

    if (--t->waiting) return;
    if (t->done) t->done(t->ctx);
    sb_fini(&t->payload);
    mem_free(t);
    r->steps--;
    rooms_settle(r);
}

static void on_sent(void *ctx, int rc)
{
    (void)rc; /* dead, or Redis is away: it reads the rules when it is back */
    told_one(ctx);
}

static void tell_node(void *ctx, struct str node)
{
    struct telling *t = ctx;

    if (str_eq(node, adapter_node_id(t->rooms->adapter))) return;
    t->waiting++;
    events_send(t->rooms->events, "rooms", node, sb_view(&t->payload), on_sent, t);
}

void rooms_tell(struct rooms *r, const struct rooms_news *n, void (*done)(void *ctx), void *ctx)
{
    struct telling *t = MEM_NEW(struct telling);

    *t = (struct telling){.rooms = r, .waiting = 1, .done = done, .ctx = ctx};
    r->steps++;
    put_field(&t->payload, n->nsp);
    put_field(&t->payload, n->room);
    put_field(&t->payload, n->rules);
    put_field(&t->payload, n->out);
    put_field(&t->payload, n->array);
    if (r->adapter) adapter_each_node(r->adapter, tell_node, t);
    apply(r, n);
    told_one(t);
}

void rooms_on_news(void *state, struct str from, struct str payload)
{
    struct str fields[FIELDS];

    (void)from;
    for (int i = 0; i < FIELDS; i++) {
        if (read_field(&payload, &fields[i])) continue;
        metric_add(M_REDIS_GARBAGE, 1);
        return;
    }
    apply(state, &(struct rooms_news){fields[0], fields[1], fields[2], fields[3], fields[4]});
}
