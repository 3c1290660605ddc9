/* Rooms: join, leave, talk, typing. The names on the wire are the rooms of Socket.IO itself, so
 * that other back ends can emit to them; names that could be somebody's private room are refused.
 */
#include "node/features/rooms/rooms.h"

#include "adapter/adapter.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rand.h"
#include "events_out.h"
#include "node/features/rooms/rooms_history.h"
#include "node/features/rooms/rooms_state.h"
#include "node/features/rooms/rooms_typing.h"
#include "node/people/people.h"

enum { MESSAGE_ID_SIZE = 48, MESSAGE_ID_RANDOM = 9 };

struct rooms {
    struct events *events;
    struct rooms_state *state;
    struct rooms_typing typing;
};

/* ---- what a room may be called ---- */

static struct str nsp_of(const struct sio_socket *s)
{
    return sio_nsp_name(sio_socket_nsp(s));
}

/* Socket ids of protocol 4 have the namespace in front: "/admin#AbCd…". */
static struct str bare_id(struct str id)
{
    size_t hash = str_find(id, '#');

    return hash < id.n ? str_skip(id, hash + 1) : id;
}

static struct str own_node(const struct rooms *rooms)
{
    return sio_node(events_sio(rooms->events));
}

static bool is_id_character(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

/* Could be the private room of a socket, here or on another living node. One that was recovered has
 * the id of another node, perhaps of a dead one. */
static bool is_like_an_id(const struct rooms *rooms, const struct sio_socket *s, struct str room)
{
    struct adapter *adapter = events_adapter(rooms->events);
    struct str id = bare_id(room), node = str_head(id, EIO_NODE_ID_SIZE);

    if (sio_socket_find(sio_socket_nsp(s), room)) return true;
    if (id.n != EIO_ID_SIZE) return false;
    for (size_t i = 0; i < id.n; i++)
        if (!is_id_character(id.p[i])) return false;
    if (events_conf(rooms->events)->recovery_ms) return true;
    return str_eq(node, own_node(rooms)) || (adapter && adapter_is_alive(adapter, node));
}

static int check_name(const struct rooms *rooms, struct event_ctx *c, struct str room)
{
    const struct str prefix = STR("user-");

    if (str_starts(room, prefix) &&
        !(c->who->id_text.n && str_eq(str_skip(room, prefix.n), c->who->id_text))) {
        sb_z(c->why, "this room is open to its user alone");
        return ERR_FORBIDDEN;
    }
    if (is_like_an_id(rooms, c->socket, room)) {
        sb_z(c->why, "this name is taken by a connection");
        return ERR_FORBIDDEN;
    }
    return OK;
}

/* In it by joinRoom: a socket is also in the room of its own id. */
static bool is_member(const struct sio_socket *s, struct str room)
{
    return !str_eq(room, sio_socket_id(s)) && sio_socket_is_in(s, room);
}

/* ---- joining ---- */

static void put_reply(struct sb *b, const struct out_room_joined *j)
{
    sb_z(b, "\"roomId\":");
    sb_json(b, j->room_id);
    sb_z(b, ",\"memberCount\":");
    sb_i64(b, j->member_count);
    if (!j->room_type.n) return;
    sb_z(b, ",\"roomType\":");
    sb_json(b, j->room_type);
}

struct joining { /* roomJoined is said when the count is known and the room can be heard */
    struct adapter *adapter; /* NULL: none */
    struct event_later *later;
    struct sb texts; /* the room's name, and its type */
    size_t room_n, type_n;
    uint64_t members;
    bool is_hidden; /* counts in the own answer alone */
};

static void joining_free(struct joining *j)
{
    sb_fini(&j->texts);
    mem_free(j);
}

/* Perhaps much later: the socket, and even the feature, may be gone. */
static void on_ready(void *ctx)
{
    struct joining *j = ctx;
    struct sio_socket *s = event_later_socket(j->later);
    struct sb reply = {0};

    if (s) {
        const struct out_room_joined say = {
            .room_id = str_head(sb_view(&j->texts), j->room_n),
            .member_count = (int64_t)j->members,
            .room_type = j->type_n ? str_skip(sb_view(&j->texts), j->room_n) : STR_NONE};
        struct sio_cast to = sio_cast_self(s);

        emit_room_joined(&to, &say);
        put_reply(&reply, &say);
    }
    event_later_end(j->later, OK, sb_view(&reply));
    sb_fini(&reply);
    joining_free(j);
}

static void go_on(struct joining *j, int rc, const struct rooms_count *count)
{
    struct sio_socket *s = rc == OK ? event_later_socket(j->later) : NULL;

    if (rc != OK) {
        event_later_drop(j->later);
        joining_free(j);
        return;
    }
    sb_str(&j->texts, count->room);
    j->room_n = j->texts.n;
    sb_str(&j->texts, count->type);
    j->type_n = count->type.n;
    j->members = count->members + (j->is_hidden ? 1 : 0);
    if (s && j->adapter)
        adapter_room_ready(j->adapter, nsp_of(s), count->room, on_ready, j);
    else
        on_ready(j);
}

static void on_counted(void *ctx, int rc, const struct rooms_count *count)
{
    go_on(ctx, rc, count);
}

/* Of a personal room: name and type are in j since the question. */
static void on_devices(void *ctx, int rc, const struct tally_count *count)
{
    struct joining *j = ctx;
    struct sb texts = j->texts;
    struct rooms_count say = {.room = str_head(sb_view(&texts), j->room_n),
                              .type = str_skip(sb_view(&texts), j->room_n),
                              .members = count->total};

    j->is_hidden = false;      /* devices are counted all the same */
    j->texts = (struct sb){0}; /* go_on writes them, and frees j */
    go_on(j, rc, &say);
    sb_fini(&texts);
}

static void announce(struct sio_socket *s, const struct identity *who, struct str room)
{
    char now[CLOCK_ISO_SIZE];
    struct sio_cast to = sio_cast_room_but(s, room);
    struct out_user_joined_room say = {.user_id = who->id, .user_name = who->name, .room_id = room};

    clock_iso(clock_wall_ms(), now);
    say.timestamp = str_z(now);
    emit_user_joined_room(&to, &say);
}

/* Neither counted nor told of. */
static bool is_hidden(const struct rooms *rooms, const struct identity *who)
{
    return who->id_text.n && people_is_hidden(events_people(rooms->events), who->id_text);
}

static bool is_personal(const struct identity *who, struct str room)
{
    return people_is_room_of(room, who->id_text);
}

static struct joining *joining_new(struct event_ctx *c)
{
    struct rooms *rooms = c->state;
    struct joining *j = MEM_NEW(struct joining);

    j->adapter = events_adapter(rooms->events);
    j->later = event_defer(c);
    j->is_hidden = is_hidden(rooms, c->who);
    return j;
}

/* Old clients join the room of their user, where the core has put them already: it has as many
 * members as the user has devices, and nobody is told who comes and goes. */
static int join_personal(struct event_ctx *c, const struct in_join_room *join)
{
    struct joining *j = joining_new(c);

    sb_str(&j->texts, join->room_id);
    j->room_n = j->texts.n;
    sb_str(&j->texts, join->room_type);
    people_count(events_people(c->events), c->who->id_text, on_devices, j);
    return OK;
}

static int on_join(struct event_ctx *c, const union event_in *in)
{
    const struct in_join_room *join = &in->join_room;
    struct rooms *rooms = c->state;
    int rc = check_name(rooms, c, join->room_id);

    if (rc != OK) return rc;
    if (is_personal(c->who, join->room_id)) return join_personal(c, join);
    if (!is_member(c->socket, join->room_id)) {
        rc = sio_socket_join(c->socket, join->room_id);
        if (rc != OK) return rc;
        if (is_hidden(rooms, c->who)) {
            rooms_state_hold(rooms->state, nsp_of(c->socket), join->room_id, join->room_type);
        } else {
            rooms_state_enter(rooms->state, nsp_of(c->socket), join->room_id, join->room_type);
            announce(c->socket, c->who, join->room_id);
        }
        if (!sio_socket_is_connected(c->socket)) return ERR_CLOSED; /* cut while announcing */
    }
    rooms_state_ask(rooms->state, nsp_of(c->socket), join->room_id, on_counted, joining_new(c));
    return OK;
}

/* ---- leaving ---- */

static void tell_left(struct sio_socket *s, const struct identity *who, struct str room)
{
    char now[CLOCK_ISO_SIZE];
    struct sio_cast to = sio_cast_room_but(s, room);
    struct out_user_left_room say = {.user_id = who->id, .user_name = who->name, .room_id = room};

    clock_iso(clock_wall_ms(), now);
    say.timestamp = str_z(now);
    emit_user_left_room(&to, &say);
}

static void disappear(struct rooms *rooms, struct sio_socket *s, const struct identity *who,
                      struct str room)
{
    tell_left(s, who, room);
    rooms_state_exit(rooms->state, nsp_of(s), room);
}

static int on_leave(struct event_ctx *c, const union event_in *in)
{
    struct str room = in->leave_room.room_id;
    struct rooms *rooms = c->state;

    if (is_personal(c->who, room)) return OK;   /* for as long as the connection lives */
    if (!is_member(c->socket, room)) return OK; /* nobody is told that a stranger left */
    sio_socket_leave(c->socket, room);
    rooms_typing_stop(&rooms->typing, sio_socket_id(c->socket), room);
    if (is_hidden(rooms, c->who))
        rooms_state_release(rooms->state, nsp_of(c->socket), room);
    else
        disappear(rooms, c->socket, c->who, room);
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

    if (str_eq(room, n->own) || is_personal(n->who, room) || n->seen++ < n->skip) return;
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
    rooms_state_enter(rooms->state, nsp_of(s), room, STR_NONE);
    rooms_state_write(rooms->state, nsp_of(s), room);
    announce(s, who, room);
}

/* Members all the same, of whom nobody is told. */
static void hold(struct rooms *rooms, struct sio_socket *s, const struct identity *who,
                 struct str room)
{
    (void)who;
    rooms_state_hold(rooms->state, nsp_of(s), room, STR_NONE);
}

static void release(struct rooms *rooms, struct sio_socket *s, const struct identity *who,
                    struct str room)
{
    (void)who;
    rooms_state_release(rooms->state, nsp_of(s), room);
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
    rooms_typing_stop(&rooms->typing, sio_socket_id(s), room);
}

static void on_gone(void *state, struct sio_socket *s, const struct identity *who)
{
    each_room(state, s, who, stop_typing);
    each_room(state, s, who, is_hidden(state, who) ? release : disappear);
}

/* Whoever came back is in its rooms already: the others were told that it left. */
static void on_back(void *state, struct sio_socket *s, const struct identity *who)
{
    each_room(state, s, who, is_hidden(state, who) ? hold : appear);
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
static void on_hidden(void *state, struct str id_text, bool hidden)
{
    struct rooms *rooms = state;
    struct turning t = {.rooms = rooms, .fn = hidden ? hide : show};
    struct sio_nsp *nsp = sio_nsp_get(events_sio(rooms->events), STR("/"));
    struct sb room = {0};

    people_room(id_text, &room);
    sio_room_each(nsp, sb_view(&room), turn_device, &t);
    sb_fini(&room);
}

/* ---- talking ---- */

/* msg_<milliseconds since 1970>_<9 of a-z0-9>, as the pages expect. */
static struct str make_message_id(char out[MESSAGE_ID_SIZE], uint64_t wall_ms)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    struct sb b = {0};
    size_t n;

    sb_z(&b, "msg_");
    sb_u64(&b, wall_ms);
    sb_char(&b, '_');
    for (int i = 0; i < MESSAGE_ID_RANDOM; i++)
        sb_char(&b, letters[rand_below(sizeof letters - 1)]);
    n = b.n < MESSAGE_ID_SIZE ? b.n : MESSAGE_ID_SIZE;
    memcpy(out, b.p, n);
    sb_fini(&b);
    return str_of(out, n);
}

/* The pages never send falsy messages; 0 is the one that the schema cannot name. */
static bool is_zero(struct str raw)
{
    struct json v = {JSON_NUMBER, raw};
    double n;

    return raw.n && (raw.p[0] == '-' || (raw.p[0] >= '0' && raw.p[0] <= '9')) && json_f64(v, &n) &&
           !(n < 0) && !(n > 0);
}

static void say_and_keep(struct event_ctx *c, const struct sio_cast *to,
                         const struct out_room_message *say)
{
    const size_t head_n = STR("[\"roomMessage\",").n;
    struct sb array = {0}; /* of its own: a cast may end in a handler that emits too */
    struct str event;

    out_room_message_encode(&array, say);
    event = str_skip(sb_view(&array), head_n);
    if (!is_personal(c->who, say->room_id))
        rooms_history_keep(c->events, nsp_of(c->socket), say->room_id,
                           str_head(event, event.n - 1));
    sio_cast_emit(to, sb_view(&array), NULL, 0);
    sb_fini(&array);
}

static int on_history(struct event_ctx *c, const union event_in *in)
{
    if (!is_member(c->socket, in->room_history.room_id)) return ERR_NOT_MEMBER;
    return rooms_history_ask(c, &in->room_history);
}

static int on_message(struct event_ctx *c, const union event_in *in)
{
    const struct in_room_message *m = &in->room_message;
    uint64_t wall_ms = clock_wall_ms();
    char id[MESSAGE_ID_SIZE], now[CLOCK_ISO_SIZE];
    struct sio_cast to = sio_cast_room(sio_socket_nsp(c->socket), m->room_id);
    struct out_room_message say = {.message_id = make_message_id(id, wall_ms),
                                   .sender_id = c->who->id,
                                   .sender_name = c->who->name,
                                   .message = m->message,
                                   .type = m->type.n ? m->type : STR("text"),
                                   .room_id = m->room_id};

    if (!is_member(c->socket, m->room_id)) return ERR_NOT_MEMBER;
    if (is_zero(m->message)) {
        sb_z(c->why, "message: empty");
        return ERR_SCHEMA;
    }
    clock_iso(wall_ms, now);
    say.timestamp = str_z(now);
    sb_printf(c->reply, "\"messageId\":\"" STR_FMT "\",\"timestamp\":\"%s\"",
              STR_ARG(say.message_id), now);
    say_and_keep(c, &to, &say);
    return OK;
}

static int tell_typing(struct sio_socket *s, const struct identity *who, struct str room,
                       bool is_typing)
{
    char now[CLOCK_ISO_SIZE];
    struct sio_cast to = sio_cast_room_but(s, room);
    struct out_user_typing say = {
        .user_id = who->id, .user_name = who->name, .is_typing = is_typing, .room_id = room};

    clock_iso(clock_wall_ms(), now);
    say.timestamp = str_z(now);
    return emit_user_typing(&to, &say);
}

static int on_typing(struct event_ctx *c, const union event_in *in)
{
    const struct in_typing *t = &in->typing;
    struct rooms *rooms = c->state;
    struct str id = sio_socket_id(c->socket);

    if (!is_member(c->socket, t->room_id)) return ERR_NOT_MEMBER;
    if (is_hidden(rooms, c->who)) return OK;
    if (t->is_typing)
        rooms_typing_start(&rooms->typing, id, t->room_id);
    else
        rooms_typing_stop(&rooms->typing, id, t->room_id);
    return tell_typing(c->socket, c->who, t->room_id, t->is_typing);
}

static void on_typing_ended(void *ctx, struct str socket_id, struct str room)
{
    struct rooms *rooms = ctx;
    struct sio_nsp *nsp = sio_nsp_get(events_sio(rooms->events), STR("/"));
    struct sio_socket *s = nsp ? sio_socket_find(nsp, socket_id) : NULL;

    if (s && !is_hidden(rooms, event_identity(s)))
        (void)tell_typing(s, event_identity(s), room, false);
}

/* ---- the feature ---- */

static void *rooms_open(struct events *e)
{
    struct rooms *rooms = MEM_NEW(struct rooms);

    rooms->events = e;
    rooms->state = rooms_state_new(events_loop(e), events_adapter(e), events_conf(e)->dead_ms);
    rooms_typing_init(&rooms->typing, events_loop(e), on_typing_ended, rooms);
    return rooms;
}

static void rooms_close(void *state)
{
    struct rooms *rooms = state;

    rooms_typing_fini(&rooms->typing);
    rooms_state_free(rooms->state);
    mem_free(rooms);
}

static void on_node_lost(void *state, struct str node)
{
    rooms_state_lost(((struct rooms *)state)->state, node);
}

static void on_state(void *state, bool connected)
{
    if (connected) rooms_state_return(((struct rooms *)state)->state);
}

static const struct event_row events[] = {
    {EVENT(joinRoom), .handle = on_join},       {EVENT(leaveRoom), .handle = on_leave},
    {EVENT(roomMessage), .handle = on_message}, {EVENT(roomHistory), .handle = on_history},
    {EVENT(typing), .handle = on_typing},       {0},
};

const struct feature feature_rooms = {
    .name = "rooms",
    .events = events,
    .open = rooms_open,
    .close = rooms_close,
    .on_connect = on_back,
    .on_leave = on_gone,
    .on_hidden = on_hidden,
    .on_node_lost = on_node_lost,
    .on_state = on_state,
};
