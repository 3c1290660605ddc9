/* Member counts in Redis: one hash a room, one field a node. One script call a room is under way at
 * a time; who asks meanwhile is answered by the next one, so a rush into a room costs a handful of
 * calls. */
#include "node/features/rooms/rooms_state.h"

#include "adapter/adapter.h"
#include "adapter/key.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/mem.h"

enum {
    REFRESH_MS = 20 * 60 * 1000, /* well inside the time to live of the keys */
    SLICE_MS = 20,
    SLICE_ROOMS = 200,
    NODES_MAX = 64,
    ARGS_FIXED = 5,
};

/* KEYS: the hash. ARGV: own node, own members, time to live, type, age at which unknown nodes are
 * dropped, living nodes. A node that has just come up may be missing among the living: that is what
 * the age is for. HGETALL is bounded: a field a node. Returns the sum and the type, both as text.
 */
static struct adapter_script count_script = {
    .name = "rooms_count",
    .keys = {KEY_ROOM_NODES},
    .keys_count = 1,
    .text =
        "local key, node, members = KEYS[1], ARGV[1], tonumber(ARGV[2])\n"
        "local now = tonumber(redis.call('TIME')[1])\n"
        "if members > 0 then\n"
        "  redis.call('HSET', key, node, ARGV[2] .. '@' .. now)\n"
        "  if ARGV[4] ~= '' then redis.call('HSETNX', key, ':type', ARGV[4]) end\n"
        "else\n"
        "  redis.call('HDEL', key, node)\n"
        "end\n"
        "local living = {[node] = true}\n"
        "for i = 6, #ARGV do living[ARGV[i]] = true end\n"
        "local total, kind = 0, ''\n"
        "local all = redis.call('HGETALL', key)\n"
        "for i = 1, #all, 2 do\n"
        "  if all[i] == ':type' then\n"
        "    kind = all[i + 1]\n"
        "  else\n"
        "    local n, at = string.match(all[i + 1], '^(%d+)@(%d+)$')\n"
        "    if not n or (not living[all[i]] and now - tonumber(at) >= tonumber(ARGV[5])) then\n"
        "      redis.call('HDEL', key, all[i])\n"
        "    else\n"
        "      total = total + tonumber(n)\n"
        "    end\n"
        "  end\n"
        "end\n"
        "if total == 0 then redis.call('DEL', key) else redis.call('EXPIRE', key, ARGV[3]) end\n"
        "return {tostring(total), kind}\n",
};

struct rooms_state {
    struct loop *loop;
    struct adapter *adapter;
    char node[ADAPTER_NODE_ID_SIZE];
    uint64_t dead_s;
    struct map rooms; /* key in Redis → struct room */
    struct list kept; /* all rooms, but for */
    struct list due;  /* those that the refresh has still to write */
    struct timer refresh;
    unsigned under_way;
    bool is_closed; /* freed when nothing is under way any more */
};

struct room {
    struct list node; /* in kept or due */
    struct rooms_state *state;
    struct str key, name; /* name is a part of key */
    char *type;           /* NULL: nobody gave one */
    uint32_t members;     /* here */
    uint32_t sent;        /* as the script under way was told */
    bool is_under_way, is_answering, is_dirty;
    bool is_written; /* Redis may hold a count of ours */
    struct list waiting, asked;
    char bytes[];
};

struct question {
    struct list node;
    rooms_told *told;
    void *ctx;
    uint32_t rank; /* members here when it was asked */
};

static void put_key(struct sb *b, struct str nsp, struct str room)
{
    struct sb name = {0};

    sb_str(&name, nsp);
    sb_char(&name, ':');
    sb_str(&name, room);
    key_name(KEY_ROOM_NODES, sb_view(&name), b);
    sb_fini(&name);
}

static struct room *find(struct rooms_state *st, struct str nsp, struct str name)
{
    struct sb key = {0};
    struct room *r;

    put_key(&key, nsp, name);
    r = map_get(&st->rooms, sb_view(&key));
    sb_fini(&key);
    return r;
}

static struct room *add(struct rooms_state *st, struct str nsp, struct str name)
{
    struct sb key = {0};
    struct str whole;
    struct room *r;

    put_key(&key, nsp, name);
    r = mem_new(1, sizeof *r + key.n);
    memcpy(r->bytes, key.p, key.n);
    r->key = str_of(r->bytes, key.n);
    (void)key_is(KEY_ROOM_NODES, r->key, &whole);
    r->name = str_skip(whole, nsp.n + 1);
    r->state = st;
    list_init(&r->node);
    list_init(&r->waiting);
    list_init(&r->asked);
    list_push(&st->kept, &r->node);
    map_put(&st->rooms, r->key, r);
    sb_fini(&key);
    return r;
}

static void forget(struct room *r)
{
    map_del(&r->state->rooms, r->key);
    list_unlink(&r->node);
    mem_free(r->type);
    mem_free(r);
}

/* others: members on the other nodes. */
static void answer(struct room *r, struct list *questions, int rc, uint64_t others, struct str type)
{
    struct list now, *node;

    list_init(&now);
    list_splice(&now, questions);
    r->is_answering = true; /* an answer may cut a slow reader, who leaves this room */
    while ((node = list_shift(&now))) {
        struct question *q = LIST_OWNER(node, struct question, node);
        struct rooms_count count = {.room = r->name, .type = type, .members = others + q->rank};

        q->told(q->ctx, rc, &count);
        mem_free(q);
    }
    r->is_answering = false;
}

struct args {
    struct str items[ARGS_FIXED + NODES_MAX];
    unsigned count;
};

static void add_node(void *ctx, struct str node)
{
    struct args *a = ctx;

    if (a->count < sizeof a->items / sizeof a->items[0]) a->items[a->count++] = node;
}

static void on_counted(void *ctx, int rc, const struct str *reply, unsigned reply_count);

static void call_script(struct room *r)
{
    struct rooms_state *st = r->state;
    struct sb members = {0}, ttl = {0}, age = {0};
    struct args args = {.count = ARGS_FIXED};

    sb_u64(&members, r->members);
    sb_u64(&ttl, KEY_ROOM_NODES_TTL_S);
    sb_u64(&age, st->dead_s);
    args.items[0] = str_of(st->node, sizeof st->node);
    args.items[1] = sb_view(&members);
    args.items[2] = sb_view(&ttl);
    args.items[3] = r->type ? str_z(r->type) : STR("");
    args.items[4] = sb_view(&age);
    adapter_each_node(st->adapter, add_node, &args);
    r->sent = r->members;
    r->is_under_way = true;
    r->is_dirty = false;
    st->under_way++;
    list_splice(&r->asked, &r->waiting);
    adapter_eval(st->adapter, &count_script, &r->key, 1, args.items, args.count, on_counted, r);
    sb_fini(&members);
    sb_fini(&ttl);
    sb_fini(&age);
}

static void sync_room(struct room *r);

/* After answers: what came up meanwhile, or the end of an empty room. A count that Redis may hold
 * is taken back first, if need be when Redis is here again. May free r. */
static void settle(struct room *r)
{
    if (r->is_dirty || !list_is_empty(&r->waiting)) {
        r->is_dirty = false;
        sync_room(r);
    } else if (!r->members && !r->is_written) {
        forget(r);
    }
}

/* Tells Redis what is so here, and everybody who waits what is so everywhere. May free r. */
static void sync_room(struct room *r)
{
    struct rooms_state *st = r->state;

    if (r->is_under_way || r->is_answering) {
        r->is_dirty = true;
    } else if (st->adapter && adapter_is_connected(st->adapter)) {
        call_script(r);
    } else {
        answer(r, &r->waiting, OK, 0, str_z(r->type));
        settle(r);
    }
}

static void finish_closing(struct rooms_state *st)
{
    if (st->under_way) return;
    map_fini(&st->rooms);
    mem_free(st);
}

static void on_counted(void *ctx, int rc, const struct str *reply, unsigned reply_count)
{
    struct room *r = ctx;
    struct rooms_state *st = r->state;
    uint64_t total = 0, others = 0;
    struct str type = str_z(r->type);

    st->under_way--;
    r->is_under_way = false;
    if (st->is_closed) {
        forget(r);
        finish_closing(st);
        return;
    }
    if (rc == OK && reply_count == 2 && str_u64(reply[0], UINT32_MAX, &total) == OK) {
        r->is_written = r->sent > 0;
        others = total > r->sent ? total - r->sent : 0;
        if (reply[1].n) type = reply[1];
    } else if (rc == ERR_TIMEOUT) {
        r->is_written = true; /* perhaps */
    }
    answer(r, &r->asked, OK, others, type);
    settle(r);
}

static void on_refresh(struct timer *t)
{
    struct rooms_state *st = LIST_OWNER(t, struct rooms_state, refresh);
    struct list *node;

    if (list_is_empty(&st->due)) list_splice(&st->due, &st->kept);
    for (unsigned i = 0; i < SLICE_ROOMS && (node = list_shift(&st->due)); i++) {
        list_push(&st->kept, node);
        sync_room(LIST_OWNER(node, struct room, node));
    }
    loop_timer(st->loop, &st->refresh, list_is_empty(&st->due) ? REFRESH_MS : SLICE_MS);
}

void rooms_state_refresh(struct rooms_state *st)
{
    list_splice(&st->due, &st->kept);
    loop_timer(st->loop, &st->refresh, SLICE_MS);
}

struct rooms_state *rooms_state_new(struct loop *l, struct adapter *a, uint64_t dead_ms)
{
    struct rooms_state *st = MEM_NEW(struct rooms_state);

    st->loop = l;
    st->adapter = a;
    st->dead_s = dead_ms / 1000;
    list_init(&st->kept);
    list_init(&st->due);
    timer_init(&st->refresh, on_refresh);
    loop_timer(l, &st->refresh, REFRESH_MS);
    return st;
}

void rooms_state_free(struct rooms_state *st)
{
    struct list *node;

    loop_timer_stop(st->loop, &st->refresh);
    list_splice(&st->due, &st->kept);
    st->is_closed = true;
    while ((node = list_shift(&st->due))) {
        struct room *r = LIST_OWNER(node, struct room, node);

        answer(r, &r->asked, ERR_CLOSED, 0, STR_NONE);
        answer(r, &r->waiting, ERR_CLOSED, 0, STR_NONE);
        if (!r->is_under_way) forget(r); /* the others: in on_counted */
    }
    finish_closing(st);
}

void rooms_state_enter(struct rooms_state *st, struct str node, struct str nsp, struct str room,
                       struct str type)
{
    struct room *r = find(st, nsp, room);

    if (node.n == sizeof st->node) memcpy(st->node, node.p, node.n);
    if (!r) r = add(st, nsp, room);
    if (!r->type && type.n) r->type = str_dup(type);
    r->members++;
    /* written by the question that follows every join; a join without one is written by the refresh
     */
}

void rooms_state_exit(struct rooms_state *st, struct str nsp, struct str room)
{
    struct room *r = find(st, nsp, room);

    if (!r || !r->members) return;
    r->members--;
    sync_room(r);
}

void rooms_state_ask(struct rooms_state *st, struct str nsp, struct str room, rooms_told *told,
                     void *ctx)
{
    struct room *r = find(st, nsp, room);
    struct question *q;

    if (!r) r = add(st, nsp, room);
    q = MEM_NEW(struct question);
    list_init(&q->node);
    q->told = told;
    q->ctx = ctx;
    q->rank = r->members;
    list_push(&r->waiting, &q->node);
    sync_room(r);
}

size_t rooms_state_size(const struct rooms_state *st)
{
    return st->rooms.count;
}
