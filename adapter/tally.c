/* One script call a name is under way at a time; who asks meanwhile is answered by the next one, so
 * a rush into a room costs a handful of calls. What Redis did not take is written again. */
#include "adapter/tally.h"

#include "adapter/adapter.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/forbid.h"

enum {
    REFRESH_MS = 20 * 60 * 1000,
    RETRY_MS = 1000,
    SLICE_MS = 20,
    SLICE_NAMES = 200,
    NODES_MAX = 64,
    LOST_MAX = 16,        /* the last ones */
    NEVER_S = 1000000000, /* no age */
    ARGS_FIXED = 5,
};

/* KEYS: the hash. ARGV: own node, own count, time to live, label, age at which unknown nodes are
 * dropped, then the living nodes, and the lost ones: !, id, seconds since then. A node that has
 * just come up or come back may be missing among the living: that is what the ages are for. HGETALL
 * is bounded: a field a node. Returns the sum, the label, the sum before and the time. */
static const char script_text[] =
    "local key, node, own = KEYS[1], ARGV[1], tonumber(ARGV[2])\n"
    "local clock = redis.call('TIME')\n"
    "local now = tonumber(clock[1])\n"
    "local living, lost = {[node] = true}, {}\n"
    "for i = 6, #ARGV do\n"
    "  local a = ARGV[i]\n"
    "  if #a == #node then living[a] = true\n"
    "  else lost[string.sub(a, 2, #node + 1)] = tonumber(string.sub(a, #node + 2)) end\n"
    "end\n"
    "local before, total, label = 0, own, ''\n"
    "local all = redis.call('HGETALL', key)\n"
    "for i = 1, #all, 2 do\n"
    "  local from = all[i]\n"
    "  if from == ':type' then\n"
    "    label = all[i + 1]\n"
    "  else\n"
    "    local n, at = string.match(all[i + 1], '^(%d+)@(%d+)$')\n"
    "    before = before + (tonumber(n) or 0)\n"
    "    if not n or (not living[from] and now - tonumber(at) >= (lost[from] or "
    "tonumber(ARGV[5])))\n"
    "    then\n"
    "      redis.call('HDEL', key, from)\n"
    "    elseif from ~= node then\n"
    "      total = total + tonumber(n)\n"
    "    end\n"
    "  end\n"
    "end\n"
    "if own > 0 then\n"
    "  redis.call('HSET', key, node, ARGV[2] .. '@' .. now)\n"
    "  if label == '' and ARGV[4] ~= '' then\n"
    "    label = ARGV[4]\n"
    "    redis.call('HSET', key, ':type', label)\n"
    "  end\n"
    "else\n"
    "  redis.call('HDEL', key, node)\n"
    "end\n"
    "if total == 0 then redis.call('DEL', key) else redis.call('EXPIRE', key, ARGV[3]) end\n"
    "return {tostring(total), label, tostring(before),\n"
    "  string.format('%.0f', now * 1000000 + tonumber(clock[2]))}\n";

struct tally {
    struct tally_conf conf;
    struct adapter_script script;
    char node[ADAPTER_NODE_ID_SIZE];
    uint64_t dead_s, settled_at;
    struct lost {
        char node[ADAPTER_NODE_ID_SIZE];
        uint64_t at_ms;
    } lost[LOST_MAX];
    unsigned lost_count; /* ever */
    struct map entries;  /* key in Redis → struct entry */
    struct list kept;    /* all entries, but for */
    struct list due;     /* those that the refresh has still to write */
    struct timer refresh;
    unsigned under_way;
    bool is_closed; /* freed when nothing is under way any more */
};

struct entry {
    struct list node; /* in kept or due */
    struct tally *tally;
    struct str key, name; /* name is a part of key */
    char *label;          /* NULL: nobody gave one */
    uint32_t count, held; /* here */
    uint32_t sent;        /* as the script under way was told; without an adapter: the last step */
    bool is_under_way, is_answering, is_dirty;
    bool is_written; /* Redis may hold a count of ours */
    struct list waiting, asked;
    char bytes[];
};

struct question {
    struct list node;
    tally_told *told;
    void *ctx;
    uint32_t rank; /* count here when it was asked */
};

static void key_of(const struct tally *t, struct str name, struct sb *out)
{
    struct sb scoped = {0};

    sb_str(&scoped, t->conf.scope);
    sb_str(&scoped, name);
    key_name(t->conf.key, sb_view(&scoped), out);
    sb_fini(&scoped);
}

static struct entry *find(const struct tally *t, struct str name)
{
    struct sb key = {0};
    struct entry *e;

    key_of(t, name, &key);
    e = map_get(&t->entries, sb_view(&key));
    sb_fini(&key);
    return e;
}

static struct entry *add(struct tally *t, struct str name)
{
    struct sb key = {0};
    struct entry *e;

    key_of(t, name, &key);
    e = mem_new(1, sizeof *e + key.n);
    memcpy(e->bytes, key.p, key.n);
    e->key = str_of(e->bytes, key.n);
    (void)key_is(t->conf.key, e->key, &e->name);
    e->name = str_skip(e->name, t->conf.scope.n);
    e->tally = t;
    list_init(&e->node);
    list_init(&e->waiting);
    list_init(&e->asked);
    list_push(&t->kept, &e->node);
    map_put(&t->entries, e->key, e);
    sb_fini(&key);
    return e;
}

static struct entry *get(struct tally *t, struct str name)
{
    struct entry *e = find(t, name);

    return e ? e : add(t, name);
}

static void forget(struct entry *e)
{
    map_del(&e->tally->entries, e->key);
    list_unlink(&e->node);
    mem_free(e->label);
    mem_free(e);
}

/* total: of the other nodes; each question adds what was here then. */
static void answer(struct entry *e, struct list *questions, int rc, const struct tally_count *of)
{
    struct list now, *node;

    list_init(&now);
    list_splice(&now, questions);
    e->is_answering = true; /* an answer may cut a slow reader, who leaves this room */
    while ((node = list_shift(&now))) {
        struct question *q = LIST_OWNER(node, struct question, node);
        struct tally_count count = *of;

        count.name = e->name;
        count.total += q->rank;
        q->told(q->ctx, rc, &count);
        mem_free(q);
    }
    e->is_answering = false;
}

static void step(struct entry *e, uint64_t before, uint64_t after, uint64_t at_us)
{
    const struct tally_conf *c = &e->tally->conf;
    struct tally_step s = {
        .name = e->name, .here = e->sent, .before = before, .after = after, .at_us = at_us};

    if (!c->on_step) return;
    e->is_answering = true;
    c->on_step(c->ctx, &s);
    e->is_answering = false;
}

/* ---- the script ---- */

struct args {
    struct str items[ARGS_FIXED + NODES_MAX + LOST_MAX];
    unsigned count;
};

static void add_lost(struct args *a, const struct tally *t, struct sb *texts)
{
    uint64_t now = clock_ms();
    size_t start = 0;

    sb_reserve(texts, LOST_MAX * 32); /* they stay where they are */
    for (unsigned i = 0; i < t->lost_count && i < LOST_MAX; i++, start = texts->n) {
        sb_char(texts, '!');
        sb_put(texts, t->lost[i].node, sizeof t->lost[i].node);
        sb_u64(texts, (now - t->lost[i].at_ms) / 1000);
        a->items[a->count++] = str_of(texts->p + start, texts->n - start);
    }
}

static void add_node(void *ctx, struct str node)
{
    struct args *a = ctx;

    if (a->count < ARGS_FIXED + NODES_MAX) a->items[a->count++] = node;
}

static void on_counted(void *ctx, int rc, const struct str *reply, unsigned reply_count);

static void call_script(struct entry *e)
{
    struct tally *t = e->tally;
    struct sb own = {0}, ttl = {0}, age = {0}, lost = {0};
    struct args args = {.count = ARGS_FIXED};

    sb_u64(&own, e->count);
    sb_u64(&ttl, t->conf.ttl_s);
    sb_u64(&age, clock_ms() < t->settled_at ? NEVER_S : t->dead_s);
    args.items[0] = str_of(t->node, sizeof t->node);
    args.items[1] = sb_view(&own);
    args.items[2] = sb_view(&ttl);
    args.items[3] = e->label ? str_z(e->label) : STR("");
    args.items[4] = sb_view(&age);
    adapter_each_node(t->conf.adapter, add_node, &args);
    add_lost(&args, t, &lost);
    e->sent = e->count;
    e->is_under_way = true;
    e->is_dirty = false;
    t->under_way++;
    list_splice(&e->asked, &e->waiting);
    adapter_eval(t->conf.adapter, &t->script, &e->key, 1, args.items, args.count, on_counted, e);
    sb_fini(&own);
    sb_fini(&ttl);
    sb_fini(&age);
    sb_fini(&lost);
}

static void sync_entry(struct entry *e);

/* After answers: what came up meanwhile, or the end of an empty name. A count that Redis may hold
 * is taken back first, if need be when Redis is here again. May free e. */
static void settle(struct entry *e)
{
    if (e->is_dirty || !list_is_empty(&e->waiting)) {
        e->is_dirty = false;
        sync_entry(e);
    } else if (!e->count && !e->held && !e->is_written) {
        forget(e);
    }
}

static void answer_alone(struct entry *e)
{
    struct tally_count here = {.label = str_z(e->label), .is_whole = !e->tally->conf.adapter};
    uint32_t before = e->sent;

    answer(e, &e->waiting, OK, &here);
    if (e->tally->conf.adapter || before == e->count) return;
    e->sent = e->count;
    step(e, before, e->sent, clock_wall_ms() * 1000);
}

/* Tells Redis what is so here, and everybody who waits what is so everywhere. May free e. */
static void sync_entry(struct entry *e)
{
    struct adapter *a = e->tally->conf.adapter;

    if (e->is_under_way || e->is_answering) {
        e->is_dirty = true;
    } else if (a && adapter_is_connected(a)) {
        call_script(e);
    } else {
        answer_alone(e);
        settle(e);
    }
}

static void finish_closing(struct tally *t)
{
    if (t->under_way) return;
    map_fini(&t->entries);
    mem_free(t);
}

static void try_again(struct entry *e)
{
    struct tally *t = e->tally;

    list_unlink(&e->node);
    if (list_is_empty(&t->due)) loop_timer(t->conf.loop, &t->refresh, RETRY_MS);
    list_push(&t->due, &e->node);
}

static bool read_reply(const struct str *reply, unsigned count, uint64_t numbers[3])
{
    return count >= 4 && str_u64(reply[0], UINT32_MAX, &numbers[0]) == OK &&
           str_u64(reply[2], UINT32_MAX, &numbers[1]) == OK &&
           str_u64(reply[3], UINT64_MAX, &numbers[2]) == OK;
}

static void on_counted(void *ctx, int rc, const struct str *reply, unsigned reply_count)
{
    struct entry *e = ctx;
    struct tally *t = e->tally;
    uint64_t numbers[3];
    struct tally_count others = {.label = str_z(e->label)};

    t->under_way--;
    e->is_under_way = false;
    if (t->is_closed) {
        forget(e);
        finish_closing(t);
        return;
    }
    if (rc == OK && read_reply(reply, reply_count, numbers)) {
        e->is_written = e->sent > 0;
        others.total = numbers[0] > e->sent ? numbers[0] - e->sent : 0;
        others.is_whole = true;
        if (reply[1].n) others.label = reply[1];
        step(e, numbers[1], numbers[0], numbers[2]);
    } else {
        if (rc == ERR_TIMEOUT) e->is_written = true; /* perhaps */
        if (e->count || e->is_written) try_again(e);
    }
    answer(e, &e->asked, OK, &others);
    settle(e);
}

/* ---- refresh ---- */

static void on_refresh(struct timer *timer)
{
    struct tally *t = LIST_OWNER(timer, struct tally, refresh);
    struct list *node;

    if (list_is_empty(&t->due)) list_splice(&t->due, &t->kept);
    for (unsigned i = 0; i < SLICE_NAMES && (node = list_shift(&t->due)); i++) {
        list_push(&t->kept, node);
        sync_entry(LIST_OWNER(node, struct entry, node));
    }
    loop_timer(t->conf.loop, &t->refresh, list_is_empty(&t->due) ? REFRESH_MS : SLICE_MS);
}

void tally_refresh(struct tally *t)
{
    list_splice(&t->due, &t->kept);
    loop_timer(t->conf.loop, &t->refresh, SLICE_MS);
}

void tally_return(struct tally *t)
{
    t->lost_count = 0;
    t->settled_at = clock_ms() + t->conf.dead_ms;
    tally_refresh(t);
}

void tally_lost(struct tally *t, struct str node)
{
    struct lost *l = NULL;

    if (node.n != ADAPTER_NODE_ID_SIZE) return;
    for (unsigned i = 0; i < t->lost_count && i < LOST_MAX; i++)
        if (memcmp(t->lost[i].node, node.p, node.n) == 0) l = &t->lost[i];
    if (!l) l = &t->lost[t->lost_count++ % LOST_MAX];
    memcpy(l->node, node.p, node.n);
    l->at_ms = clock_ms();
}

/* ---- life ---- */

struct tally *tally_new(const struct tally_conf *c)
{
    struct tally *t = MEM_NEW(struct tally);

    t->conf = *c;
    t->dead_s = c->dead_ms / 1000;
    t->script = (struct adapter_script){
        .name = "tally", .text = script_text, .keys = {c->key}, .keys_count = 1};
    if (c->adapter) memcpy(t->node, adapter_node_id(c->adapter).p, sizeof t->node);
    list_init(&t->kept);
    list_init(&t->due);
    timer_init(&t->refresh, on_refresh);
    loop_timer(c->loop, &t->refresh, REFRESH_MS);
    return t;
}

void tally_free(struct tally *t)
{
    struct tally_count none = {.total = 0};
    struct list *node;

    loop_timer_stop(t->conf.loop, &t->refresh);
    list_splice(&t->due, &t->kept);
    t->is_closed = true;
    while ((node = list_shift(&t->due))) {
        struct entry *e = LIST_OWNER(node, struct entry, node);

        answer(e, &e->asked, ERR_CLOSED, &none);
        answer(e, &e->waiting, ERR_CLOSED, &none);
        if (!e->is_under_way) forget(e); /* the others: in on_counted */
    }
    finish_closing(t);
}

static struct entry *get_labelled(struct tally *t, struct str name, struct str label)
{
    struct entry *e = get(t, name);

    if (!e->label && label.n) e->label = str_dup(label);
    return e;
}

void tally_add(struct tally *t, struct str name, struct str label)
{
    get_labelled(t, name, label)->count++;
}

void tally_hold(struct tally *t, struct str name, struct str label)
{
    get_labelled(t, name, label)->held++;
}

void tally_release(struct tally *t, struct str name)
{
    struct entry *e = find(t, name);

    if (!e || !e->held || --e->held) return;
    if (!e->is_under_way && !e->is_answering) settle(e);
}

void tally_sub(struct tally *t, struct str name)
{
    struct entry *e = find(t, name);

    if (!e || !e->count) return;
    e->count--;
    sync_entry(e);
}

void tally_write(struct tally *t, struct str name)
{
    sync_entry(get(t, name));
}

void tally_ask(struct tally *t, struct str name, tally_told *told, void *ctx)
{
    struct entry *e = get(t, name);
    struct question *q = MEM_NEW(struct question);

    list_init(&q->node);
    q->told = told;
    q->ctx = ctx;
    q->rank = e->count;
    list_push(&e->waiting, &q->node);
    sync_entry(e);
}

bool tally_knows(const struct tally *t, struct str name)
{
    return find(t, name) != NULL;
}

size_t tally_size(const struct tally *t)
{
    return t->entries.count;
}
