/* The list of who is not let in. In Redis two sorted sets: when an entry came (a number that only
 * grows, so that a node reads on from where it was) and when it ends. */
#include "node/guard/denied.h"

#include "adapter/adapter.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/metric.h"

enum { SYNC_MS = 60000, PAGE = 500, ROW = 3 };

/* KEYS: times, ends. ARGV: entry, seconds. The longer end stays. Expired entries are swept by those
 * who write: a hundred at a time. Returns the entry's number and end. */
static struct adapter_script add_script = {
    .name = "denied_add",
    .keys = {KEY_DENIED_TIMES, KEY_DENIED_ENDS},
    .keys_count = 2,
    .text = "local t = redis.call('TIME')\n"
            "local now_s = tonumber(t[1])\n"
            "local number = now_s * 1000 + math.floor(tonumber(t[2]) / 1000)\n"
            "local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')\n"
            "if last[2] and tonumber(last[2]) >= number then number = tonumber(last[2]) + 1 end\n"
            "local ends = now_s + tonumber(ARGV[2])\n"
            "local before = redis.call('ZSCORE', KEYS[2], ARGV[1])\n"
            "if before and tonumber(before) > ends then ends = tonumber(before) end\n"
            "for _, old in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now_s, 'LIMIT', 0, "
            "100)) "
            "do\n"
            "  redis.call('ZREM', KEYS[1], old)\n"
            "  redis.call('ZREM', KEYS[2], old)\n"
            "end\n"
            "redis.call('ZADD', KEYS[1], string.format('%d', number), ARGV[1])\n"
            "redis.call('ZADD', KEYS[2], string.format('%d', ends), ARGV[1])\n"
            "return {string.format('%d', number), string.format('%d', ends)}\n"};

/* KEYS: times, ends. ARGV: number of the last entry that is known, size of a page. Returns entry,
 * number and end of those behind it. */
static struct adapter_script read_script = {
    .name = "denied_read",
    .keys = {KEY_DENIED_TIMES, KEY_DENIED_ENDS},
    .keys_count = 2,
    .text = "local out = {}\n"
            "local rows = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf', "
            "'WITHSCORES', 'LIMIT', 0, tonumber(ARGV[2]))\n"
            "for i = 1, #rows, 2 do\n"
            "  out[#out + 1] = rows[i]\n"
            "  out[#out + 1] = string.format('%d', tonumber(rows[i + 1]))\n"
            "  local ends = redis.call('ZSCORE', KEYS[2], rows[i])\n"
            "  out[#out + 1] = string.format('%d', tonumber(ends or '0'))\n"
            "end\n"
            "return out\n"};

struct entry {
    uint64_t at_s, until_s;
    bool is_untold; /* Redis has not got it yet */
    uint32_t n;
    char text[]; /* kind and name */
};

struct denied {
    struct loop *loop;
    const struct conf *conf;
    struct adapter *adapter; /* NULL: none */
    void (*on_new)(void *ctx);
    void *ctx;
    struct map entries; /* text → struct entry */
    uint64_t last;      /* number of the last entry that was read */
    struct timer again;
    unsigned calls; /* scripts under way */
    bool is_reading, must_read, is_closed;
};

struct call { /* one denied_add under way */
    struct denied *d;
    denied_done_fn *done;
    void *ctx;
    uint32_t n;
    char text[];
};

static const char kinds[DENIED_KIND_COUNT] = {
    [DENIED_USER] = 'u', [DENIED_JTI] = 'j', [DENIED_BAN_USER] = 'b', [DENIED_BAN_ADDRESS] = 'a'};

/* ---- the copy of this node ---- */

static struct entry *entry_get(const struct denied *d, struct str text)
{
    return map_get(&d->entries, text);
}

/* Clocks differ: a later moment and a later end win. True: something is new. */
static bool entry_put(struct denied *d, struct str text, uint64_t at_s, uint64_t until_s)
{
    struct entry *e = entry_get(d, text);
    bool is_new = !e;

    if (!e) {
        e = mem_new(1, sizeof *e + text.n);
        e->n = (uint32_t)text.n;
        memcpy(e->text, text.p, text.n);
        map_put(&d->entries, str_of(e->text, e->n), e);
        metric_set(M_DENIED, (int64_t)d->entries.count);
    }
    if (at_s > e->at_s) {
        e->at_s = at_s;
        is_new = true;
    }
    if (until_s > e->until_s) e->until_s = until_s;
    return is_new;
}

static void sweep(struct denied *d)
{
    uint64_t now_s = clock_wall_ms() / 1000;
    struct entry *e, *ended;
    size_t i;

    do { /* a map may not change while it is walked: one at a time, and few are due */
        ended = NULL;
        i = 0;
        while (!ended && (e = map_next(&d->entries, &i)))
            if (e->until_s <= now_s && !e->is_untold) ended = e;
        if (ended) {
            map_del(&d->entries, str_of(ended->text, ended->n));
            mem_free(ended);
        }
    } while (ended);
    metric_set(M_DENIED, (int64_t)d->entries.count);
}

uint64_t denied_left_ms(const struct denied *d, enum denied_kind kind, struct str name,
                        uint64_t issued_s)
{
    char text[1 + DENIED_NAME_MAX];
    uint64_t now_ms = clock_wall_ms();
    const struct entry *e;

    if (!d->entries.count || !name.n || name.n > DENIED_NAME_MAX) return 0;
    text[0] = kinds[kind];
    memcpy(text + 1, name.p, name.n);
    e = entry_get(d, str_of(text, 1 + name.n));
    if (!e || e->until_s * 1000 <= now_ms) return 0;
    if (kind == DENIED_USER && issued_s > e->at_s) return 0;
    return e->until_s * 1000 - now_ms;
}

size_t denied_count(const struct denied *d)
{
    return d->entries.count;
}

/* ---- Redis ---- */

static void free_if_over(struct denied *d)
{
    if (d->is_closed && !d->calls) mem_free(d);
}

static void put_keys(struct str prefix, struct sb *scratch, struct str keys[2])
{
    size_t start = scratch->n, middle;

    sb_reserve(scratch, 2 * prefix.n + 128); /* what is given out must not move */
    key_name(KEY_DENIED_TIMES, prefix, scratch);
    middle = scratch->n;
    key_name(KEY_DENIED_ENDS, prefix, scratch);
    keys[0] = str_of(scratch->p + start, middle - start);
    keys[1] = str_of(scratch->p + middle, scratch->n - middle);
}

static void read_page(struct denied *d);

static void on_page(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct denied *d = ctx;
    bool is_new = false;

    d->calls--;
    d->is_reading = false;
    for (unsigned i = 0; rc == OK && !d->is_closed && i + ROW <= count; i += ROW) {
        uint64_t number, ends;

        if (str_u64(reply[i + 1], UINT64_MAX, &number) != OK ||
            str_u64(reply[i + 2], UINT64_MAX, &ends) != OK || reply[i].n < 2 ||
            reply[i].n > 1 + DENIED_NAME_MAX)
            continue;
        if (number > d->last) d->last = number;
        if (ends * 1000 > clock_wall_ms() && entry_put(d, reply[i], number / 1000, ends))
            is_new = true;
    }
    if (!d->is_closed && rc == OK && (count >= PAGE * ROW || d->must_read)) read_page(d);
    if (is_new) d->on_new(d->ctx);
    free_if_over(d);
}

static void read_page(struct denied *d)
{
    struct sb scratch = {0}, numbers = {0};
    struct str keys[2], args[2];
    size_t middle;

    d->must_read = d->is_reading;
    if (d->is_reading || !d->adapter) return;
    d->is_reading = true;
    d->calls++;
    put_keys(str_z(d->conf->adapter_prefix), &scratch, keys);
    sb_u64(&numbers, d->last);
    middle = numbers.n;
    sb_u64(&numbers, PAGE);
    args[0] = str_of(numbers.p, middle);
    args[1] = str_skip(sb_view(&numbers), middle);
    adapter_eval(d->adapter, &read_script, keys, 2, args, 2, on_page, d);
    sb_fini(&numbers);
    sb_fini(&scratch);
}

static void on_added(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct call *c = ctx;
    struct denied *d = c->d;
    struct entry *e = d->is_closed ? NULL : entry_get(d, str_of(c->text, c->n));
    uint64_t number, ends;

    d->calls--;
    if (rc == OK && e && count == 2 && str_u64(reply[0], UINT64_MAX, &number) == OK &&
        str_u64(reply[1], UINT64_MAX, &ends) == OK) {
        e->is_untold = false;
        (void)entry_put(d, str_of(c->text, c->n), number / 1000, ends);
    }
    if (rc == OK && d->adapter) adapter_say(d->adapter, ADAPTER_DENIED);
    if (c->done) c->done(c->ctx, rc == OK ? OK : ERR_UNAVAILABLE);
    free_if_over(d);
    mem_free(c);
}

static void fill(struct denied_order *o, struct str prefix, struct str text, uint64_t ttl_s,
                 struct sb *scratch)
{
    size_t start, middle;

    sb_reserve(scratch, 2 * prefix.n + 256 + text.n); /* what is given out must not move */
    put_keys(prefix, scratch, o->keys);
    o->script = &add_script;
    start = scratch->n;
    sb_str(scratch, text);
    middle = scratch->n;
    sb_u64(scratch, ttl_s);
    o->args[0] = str_of(scratch->p + start, middle - start);
    o->args[1] = str_of(scratch->p + middle, scratch->n - middle);
}

void denied_order_fill(struct denied_order *o, struct str prefix, enum denied_kind kind,
                       struct str name, uint64_t ttl_s, struct sb *scratch)
{
    struct sb text = {0};

    sb_char(&text, kinds[kind]);
    sb_str(&text, name);
    fill(o, prefix, sb_view(&text), ttl_s, scratch);
    sb_fini(&text);
}

static void tell(struct denied *d, struct str text, uint64_t ttl_s, denied_done_fn *done, void *ctx)
{
    struct call *c = mem_new(1, sizeof *c + text.n);
    struct sb scratch = {0};
    struct denied_order order;

    c->d = d;
    c->done = done;
    c->ctx = ctx;
    c->n = (uint32_t)text.n;
    memcpy(c->text, text.p, text.n);
    d->calls++;
    fill(&order, str_z(d->conf->adapter_prefix), text, ttl_s, &scratch);
    adapter_eval(d->adapter, order.script, order.keys, 2, order.args, 2, on_added, c);
    sb_fini(&scratch);
}

int denied_add(struct denied *d, enum denied_kind kind, struct str name, uint64_t ttl_s,
               denied_done_fn *done, void *ctx)
{
    char text[1 + DENIED_NAME_MAX];
    struct str whole = str_of(text, 1 + name.n);
    uint64_t now_s = clock_wall_ms() / 1000;

    if (!name.n || name.n > DENIED_NAME_MAX) return ERR_SCHEMA;
    text[0] = kinds[kind];
    memcpy(text + 1, name.p, name.n);
    (void)entry_put(d, whole, now_s, now_s + ttl_s);
    metric_add_at(M_DENIED_ADDED, kind, 1);
    entry_get(d, whole)->is_untold = true;
    if (d->adapter)
        tell(d, whole, ttl_s, done, ctx);
    else if (done)
        done(ctx, ERR_UNAVAILABLE);
    d->on_new(d->ctx);
    return OK;
}

/* What was added while Redis was away. */
static void tell_untold(struct denied *d)
{
    uint64_t now_s = clock_wall_ms() / 1000;
    struct entry *e;
    size_t i = 0;
    struct sb texts = {0}; /* [length, 1 byte][text]…: the map may change while they are told */

    while ((e = map_next(&d->entries, &i))) {
        if (!e->is_untold || e->until_s <= now_s) continue;
        sb_char(&texts, (char)e->n);
        sb_put(&texts, e->text, e->n);
    }
    for (struct str rest = sb_view(&texts); rest.n;) {
        size_t n = (unsigned char)rest.p[0];
        struct str text = str_of(rest.p + 1, n);

        e = entry_get(d, text);
        if (e) tell(d, text, e->until_s - now_s, NULL, NULL);
        rest = str_skip(rest, 1 + n);
    }
    sb_fini(&texts);
}

void denied_sync(struct denied *d)
{
    if (d->adapter && adapter_is_connected(d->adapter)) read_page(d);
}

void denied_connected(struct denied *d)
{
    if (d->adapter && adapter_is_connected(d->adapter)) tell_untold(d);
    denied_sync(d);
}

/* A message that got lost must not let anybody in for ever. */
static void on_again(struct timer *t)
{
    struct denied *d = LIST_OWNER(t, struct denied, again);

    sweep(d);
    denied_connected(d);
    loop_timer(d->loop, &d->again, SYNC_MS);
}

void denied_attach(struct denied *d, struct adapter *a)
{
    d->adapter = a;
    if (a)
        loop_timer(d->loop, &d->again, SYNC_MS);
    else
        loop_timer_stop(d->loop, &d->again);
}

struct denied *denied_new(struct loop *l, const struct conf *c, void (*on_new)(void *ctx),
                          void *ctx)
{
    static const char *const names[DENIED_KIND_COUNT] = {[DENIED_USER] = "revoked_user",
                                                         [DENIED_JTI] = "revoked_token",
                                                         [DENIED_BAN_USER] = "banned_user",
                                                         [DENIED_BAN_ADDRESS] = "banned_address"};
    struct denied *d = MEM_NEW(struct denied);

    metric_labels(M_DENIED_ADDED, names, DENIED_KIND_COUNT);
    metric_labels(M_DENIED_CLOSED, names, DENIED_KIND_COUNT);
    metric_labels(M_DENIED_REFUSED, names, DENIED_KIND_COUNT);
    d->loop = l;
    d->conf = c;
    d->on_new = on_new;
    d->ctx = ctx;
    timer_init(&d->again, on_again);
    return d;
}

void denied_free(struct denied *d)
{
    struct entry *e;
    size_t i = 0;

    if (!d) return;
    loop_timer_stop(d->loop, &d->again);
    while ((e = map_next(&d->entries, &i)))
        mem_free(e);
    map_fini(&d->entries);
    d->adapter = NULL;
    d->is_closed = true;
    free_if_over(d);
}
