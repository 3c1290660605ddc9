/* joinRoom: in at once, counted over the nodes, answered when the count is known and the room can
 * be heard; then the newcomer is told who is there and what was said. */
#include "node/features/rooms/rooms_priv.h"

#include "base/mem.h"
#include "events_out.h"
#include "node/features/rooms/rooms_key.h"
#include "node/people/people.h"

static void put_reply(struct sb *b, const struct out_room_joined *j)
{
    const size_t head_n = STR("[\"roomJoined\",{").n;
    struct sb array = {0};
    struct str members;

    out_room_joined_encode(&array, j);
    members = str_skip(sb_view(&array), head_n);
    sb_str(b, str_head(members, members.n - 2));
    sb_fini(&array);
}

struct joining { /* roomJoined is said when the count is known and the room can be heard */
    struct rooms *rooms;
    struct adapter *adapter; /* NULL: none */
    struct event_later *later;
    struct sb texts; /* the room's name, and its type */
    size_t room_n, type_n;
    uint64_t members;
    bool is_hidden; /* counts in the own answer alone */
    bool is_new;
};

static void joining_free(struct joining *j)
{
    struct rooms *r = j->rooms;

    sb_fini(&j->texts);
    mem_free(j);
    r->steps--;
    rooms_settle(r);
}

static uint64_t muted_ms(const struct rooms_room *m, const struct sio_socket *s)
{
    struct sb key = {0};
    uint64_t left;

    if (!m->rules.bars_count) return 0;
    rooms_key_put(event_identity(s), sio_socket_id(s), &key);
    left = rooms_rules_left_ms(&m->rules, 'm', sb_view(&key));
    sb_fini(&key);
    return left;
}

static void say_rules(struct out_room_joined *say, const struct rooms_room *m,
                      const struct sio_socket *s)
{
    uint64_t muted = muted_ms(m, s);

    say->is_locked = say->has_is_locked = m->rules.is_locked;
    say->has_slow_mode_ms = m->rules.slow_ms > 0;
    say->slow_mode_ms = (int64_t)m->rules.slow_ms;
    say->has_muted_ms = muted > 0;
    say->muted_ms = (int64_t)muted;
}

/* Perhaps much later: the socket may be gone, and the feature closed. */
static void on_ready(void *ctx)
{
    struct joining *j = ctx;
    struct sio_socket *s = j->rooms->is_closed ? NULL : event_later_socket(j->later);
    struct sb reply = {0};
    struct rooms_room *m = NULL;

    if (s) {
        struct out_room_joined say = {
            .room_id = str_head(sb_view(&j->texts), j->room_n),
            .member_count = (int64_t)j->members,
            .room_type = j->type_n ? str_skip(sb_view(&j->texts), j->room_n) : STR_NONE};
        struct sio_cast to = sio_cast_self(s);

        m = rooms_room_find(j->rooms, rooms_nsp_of(s), say.room_id);
        if (m) say_rules(&say, m, s);
        emit_room_joined(&to, &say);
        put_reply(&reply, &say);
    }
    event_later_end(j->later, OK, sb_view(&reply));
    if (m && j->is_new && sio_socket_is_in(s, rooms_room_id(m))) rooms_names_greet(m, s);
    sb_fini(&reply);
    joining_free(j);
}

/* More than the type holds: the last one goes again. */
static bool is_too_many(struct joining *j, struct sio_socket *s, const struct rooms_count *count)
{
    const struct rooms_type *t = rooms_type_of(count->room, count->type);

    return s && j->is_new && t->members_max && count->members > t->members_max &&
           event_identity(s)->role < ROLE_ADMIN;
}

static void go_on(struct joining *j, int rc, const struct rooms_count *count)
{
    struct sio_socket *s = rc == OK ? event_later_socket(j->later) : NULL;

    if (rc != OK) {
        event_later_drop(j->later);
        joining_free(j);
        return;
    }
    if (is_too_many(j, s, count)) {
        rooms_take_out(j->rooms, s, count->room, true);
        event_later_end(j->later, ERR_LIMIT, STR_NONE);
        joining_free(j);
        return;
    }
    sb_str(&j->texts, count->room);
    j->room_n = j->texts.n;
    sb_str(&j->texts, count->type);
    j->type_n = count->type.n;
    j->members = count->members + (j->is_hidden ? 1 : 0);
    if (s && j->adapter)
        adapter_room_ready(j->adapter, rooms_nsp_of(s), count->room, on_ready, j);
    else
        on_ready(j);
}

static void on_counted(void *ctx, int rc, const struct rooms_count *count)
{
    struct joining *j = ctx;
    struct sio_socket *s = rc == OK ? event_later_socket(j->later) : NULL;
    struct rooms_room *m = s ? rooms_room_find(j->rooms, rooms_nsp_of(s), count->room) : NULL;

    if (m && !m->word && count->type.n) {
        m->word = str_dup(count->type);
        rooms_idle_touch(m); /* the type decides for how long */
    }
    go_on(j, rc, count);
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

static struct joining *joining_new(struct event_ctx *c)
{
    struct rooms *rooms = c->state;
    struct joining *j = MEM_NEW(struct joining);

    j->rooms = rooms;
    rooms->steps++;
    j->adapter = events_adapter(rooms->events);
    j->later = event_defer(c);
    j->is_hidden = rooms_is_hidden(rooms, c->who);
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

/* What the room's name says is its type, whatever the joiner calls it. */
static struct str word_of(const struct in_join_room *join)
{
    const struct rooms_type *t = rooms_type_of(join->room_id, join->room_type);

    return t->prefix && str_starts(join->room_id, str_z(t->prefix)) ? str_z(t->word)
                                                                    : join->room_type;
}

static int enter(struct event_ctx *c, const struct in_join_room *join)
{
    struct rooms *rooms = c->state;
    int rc = sio_socket_join(c->socket, join->room_id);

    if (rc != OK) return rc;
    if (rooms_is_hidden(rooms, c->who)) {
        rooms_state_hold(rooms->state, rooms_nsp_of(c->socket), join->room_id, word_of(join));
    } else {
        rooms_state_enter(rooms->state, rooms_nsp_of(c->socket), join->room_id, word_of(join));
        rooms_names_enter(rooms, c->socket, c->who, join->room_id);
        rooms_announce(c->socket, c->who, join->room_id);
    }
    return sio_socket_is_connected(c->socket) ? OK : ERR_CLOSED; /* cut while announcing */
}

int rooms_on_join(struct event_ctx *c, const union event_in *in)
{
    const struct in_join_room *join = &in->join_room;
    struct rooms *rooms = c->state;
    struct rooms_room *m;
    struct joining *j;
    bool is_new;
    int rc = rooms_may_enter(c, join->room_id);

    if (rc != OK) return rc;
    if (rooms_is_personal(c->who, join->room_id)) return join_personal(c, join);
    if (rooms_waits(c, join->room_id, true, &m)) return OK;
    is_new = !rooms_is_member(c->socket, join->room_id);
    if (is_new) {
        rc = rooms_may_pass(c, m);
        if (rc == OK) rc = enter(c, join);
        rooms_room_fade(m);
        if (rc != OK) return rc;
        rooms_idle_touch(m);
    }
    j = joining_new(c);
    j->is_new = is_new;
    rooms_state_ask(rooms->state, rooms_nsp_of(c->socket), join->room_id, on_counted, j);
    return OK;
}
