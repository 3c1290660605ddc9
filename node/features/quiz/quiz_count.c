/* How many quizzes are under way over the cluster: those that somebody is in and that are not over.
 * Redis knows which node has somebody in which quiz; a node says when its first one comes and when
 * its last one goes, whoever sees a node die takes its quizzes away. Who changed the number tells
 * the other nodes. */
#include "node/features/quiz/quiz_priv.h"

#include "base/conf.h"
#include "base/metric.h"
#include "base/forbid.h"

/* KEYS: here, live, over. ARGV: here, gone, over, lost or ask; a node; a quiz; for over all nodes.
 * Returns the number, the microsecond, whether it has changed. The range of a node is as long as it
 * has quizzes. */
static struct adapter_script count_script = {
    .name = "quiz_count",
    .keys = {KEY_QUIZZES_HERE, KEY_QUIZZES_LIVE, KEY_QUIZZES_OVER},
    .keys_count = 3,
    .text = "local H, C, O = KEYS[1], KEYS[2], KEYS[3]\n"
            "local what, node, quiz = ARGV[1], ARGV[2], ARGV[3]\n"
            "local t = redis.call('TIME')\n"
            "local now, before = tonumber(t[1]), redis.call('HLEN', C)\n"
            "local function leave(node, quiz)\n"
            "  if redis.call('ZREM', H, node .. ' ' .. quiz) == 1 and\n"
            "    redis.call('HINCRBY', C, quiz, -1) <= 0 then redis.call('HDEL', C, quiz) end\n"
            "end\n"
            "if what == 'here' then\n"
            "  local over = tonumber(redis.call('ZSCORE', O, quiz) or '0')\n"
            "  if over <= now and redis.call('ZADD', H, 0, node .. ' ' .. quiz) == 1 then\n"
            "    redis.call('HINCRBY', C, quiz, 1)\n"
            "  end\n"
            "elseif what == 'gone' then leave(node, quiz)\n"
            "elseif what == 'over' then\n"
            "  for i = 4, #ARGV do leave(ARGV[i], quiz) end\n"
            "  redis.call('ZADD', O, now + 600, quiz)\n"
            "  redis.call('ZREMRANGEBYSCORE', O, '-inf', now)\n"
            "  redis.call('EXPIRE', O, 600)\n"
            "elseif what == 'lost' then\n"
            "  local all = redis.call('ZRANGEBYLEX', H, '[' .. node .. ' ', '(' .. node .. '!')\n"
            "  for _, m in ipairs(all) do leave(node, string.sub(m, #node + 2)) end\n"
            "end\n"
            "if what ~= 'ask' then\n"
            "  redis.call('EXPIRE', H, 21600)\n"
            "  redis.call('EXPIRE', C, 21600)\n"
            "end\n"
            "local after = redis.call('HLEN', C)\n"
            "return {tostring(after), string.format('%.0f', t[1] * 1000000 + t[2]),\n"
            "  after ~= before and '1' or '0'}\n",
};

static void take(struct quiz *q, struct str number, struct str at)
{
    uint64_t count, us;

    if (str_u64(number, INT32_MAX, &count) != OK || str_u64(at, UINT64_MAX, &us) != OK) return;
    if (us < q->counted_us) return; /* a newer one came before */
    q->counted_us = us;
    metric_set(M_QUIZ_SESSIONS, (int64_t)count);
}

static void on_counted(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct quiz *q = ctx;

    if (rc == OK && count == 3 && !q->is_closed) {
        struct sb text = {0};

        take(q, reply[0], reply[1]);
        sb_str(&text, reply[0]);
        sb_char(&text, ' ');
        sb_str(&text, reply[1]);
        if (str_eq(reply[2], STR("1"))) quiz_tell_nodes(q, sb_view(&text));
        sb_fini(&text);
    }
    quiz_step_done(q);
}

enum { COUNT_ARGS = 4 + QUIZ_NODES_MAX };

struct living {
    struct str *args;
    unsigned count;
};

static void add_living(void *ctx, struct str node)
{
    struct living *l = ctx;

    if (l->count < COUNT_ARGS) l->args[l->count++] = node;
}

static void run(struct quiz *q, const char *what, struct str node, struct str quiz)
{
    static const enum key keys[] = {KEY_QUIZZES_HERE, KEY_QUIZZES_LIVE, KEY_QUIZZES_OVER};
    struct str names[3], args[COUNT_ARGS] = {str_z(what), node, quiz};
    struct living l = {args, 3};
    struct sb text[3] = {0};

    if (!q->adapter || !adapter_is_connected(q->adapter)) return;
    for (int i = 0; i < 3; i++) {
        key_name(keys[i], str_z(events_conf(q->events)->adapter_prefix), &text[i]);
        names[i] = sb_view(&text[i]);
    }
    if (what[0] == 'o') {
        add_living(&l, adapter_node_id(q->adapter)); /* the others do not count us among them */
        adapter_each_node(q->adapter, add_living, &l);
    }
    q->steps++;
    adapter_eval(q->adapter, &count_script, names, 3, args, l.count, on_counted, q);
    for (int i = 0; i < 3; i++)
        sb_fini(&text[i]);
}

void quiz_count(struct quiz_game *g)
{
    struct quiz *q = g->quiz;

    if (q->adapter) run(q, g->members_count ? "here" : "gone", adapter_node_id(q->adapter), g->id);
}

void quiz_count_over(struct quiz_game *g)
{
    run(g->quiz, "over", STR(""), g->id);
}

void quiz_count_lost(struct quiz *q, struct str node)
{
    run(q, "lost", node, STR(""));
}

void quiz_count_ask(struct quiz *q)
{
    q->counted_us = 0; /* it may be another Redis with another clock */
    run(q, "ask", STR(""), STR(""));
}

void quiz_count_on_message(struct quiz *q, struct str payload)
{
    struct str number;

    if (str_next(&payload, ' ', &number)) take(q, number, payload);
}
