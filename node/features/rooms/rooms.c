/* Rooms: the feature's table of events and hooks. What is where: rooms_priv.h. */
#include "node/features/rooms/rooms.h"

#include "base/conf.h"
#include "base/mem.h"
#include "node/features/rooms/rooms_history.h"
#include "node/features/rooms/rooms_priv.h"

static int on_history(struct event_ctx *c, const union event_in *in)
{
    struct rooms_room *m;

    if (rooms_is_personal(c->who, in->room_history.room_id))
        return rooms_history_ask(c, &in->room_history); /* keeps nothing */
    if (rooms_waits(c, in->room_history.room_id, false, &m)) return OK;
    if (!rooms_is_member(c->socket, in->room_history.room_id)) return ERR_NOT_MEMBER;
    return rooms_history_ask(c, &in->room_history);
}

/* ---- life ---- */

/* A node's count of a room was written. */
static void on_step(void *ctx, struct str name, uint64_t here, uint64_t after)
{
    struct rooms *r = ctx;
    struct rooms_room *m = r->is_closed ? NULL : rooms_room_named(r, name);

    if (m) rooms_names_counted(m, here, after);
}

static void *rooms_open(struct events *e)
{
    struct rooms *r = MEM_NEW(struct rooms);
    bool is_alone = str_eq(str_z(events_conf(e)->adapter), STR("local"));

    r->events = e;
    r->adapter = is_alone ? NULL : events_adapter(e);
    list_init(&r->fading);
    loop_task_init(&r->fade, rooms_room_fade_now);
    timer_init(&r->retry, rooms_names_retry);
    list_init(&r->notes);
    list_init(&r->reapings);
    loop_task_init(&r->note, rooms_reap_write);
    r->state = rooms_state_new(&(struct rooms_state_conf){.loop = events_loop(e),
                                                          .adapter = events_adapter(e),
                                                          .dead_ms = events_conf(e)->dead_ms,
                                                          .on_step = on_step,
                                                          .ctx = r});
    typing_init(&r->typing, events_loop(e), rooms_on_typing_ended, r);
    return r;
}

void rooms_settle(struct rooms *r)
{
    if (r->is_closed && !r->steps) mem_free(r);
}

static void rooms_close(void *state)
{
    struct rooms *r = state;
    struct rooms_room *m;
    size_t i;

    r->is_closed = true;
    r->steps++; /* until the end of this */
    typing_fini(&r->typing);
    rooms_state_free(r->state);
    for (i = 0; (m = map_next(&r->known, &i)); i = 0)
        rooms_room_free(m);
    map_fini(&r->known);
    loop_task_cancel(&r->fade);
    rooms_reap_fini(r);
    loop_timer_stop(events_loop(r->events), &r->retry);
    r->steps--;
    rooms_settle(r);
}

static void on_node_lost(void *state, struct str node)
{
    struct rooms *r = state;

    rooms_state_lost(r->state, node);
    rooms_reap(r, node);
}

static void on_node_up(void *state, struct str node)
{
    rooms_reap_pardon(state, node);
}

/* What Redis knew may be gone, or have changed behind our back: each room is read and written
 * again when its count is, in the slices of rooms_state. */
static void on_state(void *state, bool connected)
{
    struct rooms *r = state;

    if (!connected) return;
    r->epoch++;
    rooms_reap_pardon(r, STR_NONE); /* this node was away itself */
    rooms_state_return(r->state);
}

static const struct event_row events[] = {
    {EVENT(joinRoom), .handle = rooms_on_join},
    {EVENT(leaveRoom), .handle = rooms_on_leave},
    {EVENT(roomMessage), .handle = rooms_on_message},
    {EVENT(roomHistory), .handle = on_history},
    {EVENT(roomMembers), .handle = rooms_on_members},
    {EVENT(typing), .handle = rooms_on_typing},
    {EVENT(roomKick), .handle = rooms_on_kick},
    {EVENT(roomMute), .handle = rooms_on_mute},
    {EVENT(roomSlowMode), .handle = rooms_on_slow_mode},
    {EVENT(roomLock), .handle = rooms_on_lock},
    {0},
};

const struct feature feature_rooms = {
    .name = "rooms",
    .events = events,
    .open = rooms_open,
    .close = rooms_close,
    .on_connect = rooms_on_back,
    .on_leave = rooms_on_gone,
    .on_hidden = rooms_on_hidden,
    .on_node_lost = on_node_lost,
    .on_node_up = on_node_up,
    .on_state = on_state,
    .on_message = rooms_on_news,
};
