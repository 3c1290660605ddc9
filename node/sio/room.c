/* Rooms of this node: dense arrays that casts walk in order. Joining and leaving are O(1); a room
 * appears with its first member and vanishes with its last. A socket's own room is its entry in
 * nsp->sockets and has no array. While a walk is under way nobody changes places: leaving makes a
 * gap, which is closed after the walk. */
#include "node/sio/sio_priv.h"

#include "adapter/adapter.h"
#include "base/conf.h"
#include "base/mem.h"
#include "base/metric.h"

#define CAP_MIN 4

struct sio_room *sio_room_new(struct sio_nsp *n, struct str name)
{
    struct sio_room *r = mem_new(1, sizeof *r + name.n);

    r->nsp = n;
    r->name_n = name.n;
    if (name.n != 0) memcpy(r->name, name.p, name.n);
    list_init(&r->gapped);
    return r;
}

void sio_room_free(struct sio_room *r)
{
    list_unlink(&r->gapped);
    mem_free(r->members);
    mem_free(r);
}

struct sio_room *sio_room_get(const struct sio_nsp *n, struct str name)
{
    return map_get(&n->rooms, name);
}

static struct str name_of(const struct sio_room *r)
{
    return str_of(r->name, r->name_n);
}

static uint32_t living(const struct sio_room *r)
{
    return r->count - r->gaps;
}

/* ---- members ---- */

static uint32_t add(struct sio_room *r, struct sio_socket *s, uint32_t seat)
{
    if (r->count == r->cap) {
        r->cap = r->cap ? r->cap * 2 : CAP_MIN;
        r->members = mem_grow(r->members, r->cap * sizeof *r->members);
    }
    r->members[r->count] = (struct sio_member){s, seat};
    return r->count++;
}

static void put_at(struct sio_room *r, struct sio_member m, uint32_t i)
{
    r->members[i] = m;
    if (r == r->nsp->all) {
        m.socket->all_i = i;
    } else {
        m.socket->seats[m.seat].index = i;
    }
}

static void shrink(struct sio_room *r)
{
    if (r->cap <= CAP_MIN || r->count > r->cap / 4) return;
    r->cap /= 2;
    r->members = mem_grow(r->members, r->cap * sizeof *r->members);
}

static void take_out(struct sio_room *r, uint32_t i)
{
    struct sio *sio = r->nsp->sio;

    if (sio->walking != 0) {
        r->members[i].socket = NULL;
        r->gaps++;
        if (!list_is_linked(&r->gapped)) list_push(&sio->gapped, &r->gapped);
        return;
    }
    r->count--;
    if (i != r->count) put_at(r, r->members[r->count], i);
    shrink(r);
}

static void close_gaps(struct sio_room *r)
{
    uint32_t to = 0;

    for (uint32_t i = 0; i < r->count; i++) {
        if (!r->members[i].socket) continue;
        if (to != i) put_at(r, r->members[i], to);
        to++;
    }
    r->count = to;
    r->gaps = 0;
    shrink(r);
}

void sio_room_walk_begin(struct sio *s)
{
    s->walking++;
}

static void forget(struct sio_room *r)
{
    struct sio *sio = r->nsp->sio;

    map_del(&r->nsp->rooms, name_of(r));
    sio_room_free(r);
    trim_freed(&sio->trim);
}

void sio_room_walk_end(struct sio *s)
{
    struct list *node;

    if (--s->walking != 0) return;
    while ((node = list_shift(&s->gapped))) {
        struct sio_room *r = LIST_OWNER(node, struct sio_room, gapped);

        close_gaps(r);
        if (r->count == 0 && r != r->nsp->all) forget(r);
    }
}

/* A socket's own room is a room to the other nodes, too: mode dynamic-private has a channel for it.
 */
void sio_room_enter_all(struct sio_socket *s)
{
    struct adapter *a = s->nsp->sio->adapter;

    s->all_i = add(s->nsp->all, s, 0);
    if (a) adapter_room_open(a, sio_nsp_str(s->nsp), sio_socket_str(s));
}

void sio_room_exit_all(struct sio_socket *s)
{
    struct adapter *a = s->nsp->sio->adapter;

    take_out(s->nsp->all, s->all_i);
    if (a) adapter_room_close(a, sio_nsp_str(s->nsp), sio_socket_str(s));
}

/* ---- rooms by name ---- */

static void opened(struct sio_room *r)
{
    struct adapter *a = r->nsp->sio->adapter;

    metric_shift(M_ROOMS, 1);
    if (a) adapter_room_open(a, sio_nsp_str(r->nsp), name_of(r));
}

static void closed(struct sio_room *r)
{
    struct sio *sio = r->nsp->sio;

    metric_shift(M_ROOMS, -1);
    if (sio->adapter) adapter_room_close(sio->adapter, sio_nsp_str(r->nsp), name_of(r));
    if (sio->walking == 0) forget(r);
}

bool sio_room_is_inner(struct str name)
{
    return str_starts(name, STR(SIO_ROOM_INNER));
}

static struct sio_seat *seat_in(const struct sio_socket *s, const struct sio_room *r)
{
    for (uint32_t i = 0; i < s->seats_count; i++) { /* MAX_ROOMS at most */
        if (s->seats[i].room == r) return &s->seats[i];
    }
    return NULL;
}

bool sio_room_has(const struct sio_room *r, const struct sio_socket *s)
{
    return seat_in(s, r) != NULL;
}

int sio_room_join(struct sio_socket *s, struct str name)
{
    struct sio_nsp *n = s->nsp;
    struct sio_room *r = sio_room_get(n, name);
    bool is_inner = sio_room_is_inner(name);

    if (s->state == SIO_STATE_CLOSED) return ERR_CLOSED;
    if (str_eq(sio_socket_str(s), name) || (r && seat_in(s, r))) return OK;
    if (name.n == 0 || name.n > SIO_ROOM_NAME_MAX) return ERR_TOO_BIG;
    if (!is_inner && s->seats_count - s->inner_count >= n->sio->conf->max_rooms) return ERR_LIMIT;
    if (!r) {
        r = sio_room_new(n, name);
        map_put(&n->rooms, name_of(r), r);
    }
    if (s->seats_count == s->seats_cap) {
        s->seats_cap = s->seats_cap ? s->seats_cap * 2 : 2;
        s->seats = mem_grow(s->seats, s->seats_cap * sizeof *s->seats);
    }
    s->seats[s->seats_count] = (struct sio_seat){r, add(r, s, s->seats_count)};
    s->seats_count++;
    s->inner_count += is_inner;
    if (s->keep) sio_keep_changed(s);
    if (living(r) == 1) opened(r);
    return OK;
}

static void shrink_seats(struct sio_socket *s)
{
    if (s->seats_cap <= CAP_MIN || s->seats_count > s->seats_cap / 4) return;
    s->seats_cap /= 2;
    s->seats = mem_grow(s->seats, s->seats_cap * sizeof *s->seats);
}

static void leave_seat(struct sio_socket *s, uint32_t i)
{
    struct sio_room *r = s->seats[i].room;

    take_out(r, s->seats[i].index);
    s->seats_count--;
    s->inner_count -= sio_room_is_inner(name_of(r));
    if (i != s->seats_count) {
        s->seats[i] = s->seats[s->seats_count];
        s->seats[i].room->members[s->seats[i].index].seat = i;
    }
    shrink_seats(s);
    if (s->keep) sio_keep_changed(s);
    if (living(r) == 0) closed(r);
}

void sio_room_leave(struct sio_socket *s, struct str name)
{
    struct sio_room *r = sio_room_get(s->nsp, name);
    struct sio_seat *seat = r ? seat_in(s, r) : NULL;

    if (seat) leave_seat(s, (uint32_t)(seat - s->seats));
}

void sio_room_leave_all(struct sio_socket *s)
{
    while (s->seats_count != 0)
        leave_seat(s, s->seats_count - 1);
}

size_t sio_room_count(const struct sio_nsp *n, struct str room)
{
    const struct sio_room *r = sio_room_get(n, room);

    return (map_get(&n->sockets, room) ? 1u : 0u) + (r ? living(r) : 0u);
}

bool sio_room_each(struct sio_nsp *n, struct str room, void (*fn)(void *ctx, struct sio_socket *s),
                   void *ctx)
{
    struct sio_room *r = sio_room_get(n, room);
    struct sio_socket *own = map_get(&n->sockets, room);
    uint32_t count = r ? r->count : 0;

    sio_room_walk_begin(n->sio);
    if (own) fn(ctx, own);
    for (uint32_t i = 0; i < count; i++) {
        if (r->members[i].socket) fn(ctx, r->members[i].socket);
    }
    sio_room_walk_end(n->sio);
    return own || count != 0;
}
