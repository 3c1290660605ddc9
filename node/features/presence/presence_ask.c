/* What clients ask: to be told of chosen users, and the pages of the list. */
#include "base/clock.h"
#include "base/mem.h"
#include "node/features/presence/presence_priv.h"

struct subscribing {
    struct presence *presence;
    struct event_later *later;
    struct sb users; /* rows, without the brackets */
    unsigned waiting;
    uint64_t seq;
};

struct question { /* when was he last seen? */
    struct subscribing *of;
    size_t id_n;
    char id[];
};

static void finish(struct subscribing *k)
{
    struct sb reply = {0};

    if (--k->waiting) return;
    sb_z(&reply, "\"users\":[");
    sb_str(&reply, sb_view(&k->users));
    sb_z(&reply, "],\"seq\":");
    sb_u64(&reply, k->seq);
    if (presence_answered(k->presence))
        event_later_end(k->later, OK, sb_view(&reply));
    else
        event_later_drop(k->later);
    sb_fini(&reply);
    sb_fini(&k->users);
    mem_free(k);
}

static void on_seen(void *ctx, int rc, bool is_invisible, uint64_t seen_ms)
{
    struct question *q = ctx;
    struct sb *b = &q->of->users;
    char when[CLOCK_ISO_SIZE];

    (void)rc, (void)is_invisible;
    if (b->n) sb_char(b, ',');
    sb_z(b, "{\"userId\":");
    sb_json(b, str_of(q->id, q->id_n));
    sb_z(b, ",\"status\":\"offline\"");
    if (seen_ms) {
        clock_iso(seen_ms, when);
        sb_printf(b, ",\"lastSeen\":\"%s\"", when);
    }
    sb_char(b, '}');
    finish(q->of);
    mem_free(q);
}

static void put_user(struct subscribing *k, struct str id_text)
{
    const struct presence_row *row = presence_list_get(&k->presence->list, id_text);
    struct question *q;

    if (row && presence_row_is_shown(row)) {
        if (k->users.n) sb_char(&k->users, ',');
        presence_row_put(row, &k->users);
        return;
    }
    q = mem_new(1, sizeof *q + id_text.n);
    q->of = k;
    q->id_n = id_text.n;
    memcpy(q->id, id_text.p, id_text.n);
    k->waiting++;
    presence_state_user(k->presence->state, id_text, PRESENCE_USER_GET, on_seen, q);
}

int presence_on_subscribe(struct event_ctx *c, const union event_in *in)
{
    const struct in_presence_subscribe *ask = &in->presence_subscribe;
    struct presence *p = c->state;
    struct str id = sio_socket_id(c->socket);
    struct subscribing *k;
    int rc = OK;

    for (size_t i = 0; rc == OK && i < ask->user_ids_count; i++)
        rc = presence_watch_add(&p->watch, c->socket, id, ask->user_ids[i]);
    if (rc != OK) return rc;
    k = MEM_NEW(struct subscribing);
    k->presence = p;
    k->later = event_defer(c);
    k->seq = presence_watch_seq(&p->watch, id);
    k->waiting = 1;
    p->waiting++;
    for (size_t i = 0; i < ask->user_ids_count; i++)
        put_user(k, ask->user_ids[i]);
    finish(k);
    return OK;
}

int presence_on_unsubscribe(struct event_ctx *c, const union event_in *in)
{
    const struct in_presence_unsubscribe *ask = &in->presence_unsubscribe;
    struct presence *p = c->state;

    for (size_t i = 0; i < ask->user_ids_count; i++)
        presence_watch_remove(&p->watch, sio_socket_id(c->socket), ask->user_ids[i]);
    return OK;
}

int presence_on_list(struct event_ctx *c, const union event_in *in)
{
    struct presence *p = c->state;
    size_t page = in->presence_list.has_page ? (size_t)in->presence_list.page : 0;

    sb_z(c->reply, "\"users\":");
    presence_list_page(&p->list, page, c->reply);
    sb_z(c->reply, ",\"count\":");
    sb_u64(c->reply, p->list.shown_count);
    sb_z(c->reply, ",\"page\":");
    sb_u64(c->reply, page);
    sb_z(c->reply, ",\"pages\":");
    sb_u64(c->reply, presence_list_pages(&p->list));
    return OK;
}
