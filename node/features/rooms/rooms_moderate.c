/* Kick, mute, slow mode, lock: orders of admins (the schemas' role). Redis keeps what was decided,
 * then every node is told, then the admin has the answer. Whoever made a room has no rights in it:
 * a room is made by whoever comes first. */
#include "node/features/rooms/rooms_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "events_out.h"
#include "node/features/rooms/rooms_key.h"

struct order { /* under way */
    struct rooms *rooms;
    struct event_later *later;
    struct str nsp, room;
    struct sb texts; /* both */
    struct sb out;   /* who is put out; empty: nobody */
    struct sb array; /* roomModerated */
};

static void order_free(struct order *o)
{
    sb_fini(&o->texts);
    sb_fini(&o->out);
    sb_fini(&o->array);
    mem_free(o);
}

static void on_told(void *ctx)
{
    struct order *o = ctx;
    struct sb reply = {0};

    sb_z(&reply, "\"roomId\":");
    sb_json(&reply, o->room);
    event_later_end(o->later, OK, sb_view(&reply));
    sb_fini(&reply);
    order_free(o);
}

static void on_kept(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct order *o = ctx;

    if (rc == OK && (!count || str_eq(reply[0], STR("limit")))) rc = ERR_LIMIT;
    if (rc == OK) {
        rooms_tell(o->rooms,
                   &(struct rooms_news){.nsp = o->nsp,
                                        .room = o->room,
                                        .rules = reply[0],
                                        .out = sb_view(&o->out),
                                        .array = sb_view(&o->array)},
                   on_told, o);
        return;
    }
    if (rc == ERR_CLOSED)
        event_later_drop(o->later);
    else
        event_later_end(o->later, rc, STR_NONE);
    order_free(o);
}

static int run(struct event_ctx *c, const struct rooms_order *what, struct out_room_moderated *say,
               bool is_out)
{
    struct rooms *r = c->state;
    struct order *o;
    struct sb name;
    char now[CLOCK_ISO_SIZE];

    if (rooms_type_access(say->room_id) == ROOMS_OWN) {
        sb_z(c->why, "this room is open to its user alone");
        return ERR_FORBIDDEN;
    }
    if (!r->adapter) return ERR_UNAVAILABLE; /* what is decided must be kept */
    o = MEM_NEW(struct order);
    o->rooms = r;
    clock_iso(clock_wall_ms(), now);
    say->timestamp = str_z(now);
    out_room_moderated_encode(&o->array, say);
    say->timestamp = STR_NONE; /* it was of this call */
    if (is_out) sb_str(&o->out, what->key);
    name = rooms_state_name(rooms_nsp_of(c->socket), say->room_id);
    o->texts = name;
    o->nsp = str_head(sb_view(&name), rooms_nsp_of(c->socket).n);
    o->room = str_skip(sb_view(&name), o->nsp.n + 1);
    o->later = event_defer(c);
    rooms_rule(r, sb_view(&name), what, on_kept, o);
    return OK;
}

/* Of a user, or of a guest. */
static int key_of(struct event_ctx *c, struct str user_id, struct str member_id, struct sb *key)
{
    if (user_id.n && !member_id.n) return rooms_key_user(user_id, key);
    if (user_id.n || !rooms_key_is_guest(member_id)) {
        sb_z(c->why, "either userId, or memberId of a guest");
        return ERR_SCHEMA;
    }
    sb_str(key, member_id);
    return OK;
}

int rooms_on_kick(struct event_ctx *c, const union event_in *in)
{
    const struct in_room_kick *k = &in->room_kick;
    struct sb key = {0};
    struct out_room_moderated say = {.room_id = k->room_id,
                                     .action = STR("kick"),
                                     .user_id = k->user_id,
                                     .member_id = k->member_id,
                                     .ms = k->for_ms,
                                     .has_ms = true};
    int rc = key_of(c, k->user_id, k->member_id, &key);

    if (rc == OK)
        rc = run(
            c,
            &(struct rooms_order){.what = "k", .value = (uint64_t)k->for_ms, .key = sb_view(&key)},
            &say, true);
    sb_fini(&key);
    return rc;
}

int rooms_on_mute(struct event_ctx *c, const union event_in *in)
{
    const struct in_room_mute *m = &in->room_mute;
    struct sb key = {0};
    struct out_room_moderated say = {.room_id = m->room_id,
                                     .action = STR("mute"),
                                     .user_id = m->user_id,
                                     .member_id = m->member_id,
                                     .ms = m->for_ms,
                                     .has_ms = true};
    int rc = key_of(c, m->user_id, m->member_id, &key);

    if (rc == OK)
        rc = run(
            c,
            &(struct rooms_order){.what = "m", .value = (uint64_t)m->for_ms, .key = sb_view(&key)},
            &say, false);
    sb_fini(&key);
    return rc;
}

int rooms_on_slow_mode(struct event_ctx *c, const union event_in *in)
{
    const struct in_room_slow_mode *m = &in->room_slow_mode;
    struct out_room_moderated say = {
        .room_id = m->room_id, .action = STR("slowMode"), .ms = m->interval_ms, .has_ms = true};

    return run(c, &(struct rooms_order){.what = "slow", .value = (uint64_t)m->interval_ms}, &say,
               false);
}

int rooms_on_lock(struct event_ctx *c, const union event_in *in)
{
    const struct in_room_lock *l = &in->room_lock;
    struct out_room_moderated say = {.room_id = l->room_id,
                                     .action = STR("lock"),
                                     .is_locked = l->is_locked,
                                     .has_is_locked = true};

    return run(c, &(struct rooms_order){.what = "lock", .value = l->is_locked}, &say, false);
}
