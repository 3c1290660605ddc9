/* What this node knows of its rooms. The rules of a room are read from Redis before its first event
 * here is handled, and again when Redis was away; then they come by messages (rooms_tell.c), so
 * that a message in a room costs no question. Without Redis a room has no rules. */
#include "node/features/rooms/rooms_priv.h"

#include "base/clock.h"
#include "base/mem.h"

struct held { /* an event */
    struct list node;
    struct event_held *event;
};

struct rooms_room *rooms_room_named(const struct rooms *r, struct str name)
{
    return map_get(&r->known, name);
}

struct rooms_room *rooms_room_find(const struct rooms *r, struct str nsp, struct str room)
{
    struct sb name = rooms_state_name(nsp, room);
    struct rooms_room *m = rooms_room_named(r, sb_view(&name));

    sb_fini(&name);
    return m;
}

static struct rooms_room *add(struct rooms *r, struct str nsp, struct str name)
{
    struct rooms_room *m = mem_new(1, sizeof *m + name.n);

    m->rooms = r;
    memcpy(m->bytes, name.p, name.n);
    m->name = str_of(m->bytes, name.n);
    m->nsp_n = nsp.n;
    m->epoch = r->epoch;
    m->full_ms = clock_ms();
    m->is_known = !r->adapter;
    list_init(&m->fading);
    list_init(&m->held);
    list_init(&m->rows);
    list_init(&m->sent);
    list_init(&m->comers);
    rooms_idle_init(m);
    map_put(&r->known, m->name, m);
    return m;
}

struct rooms_room *rooms_room_get(struct rooms *r, struct str nsp, struct str room)
{
    struct sb name = rooms_state_name(nsp, room);
    struct rooms_room *m = rooms_room_named(r, sb_view(&name));

    if (!m) m = add(r, nsp, sb_view(&name));
    sb_fini(&name);
    return m;
}

struct str rooms_room_id(const struct rooms_room *m)
{
    return str_skip(m->name, m->nsp_n + 1);
}

struct sio_nsp *rooms_room_nsp(const struct rooms_room *m)
{
    return sio_nsp_get(events_sio(m->rooms->events), str_head(m->name, m->nsp_n));
}

const struct rooms_type *rooms_room_type(const struct rooms_room *m)
{
    return rooms_type_of(rooms_room_id(m), str_z(m->word));
}

/* ---- the rules ---- */

struct reading {
    struct rooms *rooms;
    struct sb name;
};

static void go_on(struct rooms_room *m)
{
    struct list now, *node;

    list_init(&now);
    list_splice(&now, &m->held);
    while ((node = list_shift(&now))) {
        struct event_held *event = LIST_OWNER(node, struct held, node)->event;

        mem_free(LIST_OWNER(node, struct held, node));
        event_resume(event, 0);
    }
}

static void on_read(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct reading *reading = ctx;
    struct rooms *r = reading->rooms;
    struct rooms_room *m = r->is_closed ? NULL : rooms_room_named(r, sb_view(&reading->name));

    if (m) {
        if (rc == OK && count)
            (void)rooms_rules_take(&m->rules, reply[0]);
        else
            m->epoch = r->epoch - 1; /* they are asked for again */
        m->is_reading = false;
        m->is_known = true; /* or nobody can say: rooms go on without Redis */
        rooms_room_fade(m);
        go_on(m);
    }
    sb_fini(&reading->name);
    mem_free(reading);
}

void rooms_room_read(struct rooms_room *m)
{
    struct reading *reading = MEM_NEW(struct reading);

    reading->rooms = m->rooms;
    sb_str(&reading->name, m->name);
    m->is_reading = true;
    rooms_rule(m->rooms, m->name, &(struct rooms_order){.what = "read"}, on_read, reading);
}

bool rooms_waits(struct event_ctx *c, struct str room, bool is_coming, struct rooms_room **out)
{
    struct rooms *r = c->state;
    struct rooms_room *m = rooms_room_find(r, rooms_nsp_of(c->socket), room);
    struct held *h;

    *out = m;
    if (!m && !is_coming && !rooms_is_member(c->socket, room)) return false;
    if (!m) *out = m = rooms_room_get(r, rooms_nsp_of(c->socket), room);
    if (!m->is_known && !m->is_reading) rooms_room_read(m);
    if (m->is_known) return false;
    h = MEM_NEW(struct held);
    list_init(&h->node);
    h->event = event_hold(c);
    list_push(&m->held, &h->node);
    return true;
}

/* ---- the end ---- */

static bool is_kept(const struct rooms_room *m)
{
    struct sio_nsp *nsp = rooms_room_nsp(m);

    return m->is_reading || m->is_looking || !list_is_empty(&m->held) || !list_is_empty(&m->rows) ||
           !list_is_empty(&m->comers) || (nsp && sio_room_count(nsp, rooms_room_id(m)));
}

void rooms_room_free(struct rooms_room *m)
{
    struct list *node;

    while ((node = list_shift(&m->held))) {
        event_held_drop(LIST_OWNER(node, struct held, node)->event);
        mem_free(LIST_OWNER(node, struct held, node));
    }
    map_del(&m->rooms->known, m->name);
    list_unlink(&m->fading);
    loop_timer_stop(events_loop(m->rooms->events), &m->idle);
    rooms_names_fini(m);
    rooms_rules_fini(&m->rules);
    mem_free(m->word);
    mem_free(m);
}

void rooms_room_fade(struct rooms_room *m)
{
    struct rooms *r = m->rooms;

    if (list_is_linked(&m->fading)) return;
    list_push(&r->fading, &m->fading);
    loop_at_end(events_loop(r->events), &r->fade);
}

void rooms_room_fade_now(struct loop_task *t)
{
    struct rooms *r = LIST_OWNER(t, struct rooms, fade);
    struct list *node;

    while ((node = list_shift(&r->fading))) {
        struct rooms_room *m = LIST_OWNER(node, struct rooms_room, fading);

        if (!is_kept(m)) rooms_room_free(m);
    }
}
