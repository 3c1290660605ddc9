/* What clients hear: once in an interval the list is brought up to date, and each node tells its
 * own sockets what has changed. What a client is sent in an interval is bounded, however many come
 * and go. */
#include "base/clock.h"
#include "base/conf.h"
#include "base/metric.h"
#include "events_out.h"
#include "node/features/presence/presence_priv.h"
#include "node/people/people.h"

enum {
    SINGLES_MAX = 20,    /* userOnline, and userOffline, in one interval */
    LIST_EVERY = 5,      /* intervals between lists that have more than one page */
    LOST_GRACE_MS = 5000 /* beyond DEAD_MS */
};

struct telling {
    struct presence *presence;
    struct str timestamp;
    unsigned joins, leaves;
};

/* ---- lists ---- */

static void make_page(struct presence *p)
{
    char now[CLOCK_ISO_SIZE];
    struct sb users = {0};
    size_t pages = presence_list_pages(&p->list);
    struct out_online_users say = {.count = (int64_t)p->list.shown_count,
                                   .has_page = pages > 1,
                                   .has_pages = pages > 1,
                                   .pages = (int64_t)pages};

    if (p->page.n) return;
    clock_iso(clock_wall_ms(), now);
    presence_list_page(&p->list, 0, &users);
    say.users = sb_view(&users);
    say.timestamp = str_z(now);
    out_online_users_encode(&p->page, &say);
    sb_fini(&users);
}

static struct sio_cast all_here(struct presence *p)
{
    struct sio_cast to = sio_cast_all(sio_nsp_get(events_sio(p->events), STR("/")));

    to.flags = SIO_LOCAL;
    return to;
}

static void tell_list(struct presence *p)
{
    struct sio_cast to = all_here(p);
    struct sb page = {0};
    bool is_short = p->list.shown_count <= PRESENCE_PAGE;

    if (!p->is_list_due || (!is_short && p->ticks - p->listed_at < LIST_EVERY)) return;
    p->is_list_due = false;
    p->listed_at = p->ticks;
    make_page(p);
    sb_str(&page, sb_view(&p->page)); /* a cast may end in a handler that makes another */
    sio_cast_emit(&to, sb_view(&page), NULL, 0);
    sb_fini(&page);
}

void presence_tell_newcomer(struct presence *p, struct sio_socket *s)
{
    make_page(p);
    sio_socket_emit(s, sb_view(&p->page), NULL, 0);
}

/* ---- changes ---- */

static void tell_single(struct presence *p, const struct presence_row *r, bool is_join,
                        struct str timestamp)
{
    struct sio_cast to = all_here(p);
    struct sb room = {0}, array = {0};

    people_room(r->id_text, &room);
    to.except[0] = sb_view(&room);
    to.except_count = 1;
    /* as emit_user_online does; the members are JSON already */
    sb_z(&array, is_join ? "[\"userOnline\",{" : "[\"userOffline\",{");
    sb_z(&array, r->members);
    sb_z(&array, ",\"timestamp\":\"");
    sb_str(&array, timestamp);
    sb_z(&array, "\"}]");
    sio_cast_emit(&to, sb_view(&array), NULL, 0);
    sb_fini(&array);
    sb_fini(&room);
}

static void note(struct presence *p, const struct presence_row *r, bool is_join,
                 struct str timestamp)
{
    struct sb json = {0};

    if (!presence_watch_has(&p->watch, r->id_text)) return;
    if (is_join) {
        presence_row_put(r, &json);
    } else {
        sb_char(&json, '{');
        sb_z(&json, r->members);
        sb_z(&json, ",\"lastSeen\":\"");
        sb_str(&json, timestamp);
        sb_z(&json, "\"}");
    }
    presence_watch_note(&p->watch, r->id_text, is_join, sb_view(&json));
    sb_fini(&json);
}

/* Another device of a user who is here has changed the status; a row that is older than what was
 * chosen here has only not been overtaken yet. */
static void follow(struct presence *p, const struct presence_row *r)
{
    struct presence_user *u = presence_user_find(p, r->id_text);

    if (!u || !u->is_known || r->status == PRESENCE_OFFLINE || r->active_ms <= u->active_ms) return;
    u->active_ms = r->active_ms;
    presence_user_become(u, r->status);
}

static void on_change(void *ctx, const struct presence_row *r, enum presence_change what)
{
    struct telling *t = ctx;
    struct presence *p = t->presence;
    bool is_join = what != PRESENCE_LEAVE;

    p->page.n = 0;
    p->is_list_due = true;
    follow(p, r);
    note(p, r, is_join, t->timestamp);
    if (what == PRESENCE_JOIN && t->joins++ < SINGLES_MAX)
        tell_single(p, r, true, t->timestamp);
    else if (what == PRESENCE_LEAVE && t->leaves++ < SINGLES_MAX)
        tell_single(p, r, false, t->timestamp);
}

static void on_diff(void *ctx, const struct presence_diff *d)
{
    struct sio_cast to = sio_cast_self(d->socket);
    struct out_presence_diff say = {.joins = d->joins, .leaves = d->leaves, .seq = (int64_t)d->seq};

    (void)ctx;
    emit_presence_diff(&to, &say);
}

/* ---- the interval ---- */

static void on_pulled(void *ctx, int rc)
{
    struct presence *p = ctx;
    char now[CLOCK_ISO_SIZE];
    struct telling t = {.presence = p};

    if (rc != OK) return;
    clock_iso(clock_wall_ms(), now);
    t.timestamp = str_z(now);
    presence_list_tell(&p->list, on_change, &t);
    metric_set(M_USERS_ONLINE, (int64_t)p->list.shown_count);
    presence_watch_flush(&p->watch, on_diff, p);
    tell_list(p);
}

static bool is_here(void *ctx, struct str id_text)
{
    const struct presence_user *u = presence_user_find(ctx, id_text);

    return u && u->devices;
}

static void on_tick(struct timer *t)
{
    struct presence *p = LIST_OWNER(t, struct presence, tick);
    const struct conf *c = events_conf(p->events);

    p->ticks++;
    loop_timer(events_loop(p->events), t, c->presence_interval_ms);
    presence_state_pull(p->state, &(struct presence_pull){.grace_ms = c->dead_ms + LOST_GRACE_MS,
                                                          .keep = is_here,
                                                          .done = on_pulled,
                                                          .ctx = p});
}

void presence_tell_start(struct presence *p)
{
    timer_init(&p->tick, on_tick);
    loop_timer(events_loop(p->events), &p->tick, events_conf(p->events)->presence_interval_ms);
}

void presence_tell_stop(struct presence *p)
{
    loop_timer_stop(events_loop(p->events), &p->tick);
}
