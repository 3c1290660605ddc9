/* Who may come into a room: by its name, by the right of its type, by lock and kick. The names on
 * the wire are the rooms of Socket.IO itself, so that other back ends can emit to them; names that
 * could be somebody's private room are refused. */
#include "node/features/rooms/rooms_priv.h"

#include "base/conf.h"
#include "node/features/rooms/rooms_key.h"
#include "node/people/people.h"

struct str rooms_nsp_of(const struct sio_socket *s)
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
    if (!id.p || id.n != EIO_ID_SIZE) return false;
    for (size_t i = 0; i < id.n; i++)
        if (!is_id_character(id.p[i])) return false;
    if (events_conf(rooms->events)->recovery_ms) return true;
    return str_eq(node, own_node(rooms)) || (adapter && adapter_is_alive(adapter, node));
}

/* In it by joinRoom, or by another feature: a socket is also in the room of its own id. */
bool rooms_is_member(const struct sio_socket *s, struct str room)
{
    return !str_eq(room, sio_socket_id(s)) && sio_socket_is_in(s, room);
}

bool rooms_is_personal(const struct identity *who, struct str room)
{
    return people_is_room_of(room, who->id_text);
}

bool rooms_is_hidden(const struct rooms *r, const struct identity *who)
{
    return who->id_text.n && people_is_hidden(events_people(r->events), who->id_text);
}

/* A player or the host is in the room of the game already, by the game. */
static bool is_named(const struct event_ctx *c, struct str room)
{
    return c->who->role >= ROLE_ADMIN || rooms_is_member(c->socket, room) ||
           identity_opens(c->who, room);
}

int rooms_may_enter(struct event_ctx *c, struct str room)
{
    enum rooms_access access = rooms_type_access(room);

    if (access == ROOMS_OWN && !rooms_is_personal(c->who, room)) {
        sb_z(c->why, "this room is open to its user alone");
        return ERR_FORBIDDEN;
    }
    if (access == ROOMS_NAMED && !is_named(c, room)) {
        sb_z(c->why, "this room is open by right alone");
        return ERR_FORBIDDEN;
    }
    if (is_like_an_id(c->state, c->socket, room)) {
        sb_z(c->why, "this name is taken by a connection");
        return ERR_FORBIDDEN;
    }
    return OK;
}

int rooms_may_pass(struct event_ctx *c, const struct rooms_room *m)
{
    struct sb key = {0};

    if (c->who->role >= ROLE_ADMIN) return OK;
    if (m->rules.bars_count) {
        rooms_key_put(c->who, sio_socket_id(c->socket), &key);
        c->retry_after_ms = rooms_rules_left_ms(&m->rules, 'k', sb_view(&key));
        sb_fini(&key);
        if (c->retry_after_ms) return ERR_KICKED;
    }
    return m->rules.is_locked ? ERR_LOCKED : OK;
}
