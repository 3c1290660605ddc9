/* The redis-sharded driver: the wire of @socket.io/redis-adapter 8, createShardedAdapter, over
 * carrier_priv.h. A node hears only of rooms that have members on it. All casts to one room take
 * one channel, so they keep their order; between a room's and the namespace's channel there is none
 * in a Redis Cluster (reference 5.4). */
#include "adapter/redis/carrier_priv.h"
#include "adapter/sharded.h"
#include "adapter/uid.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/forbid.h"

enum {
    JOINED_MS = 1000, /* others have subscribed to a room that they were told to join */
    JOINED_MAX = 64,
};

enum mode { MODE_STATIC, MODE_DYNAMIC, MODE_DYNAMIC_PRIVATE, MODE_COUNT };

static const char *const modes[MODE_COUNT] = {
    [MODE_STATIC] = "static",
    [MODE_DYNAMIC] = "dynamic",
    [MODE_DYNAMIC_PRIVATE] = "dynamic-private",
};

struct joined { /* a room that this node told others to join a moment ago */
    struct list node;
    const struct redis_nsp *nsp;
    uint64_t until_ms;
    struct str room; /* follows the struct */
};

struct sharded_bus {
    struct redis_carrier carrier; /* first: its calls get a bus */
    enum mode mode;
    struct list joined; /* struct joined, the oldest first */
    unsigned joined_count;
    struct sharded message; /* that is being read */
    struct loop_task free;
};

static bool has_channel(const struct sharded_bus *b, const struct redis_nsp *n, struct str room)
{
    if (b->mode == MODE_DYNAMIC) return !sharded_is_private(n->name, room);
    return b->mode == MODE_DYNAMIC_PRIVATE;
}

/* ---- rooms that others are just joining ----
 * They subscribe after they have read the order, so what follows it to the room's own channel would
 * be lost on them. For a moment casts to it take the way of the order itself: that also keeps their
 * order (reference 10.13 and 10.18). */

static void forget_joined(struct sharded_bus *b, struct joined *j)
{
    list_unlink(&j->node);
    b->joined_count--;
    mem_free(j);
}

static void remember_joined(struct sharded_bus *b, const struct redis_nsp *n, struct str room)
{
    struct joined *j = mem_new(1, sizeof *j + room.n);

    if (room.n) memcpy(j + 1, room.p, room.n);
    j->room = str_of(j + 1, room.n);
    j->nsp = n;
    j->until_ms = clock_ms() + JOINED_MS;
    list_push(&b->joined, &j->node);
    if (++b->joined_count > JOINED_MAX)
        forget_joined(b, LIST_OWNER(b->joined.next, struct joined, node));
}

static bool was_joined(struct sharded_bus *b, const struct redis_nsp *n, struct str room)
{
    uint64_t now = clock_ms();

    LIST_EACH_SAFE(node, after, &b->joined)
    {
        struct joined *j = LIST_OWNER(node, struct joined, node);

        if (j->until_ms <= now)
            forget_joined(b, j);
        else if (j->nsp == n && str_eq(j->room, room))
            return true;
    }
    return false;
}

/* ---- publishing ---- */

/* Acks are asked of all servers: how many there are is known of the main channel alone. */
static enum channel channel_of(struct sharded_bus *b, const struct redis_nsp *n,
                               const struct wire *w)
{
    if (w->to.n) return CHANNEL_SHARD_OWN;
    if (w->type != WIRE_CAST || w->request_id.n || w->cast.rooms_count != 1) return CHANNEL_SHARD;
    if (!has_channel(b, n, w->cast.rooms[0])) return CHANNEL_SHARD;
    return was_joined(b, n, w->cast.rooms[0]) ? CHANNEL_SHARD : CHANNEL_SHARD_ROOM;
}

static int bus_wire(void *driver, const struct wire *what)
{
    struct sharded_bus *b = driver;
    struct redis_carrier *k = &b->carrier;
    const struct redis_nsp *n = redis_nsp_find(&b->carrier.nsps, what->nsp);
    struct channel_parts parts;
    struct wire w = *what;
    enum channel c;
    int rc;

    if (!n) return ERR_NOT_FOUND;
    if (!redis_carrier_is_up(k)) return ERR_UNAVAILABLE;
    w.uid = n->uid;
    k->payload.n = 0;
    rc = sharded_encode(&w, &k->payload);
    if (rc != OK) return rc;
    for (unsigned i = 0; w.type == WIRE_JOIN && i < w.rooms_count; i++)
        remember_joined(b, n, w.rooms[i]);
    c = channel_of(b, n, &w);
    parts = redis_carrier_parts_of(&b->carrier, n);
    if (c == CHANNEL_SHARD_OWN) parts.uid = w.to;
    if (c == CHANNEL_SHARD_ROOM) parts.room = w.cast.rooms[0];
    rc =
        redis_carrier_publish(k, c, true, &parts, sb_view(&k->payload), redis_carrier_published, k);
    return rc == OK ? OK : ERR_UNAVAILABLE;
}

static void bus_publish(void *driver, const struct adapter_cast *c)
{
    redis_carrier_cast(driver, c, bus_wire);
}

/* ---- counting ---- */

static int bus_count(void *driver, struct str nsp, driver_count_fn *done, void *ctx)
{
    struct sharded_bus *b = driver;
    const struct redis_nsp *n = redis_nsp_find(&b->carrier.nsps, nsp);
    struct channel_parts parts;

    if (!n) return ERR_NOT_FOUND;
    parts = redis_carrier_parts_of(&b->carrier, n);
    return redis_carrier_count(&b->carrier, CHANNEL_SHARD, true, &parts, done, ctx);
}

/* ---- subscriptions ---- */

static void bus_nsp_open(void *driver, struct str name)
{
    struct sharded_bus *b = driver;
    struct channel_parts parts;
    char uid[UID_HEX_SIZE];
    struct redis_nsp *n;

    if (redis_nsp_find(&b->carrier.nsps, name)) return;
    uid_make_hex(b->carrier.conf.node_id, uid);
    n = redis_nsp_add(&b->carrier.nsps, name, str_of(uid, sizeof uid));
    parts = redis_carrier_parts_of(&b->carrier, n);
    redis_carrier_subscribe(&b->carrier, REDIS_SUB_SHARD, CHANNEL_SHARD, &parts, n);
    redis_carrier_subscribe(&b->carrier, REDIS_SUB_SHARD, CHANNEL_SHARD_OWN, &parts, n);
}

/* Name of the room's channel, in the carrier's scratch. False: it has none. */
static bool room_channel(struct sharded_bus *b, struct redis_nsp *n, struct str room,
                         struct str *name)
{
    struct channel_parts parts;

    if (!n || !has_channel(b, n, room)) return false;
    parts = redis_carrier_parts_of(&b->carrier, n);
    parts.room = room;
    b->carrier.channel.n = 0;
    channel_name(CHANNEL_SHARD_ROOM, &parts, &b->carrier.channel);
    *name = sb_view(&b->carrier.channel);
    return true;
}

static void bus_room(void *driver, struct str nsp, struct str room, bool open)
{
    struct sharded_bus *b = driver;
    struct redis_nsp *n = redis_nsp_find(&b->carrier.nsps, nsp);
    struct str name;

    if (!room_channel(b, n, room, &name)) return;
    if (open)
        redis_subs_enter(&b->carrier.subs, CHANNEL_SHARD_ROOM, n, name);
    else
        redis_subs_leave(&b->carrier.subs, CHANNEL_SHARD_ROOM, name);
}

static void bus_room_ready(void *driver, struct str nsp, struct str room, void (*done)(void *ctx),
                           void *ctx)
{
    struct sharded_bus *b = driver;
    struct redis_sub *sub = NULL;
    struct str name;

    if (room_channel(b, redis_nsp_find(&b->carrier.nsps, nsp), room, &name))
        sub = redis_subs_get(&b->carrier.subs, REDIS_SUB_SHARD, name);
    if (sub)
        redis_subs_await(sub, done, ctx);
    else
        done(ctx);
}

/* ---- receiving ---- */

static void on_push(void *driver, const struct redis_sub *s, const struct redis_push *p)
{
    struct sharded_bus *b = driver;
    const struct redis_nsp *n = s->owner;
    int rc = sharded_decode(p->payload, n->uid, n->name, &b->message);

    if (rc == ERR_CLOSED || rc == ERR_NOT_FOUND) return;
    if (rc != OK)
        metric_add(M_REDIS_GARBAGE, 1);
    else
        redis_carrier_give(&b->carrier.conf.up, &b->message.data.wire);
}

/* ---- opening and closing ---- */

static void free_now(struct loop_task *t)
{
    struct sharded_bus *b = LIST_OWNER(t, struct sharded_bus, free);

    redis_carrier_fini(&b->carrier);
    while (b->joined_count)
        forget_joined(b, LIST_OWNER(b->joined.next, struct joined, node));
    sharded_fini(&b->message);
    mem_free(b);
}

static int read_mode(const struct conf *c, enum mode *out, char **why)
{
    for (int i = 0; i < MODE_COUNT; i++)
        if (str_eq(str_z(c->adapter_subscription_mode), str_z(modes[i]))) {
            *out = (enum mode)i;
            return OK;
        }
    *why = str_dup(STR("ADAPTER_SUBSCRIPTION_MODE must be static, dynamic or dynamic-private"));
    return ERR_CONFIG;
}

static int bus_open(const struct driver_conf *c, void **driver, char **why)
{
    struct sharded_bus *b = MEM_NEW(struct sharded_bus);
    int rc = read_mode(c->conf, &b->mode, why);

    if (rc == OK) rc = redis_carrier_open(&b->carrier, c, on_push, why);
    if (rc != OK) {
        mem_free(b);
        return rc;
    }
    list_init(&b->joined);
    loop_task_init(&b->free, free_now);
    *driver = b;
    return OK;
}

static void bus_close(void *driver)
{
    struct sharded_bus *b = driver;

    redis_carrier_close(&b->carrier);
    loop_free_at_end(b->carrier.conf.loop, &b->free);
}

const struct driver_ops redis_sharded_bus_driver = {
    .name = "redis-sharded",
    .open = bus_open,
    .close = bus_close,
    .nsp_open = bus_nsp_open,
    .publish = bus_publish,
    .say = redis_carrier_say,
    .send = redis_carrier_send,
    .flush = redis_carrier_flush,
    .eval = redis_carrier_eval,
    .wire = bus_wire,
    .count = bus_count,
    .room = bus_room,
    .room_ready = bus_room_ready,
};
