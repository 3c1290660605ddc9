/* Who shows in a room: comers and leavers are told to the others, counted and listed; the invisible
 * are members all the same, of whom nobody is told. */
#include "node/features/rooms/rooms_priv.h"

#include "base/clock.h"
#include "events_out.h"
#include "node/people/people.h"

void rooms_announce(struct sio_socket *s, const struct identity *who, struct str room)
{
    char now[CLOCK_ISO_SIZE];
    struct sio_cast to = sio_cast_room_but(s, room);
    struct out_user_joined_room say = {.user_id = who->id, .user_name = who->name, .room_id = room};

    clock_iso(clock_wall_ms(), now);
    say.timestamp = str_z(now);
    emit_user_joined_room(&to, &say);
}

static void tell_left(struct sio_socket *s, const struct identity *who, struct str room)
{
    char now[CLOCK_ISO_SIZE];
    struct sio_cast to = sio_cast_room_but(s, room);
    struct out_user_left_room say = {.user_id = who->id, .user_name = who->name, .room_id = room};

    clock_iso(clock_wall_ms(), now);
    say.timestamp = str_z(now);
    emit_user_left_room(&to, &say);
}

static void uncount(struct rooms *rooms, struct sio_socket *s, const struct identity *who,
                    struct str room)
{
    rooms_names_exit(rooms, s, who, room);
    rooms_state_exit(rooms->state, rooms_nsp_of(s), room);
}

static void disappear(struct rooms *rooms, struct sio_socket *s, const struct identity *who,
                      struct str room)
{
    tell_left(s, who, room);
    uncount(rooms, s, who, room);
}

/* Perhaps the last one of this node. */
static void fade(struct rooms *rooms, struct sio_socket *s, struct str room)
{
    struct rooms_room *m = rooms_room_find(rooms, rooms_nsp_of(s), room);

    if (m) rooms_room_fade(m);
}

void rooms_take_out(struct rooms *rooms, struct sio_socket *s, struct str room, bool is_told)
{
    const struct identity *who = event_identity(s);

    sio_socket_leave(s, room);
    (void)typing_stop(&rooms->typing, sio_socket_id(s), room);
    if (rooms_is_hidden(rooms, who))
        rooms_state_release(rooms->state, rooms_nsp_of(s), room);
    else if (is_told)
        disappear(rooms, s, who, room);
    else
        uncount(rooms, s, who, room);
    fade(rooms, s, room);
}

int rooms_on_leave(struct event_ctx *c, const union event_in *in)
{
    struct str room = in->leave_room.room_id;
    struct rooms_room *m;

    if (rooms_is_personal(c->who, room)) return OK; /* for as long as the connection lives */
    if (rooms_waits(c, room, false, &m)) return OK;
    if (!rooms_is_member(c->socket, room)) return OK; /* nobody is told that a stranger left */
    rooms_take_out(c->state, c->socket, room, true);
    return OK;
}

struct names {
    struct sb text;
    size_t ends[64]; /* of the names in text; a socket in more rooms is asked again */
    unsigned count;
    struct str own;
    const struct identity *who;
    unsigned skip, seen;
};

static void collect(void *ctx, struct str room)
{
    struct names *n = ctx;

    if (str_eq(room, n->own) || rooms_is_personal(n->who, room) || n->seen++ < n->skip) return;
    if (n->count == sizeof n->ends / sizeof n->ends[0]) return;
    sb_str(&n->text, room);
    n->ends[n->count++] = n->text.n;
}

typedef void room_fn(struct rooms *rooms, struct sio_socket *s, const struct identity *who,
                     struct str room);

/* Each room that a socket has joined. The names are copied first: telling the others may end in
 * further disconnections. */
static void each_room(struct rooms *rooms, struct sio_socket *s, const struct identity *who,
                      room_fn *fn)
{
    struct names n = {.own = sio_socket_id(s), .who = who};

    do {
        size_t start = 0;

        n.count = n.seen = 0;
        n.text.n = 0;
        sio_socket_each_room(s, collect, &n);
        n.skip += n.count;
        for (unsigned i = 0; i < n.count; i++) {
            struct str room = str_of(n.text.p + start, n.ends[i] - start);

            start = n.ends[i];
            fn(rooms, s, who, room);
        }
    } while (n.count == sizeof n.ends / sizeof n.ends[0]);
    sb_fini(&n.text);
}

static void appear(struct rooms *rooms, struct sio_socket *s, const struct identity *who,
                   struct str room)
{
    if (!sio_socket_is_in(s, room)) return; /* cut while announcing */
    (void)rooms_room_get(rooms, rooms_nsp_of(s), room);
    rooms_state_enter(rooms->state, rooms_nsp_of(s), room, STR_NONE);
    rooms_names_enter(rooms, s, who, room);
    rooms_state_write(rooms->state, rooms_nsp_of(s), room);
    rooms_announce(s, who, room);
}

/* Members all the same, of whom nobody is told. */
static void hold(struct rooms *rooms, struct sio_socket *s, const struct identity *who,
                 struct str room)
{
    (void)who;
    rooms_state_hold(rooms->state, rooms_nsp_of(s), room, STR_NONE);
}

static void release(struct rooms *rooms, struct sio_socket *s, const struct identity *who,
                    struct str room)
{
    (void)who;
    rooms_state_release(rooms->state, rooms_nsp_of(s), room);
}

static void hide(struct rooms *rooms, struct sio_socket *s, const struct identity *who,
                 struct str room)
{
    hold(rooms, s, who, room);
    disappear(rooms, s, who, room);
}

static void show(struct rooms *rooms, struct sio_socket *s, const struct identity *who,
                 struct str room)
{
    appear(rooms, s, who, room);
    release(rooms, s, who, room);
}

static void stop_typing(struct rooms *rooms, struct sio_socket *s, const struct identity *who,
                        struct str room)
{
    (void)who;
    (void)typing_stop(&rooms->typing, sio_socket_id(s), room);
}

static void fade_out(struct rooms *rooms, struct sio_socket *s, const struct identity *who,
                     struct str room)
{
    (void)who;
    fade(rooms, s, room);
}

void rooms_on_gone(void *state, struct sio_socket *s, const struct identity *who)
{
    each_room(state, s, who, stop_typing);
    each_room(state, s, who, rooms_is_hidden(state, who) ? release : disappear);
    each_room(state, s, who, fade_out);
}

/* Whoever came back is in its rooms already: the others were told that it left. */
void rooms_on_back(void *state, struct sio_socket *s, const struct identity *who)
{
    each_room(state, s, who, rooms_is_hidden(state, who) ? hold : appear);
}

struct turning { /* visible, or invisible */
    struct rooms *rooms;
    room_fn *fn;
};

static void turn_device(void *ctx, struct sio_socket *s)
{
    struct turning *t = ctx;

    each_room(t->rooms, s, event_identity(s), t->fn);
}

/* To the others a hidden user leaves, and comes back. */
void rooms_on_hidden(void *state, struct str id_text, bool hidden)
{
    struct rooms *rooms = state;
    struct turning t = {.rooms = rooms, .fn = hidden ? hide : show};
    struct sio_nsp *nsp = sio_nsp_get(events_sio(rooms->events), STR("/"));
    struct sb room = {0};

    people_room(id_text, &room);
    sio_room_each(nsp, sb_view(&room), turn_device, &t);
    sb_fini(&room);
}
