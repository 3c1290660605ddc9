/* Users who are here: their status, and what is written of them. A status is not known at once:
 * until Redis has said so, a newcomer does not show. */
#include "node/features/presence/presence.h"

#include "adapter/adapter.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/mem.h"
#include "node/features/presence/presence_priv.h"
#include "node/people/people.h"

static struct people *people_of(const struct presence *p)
{
    return events_people(p->events);
}

struct presence_user *presence_user_find(const struct presence *p, struct str id_text)
{
    return map_get(&p->users, id_text);
}

static struct presence_user *user_get(struct presence *p, struct str id_text)
{
    struct presence_user *u = presence_user_find(p, id_text);

    if (u) return u;
    u = mem_new(1, sizeof *u + id_text.n);
    memcpy(u->bytes, id_text.p, id_text.n);
    u->id_text = str_of(u->bytes, id_text.n);
    u->presence = p;
    map_put(&p->users, u->id_text, u);
    return u;
}

static void user_forget(struct presence_user *u)
{
    map_del(&u->presence->users, u->id_text);
    mem_free(u->members);
    mem_free(u);
}

static void finish_closing(struct presence *p)
{
    if (!p->waiting) mem_free(p);
}

bool presence_answered(struct presence *p)
{
    p->waiting--;
    if (!p->is_closed) return true;
    finish_closing(p);
    return false;
}

/* ---- status ---- */

static struct presence_value value_of(const struct presence_user *u)
{
    return (struct presence_value){
        .status = u->status, .active_ms = u->active_ms, .members = str_z(u->members)};
}

void presence_user_become(struct presence_user *u, enum presence_status status)
{
    u->status = status;
    people_hide(people_of(u->presence), u->id_text, status == PRESENCE_INVISIBLE);
}

/* What is due, if it can be: of nobody whose status is not known, nor who is not counted yet. */
static void write_due(struct presence_user *u)
{
    uint64_t at_us = people_counted_us(people_of(u->presence), u->id_text);
    struct presence_value v = value_of(u);

    if (!u->due || !u->is_known || !u->members || !at_us) return;
    presence_state_set(u->presence->state, u->due, u->id_text, at_us, &v);
    u->due = PRESENCE_WRITE_NOTHING;
}

static void write_later(struct presence_user *u, enum presence_write how)
{
    if (how > u->due) u->due = how;
    write_due(u);
}

struct asking {
    struct presence *presence;
    struct event_later *later; /* of updatePresence */
    enum presence_status status, before;
    size_t id_n;
    char id[];
};

static struct asking *ask(struct presence *p, struct str id_text)
{
    struct asking *k = mem_new(1, sizeof *k + id_text.n);

    k->presence = p;
    k->id_n = id_text.n;
    memcpy(k->id, id_text.p, id_text.n);
    p->waiting++;
    return k;
}

static struct presence_user *asked_of(const struct asking *k)
{
    return presence_user_find(k->presence, str_of(k->id, k->id_n));
}

/* rc is not OK when Redis is away: then nobody can know, and people show. */
static void on_kept(void *ctx, int rc, bool is_invisible, uint64_t seen_ms)
{
    struct asking *k = ctx;
    struct presence_user *u;

    (void)rc, (void)seen_ms;
    if (!presence_answered(k->presence)) goto out;
    u = asked_of(k);
    if (!u || u->is_known) goto out;
    u->is_known = true;
    presence_user_become(u, is_invisible ? PRESENCE_INVISIBLE : PRESENCE_ONLINE);
    write_due(u);
out:
    mem_free(k);
}

/* Of a first device here. */
static void find_status(struct presence_user *u)
{
    struct presence *p = u->presence;
    const struct presence_row *row = presence_list_get(&p->list, u->id_text);

    u->is_asked = true;
    u->active_ms = clock_wall_ms();
    if (row && row->status != PRESENCE_OFFLINE) {
        u->is_known = true;
        u->active_ms = row->active_ms;
        presence_user_become(u, row->status);
        return;
    }
    people_hide(people_of(p), u->id_text, true);
    presence_state_user(p->state, u->id_text, PRESENCE_USER_GET, on_kept, ask(p, u->id_text));
}

/* ---- coming and going ---- */

static bool is_device(const struct sio_socket *s, const struct identity *who)
{
    return who->id_text.n && str_eq(sio_nsp_name(sio_socket_nsp(s)), STR("/"));
}

static void put_members(struct presence_user *u, const struct identity *who)
{
    struct sb b = {0};

    if (u->members) return;
    sb_z(&b, "\"userId\":");
    sb_str(&b, who->id);
    if (who->name.p) {
        sb_z(&b, ",\"name\":");
        sb_json(&b, who->name);
    }
    u->members = str_dup(sb_view(&b));
    sb_fini(&b);
}

static void on_connect(void *state, struct sio_socket *s, const struct identity *who)
{
    struct presence *p = state;
    struct presence_user *u;

    if (!is_device(s, who)) return;
    u = user_get(p, who->id_text);
    put_members(u, who);
    u->devices++;
    if (!u->is_asked) find_status(u);
    u = presence_user_find(p, who->id_text);
    if (u) write_due(u);
    presence_tell_newcomer(p, s);
}

static void on_leave(void *state, struct sio_socket *s, const struct identity *who)
{
    struct presence *p = state;
    struct presence_user *u = is_device(s, who) ? presence_user_find(p, who->id_text) : NULL;

    presence_watch_forget(&p->watch, sio_socket_id(s));
    if (u && u->devices && --u->devices == 0) user_forget(u);
}

static void on_first_device(void *state, const struct people_user *of)
{
    write_later(user_get(state, of->id_text), PRESENCE_WRITE_FIRST);
}

/* The node that was told of the first one may die before it has written it. */
static void on_counted(void *state, const struct people_user *of)
{
    struct presence_user *u = presence_user_find(state, of->id_text);

    if (u) write_later(u, PRESENCE_WRITE_UNLESS_THERE);
}

static void on_last_device(void *state, const struct people_user *of)
{
    struct presence *p = state;
    struct presence_user *u = presence_user_find(p, of->id_text);

    if (u && !u->devices) user_forget(u);
    presence_state_user(p->state, of->id_text, PRESENCE_USER_SEEN, NULL, NULL);
    people_owe(people_of(p));
    presence_state_leave(p->state, of->id_text, of->at_us);
}

static void on_left(void *ctx, unsigned leaves)
{
    people_paid(people_of(ctx), leaves);
}

/* Chosen on another node. The row says it too, a little later; rows of before say nothing more. */
static void on_hidden(void *state, struct str id_text, bool hidden)
{
    struct presence_user *u = presence_user_find(state, id_text);

    if (!u || !u->is_known || hidden == (u->status == PRESENCE_INVISIBLE)) return;
    u->status = hidden ? PRESENCE_INVISIBLE : PRESENCE_ONLINE;
}

/* ---- updatePresence ---- */

static void put_status(struct sb *b, enum presence_status status)
{
    sb_printf(b, "\"status\":\"%s\"", presence_status_name(status));
}

static void change(struct presence_user *u, enum presence_status status)
{
    u->active_ms = clock_wall_ms();
    u->is_known = true;
    u->status = status;
    people_hide_everywhere(people_of(u->presence), u->id_text, status == PRESENCE_INVISIBLE);
    write_later(u, PRESENCE_WRITE_STATUS);
}

static void on_changed(void *ctx, int rc, bool is_invisible, uint64_t seen_ms)
{
    struct asking *k = ctx;
    struct presence_user *u;
    struct sb reply = {0};

    (void)is_invisible, (void)seen_ms;
    if (!presence_answered(k->presence)) {
        event_later_drop(k->later);
        mem_free(k);
        return;
    }
    u = asked_of(k);
    if (u && rc == OK) change(u, k->status);
    if (u && rc != OK) { /* as it was */
        u->status = k->before;
        people_hide_everywhere(people_of(u->presence), u->id_text, u->status == PRESENCE_INVISIBLE);
    }
    put_status(&reply, k->status);
    event_later_end(k->later, rc, sb_view(&reply));
    sb_fini(&reply);
    mem_free(k);
}

static int on_update(struct event_ctx *c, const union event_in *in)
{
    struct presence *p = c->state;
    struct presence_user *u = presence_user_find(p, c->who->id_text);
    enum presence_status status;
    bool is_kept;
    struct asking *k;

    if (presence_status_read(in->update_presence.status, &status) != OK) {
        sb_z(c->why, "status: not online, away, busy or invisible");
        return ERR_SCHEMA;
    }
    if (!u || (p->adapter && !adapter_is_connected(p->adapter))) return ERR_UNAVAILABLE;
    is_kept = status == PRESENCE_INVISIBLE || u->status == PRESENCE_INVISIBLE || !u->is_known;
    if (!is_kept || !p->adapter) {
        change(u, status);
        put_status(c->reply, status);
        return OK;
    }
    k = ask(p, c->who->id_text);
    k->status = status;
    k->before = u->status;
    k->later = event_defer(c);
    if (status == PRESENCE_INVISIBLE) {
        /* from now on, whatever Redis says */
        people_hide_everywhere(people_of(p), u->id_text, true);
        presence_state_user(p->state, c->who->id_text, PRESENCE_USER_SEEN, NULL, NULL);
    }
    presence_state_user(p->state, c->who->id_text,
                        status == PRESENCE_INVISIBLE ? PRESENCE_USER_HIDE : PRESENCE_USER_SHOW,
                        on_changed, k);
    return OK;
}

/* ---- the feature ---- */

static void *presence_open(struct events *e)
{
    struct presence *p = MEM_NEW(struct presence);
    const struct conf *c = events_conf(e);

    p->events = e;
    p->adapter = strcmp(c->adapter, "local") == 0 ? NULL : events_adapter(e);
    presence_list_init(&p->list);
    presence_watch_init(&p->watch);
    p->state = presence_state_new(events_loop(e), c, p->adapter, &p->list);
    presence_state_on_left(p->state, on_left, p);
    presence_tell_start(p);
    return p;
}

static void presence_close(void *state)
{
    struct presence *p = state;
    size_t i = 0;
    struct presence_user *u;

    presence_tell_stop(p);
    presence_state_free(p->state);
    presence_watch_fini(&p->watch);
    presence_list_fini(&p->list);
    while ((u = map_next(&p->users, &i))) {
        mem_free(u->members);
        mem_free(u);
    }
    map_fini(&p->users);
    sb_fini(&p->page);
    p->is_closed = true;
    finish_closing(p);
}

/* What Redis has lost meanwhile is written again. */
static void on_state(void *state, bool connected)
{
    struct presence *p = state;
    size_t i = 0;
    struct presence_user *u;

    while (connected && (u = map_next(&p->users, &i)))
        if (u->devices) write_later(u, PRESENCE_WRITE_UNLESS_THERE);
}

static const struct event_row events[] = {
    {EVENT(updatePresence), .handle = on_update},
    {EVENT(presence_subscribe), .handle = presence_on_subscribe},
    {EVENT(presence_unsubscribe), .handle = presence_on_unsubscribe},
    {EVENT(presence_list), .handle = presence_on_list},
    {0},
};

const struct feature feature_presence = {
    .name = "presence",
    .events = events,
    .open = presence_open,
    .close = presence_close,
    .on_connect = on_connect,
    .on_leave = on_leave,
    .on_first_device = on_first_device,
    .on_last_device = on_last_device,
    .on_counted = on_counted,
    .on_hidden = on_hidden,
    .on_state = on_state,
};
