/* What is said in a room, and who is typing. */
#include "node/features/rooms/rooms_priv.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rand.h"
#include "events_out.h"
#include "node/features/rooms/rooms_history.h"
#include "node/features/rooms/rooms_key.h"

enum { MESSAGE_ID_SIZE = 48, MESSAGE_ID_RANDOM = 9, PACED = 1 /* stage of an event */ };

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

static void say_and_keep(const struct sio_cast *to, const struct out_room_message *say,
                         struct rooms_room *m)
{
    const size_t head_n = STR("[\"roomMessage\",").n;
    struct sb array = {0}; /* of its own: a cast may end in a handler that emits too */
    struct str event;

    out_room_message_encode(&array, say);
    event = str_skip(sb_view(&array), head_n);
    if (m) rooms_history_keep(m, str_head(event, event.n - 1));
    sio_cast_emit(to, sb_view(&array), NULL, 0);
    sb_fini(&array);
}

/* ---- what moderators decided ---- */

static int check_muted(struct event_ctx *c, const struct rooms_room *m)
{
    struct sb key = {0};

    if (!m->rules.bars_count || c->who->role >= ROLE_ADMIN) return OK;
    rooms_key_put(c->who, sio_socket_id(c->socket), &key);
    c->retry_after_ms = rooms_rules_left_ms(&m->rules, 'm', sb_view(&key));
    sb_fini(&key);
    return c->retry_after_ms ? ERR_MUTED : OK;
}

static void on_paced(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct event_held *held = ctx;
    uint64_t wait_ms = 0;

    if (rc == ERR_CLOSED)
        event_held_drop(held);
    else if (rc == OK && count && str_u64(reply[0], UINT32_MAX, &wait_ms) == OK && wait_ms)
        event_held_refuse(held, ERR_SLOW, wait_ms);
    else
        event_resume(held, PACED); /* without Redis nobody counts */
}

/* True: the event comes again when Redis has said that it may. */
static bool is_paced(struct event_ctx *c, const struct rooms_room *m)
{
    struct sb key = {0};

    if (!m->rules.slow_ms || c->stage == PACED || c->who->role >= ROLE_ADMIN) return false;
    rooms_key_put(c->who, sio_socket_id(c->socket), &key);
    rooms_pace(c->state, m->name, sb_view(&key), m->rules.slow_ms, on_paced, event_hold(c));
    sb_fini(&key);
    return true;
}

/* A member's event of a room: OK, and *m NULL in the personal room. */
static int check(struct event_ctx *c, struct str room, struct rooms_room **m, bool *waits)
{
    *m = NULL;
    *waits = !rooms_is_personal(c->who, room) && rooms_waits(c, room, false, m);
    if (*waits) return OK;
    if (!rooms_is_member(c->socket, room)) return ERR_NOT_MEMBER;
    return *m ? check_muted(c, *m) : OK;
}

int rooms_on_message(struct event_ctx *c, const union event_in *in)
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
    struct rooms_room *room;
    bool waits;
    int rc = check(c, m->room_id, &room, &waits);

    if (rc != OK || waits) return rc;
    if (is_zero(m->message)) {
        sb_z(c->why, "message: empty");
        return ERR_SCHEMA;
    }
    if (room && is_paced(c, room)) return OK;
    if (room) rooms_idle_touch(room);
    clock_iso(wall_ms, now);
    say.timestamp = str_z(now);
    sb_printf(c->reply, "\"messageId\":\"" STR_FMT "\",\"timestamp\":\"%s\"",
              STR_ARG(say.message_id), now);
    say_and_keep(&to, &say, room);
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

int rooms_on_typing(struct event_ctx *c, const union event_in *in)
{
    const struct in_typing *t = &in->typing;
    struct rooms *rooms = c->state;
    struct str id = sio_socket_id(c->socket);
    struct rooms_room *room;
    bool waits, is_news;
    int rc = check(c, t->room_id, &room, &waits);

    if (rc != OK || waits) return rc;
    if (rooms_is_hidden(rooms, c->who)) return OK;
    is_news = t->is_typing ? typing_start(&rooms->typing, id, t->room_id)
                           : typing_stop(&rooms->typing, id, t->room_id);
    return is_news ? tell_typing(c->socket, c->who, t->room_id, t->is_typing) : OK;
}

void rooms_on_typing_ended(void *ctx, struct str socket_id, struct str room)
{
    struct rooms *rooms = ctx;
    struct sio_nsp *nsp = sio_nsp_get(events_sio(rooms->events), STR("/"));
    struct sio_socket *s = nsp ? sio_socket_find(nsp, socket_id) : NULL;

    if (s && !rooms_is_hidden(rooms, event_identity(s)))
        (void)tell_typing(s, event_identity(s), room, false);
}
