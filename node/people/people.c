/* Devices of users by adapter/tally; the rest of the house hears of first and last ones. */
#include "node/people/people_priv.h"

#include <string.h>

#include "adapter/adapter.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/mem.h"
#include "base/metric.h"
#include "node/auth/identity.h"
#include "node/sio/sio.h"

#define ROOM_PREFIX "user-"

static struct person *find(const struct people *p, struct str id_text)
{
    return map_get(&p->persons, id_text);
}

static struct person *add(struct people *p, struct str id_text)
{
    struct person *who = mem_new(1, sizeof *who + id_text.n);

    memcpy(who->bytes, id_text.p, id_text.n);
    who->id_text = str_of(who->bytes, id_text.n);
    who->people = p;
    list_init(&who->unlisted);
    map_put(&p->persons, who->id_text, who);
    return who;
}

void people_forget(struct person *who)
{
    list_unlink(&who->unlisted);
    map_del(&who->people->persons, who->id_text);
    mem_free(who);
}

/* A count was written. A first device is no news when it was known before Redis lost it. The
 * other way round, the last one is news though Redis had lost it, and when a node died between
 * taking its count back and telling of it. */
static void on_step(void *ctx, const struct tally_step *s)
{
    struct people *p = ctx;
    struct people_hooks *hooks = &p->conf.hooks;
    struct person *who = find(p, s->name);
    struct people_user user = {.id_text = s->name, .at_us = s->at_us};
    bool was_up = who && who->is_up;

    if (p->is_closed) return;
    if (who) {
        who->is_up = s->here > 0;
        who->counted_us = s->here ? s->at_us : 0;
    }
    if (s->after && !s->before && !was_up && hooks->on_first_device)
        hooks->on_first_device(p->conf.ctx, &user);
    else if (!s->after && (s->before || was_up || people_is_reaped(p, s->name)) &&
             hooks->on_last_device)
        hooks->on_last_device(p->conf.ctx, &user);
    if (!who) return;
    if (s->here && (!was_up || !s->before) && hooks->on_counted)
        hooks->on_counted(p->conf.ctx, &user);
    who->debt = p->owed;
    if (!s->here && !who->devices) people_list_later(who);
}

struct people *people_new(const struct people_conf *c)
{
    struct people *p = MEM_NEW(struct people);
    bool is_gateway;

    p->conf = *c;
    p->adapter = strcmp(c->conf->adapter, "local") == 0 ? NULL : c->adapter;
    is_gateway = str_eq(c->nsp, STR("/"));
    if (!is_gateway) sb_printf(&p->scope, "%s:", c->conf->adapter_prefix);
    p->tally =
        tally_new(&(struct tally_conf){.loop = c->loop,
                                       .adapter = p->adapter,
                                       .key = is_gateway ? KEY_USER_NODES : KEY_USER_NODES_OF,
                                       .scope = sb_view(&p->scope),
                                       .ttl_s = KEY_USER_NODES_TTL_S,
                                       .dead_ms = c->conf->dead_ms,
                                       .on_step = on_step,
                                       .ctx = p});
    people_reap_init(p);
    people_nodes_init(p);
    return p;
}

void people_free(struct people *p)
{
    size_t i = 0;
    struct person *who;

    if (!p) return;
    p->is_closed = true;
    tally_free(p->tally);
    p->tally = NULL;
    people_reap_fini(p);
    people_nodes_fini(p);
    while ((who = map_next(&p->persons, &i)))
        mem_free(who);
    map_fini(&p->persons);
    people_free_if_done(p);
}

/* ---- sockets ---- */

void people_room(struct str id_text, struct sb *out)
{
    sb_z(out, ROOM_PREFIX);
    sb_str(out, id_text);
}

void people_number_room(struct str id_text, struct sb *out)
{
    sb_z(out, SIO_ROOM_INNER ROOM_PREFIX);
    sb_str(out, id_text);
}

/* They are the first rooms: no limit is in the way. */
static int join_own(struct sio_socket *s, const struct identity *id)
{
    struct sb room = {0};
    int rc;

    people_room(id->id_text, &room);
    rc = sio_socket_join(s, sb_view(&room));
    if (rc == OK && id->id.p[0] != '"') {
        room.n = 0;
        people_number_room(id->id_text, &room);
        rc = sio_socket_join_inner(s, sb_view(&room));
    }
    sb_fini(&room);
    return rc;
}

bool people_is_room_of(struct str room, struct str id_text)
{
    const struct str prefix = STR(ROOM_PREFIX);

    return id_text.n && str_starts(room, prefix) && str_eq(str_skip(room, prefix.n), id_text);
}

bool people_is_room(struct str room)
{
    return str_starts(room, STR(ROOM_PREFIX));
}

static bool is_counted(const struct people *p, const struct sio_socket *s)
{
    return str_eq(sio_nsp_name(sio_socket_nsp(s)), p->conf.nsp);
}

struct person *people_enter(struct people *p, struct sio_socket *s, const struct identity *id)
{
    struct person *who;

    if (!id->id_text.n) return NULL;
    if (join_own(s, id) != OK || !is_counted(p, s)) return NULL;
    who = find(p, id->id_text);
    if (!who) who = add(p, id->id_text);
    tally_add(p->tally, who->id_text, STR_NONE);
    if (who->devices++ == 0) {
        metric_shift(M_USERS_HERE, 1);
        people_list_later(who);
    }
    tally_write(p->tally, who->id_text);
    return who;
}

void people_exit(struct person *who)
{
    struct people *p;

    if (!who) return;
    p = who->people;
    if (--who->devices == 0) metric_shift(M_USERS_HERE, -1);
    tally_sub(p->tally, who->id_text);
}

/* ---- questions ---- */

void people_count(struct people *p, struct str id_text, tally_told *told, void *ctx)
{
    tally_ask(p->tally, id_text, told, ctx);
}

unsigned people_here(const struct people *p, struct str id_text)
{
    const struct person *who = find(p, id_text);

    return who ? who->devices : 0;
}

uint64_t people_counted_us(const struct people *p, struct str id_text)
{
    const struct person *who = find(p, id_text);

    return who ? who->counted_us : 0;
}

void people_owe(struct people *p)
{
    p->owed++;
}

void people_paid(struct people *p, unsigned debts)
{
    p->paid += debts;
    if (!list_is_empty(&p->unlisted)) loop_at_end(p->conf.loop, &p->list_task);
    people_reap_paid(p);
}

void people_each(struct people *p, void (*fn)(void *ctx, struct str id_text), void *ctx)
{
    size_t i = 0;
    struct person *who;

    while ((who = map_next(&p->persons, &i)))
        if (who->devices) fn(ctx, who->id_text);
}

void people_hide(struct people *p, struct str id_text, bool hidden)
{
    struct person *who = find(p, id_text);

    if (!who || who->is_hidden == hidden) return;
    who->is_hidden = hidden;
    if (p->conf.hooks.on_hidden) p->conf.hooks.on_hidden(p->conf.ctx, id_text, hidden);
}

/* ---- told to the other nodes: h or s, then the id ---- */

struct telling {
    struct people *people;
    struct str payload;
};

static void tell_node(void *ctx, struct str node)
{
    struct telling *t = ctx;
    struct adapter *a = t->people->adapter;

    if (!str_eq(node, adapter_node_id(a)))
        adapter_send(a, node, ADAPTER_PEOPLE, t->payload, NULL, NULL);
}

void people_hide_everywhere(struct people *p, struct str id_text, bool hidden)
{
    struct sb text = {0};
    struct telling t = {.people = p};

    people_hide(p, id_text, hidden);
    if (!p->adapter || !adapter_is_connected(p->adapter)) return;
    sb_char(&text, hidden ? 'h' : 's');
    sb_str(&text, id_text);
    t.payload = sb_view(&text);
    adapter_each_node(p->adapter, tell_node, &t);
    sb_fini(&text);
}

void people_on_message(struct people *p, struct str payload)
{
    if (payload.n > 1 && (payload.p[0] == 'h' || payload.p[0] == 's'))
        people_hide(p, str_skip(payload, 1), payload.p[0] == 'h');
}

bool people_is_hidden(const struct people *p, struct str id_text)
{
    const struct person *who = find(p, id_text);

    return who && who->is_hidden;
}

/* ---- the cluster ---- */

void people_all_again(struct people *p, bool was_dead)
{
    size_t i = 0;
    struct person *who;

    while ((who = map_next(&p->persons, &i))) {
        if (was_dead) who->is_up = false;
        people_list_later(who);
    }
    tally_refresh(p->tally);
}

void people_on_node_lost(struct people *p, struct str node)
{
    if (p->adapter) people_reap(p, node);
}

void people_on_state(struct people *p, bool connected)
{
    if (!connected || !p->adapter) return;
    people_reap_pardon(p);
    tally_return(p->tally);
    people_nodes_check(p);
}
