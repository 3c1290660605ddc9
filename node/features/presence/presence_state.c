/* Each user has one place in the order of changes (zset here or left): a reader gets the present
 * state of whatever changed since its last look, however often it did. */
#include "node/features/presence/presence_state.h"

#include "adapter/adapter.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/rand.h"

enum {
    RETRY_MS = 1000,
    BATCH = 200,
    FIELDS = 4,
    PAGE = 1000,
    EPOCH_SIZE = 8,
    KEYS_COUNT = 4,
    READ_FIXED = 4, /* texts before the changes in a reply */
};

#define PRESENCE_KEYS                                                                              \
    {                                                                                              \
        KEY_PRESENCE_ROWS, KEY_PRESENCE_HERE, KEY_PRESENCE_LEFT, KEY_PRESENCE_TIMES                \
    }

/* ARGV: time to live, an epoch, then operation (+ first device, ! status, ? set unless there,
 * - remove), id, time, value of each change. A row has the time of the latest device that was
 * written: what was decided before it removes nothing, and nobody comes back by what was counted
 * before he left. */
static struct adapter_script write_script = {
    .name = "presence_write",
    .keys = PRESENCE_KEYS,
    .keys_count = KEYS_COUNT,
    .text = "local rows, here, left, times = KEYS[1], KEYS[2], KEYS[3], KEYS[4]\n"
            "redis.call('HSETNX', rows, ':epoch', ARGV[2])\n"
            "for i = 3, #ARGV, 4 do\n"
            "  local op, id, at, value = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), ARGV[i + 3]\n"
            "  local row = redis.call('HGET', rows, 'u' .. id)\n"
            "  local gone = tonumber(redis.call('HGET', times, id) or 0)\n"
            "  local was = row and tonumber(string.match(row, '^%d+')) or 0\n"
            "  local stamp = string.format('%.0f', math.max(at, was))\n"
            "  if op == '-' then\n"
            "    if was <= at and gone < at then\n"
            "      redis.call('HDEL', rows, 'u' .. id)\n"
            "      redis.call('ZREM', here, id)\n"
            "      redis.call('HSET', times, id, stamp)\n"
            "      redis.call('ZADD', left, redis.call('HINCRBY', rows, ':seq', 1), id)\n"
            "    end\n"
            "  elseif gone < at and (op == '!' or was <= at and not (row and op == '?')) then\n"
            "    redis.call('HSET', rows, 'u' .. id, stamp .. ' ' .. value)\n"
            "    redis.call('ZREM', left, id)\n"
            "    redis.call('HDEL', times, id)\n"
            "    redis.call('ZADD', here, redis.call('HINCRBY', rows, ':seq', 1), id)\n"
            "  end\n"
            "end\n"
            "while redis.call('ZCARD', left) > 10000 do\n"
            "  local old = redis.call('ZPOPMIN', left)\n"
            "  redis.call('HDEL', times, old[1])\n"
            "  redis.call('HSET', rows, ':floor', old[2])\n"
            "end\n"
            "for i = 1, 4 do redis.call('EXPIRE', KEYS[i], ARGV[1]) end\n"
            "return 1\n",
};

/* ARGV: time to live, what is known: epoch and sequence number; 1: a full copy is under way; most
 * changes. Returns epoch, sequence number reached, 1 for a full copy, 1 when there is more, then
 * id and value (nothing: left) of each. */
static struct adapter_script read_script = {
    .name = "presence_read",
    .keys = PRESENCE_KEYS,
    .keys_count = KEYS_COUNT,
    .text =
        "local rows, here, left = KEYS[1], KEYS[2], KEYS[3]\n"
        "local meta = redis.call('HMGET', rows, ':epoch', ':seq', ':floor')\n"
        "local epoch, seq, floor = meta[1] or '', tonumber(meta[2] or 0), tonumber(meta[3] or 0)\n"
        "local since, full, most = tonumber(ARGV[3]), 0, tonumber(ARGV[5])\n"
        "if epoch ~= ARGV[2] or (since < floor and ARGV[4] ~= '1') then since, full = 0, 1 end\n"
        "for i = 1, 4 do redis.call('EXPIRE', KEYS[i], ARGV[1]) end\n"
        "local reply = {epoch, 0, full, 0}\n"
        "local reached, found = seq, {}\n"
        "for i, key in ipairs({here, left}) do\n"
        "  found[i] = redis.call('ZRANGEBYSCORE', key, '(' .. since, '+inf', 'WITHSCORES',\n"
        "    'LIMIT', 0, most)\n"
        "  if #found[i] == 2 * most then\n"
        "    reached = math.min(reached, tonumber(found[i][2 * most]))\n"
        "    reply[4] = 1\n"
        "  end\n"
        "end\n"
        "for i = 1, 2 do\n"
        "  for j = 1, #found[i], 2 do\n"
        "    if tonumber(found[i][j + 1]) <= reached then\n"
        "      local row = i == 1 and redis.call('HGET', rows, 'u' .. found[i][j]) or ''\n"
        "      reply[#reply + 1] = found[i][j]\n"
        "      reply[#reply + 1] = string.match(row or '', '^%d+ (.*)$') or ''\n"
        "    end\n"
        "  end\n"
        "end\n"
        "reply[2] = string.format('%.0f', reached)\n"
        "return reply\n",
};

/* ARGV: what, time to live, millisecond. Returns status and the last one shown. */
static struct adapter_script user_script = {
    .name = "presence_user",
    .keys = {KEY_USER_PRESENCE},
    .keys_count = 1,
    .text = "local key, what = KEYS[1], ARGV[1]\n"
            "if what == 'hide' then redis.call('HSET', key, 'status', 'invisible')\n"
            "elseif what == 'show' then redis.call('HDEL', key, 'status')\n"
            "elseif what == 'seen' and not redis.call('HGET', key, 'status') then\n"
            "  redis.call('HSET', key, 'seen', ARGV[3])\n"
            "end\n"
            "if what ~= 'get' then redis.call('EXPIRE', key, ARGV[2]) end\n"
            "local both = redis.call('HMGET', key, 'status', 'seen')\n"
            "return {both[1] or '', both[2] or '0'}\n",
};

struct presence_state {
    struct loop *loop;
    struct adapter *adapter; /* NULL: this node alone */
    struct presence_list *list;
    struct sb key_bytes;
    struct str keys[KEYS_COUNT];
    struct sb queue, sent; /* changes: FIELDS texts each, every one with its NUL */
    struct loop_task flush;
    struct timer retry;
    struct presence_pull pull;
    char epoch[EPOCH_SIZE + 1];
    uint64_t seq, sweep_at; /* sweep_at 0: nothing to sweep */
    void (*left)(void *ctx, unsigned leaves);
    void *left_ctx;
    unsigned leaves; /* in what is sent */
    unsigned under_way;
    bool is_writing, is_pulling, is_copying, is_closed;
};

static void finish_closing(struct presence_state *st)
{
    if (st->under_way) return;
    sb_fini(&st->key_bytes);
    sb_fini(&st->queue);
    sb_fini(&st->sent);
    mem_free(st);
}

/* False: st was closed, and is perhaps no more. */
static bool came_back(struct presence_state *st)
{
    st->under_way--;
    if (!st->is_closed) return true;
    finish_closing(st);
    return false;
}

/* ---- writing ---- */

static void write_batch(struct presence_state *st);

static void on_written(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct presence_state *st = ctx;
    unsigned leaves = st->leaves;

    (void)reply, (void)count;
    if (!came_back(st)) return;
    st->is_writing = false;
    if (rc != OK) {
        loop_timer(st->loop, &st->retry, RETRY_MS);
        return;
    }
    st->sent.n = 0;
    st->leaves = 0;
    if (leaves && st->left) st->left(st->left_ctx, leaves);
    write_batch(st);
}

/* Moves the first changes of the queue to what is sent. */
static void fill(struct presence_state *st)
{
    size_t at = 0;

    for (unsigned fields = 0; at < st->queue.n && fields < BATCH * FIELDS; fields++) {
        if (fields % FIELDS == 0 && st->queue.p[at] == '-') st->leaves++;
        at += strlen(st->queue.p + at) + 1;
    }
    sb_put(&st->sent, st->queue.p, at);
    st->queue.n -= at;
    memmove(st->queue.p, st->queue.p + at, st->queue.n);
}

static void write_batch(struct presence_state *st)
{
    struct str args[2 + BATCH * FIELDS];
    struct sb ttl = {0};
    char epoch[EPOCH_SIZE];
    unsigned n = 2;

    if (st->is_writing || !adapter_is_connected(st->adapter)) {
        if (!st->is_writing) loop_timer(st->loop, &st->retry, RETRY_MS);
        return;
    }
    if (!st->sent.n && st->queue.n) fill(st);
    if (!st->sent.n) return;
    rand_id(epoch, sizeof epoch);
    sb_u64(&ttl, KEY_PRESENCE_ROWS_TTL_S);
    args[0] = sb_view(&ttl);
    args[1] = str_of(epoch, sizeof epoch);
    for (size_t at = 0; at < st->sent.n; at += args[n++].n + 1)
        args[n] = str_z(st->sent.p + at);
    st->is_writing = true;
    st->under_way++;
    adapter_eval(st->adapter, &write_script, st->keys, KEYS_COUNT, args, n, on_written, st);
    sb_fini(&ttl);
}

static void on_flush(struct loop_task *t)
{
    write_batch(LIST_OWNER(t, struct presence_state, flush));
}

static void on_retry(struct timer *t)
{
    write_batch(LIST_OWNER(t, struct presence_state, retry));
}

static void queue(struct presence_state *st, char op, struct str id_text, uint64_t at_us,
                  const struct presence_value *v)
{
    sb_char(&st->queue, op);
    sb_char(&st->queue, '\0');
    sb_str(&st->queue, id_text);
    sb_char(&st->queue, '\0');
    sb_u64(&st->queue, at_us);
    sb_char(&st->queue, '\0');
    if (v) presence_value_put(v, &st->queue);
    sb_char(&st->queue, '\0');
    loop_at_end(st->loop, &st->flush);
}

void presence_state_set(struct presence_state *st, enum presence_write how, struct str id_text,
                        uint64_t at_us, const struct presence_value *v)
{
    static const char ops[] = {[PRESENCE_WRITE_UNLESS_THERE] = '?',
                               [PRESENCE_WRITE_FIRST] = '+',
                               [PRESENCE_WRITE_STATUS] = '!'};

    if (st->adapter)
        queue(st, ops[how], id_text, at_us, v);
    else
        presence_list_set(st->list, id_text, v);
}

void presence_state_leave(struct presence_state *st, struct str id_text, uint64_t at_us)
{
    if (st->adapter)
        queue(st, '-', id_text, at_us, NULL);
    else
        presence_list_set(st->list, id_text, NULL);
}

void presence_state_on_left(struct presence_state *st, void (*left)(void *ctx, unsigned leaves),
                            void *ctx)
{
    st->left = left;
    st->left_ctx = ctx;
}

/* ---- reading ---- */

static void read_more(struct presence_state *st);

static void pulled(struct presence_state *st, int rc)
{
    struct presence_pull p = st->pull;

    st->is_pulling = false;
    if (rc == OK && st->sweep_at && clock_ms() >= st->sweep_at) {
        st->sweep_at = 0;
        presence_list_sweep(st->list, p.keep, p.ctx);
    }
    p.done(p.ctx, rc);
}

static void apply(struct presence_state *st, struct str id_text, struct str text)
{
    struct presence_value v;

    if (!text.n)
        presence_list_set(st->list, id_text, NULL);
    else if (presence_value_read(text, &v) == OK)
        presence_list_set(st->list, id_text, &v);
}

static void on_read(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct presence_state *st = ctx;
    uint64_t seq = 0;

    if (!came_back(st)) return;
    if (rc == OK && (count < READ_FIXED || (count - READ_FIXED) % 2 || reply[0].n > EPOCH_SIZE ||
                     str_u64(reply[1], UINT64_MAX, &seq) != OK))
        rc = ERR_PROTO;
    if (rc != OK) {
        pulled(st, rc);
        return;
    }
    if (str_eq(reply[2], STR("1")) && (st->epoch[0] || reply[0].n)) {
        presence_list_round(st->list);
        st->sweep_at = clock_ms() + st->pull.grace_ms;
    }
    memset(st->epoch, 0, sizeof st->epoch);
    if (reply[0].n) memcpy(st->epoch, reply[0].p, reply[0].n);
    st->seq = seq;
    for (unsigned i = READ_FIXED; i < count; i += 2)
        apply(st, reply[i], reply[i + 1]);
    st->is_copying = str_eq(reply[3], STR("1")) && (st->is_copying || str_eq(reply[2], STR("1")));
    if (str_eq(reply[3], STR("1")))
        read_more(st);
    else
        pulled(st, OK);
}

static void read_more(struct presence_state *st)
{
    struct sb ttl = {0}, seq = {0}, most = {0};
    struct str args[5];

    sb_u64(&ttl, KEY_PRESENCE_ROWS_TTL_S);
    sb_u64(&seq, st->seq);
    sb_u64(&most, PAGE);
    args[0] = sb_view(&ttl);
    args[1] = str_z(st->epoch);
    args[2] = sb_view(&seq);
    args[3] = st->is_copying ? STR("1") : STR("0");
    args[4] = sb_view(&most);
    st->under_way++;
    adapter_eval(st->adapter, &read_script, st->keys, KEYS_COUNT, args, 5, on_read, st);
    sb_fini(&ttl);
    sb_fini(&seq);
    sb_fini(&most);
}

void presence_state_pull(struct presence_state *st, const struct presence_pull *p)
{
    if (st->is_pulling) return; /* the one under way tells */
    st->pull = *p;
    st->is_pulling = true;
    if (!st->adapter)
        pulled(st, OK);
    else if (!adapter_is_connected(st->adapter))
        pulled(st, ERR_UNAVAILABLE);
    else
        read_more(st);
}

/* ---- one user ---- */

struct asking {
    presence_user_told *done;
    void *ctx;
};

static void on_user(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct asking *k = ctx;
    bool is_known = rc == OK && count == 2;
    uint64_t seen = 0;

    if (is_known && str_u64(reply[1], UINT64_MAX / 1000, &seen) != OK) seen = 0;
    if (k->done) k->done(k->ctx, rc, is_known && str_eq(reply[0], STR("invisible")), seen);
    mem_free(k);
}

void presence_state_user(struct presence_state *st, struct str id_text, enum presence_user_act act,
                         presence_user_told *done, void *ctx)
{
    static const char *const names[] = {[PRESENCE_USER_GET] = "get",
                                        [PRESENCE_USER_HIDE] = "hide",
                                        [PRESENCE_USER_SHOW] = "show",
                                        [PRESENCE_USER_SEEN] = "seen"};
    struct sb key = {0}, ttl = {0}, now = {0};
    struct str name, args[3];
    struct asking *k;

    if (!st->adapter) {
        if (done) done(ctx, OK, false, 0);
        return;
    }
    k = MEM_NEW(struct asking);
    *k = (struct asking){.done = done, .ctx = ctx};
    key_name(KEY_USER_PRESENCE, id_text, &key);
    sb_u64(&ttl, KEY_USER_PRESENCE_TTL_S);
    sb_u64(&now, clock_wall_ms());
    name = sb_view(&key);
    args[0] = str_z(names[act]);
    args[1] = sb_view(&ttl);
    args[2] = sb_view(&now);
    adapter_eval(st->adapter, &user_script, &name, 1, args, 3, on_user, k);
    sb_fini(&key);
    sb_fini(&ttl);
    sb_fini(&now);
}

/* ---- life ---- */

static void make_keys(struct presence_state *st, struct str prefix)
{
    size_t ends[KEYS_COUNT];

    for (unsigned i = 0; i < KEYS_COUNT; i++) {
        key_name(write_script.keys[i], prefix, &st->key_bytes);
        ends[i] = st->key_bytes.n;
    }
    for (unsigned i = 0; i < KEYS_COUNT; i++) {
        size_t start = i ? ends[i - 1] : 0;

        st->keys[i] = str_of(st->key_bytes.p + start, ends[i] - start);
    }
}

struct presence_state *presence_state_new(struct loop *l, const struct conf *c, struct adapter *a,
                                          struct presence_list *list)
{
    struct presence_state *st = MEM_NEW(struct presence_state);

    st->loop = l;
    st->adapter = a;
    st->list = list;
    make_keys(st, str_z(c->adapter_prefix));
    loop_task_init(&st->flush, on_flush);
    timer_init(&st->retry, on_retry);
    return st;
}

void presence_state_free(struct presence_state *st)
{
    loop_task_cancel(&st->flush);
    loop_timer_stop(st->loop, &st->retry);
    st->is_closed = true;
    finish_closing(st);
}
