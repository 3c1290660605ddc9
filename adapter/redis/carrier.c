/* See carrier_priv.h. The list of subscriptions is ours: whatever happens to a connection, all of
 * it is sent again in order. */
#include "adapter/redis/carrier_priv.h"

#include <hiredis/hiredis.h>

#include "adapter/message.h"
#include "adapter/redis/store.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/rand.h"
#include "base/forbid.h"

/* ---- publishing ---- */

void redis_carrier_complain(struct redis_carrier *b, const char *event, struct str why)
{
    if (b->complained_ms && clock_ms() - b->complained_ms < 1000) return;
    b->complained_ms = clock_ms();
    LOG_WARN(event, LOG_S("why", why));
}

void redis_carrier_published(void *ctx, int rc, const struct redisReply *r)
{
    struct redis_carrier *b = ctx;

    if (rc == OK && r->type != REDIS_REPLY_ERROR) return;
    metric_add(M_REDIS_DROPPED, 1);
    if (rc == OK) redis_carrier_complain(b, "redis.publish_refused", redis_push_text(r));
}

struct channel_parts redis_carrier_parts(const struct redis_carrier *b)
{
    return (struct channel_parts){.prefix = str_z(b->conf.conf->adapter_prefix),
                                  .node = b->conf.node_id};
}

bool redis_carrier_is_up(const struct redis_carrier *b)
{
    return redis_hub_is_partly_up(b->hub);
}

struct channel_parts redis_carrier_parts_of(const struct redis_carrier *b,
                                            const struct redis_nsp *n)
{
    struct channel_parts parts = redis_carrier_parts(b);

    parts.nsp = n->name;
    parts.uid = n->uid;
    return parts;
}

/* A Redis Cluster carries plain channels to all its servers: they may be used at any, and are at
 * one, so that they keep their order. Shard channels are where their names belong. */
static struct str key_of(const struct redis_carrier *b, bool is_shard, struct str channel)
{
    return is_shard ? channel : str_z(b->conf.conf->adapter_prefix);
}

/* Our own channels: in a Redis Cluster only shard channels are counted over all servers, and
 * redis_carrier_send wants to know whether anybody listened. */
static bool is_own_shard(const struct redis_carrier *b)
{
    return b->url.seeds_count > 0;
}

/* NOLINTNEXTLINE(readability-function-size): one command, all of it */
int redis_carrier_publish(struct redis_carrier *b, enum channel c, bool is_shard,
                          const struct channel_parts *parts, struct str payload,
                          redis_link_reply_fn *done, void *ctx)
{
    struct str argv[3] = {is_shard ? STR("SPUBLISH") : STR("PUBLISH"), STR_NONE, payload};
    int rc;

    b->channel.n = 0;
    channel_name(c, parts, &b->channel);
    argv[1] = sb_view(&b->channel);
    rc = redis_hub_send(b->hub, key_of(b, is_shard, argv[1]), argv, 3, done, ctx);
    metric_add(rc == OK ? M_REDIS_PUBLISHED : M_REDIS_DROPPED, 1);
    return rc;
}

void redis_carrier_cast(struct redis_carrier *b, const struct adapter_cast *c,
                        int (*send)(void *driver, const struct wire *w))
{
    const struct wire w = {.type = WIRE_CAST, .nsp = c->nsp, .cast = *c};
    bool is_up = redis_carrier_is_up(b);
    int rc = send(b, &w);

    if (rc == ERR_NOT_FOUND || !is_up)
        metric_add(M_REDIS_DROPPED, 1);
    else if (rc != OK && rc != ERR_UNAVAILABLE)
        LOG_ERROR("adapter.cast_not_json", LOG_S("nsp", c->nsp));
}

void redis_carrier_say(void *driver, struct str bytes)
{
    struct redis_carrier *b = driver;
    struct channel_parts parts = redis_carrier_parts(b);

    (void)redis_carrier_publish(b, CHANNEL_NODES, is_own_shard(b), &parts, bytes,
                                redis_carrier_published, b);
}

struct sending {
    driver_sent_fn *sent;
    void *ctx;
};

static void on_sent(void *ctx, int rc, const struct redisReply *r)
{
    struct sending s = *(struct sending *)ctx;

    mem_free(ctx);
    if (rc != OK || r->type != REDIS_REPLY_INTEGER)
        rc = ERR_UNAVAILABLE;
    else if (r->integer == 0)
        rc = ERR_NOT_FOUND; /* nobody holds the node's channel */
    s.sent(s.ctx, rc);
}

int redis_carrier_send(void *driver, struct str node, struct str bytes, driver_sent_fn *sent,
                       void *ctx)
{
    struct redis_carrier *b = driver;
    struct channel_parts parts = redis_carrier_parts(b);
    struct sending *s = NULL;
    int rc;

    parts.node = node;
    if (!sent) {
        rc = redis_carrier_publish(b, CHANNEL_NODE, is_own_shard(b), &parts, bytes,
                                   redis_carrier_published, b);
    } else {
        s = MEM_NEW(struct sending);
        *s = (struct sending){sent, ctx};
        rc = redis_carrier_publish(b, CHANNEL_NODE, is_own_shard(b), &parts, bytes, on_sent, s);
        if (rc != OK) mem_free(s);
    }
    return rc == OK ? OK : ERR_UNAVAILABLE;
}

/* Something that several servers are asked: what became of all of it is told once. */
struct asking {
    driver_sent_fn *sent;
    driver_count_fn *counted; /* either of the two */
    void *ctx;
    unsigned open; /* servers that have not answered */
    unsigned count;
    int rc;
};

static void answered(struct asking *a, bool is_well)
{
    if (!is_well) a->rc = ERR_UNAVAILABLE;
    if (--a->open) return;
    if (a->sent)
        a->sent(a->ctx, a->rc);
    else
        a->counted(a->ctx, a->rc, a->rc == OK ? a->count : 0);
    mem_free(a);
}

static int asked(struct asking *a, unsigned open)
{
    a->open = open;
    if (open) return OK;
    mem_free(a);
    return ERR_UNAVAILABLE;
}

static void on_flushed(void *ctx, int rc, const struct redisReply *r)
{
    answered(ctx, rc == OK && r->type != REDIS_REPLY_ERROR);
}

/* Replies come in the order of the commands: this one behind those of all that was published. */
int redis_carrier_flush(void *driver, driver_sent_fn *sent, void *ctx)
{
    static const struct str ping = STR("PING");
    struct redis_carrier *b = driver;
    struct asking *a;

    if (!redis_hub_is_up(b->hub)) return ERR_UNAVAILABLE;
    a = MEM_NEW(struct asking);
    a->sent = sent;
    a->ctx = ctx;
    return asked(a, redis_hub_send_all(b->hub, &ping, 1, on_flushed, a));
}

/* ["channel", subscribers] */
static void on_counted(void *ctx, int rc, const struct redisReply *r)
{
    struct asking *a = ctx;
    bool is_count = rc == OK && r->type == REDIS_REPLY_ARRAY && r->elements == 2 &&
                    r->element[1]->type == REDIS_REPLY_INTEGER && r->element[1]->integer >= 0;

    if (is_count) a->count += (unsigned)r->element[1]->integer;
    answered(a, is_count);
}

/* Only the server of a shard channel counts it; of a plain one each counts its own clients. */
int redis_carrier_count(struct redis_carrier *b, enum channel c, bool is_shard,
                        const struct channel_parts *parts, driver_count_fn *done, void *ctx)
{
    struct str argv[3] = {STR("PUBSUB"), is_shard ? STR("SHARDNUMSUB") : STR("NUMSUB"), STR_NONE};
    struct asking *a = MEM_NEW(struct asking);

    a->counted = done;
    a->ctx = ctx;
    b->channel.n = 0;
    channel_name(c, parts, &b->channel);
    argv[2] = sb_view(&b->channel);
    if (is_shard) return asked(a, redis_hub_send(b->hub, argv[2], argv, 3, on_counted, a) == OK);
    return asked(a, redis_hub_send_all(b->hub, argv, 3, on_counted, a));
}

int redis_carrier_eval(void *driver, const struct driver_eval *e)
{
    struct redis_carrier *b = driver;

    return redis_store_eval(b->hub, e) == OK ? OK : ERR_UNAVAILABLE;
}

/* ---- state ---- */

static void check_health(struct redis_carrier *b)
{
    struct message m = {
        .kind = MESSAGE_HEALTH, .from = b->conf.node_id, .health = {.instance = b->instance}};
    struct channel_parts parts = redis_carrier_parts(b);

    if (b->connected || b->closed || b->subs.missed) return;
    if (!redis_hub_is_up(b->hub)) return;
    m.health.number = ++b->health;
    b->payload.n = 0;
    message_encode(&m, &b->payload);
    (void)redis_carrier_publish(b, CHANNEL_NODE, is_own_shard(b), &parts, sb_view(&b->payload),
                                redis_carrier_published, b);
}

static void on_retry(struct timer *t)
{
    struct redis_carrier *b = LIST_OWNER(t, struct redis_carrier, retry);

    redis_subs_retry(&b->subs);
    check_health(b);
    loop_timer(b->conf.loop, &b->retry, b->conf.conf->redis_timeout_ms);
}

static void set_connected(struct redis_carrier *b, bool connected)
{
    if (b->closed || b->connected == connected) return;
    b->connected = connected;
    b->conf.up.on_state(b->conf.up.ctx, connected);
}

static void on_settled(void *ctx)
{
    check_health(ctx);
}

static void on_refused(void *ctx, struct str why)
{
    redis_carrier_complain(ctx, "redis.subscribe_refused", why);
}

static void on_commands_up(void *ctx)
{
    check_health(ctx);
}

static void on_commands_down(void *ctx)
{
    set_connected(ctx, false);
}

static void on_subscriber_up(void *ctx, struct redis_link *k)
{
    (void)k;
    redis_subs_retry(&((struct redis_carrier *)ctx)->subs);
}

static void on_subscriber_down(void *ctx, struct redis_link *k)
{
    struct redis_carrier *b = ctx;

    redis_subs_down(&b->subs, k);
    set_connected(b, false);
}

static void on_lost(void *ctx)
{
    set_connected(ctx, false);
}

static void on_map(void *ctx)
{
    redis_subs_moved(&((struct redis_carrier *)ctx)->subs);
}

static struct redis_link *link_of(void *ctx, const struct redis_sub *sub)
{
    const struct redis_carrier *b = ctx;

    return redis_hub_subscriber(b->hub, key_of(b, sub->how == REDIS_SUB_SHARD, sub->name));
}

static bool on_moved(void *ctx, struct redis_link *by, struct str error)
{
    return redis_hub_redirected(((struct redis_carrier *)ctx)->hub, by, error);
}

/* ---- receiving ---- */

void redis_carrier_give(const struct driver_up *up, const struct wire *w)
{
    if (w->type == WIRE_CAST && !w->request_id.n)
        up->on_cast(up->ctx, &w->cast);
    else if (up->on_wire)
        up->on_wire(up->ctx, w);
}

static void on_node_bytes(struct redis_carrier *b, struct str bytes)
{
    struct message m;

    if (!bytes.n || (unsigned char)bytes.p[0] != MESSAGE_HEALTH) {
        b->conf.up.on_bytes(b->conf.up.ctx, bytes);
        return;
    }
    if (message_decode(bytes, &m) != OK) {
        metric_add(M_REDIS_GARBAGE, 1);
        return;
    }
    if (m.health.instance == b->instance && m.health.number == b->health && !b->subs.missed)
        set_connected(b, true);
}

static void on_push(void *ctx, struct redis_link *k, const struct redis_push *p)
{
    struct redis_carrier *b = ctx;
    const struct redis_sub *s = redis_subs_take(&b->subs, k, p);

    if (p->kind != REDIS_PUSH_LEFT) metric_add(M_REDIS_RECEIVED, 1);
    if (!s || b->closed) return;
    if (s->kind == CHANNEL_NODE || s->kind == CHANNEL_NODES)
        on_node_bytes(b, p->payload);
    else
        b->on_push(b, s, p);
}

/* ---- opening and closing ---- */

static struct redis_hub *open_hub(struct redis_carrier *b)
{
    struct sb name = {0};
    struct redis_hub *h;
    struct redis_hub_conf c = {.loop = b->conf.loop,
                               .url = &b->url,
                               .timeout_ms = b->conf.conf->redis_timeout_ms,
                               .queue_bytes = b->conf.conf->redis_queue_bytes,
                               .has_subscribers = true,
                               .ctx = b,
                               .on_up = on_commands_up,
                               .on_down = on_commands_down,
                               .on_subscriber_up = on_subscriber_up,
                               .on_subscriber_down = on_subscriber_down,
                               .on_push = on_push,
                               .on_map = on_map};

    sb_printf(&name, "ingoma-" STR_FMT, STR_ARG(b->conf.node_id));
    sb_char(&name, 0);
    c.name = name.p;
    h = redis_hub_open(&c);
    sb_fini(&name);
    return h;
}

void redis_carrier_subscribe(struct redis_carrier *b, enum redis_sub_how how, enum channel kind,
                             const struct channel_parts *parts, void *owner)
{
    b->channel.n = 0;
    channel_name(kind, parts, &b->channel);
    redis_subs_add(&b->subs, how, kind, owner, sb_view(&b->channel));
}

int redis_carrier_open(struct redis_carrier *b, const struct driver_conf *c,
                       void (*on_push_)(void *driver, const struct redis_sub *s,
                                        const struct redis_push *p),
                       char **why)
{
    struct channel_parts parts;
    enum redis_sub_how how;
    int rc;

    *b = (struct redis_carrier){.conf = *c, .on_push = on_push_};
    rc = redis_url_parse(str_z(c->conf->redis_url), &b->url, why);
    if (rc != OK) {
        redis_url_fini(&b->url);
        return rc;
    }
    list_init(&b->nsps);
    redis_subs_init(&b->subs, b);
    b->subs.on_settled = on_settled;
    b->subs.on_refused = on_refused;
    b->subs.on_lost = on_lost;
    b->subs.on_moved = on_moved;
    b->subs.link_of = link_of;
    rand_bytes(&b->instance, sizeof b->instance);
    timer_init(&b->retry, on_retry);
    b->hub = open_hub(b);
    parts = redis_carrier_parts(b);
    how = is_own_shard(b) ? REDIS_SUB_SHARD : REDIS_SUB_CHANNEL;
    redis_carrier_subscribe(b, how, CHANNEL_NODE, &parts, NULL);
    redis_carrier_subscribe(b, how, CHANNEL_NODES, &parts, NULL);
    loop_timer(c->loop, &b->retry, c->conf->redis_timeout_ms);
    return OK;
}

void redis_carrier_close(struct redis_carrier *b)
{
    b->closed = true;
    loop_timer_stop(b->conf.loop, &b->retry);
    redis_hub_close(b->hub);
    redis_subs_close(&b->subs); /* nobody waits any longer */
}

void redis_carrier_fini(struct redis_carrier *b)
{
    redis_subs_fini(&b->subs);
    redis_nsp_free_all(&b->nsps);
    sb_fini(&b->payload);
    sb_fini(&b->channel);
    redis_url_fini(&b->url);
}
