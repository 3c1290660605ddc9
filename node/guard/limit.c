/* Token buckets of users and addresses. In Redis one number a bucket: the millisecond at which it
 * is full again (as node/event/rate.h). A node uses up a small part of the minute's tokens before
 * it says a word, then reports them and leases a chunk; what it uses while the answer is on its way
 * is reported with the next one. So the cluster lets through at most a twentieth more than the
 * limit, and what is said in one round trip. */
#include "node/guard/limit.h"

#include "adapter/adapter.h"
#include "base/cidr.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/metric.h"

enum {
    MINUTE_MS = 60000,
    PART = 20,           /* of the limit: free tokens of all nodes together, and a chunk */
    CREDIT_WAIT_MS = 50, /* when the credit is used up before Redis answers */
    AWAY_MS = 1000,      /* Redis failed: not asked again so soon */
    SWEEP_MS = 5000,
    KEPT_MAX = 200000,
};

enum refused {
    REFUSED_USER_EVENTS,
    REFUSED_IP_EVENTS,
    REFUSED_USER_SOCKETS,
    REFUSED_IP_SOCKETS,
    REFUSED_IP_HANDSHAKES,
    REFUSED_NODE_HANDSHAKES,
    REFUSED_COUNT
};

/* KEYS: bucket. ARGV: tokens used without a lease, wanted, limit a minute. Debts are always taken,
 * but never more than a minute beyond full. Returns granted, and when that is 0 the milliseconds
 * until a quarter of what was wanted is there. */
static struct adapter_script lease_script = {
    .name = "limit_lease",
    .keys = {KEY_LIMIT_BUCKET},
    .keys_count = 1,
    .text =
        "local t = redis.call('TIME')\n"
        "local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)\n"
        "local used, want, step = tonumber(ARGV[1]), tonumber(ARGV[2]), 60000 / "
        "tonumber(ARGV[3])\n"
        "local full = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) + used * step\n"
        "full = math.min(full, now + 120000)\n"
        "local grant = math.max(0, math.min(want, math.floor((now + 60000 - full) / step)))\n"
        "full = full + grant * step\n"
        "redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.max(1, "
        "math.ceil(full - now)))\n"
        "local wait = 0\n"
        "if grant == 0 then\n"
        "  wait = math.ceil(full - now - 60000 + math.max(1, want / 4) * step)\n"
        "end\n"
        "return {grant, wait}\n"};

struct bucket {
    uint64_t full_at_us;
};

struct limit_share {
    struct limits *limits; /* NULL: they were freed, a script is still under way */
    struct list idle;      /* in limits->idle while nobody holds it */
    uint64_t idle_ms;
    struct bucket events, handshakes; /* of this node alone */
    uint64_t window_ms;               /* begin of the minute that free is for */
    uint64_t wait_until_ms;           /* Redis had nothing more to give */
    uint64_t ask_after_ms;
    uint32_t free, tokens, used; /* used: not told to Redis yet */
    uint32_t sockets;
    bool is_asking;
    uint8_t kind;
    uint16_t n;
    char key[]; /* "user:u7" */
};

struct limits {
    struct loop *loop;
    const struct conf *conf;
    struct adapter *adapter;
    struct cidr_list *exempt;
    struct map shares;
    struct sb scope;
    struct list idle; /* longest idle first */
    struct bucket node_handshakes;
    struct timer sweep;
    uint64_t per_minute[LIMIT_KIND_COUNT], sockets_max[LIMIT_KIND_COUNT];
};

static const char *const prefixes[LIMIT_KIND_COUNT] = {[LIMIT_USER] = "user:", [LIMIT_IP] = "ip:"};

/* ITU-T I.371 annex A: 0, or the milliseconds until there is a token. burst_us: depth. */
static uint64_t bucket_take(struct bucket *b, uint64_t per_minute, uint64_t burst_us)
{
    uint64_t now_us = clock_ms() * 1000, step = MINUTE_MS * UINT64_C(1000) / per_minute;
    uint64_t full = (b->full_at_us > now_us ? b->full_at_us : now_us) + step;

    if (full - now_us > burst_us && full - now_us > step)
        return (full - now_us - burst_us + 999) / 1000;
    b->full_at_us = full;
    return 0;
}

static uint64_t refused(enum refused why, uint64_t wait_ms)
{
    if (wait_ms) metric_add_at(M_LIMIT_REFUSED, why, 1);
    return wait_ms;
}

/* ---- shares ---- */

static void share_free(struct limits *l, struct limit_share *s)
{
    list_unlink(&s->idle);
    map_del(&l->shares, str_of(s->key, s->n));
    s->limits = NULL;
    if (!s->is_asking) mem_free(s);
}

static struct limit_share *share_get(struct limits *l, enum limit_kind kind, struct str name)
{
    struct sb key = {0};
    struct limit_share *s;

    sb_str(&key, sb_view(&l->scope));
    sb_z(&key, prefixes[kind]);
    sb_str(&key, str_head(name, 256));
    s = map_get(&l->shares, sb_view(&key));
    if (!s) {
        if (l->shares.count >= KEPT_MAX && !list_is_empty(&l->idle))
            share_free(l, LIST_OWNER(l->idle.next, struct limit_share, idle));
        s = mem_new(1, sizeof *s + key.n);
        s->limits = l;
        s->kind = (uint8_t)kind;
        s->n = (uint16_t)key.n;
        memcpy(s->key, key.p, key.n);
        list_init(&s->idle);
        map_put(&l->shares, str_of(s->key, s->n), s);
    }
    sb_fini(&key);
    return s;
}

/* Kept for a minute: who comes again must not find a full bucket. */
static void rest(struct limits *l, struct limit_share *s)
{
    if (s->sockets) return;
    s->idle_ms = clock_ms();
    list_unlink(&s->idle);
    list_push(&l->idle, &s->idle);
    if (!timer_is_set(&l->sweep)) loop_timer(l->loop, &l->sweep, SWEEP_MS);
}

static void on_sweep(struct timer *t)
{
    struct limits *l = LIST_OWNER(t, struct limits, sweep);

    while (!list_is_empty(&l->idle)) {
        struct limit_share *s = LIST_OWNER(l->idle.next, struct limit_share, idle);

        if (clock_ms() - s->idle_ms < MINUTE_MS) break;
        share_free(l, s);
    }
    if (!list_is_empty(&l->idle)) loop_timer(l->loop, &l->sweep, SWEEP_MS);
}

int limit_join(struct limits *l, enum limit_kind kind, struct str name, struct limit_share **out)
{
    struct limit_share *s;

    *out = NULL;
    if (!name.n || (kind == LIMIT_IP && limits_is_exempt(l, name))) return OK;
    s = share_get(l, kind, name);
    if (l->sockets_max[kind] && s->sockets >= l->sockets_max[kind]) {
        (void)refused(kind == LIMIT_USER ? REFUSED_USER_SOCKETS : REFUSED_IP_SOCKETS, 1);
        return ERR_LIMIT;
    }
    s->sockets++;
    list_unlink(&s->idle);
    *out = s;
    return OK;
}

void limit_leave(struct limits *l, struct limit_share *s)
{
    if (!s) return;
    s->sockets--;
    rest(l, s);
}

/* ---- events ---- */

static uint32_t part_of(uint64_t per_minute, unsigned shares)
{
    uint64_t part = per_minute / PART / shares;

    return part ? (uint32_t)part : 1;
}

static void on_lease(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct limit_share *s = ctx;
    uint64_t grant = 0, wait_ms = 0;

    s->is_asking = false;
    if (!s->limits) {
        mem_free(s);
        return;
    }
    if (rc != OK || count != 2 || str_u64(reply[0], UINT32_MAX, &grant) != OK ||
        str_u64(reply[1], 2 * MINUTE_MS, &wait_ms) != OK) {
        s->ask_after_ms = clock_ms() + AWAY_MS; /* this node alone decides */
        return;
    }
    s->tokens += (uint32_t)grant;
    if (!grant) s->wait_until_ms = clock_ms() + wait_ms;
}

static void ask(struct limits *l, struct limit_share *s)
{
    uint64_t limit = l->per_minute[s->kind];
    struct sb key = {0}, text = {0};
    size_t ends[2];
    struct str args[3], name;

    key_name(KEY_LIMIT_BUCKET, str_of(s->key, s->n), &key);
    name = sb_view(&key);
    sb_u64(&text, s->used);
    ends[0] = text.n;
    sb_u64(&text, part_of(limit, 1));
    ends[1] = text.n;
    sb_u64(&text, limit);
    args[0] = str_of(text.p, ends[0]);
    args[1] = str_of(text.p + ends[0], ends[1] - ends[0]);
    args[2] = str_of(text.p + ends[1], text.n - ends[1]);
    s->used = 0;
    s->is_asking = true;
    metric_add(M_LIMIT_LEASES, 1);
    adapter_eval(l->adapter, &lease_script, &name, 1, args, 3, on_lease, s);
    sb_fini(&key);
    sb_fini(&text);
}

static bool may_ask(const struct limits *l, const struct limit_share *s, uint64_t now_ms)
{
    return l->adapter && now_ms >= s->ask_after_ms && adapter_is_connected(l->adapter);
}

/* What the cluster has left for this share. */
static uint64_t take_shared(struct limits *l, struct limit_share *s, uint64_t now_ms)
{
    uint32_t chunk = part_of(l->per_minute[s->kind], 1);

    if (s->window_ms == 0 || now_ms - s->window_ms >= MINUTE_MS) { /* what it had has come back */
        s->window_ms = now_ms;
        s->free = part_of(l->per_minute[s->kind], l->adapter ? adapter_nodes(l->adapter) : 1);
        s->tokens = s->used = 0;
    }
    if (s->free) {
        s->free--;
        s->used++;
        return 0;
    }
    if (!s->is_asking && s->tokens <= chunk / 4 && may_ask(l, s, now_ms)) ask(l, s);
    if (s->wait_until_ms > now_ms) return s->wait_until_ms - now_ms;
    if (s->tokens) {
        s->tokens--;
    } else if (s->is_asking) {
        if (s->used >= chunk) return CREDIT_WAIT_MS;
        s->used++;
    }
    return 0;
}

uint64_t limit_take(struct limits *l, struct limit_share *s)
{
    uint64_t now_ms = clock_ms(), wait_ms, limit;

    if (!s || !(limit = l->per_minute[s->kind])) return 0;
    wait_ms = s->wait_until_ms > now_ms ? s->wait_until_ms - now_ms : 0;
    if (!wait_ms) wait_ms = bucket_take(&s->events, limit, MINUTE_MS * UINT64_C(1000));
    if (!wait_ms) wait_ms = take_shared(l, s, now_ms);
    return refused(s->kind == LIMIT_USER ? REFUSED_USER_EVENTS : REFUSED_IP_EVENTS, wait_ms);
}

/* ---- handshakes ---- */

uint64_t limit_handshake(struct limits *l, struct str address)
{
    uint64_t per_node = l->conf->handshakes_per_second * 60, per_ip = l->conf->handshakes_per_ip;
    struct limit_share *s;
    uint64_t wait_ms = 0;

    if (per_node) wait_ms = bucket_take(&l->node_handshakes, per_node, 1000000);
    if (wait_ms) return refused(REFUSED_NODE_HANDSHAKES, wait_ms);
    if (!per_ip || limits_is_exempt(l, address)) return 0;
    s = share_get(l, LIMIT_IP, address);
    wait_ms = bucket_take(&s->handshakes, per_ip, MINUTE_MS * UINT64_C(1000));
    rest(l, s);
    return refused(REFUSED_IP_HANDSHAKES, wait_ms);
}

/* ---- the whole ---- */

bool limits_is_exempt(const struct limits *l, struct str address)
{
    return cidr_has(l->exempt, address);
}

size_t limits_count(const struct limits *l)
{
    return l->shares.count;
}

void limits_attach(struct limits *l, struct adapter *a)
{
    l->adapter = a;
}

struct limits *limits_new(struct loop *loop, const struct conf *c, struct str scope)
{
    static const char *const names[REFUSED_COUNT] = {
        [REFUSED_USER_EVENTS] = "user_events",     [REFUSED_IP_EVENTS] = "ip_events",
        [REFUSED_USER_SOCKETS] = "user_sockets",   [REFUSED_IP_SOCKETS] = "ip_sockets",
        [REFUSED_IP_HANDSHAKES] = "ip_handshakes", [REFUSED_NODE_HANDSHAKES] = "node_handshakes"};
    struct limits *l = MEM_NEW(struct limits);
    struct str bad;

    metric_labels(M_LIMIT_REFUSED, names, REFUSED_COUNT);
    l->loop = loop;
    sb_str(&l->scope, scope);
    l->conf = c;
    l->per_minute[LIMIT_USER] = c->rate_user_events;
    l->per_minute[LIMIT_IP] = c->rate_ip_events;
    l->sockets_max[LIMIT_USER] = c->max_connections_per_user;
    l->sockets_max[LIMIT_IP] = c->max_connections_per_ip;
    list_init(&l->idle);
    timer_init(&l->sweep, on_sweep);
    if (cidr_parse(str_z(c->limits_exempt), &l->exempt, &bad) != OK) /* base/conf.c refused it */
        LOG_ERROR("limits.bad_network", LOG_S("network", bad));
    return l;
}

void limits_free(struct limits *l)
{
    struct limit_share *s;
    size_t i = 0;

    if (!l) return;
    loop_timer_stop(l->loop, &l->sweep);
    while ((s = map_next(&l->shares, &i))) {
        s->limits = NULL;
        if (!s->is_asking) mem_free(s);
    }
    map_fini(&l->shares);
    cidr_free(l->exempt);
    sb_fini(&l->scope);
    mem_free(l);
}
