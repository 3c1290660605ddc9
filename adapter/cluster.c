/* Membership by beats. All times are this node's own monotonic clock; the clocks of others do not
 * matter. */
#include "adapter/cluster.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/rand.h"
#include "base/forbid.h"

#define NAME_MAX_BYTES 64
#define LEFT_MAX 64   /* the last ones to say BYE */
#define LOST_MAX 1024 /* more are forgotten: their sids then wait for an answer instead */

struct peer {
    char id[ADAPTER_NODE_ID_SIZE];
    uint64_t instance;
    uint64_t heard_ms;
};

struct lost { /* one that was declared dead: it may only be paused, and has to be told */
    char id[ADAPTER_NODE_ID_SIZE];
    uint64_t instance;
};

struct cluster {
    struct cluster_conf conf;
    char id[ADAPTER_NODE_ID_SIZE], name[NAME_MAX_BYTES];
    uint64_t instance, rival; /* rival: another node with our id, already reported */
    struct map peers, lost;
    uint64_t left[LEFT_MAX]; /* instances that said BYE, in a ring */
    unsigned left_count;
    struct timer beat, tick; /* tick looks for silent ones */
    uint64_t step_ms, ticked_ms;
    bool connected;
    bool is_returning; /* until the own HELLO comes by, all that arrives was sent before it */
    struct loop_pause pause;
    struct sb out;
};

static void on_beat(struct timer *t);
static void on_tick(struct timer *t);
static void on_pause(struct loop_pause *p);

struct cluster *cluster_new(const struct cluster_conf *c)
{
    struct cluster *k = MEM_NEW(struct cluster);

    k->conf = *c;
    memcpy(k->id, c->node_id.p, sizeof k->id);
    k->conf.node_id = str_of(k->id, sizeof k->id);
    k->conf.name = str_head(c->name, sizeof k->name);
    while (!str_is_utf8(k->conf.name)) /* cut within a character */
        k->conf.name.n--;
    if (k->conf.name.n) memcpy(k->name, c->name.p, k->conf.name.n);
    k->conf.name.p = k->name;
    rand_bytes(&k->instance, sizeof k->instance);
    k->step_ms = c->dead_ms / 8;
    timer_init(&k->beat, on_beat);
    timer_init(&k->tick, on_tick);
    loop_pause_watch(c->loop, &k->pause, c->dead_ms, on_pause);
    metric_set(M_NODES, 1);
    return k;
}

void cluster_free(struct cluster *k)
{
    struct peer *p;
    struct lost *l;

    loop_pause_end(&k->pause);
    loop_timer_stop(k->conf.loop, &k->beat);
    loop_timer_stop(k->conf.loop, &k->tick);
    for (size_t i = 0; (p = map_next(&k->peers, &i));)
        mem_free(p);
    map_fini(&k->peers);
    for (size_t i = 0; (l = map_next(&k->lost, &i));)
        mem_free(l);
    map_fini(&k->lost);
    sb_fini(&k->out);
    mem_free(k);
}

static struct str encode(struct cluster *k, const struct message *m)
{
    k->out.n = 0;
    message_encode(m, &k->out);
    return sb_view(&k->out);
}

static struct message beat_of(const struct cluster *k)
{
    return (struct message){.kind = MESSAGE_BEAT,
                            .from = k->conf.node_id,
                            .beat = {.instance = k->instance, .name = k->conf.name}};
}

static void on_beat(struct timer *t)
{
    struct cluster *k = LIST_OWNER(t, struct cluster, beat);
    struct message m = beat_of(k);

    loop_timer(k->conf.loop, &k->beat, k->conf.beat_ms);
    k->is_returning = false; /* the own HELLO did not come by: a wire that does not bring it */
    k->conf.say(k->conf.ctx, encode(k, &m));
}

static void say_hello(struct cluster *k)
{
    struct message m = {.kind = MESSAGE_HELLO,
                        .from = k->conf.node_id,
                        .hello = {.instance = k->instance, .name = k->conf.name}};

    loop_timer(k->conf.loop, &k->beat, k->conf.beat_ms);
    k->conf.say(k->conf.ctx, encode(k, &m));
}

static void forget(struct cluster *k, struct peer *p)
{
    char id[ADAPTER_NODE_ID_SIZE];

    memcpy(id, p->id, sizeof id);
    map_del(&k->peers, str_of(p->id, sizeof p->id));
    mem_free(p);
    metric_set(M_NODES, cluster_count(k));
    k->conf.on_down(k->conf.ctx, str_of(id, sizeof id));
}

static void remember_lost(struct cluster *k, const struct peer *p)
{
    size_t i = 0;
    struct lost *l = map_get(&k->lost, str_of(p->id, sizeof p->id));

    if (!l && k->lost.count >= LOST_MAX) {
        l = map_next(&k->lost, &i);
        map_del(&k->lost, str_of(l->id, sizeof l->id));
        mem_free(l);
        l = NULL;
    }
    if (!l) {
        l = MEM_NEW(struct lost);
        memcpy(l->id, p->id, sizeof l->id);
        map_put(&k->lost, str_of(l->id, sizeof l->id), l);
    }
    l->instance = p->instance;
}

/* It speaks again. The same instance has to hear that it was given up: what it believes to be open
 * between us is not. */
static void take_back_lost(struct cluster *k, struct str node, uint64_t instance)
{
    struct lost *l = map_get(&k->lost, node);
    struct message m = {.kind = MESSAGE_LOST,
                        .from = k->conf.node_id,
                        .lost = {.instance = instance, .own = k->instance}};

    if (!l) return;
    if (l->instance == instance) k->conf.tell(k->conf.ctx, node, encode(k, &m));
    map_del(&k->lost, node);
    mem_free(l);
}

/* The map may not change while it is walked: one at a time. */
static struct peer *find_silent(const struct cluster *k)
{
    struct peer *p;

    for (size_t i = 0; (p = map_next(&k->peers, &i));)
        if (clock_ms() - p->heard_ms >= k->conf.dead_ms) return p;
    return NULL;
}

static void refresh_all(struct cluster *k)
{
    struct peer *p;

    for (size_t i = 0; (p = map_next(&k->peers, &i));)
        p->heard_ms = clock_ms();
}

static void on_tick(struct timer *t)
{
    struct cluster *k = LIST_OWNER(t, struct cluster, tick);
    uint64_t now = clock_ms(), gap = now - k->ticked_ms;
    struct peer *p;

    k->ticked_ms = now;
    loop_timer(k->conf.loop, &k->tick, k->step_ms);
    if (gap > 2 * k->step_ms + TIMER_TICK_MS) /* we were stopped: their beats wait unread */
        refresh_all(k);
    while (k->connected && (p = find_silent(k))) {
        LOG_WARN("cluster.node_lost", LOG_S("peer", str_of(p->id, sizeof p->id)));
        metric_add(M_NODES_LOST, 1);
        remember_lost(k, p);
        forget(k, p);
    }
}

/* Nobody has heard of us for DEAD_MS. A new instance, so that even who did not notice drops the
 * old one. */
static void on_pause(struct loop_pause *pause)
{
    struct cluster *k = LIST_OWNER(pause, struct cluster, pause);
    size_t i = 0;
    struct peer *p;

    if (!k->connected) return; /* who gave us up tells so when we are heard again */
    LOG_WARN("cluster.was_stopped");
    metric_add(M_NODE_RETURNS, 1);
    k->rival = k->instance; /* should a late beat of our own still come by: no other node */
    rand_bytes(&k->instance, sizeof k->instance);
    k->is_returning = true;
    k->ticked_ms = clock_ms();
    for (; (p = map_next(&k->peers, &i)); i = 0)
        forget(k, p);
    k->conf.on_return(k->conf.ctx);
    if (k->connected) say_hello(k); /* nobody has closed it meanwhile */
}

bool cluster_is_stale(struct cluster *k, const struct message *m)
{
    if (!k->is_returning) return false;
    if (m->kind == MESSAGE_HELLO && str_eq(m->from, k->conf.node_id) &&
        m->hello.instance == k->instance)
        k->is_returning = false;
    return true;
}

void cluster_connected(struct cluster *k, bool connected)
{
    k->connected = connected;
    k->is_returning = false;
    if (!connected) {
        loop_timer_stop(k->conf.loop, &k->beat);
        loop_timer_stop(k->conf.loop, &k->tick);
        return;
    }
    refresh_all(k);
    k->ticked_ms = clock_ms();
    loop_timer(k->conf.loop, &k->tick, k->step_ms);
    say_hello(k);
}

void cluster_bye(struct cluster *k)
{
    struct message m = {
        .kind = MESSAGE_BYE, .from = k->conf.node_id, .bye = {.instance = k->instance}};

    k->conf.say(k->conf.ctx, encode(k, &m));
}

/* True: the message is of this id, ours or a rival's, and nothing is left to do. */
static bool is_own(struct cluster *k, struct str from, uint64_t instance)
{
    if (!str_eq(from, k->conf.node_id)) return false;
    if (instance == k->instance || instance == k->rival) return true;
    k->rival = instance;
    metric_add(M_NODE_COLLISIONS, 1);
    LOG_ERROR("cluster.same_id", LOG_S("peer", from));
    return true;
}

/* A beat to us alone takes another channel than the BYE to all: in a Redis Cluster it may come
 * behind it. */
static bool has_left(const struct cluster *k, uint64_t instance)
{
    for (unsigned i = 0; i < LEFT_MAX && i < k->left_count; i++)
        if (k->left[i] == instance) return true;
    return false;
}

static void heard(struct cluster *k, struct str from, uint64_t instance, struct str name)
{
    struct peer *p = map_get(&k->peers, from);

    if (has_left(k, instance)) return;
    if (p && p->instance != instance) {
        forget(k, p); /* restarted: what the old one had is gone */
        p = map_get(&k->peers, from);
    }
    if (p) {
        p->heard_ms = clock_ms();
        return;
    }
    p = MEM_NEW(struct peer);
    memcpy(p->id, from.p, sizeof p->id);
    p->instance = instance;
    p->heard_ms = clock_ms();
    take_back_lost(k, from, instance);
    map_put(&k->peers, str_of(p->id, sizeof p->id), p);
    metric_set(M_NODES, cluster_count(k));
    LOG_INFO("cluster.node_up", LOG_S("peer", from), LOG_S("name", name));
    k->conf.on_up(k->conf.ctx, from);
}

static void on_bye(struct cluster *k, const struct message *m)
{
    struct peer *p = map_get(&k->peers, m->from);

    if (!has_left(k, m->bye.instance)) k->left[k->left_count++ % LEFT_MAX] = m->bye.instance;
    if (!p || p->instance != m->bye.instance) return;
    LOG_INFO("cluster.node_left", LOG_S("peer", m->from));
    forget(k, p);
}

/* We go on, but for the sender we were dead: what we had with it is gone there. */
static void on_lost(struct cluster *k, const struct message *m)
{
    struct peer *p = map_get(&k->peers, m->from);

    if (m->lost.instance != k->instance || !p || p->instance != m->lost.own) return;
    LOG_WARN("cluster.was_lost", LOG_S("peer", m->from));
    metric_add(M_NODE_RETURNS, 1);
    forget(k, p);
    heard(k, m->from, m->lost.own, STR(""));
}

void cluster_receive(struct cluster *k, const struct message *m)
{
    struct message answer;

    switch (m->kind) {
    case MESSAGE_HELLO:
        if (is_own(k, m->from, m->hello.instance)) return;
        answer = beat_of(k);
        k->conf.tell(k->conf.ctx, m->from, encode(k, &answer));
        heard(k, m->from, m->hello.instance, m->hello.name);
        return;
    case MESSAGE_BEAT:
        if (!is_own(k, m->from, m->beat.instance))
            heard(k, m->from, m->beat.instance, m->beat.name);
        return;
    case MESSAGE_BYE:
        if (!is_own(k, m->from, m->bye.instance)) on_bye(k, m);
        return;
    case MESSAGE_LOST:
        if (!str_eq(m->from, k->conf.node_id)) on_lost(k, m);
        return;
    case MESSAGE_PIPE:
    case MESSAGE_PEOPLE:
    case MESSAGE_FEATURE:
    case MESSAGE_DENIED:
    case MESSAGE_DUE:
    case MESSAGE_HEALTH:
    default:
        return;
    }
}

uint64_t cluster_instance(const struct cluster *k)
{
    return k->instance;
}

bool cluster_is_alive(const struct cluster *k, struct str node)
{
    return str_eq(node, k->conf.node_id) || map_get(&k->peers, node) != NULL;
}

bool cluster_is_lost(const struct cluster *k, struct str node)
{
    return map_get(&k->lost, node) != NULL;
}

unsigned cluster_count(const struct cluster *k)
{
    return (unsigned)k->peers.count + 1;
}

void cluster_each(const struct cluster *k, void (*fn)(void *ctx, struct str node), void *ctx)
{
    const struct peer *p;

    for (size_t i = 0; (p = map_next(&k->peers, &i));)
        fn(ctx, str_of(p->id, sizeof p->id));
}
