/* See hub_priv.h: the servers, and the map that says which slots they have. The map is read once;
 * after that again when somebody says MOVED or a connection is lost, until all is well. */
#include "adapter/redis/hub_priv.h"

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/forbid.h"

enum {
    REFRESH_MOVED_MS = 50, /* one MOVED comes seldom alone */
    REFRESH_DOWN_MS = 200,
    REFRESH_REFUSED_MS = 2000,
    TELL_MS = 1000,
};

/* ---- state ---- */

static bool takes_commands(const struct redis_hub *h)
{
    bool has_owner = false;

    for (int i = 0; h->cluster && i < REDIS_SLOTS; i++)
        if (!h->cluster->owner[i]) return false;
    LIST_EACH(node, &h->servers)
    {
        const struct redis_server *s = LIST_OWNER(node, struct redis_server, node);

        if (s->is_owner && !redis_link_is_up(s->commands)) return false;
        has_owner |= s->is_owner;
    }
    return has_owner;
}

static void update_state(struct redis_hub *h)
{
    bool is_up = takes_commands(h);

    if (h->is_closed || h->is_up == is_up) return;
    h->is_up = is_up;
    if (is_up)
        h->conf.on_up(h->conf.ctx);
    else
        h->conf.on_down(h->conf.ctx);
}

static void refresh_soon(struct redis_hub *h, uint64_t ms)
{
    struct redis_cluster *c = h->cluster;

    if (!c || h->is_closed) return;
    c->is_stale = true;
    if (!list_is_linked(&c->refresh.node)) loop_timer(h->conf.loop, &c->refresh, ms);
}

/* ---- servers ---- */

static void ask_map(struct redis_hub *h, struct redis_server *s);

static void on_commands_up(void *ctx)
{
    struct redis_server *s = ctx;
    struct redis_hub *h = s->hub;

    if (h->cluster && h->cluster->is_stale) ask_map(h, s);
    redis_hub_retry(h);
    update_state(h);
}

static void on_commands_down(void *ctx)
{
    struct redis_server *s = ctx;

    refresh_soon(s->hub, REFRESH_DOWN_MS);
    update_state(s->hub);
}

static void on_subscriber_up(void *ctx)
{
    struct redis_server *s = ctx;

    s->hub->conf.on_subscriber_up(s->hub->conf.ctx, s->subscriber);
}

static void on_subscriber_down(void *ctx)
{
    struct redis_server *s = ctx;

    refresh_soon(s->hub, REFRESH_DOWN_MS);
    s->hub->conf.on_subscriber_down(s->hub->conf.ctx, s->subscriber);
}

static void on_push(void *ctx, const struct redis_push *p)
{
    struct redis_server *s = ctx;

    if (s->hub->conf.on_push) s->hub->conf.on_push(s->hub->conf.ctx, s->subscriber, p);
}

static struct redis_link *open_link(struct redis_server *s, bool is_subscriber)
{
    const struct redis_hub *h = s->hub;
    struct redis_link_conf c = {.loop = h->conf.loop,
                                .url = h->cluster ? &s->url : h->conf.url,
                                .name = is_subscriber ? h->subscriber_name : h->commands_name,
                                .timeout_ms = h->conf.timeout_ms,
                                .queue_bytes = h->conf.queue_bytes,
                                .is_subscriber = is_subscriber,
                                .ctx = s,
                                .on_up = is_subscriber ? on_subscriber_up : on_commands_up,
                                .on_down = is_subscriber ? on_subscriber_down : on_commands_down,
                                .on_push = on_push};

    return redis_link_open(&c);
}

static struct redis_server *server_new(struct redis_hub *h)
{
    struct redis_server *s = MEM_NEW(struct redis_server);

    s->hub = h;
    list_push(&h->servers, &s->node);
    return s;
}

static void server_own(struct redis_server *s)
{
    if (s->is_owner) return;
    s->is_owner = true;
    if (s->hub->conf.has_subscribers) s->subscriber = open_link(s, true);
}

/* Nothing refers to it any more: commands under way are answered, subscriptions go elsewhere. */
static void server_free(struct redis_server *s)
{
    struct redis_hub *h = s->hub;
    struct redis_link *subscriber = s->subscriber;

    list_unlink(&s->node);
    redis_link_close(s->commands);
    redis_link_close(subscriber);
    redis_url_fini(&s->url);
    mem_free(s);
    if (subscriber && !h->is_closed) h->conf.on_subscriber_down(h->conf.ctx, subscriber);
}

struct redis_server *redis_hub_server_at(struct redis_hub *h, struct str host, uint16_t port)
{
    const struct redis_url *u = h->conf.url;
    struct redis_server *s;

    LIST_EACH(node, &h->servers)
    {
        s = LIST_OWNER(node, struct redis_server, node);
        if (s->url.port == port && str_eq(str_z(s->url.host), host)) return s;
    }
    s = server_new(h);
    s->url.host = str_dup(host);
    s->url.port = port;
    if (u->user) s->url.user = str_dup(str_z(u->user));
    if (u->password) s->url.password = str_dup(str_z(u->password));
    s->commands = open_link(s, false);
    return s;
}

/* The places of REDIS_URL: at the start, and when none of the servers that we knew answers. */
static void open_seeds(struct redis_hub *h)
{
    for (unsigned i = 0; i < h->conf.url->seeds_count; i++) {
        const struct redis_place *p = &h->conf.url->seeds[i];

        (void)redis_hub_server_at(h, str_z(p->host), p->port);
    }
}

/* ---- the map ---- */

static bool read_map(struct redis_hub *h, const struct redis_server *by, const struct redisReply *r,
                     struct redis_server **owner)
{
    struct redis_slot_range range;

    if (r->type != REDIS_REPLY_ARRAY) return false;
    for (size_t i = 0; i < r->elements; i++) {
        struct redis_server *s;

        if (!redis_slots_row(r, i, &range)) return false;
        s = redis_hub_server_at(h, range.host.n ? range.host : str_z(by->url.host), range.port);
        for (int slot = range.first; slot <= range.last; slot++)
            owner[slot] = s;
    }
    return true;
}

/* Before anything is called: whoever is called finds the new map, and no server that is not in it.
 */
static void take_map(struct redis_hub *h, struct redis_server **owner)
{
    struct redis_server **old = h->cluster->owner;
    bool is_new = memcmp(old, owner, REDIS_SLOTS * sizeof(struct redis_server *)) != 0;
    struct list gone;

    h->cluster->owner = owner;
    list_init(&gone);
    LIST_EACH_SAFE(node, after, &h->servers)
    {
        struct redis_server *s = LIST_OWNER(node, struct redis_server, node);
        bool is_owner = false;

        for (int i = 0; i < REDIS_SLOTS && !is_owner; i++)
            is_owner = owner[i] == s;
        if (is_owner) {
            server_own(s);
            continue;
        }
        list_unlink(node);
        list_push(&gone, node);
    }
    LIST_EACH_SAFE(node, after, &gone)
    {
        server_free(LIST_OWNER(node, struct redis_server, node));
    }
    mem_free(old);
    if (!is_new || h->is_closed) return;
    if (!h->cluster->told_ms || clock_ms() - h->cluster->told_ms >= TELL_MS) {
        h->cluster->told_ms = clock_ms();
        LOG_INFO("redis.cluster_map", LOG_Z("link", h->commands_name));
    }
    if (h->conf.on_map) h->conf.on_map(h->conf.ctx);
}

static void on_map(void *ctx, int rc, const struct redisReply *r)
{
    struct redis_server *by = ctx; /* gone when rc is not OK */
    struct redis_server **owner;
    struct redis_hub *h;

    if (rc != OK) return;
    h = by->hub;
    h->cluster->is_stale = false;
    owner = mem_new(REDIS_SLOTS, sizeof(struct redis_server *));
    if (!read_map(h, by, r, owner)) {
        mem_free(owner);
        if (h->cluster->refused++ == 0)
            LOG_ERROR("redis.no_cluster", LOG_S("why", redis_push_text(r)));
        refresh_soon(h, REFRESH_REFUSED_MS);
        return;
    }
    h->cluster->refused = 0;
    take_map(h, owner);
    redis_hub_retry(h);
    update_state(h);
    if (!takes_commands(h)) refresh_soon(h, REFRESH_DOWN_MS);
}

static void ask_map(struct redis_hub *h, struct redis_server *s)
{
    const struct str argv[] = {STR("CLUSTER"), STR("SLOTS")};

    if (redis_link_send(s->commands, argv, 2, on_map, s) == OK) return;
    refresh_soon(h, REFRESH_DOWN_MS);
}

static struct redis_server *next_to_ask(struct redis_hub *h)
{
    struct redis_server *first = NULL;
    unsigned i = 0, up = 0;

    LIST_EACH(node, &h->servers)
    {
        up += redis_link_is_up(LIST_OWNER(node, struct redis_server, node)->commands);
    }
    if (!up) return NULL;
    h->cluster->asked = (h->cluster->asked + 1) % up;
    LIST_EACH(node, &h->servers)
    {
        struct redis_server *s = LIST_OWNER(node, struct redis_server, node);

        if (!redis_link_is_up(s->commands)) continue;
        first = s;
        if (i++ == h->cluster->asked) break;
    }
    return first;
}

/* One that was not answered is given up by its link. */
static void on_refresh(struct timer *t)
{
    struct redis_cluster *c = LIST_OWNER(t, struct redis_cluster, refresh);
    struct redis_hub *h = c->hub;
    struct redis_server *s = next_to_ask(h);

    if (!c->is_stale) return;
    if (s) {
        ask_map(h, s);
        return;
    }
    open_seeds(h); /* whoever comes up first is asked */
    loop_timer(h->conf.loop, &c->refresh, REFRESH_DOWN_MS);
}

static struct redis_link *subscriber_of(const struct redis_hub *h, uint16_t slot)
{
    struct redis_server *s = redis_hub_owner(h, slot);

    return s ? s->subscriber : NULL;
}

bool redis_hub_redirected(struct redis_hub *h, struct redis_link *by, struct str error)
{
    struct redis_moved m;

    if (!h->cluster || !redis_moved_read(error, &m) || m.is_ask) return false;
    LIST_EACH(node, &h->servers)
    {
        const struct redis_server *s = LIST_OWNER(node, struct redis_server, node);

        if (s->subscriber != by) continue;
        redis_hub_follow(h, s, &m);
        return subscriber_of(h, m.slot) != by;
    }
    return false;
}

void redis_hub_follow(struct redis_hub *h, const struct redis_server *by,
                      const struct redis_moved *m)
{
    struct redis_server *s =
        redis_hub_server_at(h, m->host.n ? m->host : str_z(by->url.host), m->port);

    metric_add(M_REDIS_REDIRECTS, 1);
    if (h->cluster->owner[m->slot] == s) return;
    h->cluster->owner[m->slot] = s;
    server_own(s);
    refresh_soon(h, REFRESH_MOVED_MS);
    update_state(h);
}

/* ---- the face ---- */

static char *name_of(const char *name, const char *what)
{
    struct sb b = {0};

    sb_printf(&b, "%s-%s", name, what);
    sb_char(&b, 0);
    return b.p;
}

static void free_now(struct loop_task *t)
{
    struct redis_hub *h = LIST_OWNER(t, struct redis_hub, free);

    if (h->cluster) mem_free(h->cluster->owner);
    mem_free(h->cluster);
    mem_free(h->commands_name);
    mem_free(h->subscriber_name);
    mem_free(h);
}

static struct redis_cluster *cluster_new(struct redis_hub *h)
{
    struct redis_cluster *c = MEM_NEW(struct redis_cluster);

    c->hub = h;
    c->owner = mem_new(REDIS_SLOTS, sizeof(struct redis_server *));
    c->is_stale = true;
    list_init(&c->waits);
    list_init(&c->later);
    timer_init(&c->again, redis_hub_again);
    timer_init(&c->refresh, on_refresh);
    return c;
}

struct redis_hub *redis_hub_open(const struct redis_hub_conf *c)
{
    struct redis_hub *h = MEM_NEW(struct redis_hub);
    struct redis_server *s;

    h->conf = *c;
    h->commands_name = name_of(c->name, "commands");
    h->subscriber_name = name_of(c->name, "subscriber");
    list_init(&h->servers);
    loop_task_init(&h->free, free_now);
    if (c->url->seeds_count) {
        h->cluster = cluster_new(h);
        open_seeds(h);
        loop_timer(c->loop, &h->cluster->refresh, REFRESH_DOWN_MS);
        return h;
    }
    s = server_new(h);
    s->commands = open_link(s, false);
    server_own(s);
    return h;
}

void redis_hub_close(struct redis_hub *h)
{
    struct list *node;

    if (!h || h->is_closed) return;
    h->is_closed = true;
    if (h->cluster) {
        loop_timer_stop(h->conf.loop, &h->cluster->refresh);
        loop_timer_stop(h->conf.loop, &h->cluster->again);
        redis_hub_give_up(h);
    }
    while ((node = h->servers.next) != &h->servers)
        server_free(LIST_OWNER(node, struct redis_server, node));
    loop_free_at_end(h->conf.loop, &h->free);
}

bool redis_hub_is_up(const struct redis_hub *h)
{
    return h->is_up;
}

bool redis_hub_is_partly_up(const struct redis_hub *h)
{
    LIST_EACH(node, &h->servers)
    {
        const struct redis_server *s = LIST_OWNER(node, struct redis_server, node);

        if (s->is_owner && redis_link_is_up(s->commands)) return true;
    }
    return false;
}

struct redis_server *redis_hub_owner(const struct redis_hub *h, uint16_t slot)
{
    if (h->cluster) return h->cluster->owner[slot];
    return LIST_OWNER(h->servers.next, struct redis_server, node);
}

struct redis_link *redis_hub_subscriber(const struct redis_hub *h, struct str key)
{
    return subscriber_of(h, h->cluster ? redis_slot(key) : 0);
}
