/* roomMembers: a page of those who are in a room, from Redis; without Redis, of this node. */
#include "node/features/rooms/rooms_priv.h"

#include "base/mem.h"
#include "events_out.h"
#include "node/features/rooms/rooms_key.h"
#include "node/features/rooms/rooms_page.h"

struct ask {
    struct event_later *later;
    struct sb room;
};

static void answer(struct event_later *later, const struct rooms_page *p, struct str room)
{
    struct out_room_members say = {.room_id = room, .last = p->last, .has_more = p->has_more};
    struct sb members = {0}, array = {0};

    sb_char(&members, '[');
    for (unsigned i = 0; i < p->count; i++) {
        sb_z(&members, i ? ",{" : "{");
        if (rooms_key_is_guest(p->rows[i].key))
            sb_printf(&members, "\"memberId\":\"" STR_FMT "\",", STR_ARG(p->rows[i].key));
        sb_str(&members, p->rows[i].row);
        sb_char(&members, '}');
    }
    sb_char(&members, ']');
    say.members = sb_view(&members);
    out_room_members_encode(&array, &say);
    event_later_answer(later, sb_view(&array));
    sb_fini(&members);
    sb_fini(&array);
}

static void on_asked(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct ask *a = ctx;
    struct rooms_page page;

    if (rc == ERR_CLOSED)
        event_later_drop(a->later);
    else if (rc == OK && rooms_page_read(&page, reply, count))
        answer(a->later, &page, sb_view(&a->room));
    else
        event_later_end(a->later, rc == OK ? ERR_INTERNAL : rc, STR_NONE);
    sb_fini(&a->room);
    mem_free(a);
}

static void ask(struct event_ctx *c, const struct rooms_room *m, struct str after)
{
    struct ask *a = MEM_NEW(struct ask);
    struct rooms_call call = {0};

    a->later = event_defer(c);
    sb_str(&a->room, rooms_room_id(m));
    rooms_look_begin(&call, m, ROOMS_NAMES_MAX, after);
    rooms_look_run(m->rooms, &call, on_asked, a);
}

int rooms_on_members(struct event_ctx *c, const union event_in *in)
{
    const struct in_room_members *q = &in->room_members;
    struct rooms_room *m;
    struct rooms_page page;

    if (rooms_is_personal(c->who, q->room_id)) return ERR_FORBIDDEN; /* a list of devices */
    if (rooms_waits(c, q->room_id, false, &m)) return OK;
    if (!m || !rooms_is_member(c->socket, q->room_id)) return ERR_NOT_MEMBER;
    if (m->rooms->adapter) {
        ask(c, m, q->after);
        return OK;
    }
    rooms_page_here(&page, m, q->after);
    answer(event_defer(c), &page, q->room_id);
    rooms_page_fini(&page);
    return OK;
}
