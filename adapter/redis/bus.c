/* The redis driver: classic wire of @socket.io/redis-adapter 8 for casts, channels of our own for
 * node messages. The list of subscriptions is ours: whatever happens to a connection, all of it is
 * sent again in order, and "connected" is said only when a message to ourselves has come back. */
#include <hiredis/hiredis.h>

#include "adapter/channel.h"
#include "adapter/classic.h"
#include "adapter/driver_priv.h"
#include "adapter/message.h"
#include "adapter/msgpack.h"
#include "adapter/redis/link.h"
#include "adapter/redis/store.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/rand.h"
#include "base/forbid.h"

#define UID_SIZE 6

struct bus;

struct nsp {
    struct list node;
    struct str name; /* follows the struct */
    char uid[UID_SIZE];
};

enum sub_state { SUB_IDLE, SUB_ASKED, SUB_CONFIRMED };

struct sub { /* one line of our list of subscriptions */
    struct list node;
    struct bus *bus;
    enum channel kind;
    enum sub_state state;
    struct nsp *nsp; /* NULL: NODE, NODES */
    struct str name; /* channel or pattern; follows the struct */
};

struct bus {
    struct driver_conf conf;
    struct redis_url url;
    struct redis_link *commands, *subscriber;
    struct list nsps, subs;
    struct map by_name; /* struct sub */
    unsigned unconfirmed;
    uint64_t instance, health; /* number of the health message that is under way */
    struct timer retry;        /* of what was refused, and of a lost health message */
    bool connected, closed;
    struct classic classic;
    struct sb payload, channel;
    struct loop_task free;
    uint64_t complained_ms;
};

/* ---- publishing ---- */

static void complain(struct bus *b, const char *event, struct str why) /* once a second at most */
{
    if (b->complained_ms && clock_ms() - b->complained_ms < 1000) return;
    b->complained_ms = clock_ms();
    LOG_WARN(event, LOG_S("why", why));
}

static void on_published(void *ctx, int rc, const struct redisReply *r)
{
    struct bus *b = ctx;

    if (rc == OK && r->type != REDIS_REPLY_ERROR) return;
    metric_add(M_REDIS_DROPPED, 1);
    if (rc == OK) complain(b, "redis.publish_refused", str_of(r->str, r->len));
}

static struct channel_parts parts_of(const struct bus *b)
{
    return (struct channel_parts){.prefix = str_z(b->conf.conf->adapter_prefix),
                                  .node = b->conf.node_id};
}

static int publish(struct bus *b, enum channel c, const struct channel_parts *parts,
                   struct str payload, redis_link_reply_fn *done, void *ctx)
{
    struct str argv[3] = {STR("PUBLISH"), STR_NONE, payload};
    int rc;

    b->channel.n = 0;
    channel_name(c, parts, &b->channel);
    argv[1] = sb_view(&b->channel);
    rc = redis_link_send(b->commands, argv, 3, done, ctx);
    metric_add(rc == OK ? M_REDIS_PUBLISHED : M_REDIS_DROPPED, 1);
    return rc;
}

static struct nsp *find_nsp(const struct bus *b, struct str name)
{
    LIST_EACH(node, &b->nsps)
    {
        struct nsp *n = LIST_OWNER(node, struct nsp, node);

        if (str_eq(n->name, name)) return n;
    }
    return NULL;
}

static void bus_publish(void *driver, const struct adapter_cast *c)
{
    struct bus *b = driver;
    const struct nsp *n = find_nsp(b, c->nsp);
    struct channel_parts parts = parts_of(b);
    bool is_one = c->rooms_count == 1;

    if (!redis_link_is_up(b->commands) || !n) {
        metric_add(M_REDIS_DROPPED, 1);
        return;
    }
    b->payload.n = 0;
    if (classic_encode(str_of(n->uid, UID_SIZE), c, &b->payload) != OK) {
        LOG_ERROR("adapter.cast_not_json", LOG_S("nsp", c->nsp));
        return;
    }
    parts.nsp = c->nsp;
    if (is_one) parts.room = c->rooms[0];
    (void)publish(b, is_one ? CHANNEL_CAST_ROOM : CHANNEL_CAST, &parts, sb_view(&b->payload),
                  on_published, b);
}

static void bus_say(void *driver, struct str bytes)
{
    struct bus *b = driver;
    struct channel_parts parts = parts_of(b);

    (void)publish(b, CHANNEL_NODES, &parts, bytes, on_published, b);
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

static int bus_send(void *driver, struct str node, struct str bytes, driver_sent_fn *sent,
                    void *ctx)
{
    struct bus *b = driver;
    struct channel_parts parts = parts_of(b);
    struct sending *s = NULL;
    int rc;

    parts.node = node;
    if (!sent) {
        rc = publish(b, CHANNEL_NODE, &parts, bytes, on_published, b);
    } else {
        s = MEM_NEW(struct sending);
        *s = (struct sending){sent, ctx};
        rc = publish(b, CHANNEL_NODE, &parts, bytes, on_sent, s);
        if (rc != OK) mem_free(s);
    }
    return rc == OK ? OK : ERR_UNAVAILABLE;
}

static int bus_eval(void *driver, const struct driver_eval *e)
{
    struct bus *b = driver;

    return redis_store_eval(b->commands, e) == OK ? OK : ERR_UNAVAILABLE;
}

/* ---- subscriptions and state ---- */

static void check_health(struct bus *b)
{
    struct message m = {
        .kind = MESSAGE_HEALTH, .from = b->conf.node_id, .health = {.instance = b->instance}};
    struct channel_parts parts = parts_of(b);

    if (b->connected || b->unconfirmed) return;
    if (!redis_link_is_up(b->commands) || !redis_link_is_up(b->subscriber)) return;
    m.health.number = ++b->health;
    b->payload.n = 0;
    message_encode(&m, &b->payload);
    (void)publish(b, CHANNEL_NODE, &parts, sb_view(&b->payload), on_published, b);
}

static void on_subscribed(void *ctx, int rc, const struct redisReply *r)
{
    struct sub *s = ctx;
    struct bus *b = s->bus;

    if (s->state != SUB_ASKED) return;
    if (rc != OK || r->type == REDIS_REPLY_ERROR) {
        s->state = SUB_IDLE;
        if (rc == OK) complain(b, "redis.subscribe_refused", str_of(r->str, r->len));
        return;
    }
    s->state = SUB_CONFIRMED;
    b->unconfirmed--;
    check_health(b);
}

static void subscribe(struct sub *s)
{
    struct str argv[2] = {STR("SUBSCRIBE"), s->name};

    if (s->state != SUB_IDLE) return;
    if (s->kind == CHANNEL_CASTS) argv[0] = STR("PSUBSCRIBE");
    s->state = SUB_ASKED;
    if (redis_link_send(s->bus->subscriber, argv, 2, on_subscribed, s) != OK) s->state = SUB_IDLE;
}

static void subscribe_all(struct bus *b)
{
    LIST_EACH(node, &b->subs)
    {
        subscribe(LIST_OWNER(node, struct sub, node));
    }
}

static void add_sub(struct bus *b, enum channel kind, struct nsp *n)
{
    struct channel_parts parts = parts_of(b);
    struct sub *s;

    if (n) {
        parts.nsp = n->name;
        parts.uid = str_of(n->uid, UID_SIZE);
    }
    b->channel.n = 0;
    channel_name(kind, &parts, &b->channel);
    s = mem_new(1, sizeof *s + b->channel.n);
    memcpy(s + 1, b->channel.p, b->channel.n);
    s->name = str_of(s + 1, b->channel.n);
    s->bus = b;
    s->kind = kind;
    s->nsp = n;
    list_push(&b->subs, &s->node);
    map_put(&b->by_name, s->name, s);
    b->unconfirmed++;
    if (redis_link_is_up(b->subscriber)) subscribe(s);
}

static void bus_nsp_open(void *driver, struct str name)
{
    static const enum channel kinds[] = {CHANNEL_CASTS, CHANNEL_REQUEST, CHANNEL_RESPONSE,
                                         CHANNEL_RESPONSE_OWN};
    struct bus *b = driver;
    struct nsp *n;

    if (find_nsp(b, name)) return;
    n = mem_new(1, sizeof *n + name.n + 1);
    if (name.n) memcpy(n + 1, name.p, name.n);
    n->name = str_of(n + 1, name.n);
    rand_id(n->uid, UID_SIZE);
    list_push(&b->nsps, &n->node);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        add_sub(b, kinds[i], n);
}

static void on_retry(struct timer *t)
{
    struct bus *b = LIST_OWNER(t, struct bus, retry);

    if (redis_link_is_up(b->subscriber)) subscribe_all(b);
    check_health(b);
    loop_timer(b->conf.loop, &b->retry, b->conf.conf->redis_timeout_ms);
}

static void set_connected(struct bus *b, bool connected)
{
    if (b->closed || b->connected == connected) return;
    b->connected = connected;
    b->conf.up.on_state(b->conf.up.ctx, connected);
}

static void on_commands_up(void *ctx)
{
    check_health(ctx);
}

static void on_commands_down(void *ctx)
{
    set_connected(ctx, false);
}

static void on_subscriber_up(void *ctx)
{
    subscribe_all(ctx);
}

static void on_subscriber_down(void *ctx)
{
    struct bus *b = ctx;

    b->unconfirmed = 0;
    LIST_EACH(node, &b->subs)
    {
        LIST_OWNER(node, struct sub, node)->state = SUB_IDLE;
        b->unconfirmed++;
    }
    set_connected(b, false);
}

/* ---- receiving ---- */

static void on_cast(struct bus *b, const struct nsp *n, struct str channel, struct str payload)
{
    struct str room;
    int rc;

    if (!channel_room(channel, str_z(b->conf.conf->adapter_prefix), n->name, &room)) return;
    rc = classic_decode(payload, str_of(n->uid, UID_SIZE), n->name, &b->classic);
    if (rc == OK)
        b->conf.up.on_cast(b->conf.up.ctx, &b->classic.cast);
    else if (rc != ERR_CLOSED && rc != ERR_NOT_FOUND)
        metric_add(M_REDIS_GARBAGE, 1);
}

/* Requests and responses of the classic wire are not answered yet (the next issue): what has the
 * right shape passes quietly. A first '{' means JSON, all else is MessagePack (reference 4.3). */
static void on_request(struct str payload)
{
    struct json v;
    int rc;

    if (payload.n && payload.p[0] == '{') {
        rc = json_parse(payload, &v);
    } else {
        rc = msgpack_skip(&payload);
        if (rc == OK && payload.n) rc = ERR_PROTO;
    }
    if (rc != OK) metric_add(M_REDIS_GARBAGE, 1);
}

static void on_node_bytes(struct bus *b, struct str bytes)
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
    if (m.health.instance == b->instance && m.health.number == b->health && !b->unconfirmed)
        set_connected(b, true);
}

static void on_push(void *ctx, struct str pattern, struct str channel, struct str payload)
{
    struct bus *b = ctx;
    const struct sub *s = map_get(&b->by_name, pattern.p ? pattern : channel);

    metric_add(M_REDIS_RECEIVED, 1);
    if (!s || b->closed || (s->kind == CHANNEL_CASTS) != (pattern.p != NULL)) return;
    if (s->kind == CHANNEL_CASTS)
        on_cast(b, s->nsp, channel, payload);
    else if (s->nsp)
        on_request(payload);
    else
        on_node_bytes(b, payload);
}

/* ---- opening and closing ---- */

static struct redis_link *open_link(struct bus *b, const char *what, bool is_subscriber)
{
    struct sb name = {0};
    struct redis_link *k;
    struct redis_link_conf c = {.loop = b->conf.loop,
                                .url = &b->url,
                                .timeout_ms = b->conf.conf->redis_timeout_ms,
                                .queue_bytes = b->conf.conf->redis_queue_bytes,
                                .is_subscriber = is_subscriber,
                                .ctx = b,
                                .on_up = is_subscriber ? on_subscriber_up : on_commands_up,
                                .on_down = is_subscriber ? on_subscriber_down : on_commands_down,
                                .on_push = on_push};

    sb_printf(&name, "ingoma-" STR_FMT "-%s", STR_ARG(b->conf.node_id), what);
    sb_char(&name, 0);
    c.name = name.p;
    k = redis_link_open(&c);
    sb_fini(&name);
    return k;
}

static void free_now(struct loop_task *t)
{
    struct bus *b = LIST_OWNER(t, struct bus, free);

    LIST_EACH_SAFE(node, after, &b->subs)
    {
        mem_free(LIST_OWNER(node, struct sub, node));
    }
    LIST_EACH_SAFE(node, after, &b->nsps)
    {
        mem_free(LIST_OWNER(node, struct nsp, node));
    }
    map_fini(&b->by_name);
    classic_fini(&b->classic);
    sb_fini(&b->payload);
    sb_fini(&b->channel);
    redis_url_fini(&b->url);
    mem_free(b);
}

static int bus_open(const struct driver_conf *c, void **driver, char **why)
{
    struct bus *b = MEM_NEW(struct bus);
    int rc = redis_url_parse(str_z(c->conf->redis_url), &b->url, why);

    if (rc != OK) {
        redis_url_fini(&b->url);
        mem_free(b);
        return rc;
    }
    b->conf = *c;
    list_init(&b->nsps);
    list_init(&b->subs);
    rand_bytes(&b->instance, sizeof b->instance);
    timer_init(&b->retry, on_retry);
    loop_task_init(&b->free, free_now);
    b->commands = open_link(b, "commands", false);
    b->subscriber = open_link(b, "subscriber", true);
    add_sub(b, CHANNEL_NODE, NULL);
    add_sub(b, CHANNEL_NODES, NULL);
    loop_timer(c->loop, &b->retry, c->conf->redis_timeout_ms);
    *driver = b;
    return OK;
}

static void bus_close(void *driver)
{
    struct bus *b = driver;

    b->closed = true;
    loop_timer_stop(b->conf.loop, &b->retry);
    redis_link_close(b->commands);
    redis_link_close(b->subscriber);
    loop_free_at_end(b->conf.loop, &b->free);
}

const struct driver_ops redis_bus_driver = {
    .name = "redis",
    .open = bus_open,
    .close = bus_close,
    .nsp_open = bus_nsp_open,
    .publish = bus_publish,
    .say = bus_say,
    .send = bus_send,
    .eval = bus_eval,
};
