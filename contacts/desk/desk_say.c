/* What is told to whom. Rooms: `agents`, `contact-<id>` for a chat, `user-<id>` (node/people) and
 * `email-<address>` for the devices of somebody who is signed in. */
#include "contacts/desk/desk_priv.h"

#include "base/clock.h"
#include "base/rand.h"

void desk_room(struct str contact_id, struct sb *out)
{
    sb_z(out, "contact-");
    sb_str(out, contact_id);
}

void desk_user_room(struct str id, struct sb *out)
{
    sb_z(out, "user-");
    sb_str(out, id);
}

void desk_email_room(struct str email, struct sb *out)
{
    sb_z(out, "email-");
    for (size_t i = 0; i < email.n; i++)
        sb_char(out,
                email.p[i] >= 'A' && email.p[i] <= 'Z' ? (char)(email.p[i] | 0x20) : email.p[i]);
}

struct sio_cast desk_to_agents(const struct desk *d)
{
    return sio_cast_room(d->nsp, DESK_AGENTS);
}

struct sio_cast desk_to_chat(const struct desk *d, struct str room, bool with_agents)
{
    struct sio_cast to = sio_cast_room(d->nsp, room);

    if (!with_agents) to.except[to.except_count++] = DESK_AGENTS;
    return to;
}

void desk_to_user(const struct desk *d, struct str id, struct str array)
{
    struct sb room = {0};
    struct sio_cast to;

    desk_user_room(id, &room);
    to = sio_cast_room(d->nsp, sb_view(&room));
    sio_cast_emit(&to, array, NULL, 0);
    sb_fini(&room);
}

struct str desk_iso(int64_t ms, char out[], size_t size)
{
    if (size < CLOCK_ISO_SIZE || ms <= 0) return STR_NONE;
    clock_iso((uint64_t)ms, out);
    return str_of(out, CLOCK_ISO_SIZE - 1);
}

/* To all agents in one shape, then to the one who claimed it in the other, as old pages expect. */
void desk_say_claimed(struct desk *d, const struct contact *c, struct str socket)
{
    struct sb room = {0}, contact = {0}, array = {0};
    struct sio_cast to = desk_to_agents(d);
    struct sio_socket *s = socket.n ? sio_socket_find(d->nsp, socket) : NULL;

    emit_contact_claimed(&to, &(struct out_contact_claimed){.contact_id = c->id,
                                                            .admin_name = c->owner_name,
                                                            .admin_id = c->owner_ref});
    desk_room(c->id, &room);
    if (s) {
        contact_put(c, RECORD_AGENT, &contact);
        out_contact_claimed_encode(&array,
                                   &(struct out_contact_claimed){.contact_id = c->id,
                                                                 .contact = sb_view(&contact),
                                                                 .chat_room_id = sb_view(&room)});
        sio_socket_emit(s, sb_view(&array), NULL, 0);
    }
    sb_fini(&array);
    sb_fini(&contact);
    sb_fini(&room);
}

/* To the signed-in visitor, on each of its devices once, in its chat or not. */
static void say_response(struct desk *d, const struct contact *c, const struct message *m)
{
    char iso[CLOCK_ISO_SIZE];
    struct sb user = {0}, email = {0};
    struct sio_cast to = {.nsp = d->nsp};

    desk_user_room(c->user_id, &user);
    desk_email_room(c->email, &email);
    if (c->user_id.n) to.rooms[to.rooms_count++] = sb_view(&user);
    if (c->email.n) to.rooms[to.rooms_count++] = sb_view(&email);
    if (to.rooms_count)
        emit_admin_response(
            &to, &(struct out_admin_response){.contact_id = c->id,
                                              .admin_name = m->author_name,
                                              .message = m->text,
                                              .timestamp = desk_iso(m->at, iso, sizeof iso)});
    sb_fini(&user);
    sb_fini(&email);
}

void desk_say_message(struct desk *d, const struct contact *c, const struct message *m)
{
    struct sb room = {0}, array = {0};
    struct sio_cast to;

    if (message_is_note(m)) return; /* never here */
    desk_room(c->id, &room);
    to = desk_to_chat(d, sb_view(&room), true);
    sb_z(&array, "[\"contactMessage\",");
    message_put(m, c->id, &array);
    sb_char(&array, ']');
    sio_cast_emit(&to, sb_view(&array), NULL, 0);
    if (str_eq(m->kind, MESSAGE_AGENT)) say_response(d, c, m);
    sb_fini(&array);
    sb_fini(&room);
}

void desk_say_updated(struct desk *d, const struct contact *c)
{
    const struct record_field *tags = record_field_of(&record_contact, "tags");
    struct sio_cast to = desk_to_agents(d);
    struct sb list = {0};

    record_list_put(tags, c, &list);
    emit_contact_updated(&to,
                         &(struct out_contact_updated){
                             .contact_id = c->id,
                             .status = c->status,
                             .priority = c->priority.n ? c->priority : STR("normal"),
                             .tags = list.n ? sb_view(&list) : STR("[]"),
                             .owner_id = contact_is_in_progress(c) ? c->owner_ref : STR_NONE,
                             .owner_name = contact_is_in_progress(c) ? c->owner_name : STR_NONE});
    sb_fini(&list);
}

/* All devices of an agent, on all nodes. */
static void move(struct desk *d, struct str agent_id, struct str contact_id,
                 void (*fn)(const struct sio_cast *to, const struct str *rooms, unsigned count))
{
    struct sb user = {0}, chat = {0};
    struct sio_cast to;
    struct str room;

    desk_user_room(agent_id, &user);
    desk_room(contact_id, &chat);
    to = sio_cast_room(d->nsp, sb_view(&user));
    room = sb_view(&chat);
    fn(&to, &room, 1);
    sb_fini(&user);
    sb_fini(&chat);
}

void desk_agent_joins(struct desk *d, struct str agent_id, struct str contact_id)
{
    move(d, agent_id, contact_id, sio_sockets_join);
}

void desk_agent_leaves(struct desk *d, struct str agent_id, struct str contact_id)
{
    move(d, agent_id, contact_id, sio_sockets_leave);
}

void desk_message_init(struct message *m, struct str kind, const struct desk_actor *by,
                       struct arena *mem)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    struct sb id = {0};

    sb_printf(&id, "msg_%lld_", (long long)desk_now());
    for (int i = 0; i < 9; i++)
        sb_char(&id, letters[rand_below(sizeof letters - 1)]);
    *m = (struct message){.id = arena_str(mem, sb_view(&id)),
                          .kind = kind,
                          .author_id = by->id,
                          .author_ref = by->ref,
                          .author_name = by->name,
                          .email = by->email,
                          .type = STR("text"),
                          .at = desk_now()};
    if (desk_is_agent(by)) m->author_role = str_z(identity_role_name(by->role));
    sb_fini(&id);
}
