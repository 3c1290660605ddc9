/* Jobs of one kind in Redis: a zset of times, hashes of payloads and states. All that must not be
 * torn is one script. A lease is a time like any other, so what a dead node held comes up by
 * itself. */
#include "adapter/due_priv.h"

#include "base/forbid.h"

#define JOB_KEYS                                                                                   \
    {                                                                                              \
        KEY_DUE_TIMES, KEY_DUE_PAYLOADS, KEY_DUE_STATES                                            \
    }
#define JOB_KEYS_COUNT 3

/* Every script answers {status, is first, time of the first job, ms until then, its holder, jobs}.
 */
#define LUA_BEGIN                                                                                  \
    "local times, payloads, states = KEYS[1], KEYS[2], KEYS[3]\n"                                  \
    "local clock = redis.call('TIME')\n"                                                           \
    "local now = clock[1] * 1000 + math.floor(clock[2] / 1000)\n"                                  \
    "local function at(ms) return string.format('%.0f', now + ms) end\n"                           \
    "local function first() return redis.call('ZRANGE', times, 0, 0, 'WITHSCORES') end\n"          \
    "local function state(id)\n"                                                                   \
    "  return string.match(redis.call('HGET', states, id) or '', '^(%d+) (.*)$')\n"                \
    "end\n"                                                                                        \
    "local function drop(id)\n"                                                                    \
    "  redis.call('HDEL', payloads, id)\n"                                                         \
    "  redis.call('HDEL', states, id)\n"                                                           \
    "  return redis.call('ZREM', times, id)\n"                                                     \
    "end\n"                                                                                        \
    "local before = first()\n"                                                                     \
    "local function set(id, ms)\n"                                                                 \
    "  redis.call('ZADD', times, at(ms), id)\n"                                                    \
    "  if before[1] and now + ms >= tonumber(before[2]) then return 0 end\n"                       \
    "  return 1\n"                                                                                 \
    "end\n"                                                                                        \
    "local function reply(status, is_first, jobs)\n"                                               \
    "  local head = first()\n"                                                                     \
    "  if not head[1] then return {status, is_first, '', 0, '', jobs} end\n"                       \
    "  local _, holder = state(head[1])\n"                                                         \
    "  return {status, is_first, head[2], math.max(0, tonumber(head[2]) - now), holder or '', "    \
    "jobs}\n"                                                                                      \
    "end\n"

/* ARGV: id, node or nothing, delay, payload, most jobs, 1: one that waits keeps an earlier time.
 * One that runs is held by a token (DUE_TOKEN_BYTES). */
static struct adapter_script put_script = {
    .name = "due_put",
    .keys = JOB_KEYS,
    .keys_count = JOB_KEYS_COUNT,
    .text = LUA_BEGIN
    "local id = ARGV[1]\n"
    "if not redis.call('ZSCORE', times, id)\n"
    "  and redis.call('ZCARD', times) >= tonumber(ARGV[5]) then return reply(2, 0, {}) end\n"
    "redis.call('HSET', payloads, id, ARGV[4])\n"
    "if ARGV[6] == '1' then\n"
    "  local was, _, holder = redis.call('ZSCORE', times, id), state(id)\n"
    "  if was and holder and #holder < 20 and tonumber(was) <= now + tonumber(ARGV[3]) then\n"
    "    return reply(1, 0, {})\n"
    "  end\n"
    "end\n"
    "redis.call('HSET', states, id, '0 ' .. ARGV[2])\n"
    "return reply(1, set(id, tonumber(ARGV[3])), {})\n",
};

static struct adapter_script count_script = {
    .name = "due_count",
    .keys = {KEY_DUE_TIMES},
    .keys_count = 1,
    .text = "return redis.call('ZCARD', KEYS[1])\n",
};

/* ARGV: id. */
static struct adapter_script cancel_script = {
    .name = "due_cancel",
    .keys = JOB_KEYS,
    .keys_count = JOB_KEYS_COUNT,
    .text = LUA_BEGIN "return reply(drop(ARGV[1]), 0, {})\n",
};

/* ARGV: token, lease, most jobs. A time without a payload was torn by an eviction. */
static struct adapter_script take_script = {
    .name = "due_take",
    .keys = JOB_KEYS,
    .keys_count = JOB_KEYS_COUNT,
    .text = LUA_BEGIN
    "local jobs = {}\n"
    "local ids = redis.call('ZRANGEBYSCORE', times, '-inf', at(0), 'WITHSCORES',\n"
    "  'LIMIT', 0, ARGV[3])\n"
    "for i = 1, #ids, 2 do\n"
    "  local id = ids[i]\n"
    "  local payload = redis.call('HGET', payloads, id)\n"
    "  if payload then\n"
    "    local runs, holder = state(id)\n"
    "    runs = (tonumber(runs) or 0) + 1\n"
    "    redis.call('HSET', states, id, runs .. ' ' .. ARGV[1])\n"
    "    redis.call('ZADD', times, at(tonumber(ARGV[2])), id)\n"
    "    jobs[#jobs + 1] = {id, payload, runs, now - tonumber(ids[i + 1]), holder or ''}\n"
    "  else\n"
    "    drop(id)\n"
    "  end\n"
    "end\n"
    "return reply(#jobs, 0, jobs)\n",
};

/* ARGV: what, id, token, delay, node. */
static struct adapter_script end_script = {
    .name = "due_end",
    .keys = JOB_KEYS,
    .keys_count = JOB_KEYS_COUNT,
    .text = LUA_BEGIN
    "local what, id = ARGV[1], ARGV[2]\n"
    "local runs, holder = state(id)\n"
    "if holder ~= ARGV[3] then return reply(0, 0, {}) end\n"
    "if what == 'done' then return reply(drop(id), 0, {}) end\n"
    "local is_first = set(id, tonumber(ARGV[4]))\n"
    "if what == 'again' then redis.call('HSET', states, id, runs .. ' ' .. ARGV[5]) end\n"
    "return reply(1, is_first, {})\n",
};

void due_store_init(struct due_store *s, struct adapter *a, struct str node_id, struct str name)
{
    size_t ends[JOB_KEYS_COUNT];

    s->adapter = a;
    s->node_id = node_id;
    s->bytes = (struct sb){0};
    s->most = DUE_JOBS_MAX;
    for (unsigned i = 0; i < JOB_KEYS_COUNT; i++) {
        key_name(put_script.keys[i], name, &s->bytes);
        ends[i] = s->bytes.n;
    }
    for (unsigned i = 0; i < JOB_KEYS_COUNT; i++) {
        size_t start = i ? ends[i - 1] : 0;

        s->keys[i] = str_of(s->bytes.p + start, ends[i] - start);
    }
}

void due_store_fini(struct due_store *s)
{
    sb_fini(&s->bytes);
}

#define ARGS_MAX 6

struct args { /* numbers are written into a text of their own */
    struct str items[ARGS_MAX];
    char numbers[ARGS_MAX][24];
    unsigned count;
};

static void add(struct args *a, struct str s)
{
    a->items[a->count++] = s;
}

static void add_number(struct args *a, uint64_t v)
{
    char *end = a->numbers[a->count] + sizeof a->numbers[0], *p = end;

    do
        *--p = (char)('0' + v % 10);
    while ((v /= 10));
    add(a, str_of(p, (size_t)(end - p)));
}

struct call { /* to whom the answer goes */
    due_store_fn *fn;
    void *ctx;
};

static void run(struct due_store *s, struct adapter_script *script, const struct args *a,
                const struct call *c)
{
    adapter_eval(s->adapter, script, s->keys, JOB_KEYS_COUNT, a->items, a->count, c->fn, c->ctx);
}

void due_store_put(struct due_store *s, const struct due_entry *e, bool is_ours, due_store_fn *fn,
                   void *ctx)
{
    struct args a = {.count = 0};

    add(&a, e->id);
    add(&a, is_ours ? s->node_id : STR(""));
    add_number(&a, e->delay_ms);
    add(&a, e->payload);
    add_number(&a, s->most);
    add(&a, e->keeps_earlier ? STR("1") : STR("0"));
    run(s, &put_script, &a, &(struct call){fn, ctx});
}

void due_store_cancel(struct due_store *s, struct str id, due_store_fn *fn, void *ctx)
{
    struct args a = {.count = 0};

    add(&a, id);
    run(s, &cancel_script, &a, &(struct call){fn, ctx});
}

void due_store_count(struct due_store *s, due_store_fn *fn, void *ctx)
{
    adapter_eval(s->adapter, &count_script, s->keys, 1, NULL, 0, fn, ctx);
}

void due_store_take(struct due_store *s, const struct due_take *t, due_store_fn *fn, void *ctx)
{
    struct args a = {.count = 0};

    add(&a, t->token);
    add_number(&a, t->lease_ms);
    add_number(&a, t->most);
    run(s, &take_script, &a, &(struct call){fn, ctx});
}

void due_store_end(struct due_store *s, const struct due_ending *e, due_store_fn *fn, void *ctx)
{
    static const char *const names[] = {
        [DUE_DONE] = "done", [DUE_AGAIN] = "again", [DUE_KEEP] = "keep"};
    struct args a = {.count = 0};

    add(&a, str_z(names[e->how]));
    add(&a, e->id);
    add(&a, e->token);
    add_number(&a, e->delay_ms);
    add(&a, s->node_id);
    run(s, &end_script, &a, &(struct call){fn, ctx});
}

int due_store_read(const struct str *reply, unsigned count, struct due_reply *out)
{
    struct due_reply r = {.jobs = reply + 5};
    uint64_t is_first = 0;

    if (count < 5 || (count - 5) % DUE_REPLY_FIELDS) return ERR_PROTO;
    if (str_u64(reply[0], UINT32_MAX, &r.status) != OK) return ERR_PROTO;
    if (str_u64(reply[1], 1, &is_first) != OK) return ERR_PROTO;
    if (str_u64(reply[3], UINT64_MAX, &r.delay_ms) != OK) return ERR_PROTO;
    r.is_first = is_first == 1;
    r.head = reply[2];
    r.holder = reply[4];
    r.jobs_count = (count - 5) / DUE_REPLY_FIELDS;
    *out = r;
    return OK;
}
