/* Buckets of an hour, as node/guard/limit.c has them of a minute; each form asks, for there are
 * few. */
#include "contacts/desk/forms.h"

#include <string.h>
#include "adapter/adapter.h"
#include "base/cidr.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"

enum { HOUR_MS = 3600000, HERE_MAX = 10000 };

/* KEYS: bucket. ARGV: forms an hour. The bucket is the millisecond at which it is full again. */
#define LUA_READ                                                                                   \
    "local t = redis.call('TIME')\n"                                                               \
    "local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)\n"                      \
    "local step = 3600000 / tonumber(ARGV[1])\n"                                                   \
    "local full = tonumber(redis.call('GET', KEYS[1]) or '0')\n"
#define LUA_WRITE                                                                                  \
    "redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil(full - now))\n"       \
    "return 0\n"

/* Returns 0, or the milliseconds to wait. */
static struct adapter_script take_script = {
    .name = "forms_take",
    .keys = {KEY_FORM_BUCKET},
    .keys_count = 1,
    .text = LUA_READ
    "full = math.max(full, now) + step\n"
    "if full - now > 3600000.5 then return math.ceil(full - now - 3600000) end\n" LUA_WRITE};

static struct adapter_script give_script = {
    .name = "forms_give",
    .keys = {KEY_FORM_BUCKET},
    .keys_count = 1,
    .text = LUA_READ "full = full - step\n"
                     "if full <= now then redis.call('DEL', KEYS[1]) return 0 end\n" LUA_WRITE};

struct here { /* an address, on this node alone */
    uint64_t full_ms;
    uint16_t n;
    char address[];
};

struct question {
    struct list node;
    struct forms *forms; /* NULL: they were freed */
    void (*told)(void *ctx, uint64_t wait_ms);
    void (*dropped)(void *ctx);
    void *ctx;
    uint16_t n;
    char address[];
};

struct forms {
    const struct conf *conf;
    struct adapter *adapter;
    struct cidr_list *exempt;
    struct map here;
    struct list asked;
};

struct forms *forms_new(const struct conf *c, struct adapter *a)
{
    struct forms *f = MEM_NEW(struct forms);
    struct str bad;

    f->conf = c;
    f->adapter = a;
    list_init(&f->asked);
    if (cidr_parse(str_z(c->limits_exempt), &f->exempt, &bad) != OK) /* base/conf.c refused it */
        LOG_ERROR("forms.bad_network", LOG_S("network", bad));
    return f;
}

static void forget_all(struct forms *f)
{
    struct here *h;
    size_t i = 0;

    while ((h = map_next(&f->here, &i)))
        mem_free(h);
    map_fini(&f->here);
    f->here = (struct map){0};
}

void forms_free(struct forms *f)
{
    struct list *node;

    if (!f) return;
    while ((node = list_shift(&f->asked))) {
        struct question *q = LIST_OWNER(node, struct question, node);

        q->forms = NULL; /* its script is under way: freed when it answers */
        q->dropped(q->ctx);
    }
    forget_all(f);
    cidr_free(f->exempt);
    mem_free(f);
}

static uint64_t step_ms(const struct forms *f)
{
    return HOUR_MS / f->conf->forms_per_hour;
}

static uint64_t take_here(struct forms *f, struct str address)
{
    uint64_t now_ms = clock_ms(), full;
    struct here *h = map_get(&f->here, address);

    if (!h) {
        if (f->here.count >= HERE_MAX) forget_all(f);
        h = mem_new(1, sizeof *h + address.n);
        if (address.n) memcpy(h->address, address.p, address.n);
        h->n = (uint16_t)address.n;
        map_put(&f->here, str_of(h->address, h->n), h);
    }
    full = (h->full_ms > now_ms ? h->full_ms : now_ms) + step_ms(f);
    if (full - now_ms > HOUR_MS) return full - now_ms - HOUR_MS;
    h->full_ms = full;
    return 0;
}

static void on_taken(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct question *q = ctx;
    uint64_t wait_ms = 0;

    if (q->forms) {
        list_unlink(&q->node);
        if (rc != OK || count != 1 || str_u64(reply[0], 2 * HOUR_MS, &wait_ms) != OK)
            wait_ms = take_here(q->forms, str_of(q->address, q->n));
        q->told(q->ctx, wait_ms);
    }
    mem_free(q);
}

static bool has_no_limit(const struct forms *f, struct str address)
{
    return !f->conf->forms_per_hour || (f->exempt && cidr_has(f->exempt, address));
}

static bool has_redis(const struct forms *f)
{
    return f->adapter && adapter_is_connected(f->adapter);
}

static void eval(struct forms *f, struct adapter_script *script, struct str address,
                 void (*done)(void *ctx, int rc, const struct str *reply, unsigned count),
                 void *ctx)
{
    struct sb name = {0}, key = {0}, most = {0};
    struct str keys[1], args[1];

    sb_printf(&name, "%s:" STR_FMT, f->conf->adapter_prefix, STR_ARG(address));
    key_name(KEY_FORM_BUCKET, sb_view(&name), &key);
    sb_u64(&most, f->conf->forms_per_hour);
    keys[0] = sb_view(&key);
    args[0] = sb_view(&most);
    adapter_eval(f->adapter, script, keys, 1, args, 1, done, ctx);
    sb_fini(&name);
    sb_fini(&key);
    sb_fini(&most);
}

void forms_take(struct forms *f, struct str address, void (*told)(void *ctx, uint64_t wait_ms),
                void (*dropped)(void *ctx), void *ctx)
{
    struct question *q;

    address = str_head(address, 64);
    if (has_no_limit(f, address)) {
        told(ctx, 0);
        return;
    }
    if (!has_redis(f)) {
        told(ctx, take_here(f, address));
        return;
    }
    q = mem_new(1, sizeof *q + address.n);
    q->forms = f;
    q->told = told;
    q->dropped = dropped;
    q->ctx = ctx;
    q->n = (uint16_t)address.n;
    if (address.n) memcpy(q->address, address.p, address.n);
    list_push(&f->asked, &q->node);
    eval(f, &take_script, address, on_taken, q);
}

static void on_given(void *ctx, int rc, const struct str *reply, unsigned count)
{
    (void)ctx, (void)rc, (void)reply, (void)count; /* lost: the address waits a little longer */
}

void forms_give_back(struct forms *f, struct str address)
{
    struct here *h;

    address = str_head(address, 64);
    if (has_no_limit(f, address)) return;
    if (has_redis(f)) {
        eval(f, &give_script, address, on_given, NULL);
        return;
    }
    h = map_get(&f->here, address);
    if (h && h->full_ms >= step_ms(f)) h->full_ms -= step_ms(f);
}
