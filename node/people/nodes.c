/* The table of nodes in Redis: tells of those that died while nobody looked, and tells a node that
 * was only silent that it has been reaped. */
#include "node/people/people_priv.h"

#include "adapter/adapter.h"
#include "base/conf.h"

enum { CHECK_MS = 20 * 60 * 1000 }; /* well inside the time to live of the lists of reap.c */

/* KEYS: table of nodes. ARGV: node, live or reaped. HGETALL is bounded: a field a node, and those
 * reaped a day ago are dropped. Returns what stood there before, and the ids of live nodes. */
static struct adapter_script mark_script = {
    .name = "people_mark",
    .keys = {KEY_PEOPLE_NODES},
    .keys_count = 1,
    .text = "local key, node = KEYS[1], ARGV[1]\n"
            "local now = tonumber(redis.call('TIME')[1])\n"
            "local reply = {redis.call('HGET', key, node) or ''}\n"
            "redis.call('HSET', key, node, ARGV[2] .. '@' .. now)\n"
            "local all = redis.call('HGETALL', key)\n"
            "for i = 1, #all, 2 do\n"
            "  local what, at = string.match(all[i + 1], '^(%a+)@(%d+)$')\n"
            "  if what == 'live' then\n"
            "    reply[#reply + 1] = all[i]\n"
            "  elseif not at or now - tonumber(at) > 86400 then\n"
            "    redis.call('HDEL', key, all[i])\n"
            "  end\n"
            "end\n"
            "redis.call('EXPIRE', key, 604800)\n"
            "return reply\n",
};

static struct sb nodes_key(const struct people *p)
{
    struct sb key = {0};

    key_name(KEY_PEOPLE_NODES, str_z(p->conf.conf->adapter_prefix), &key);
    return key;
}

static void on_marked(void *ctx, int rc, const struct str *reply, unsigned count)
{
    (void)rc, (void)reply, (void)count;
    (void)people_came_back(ctx);
}

static void mark(struct people *p, struct str node, struct str what,
                 void (*done)(void *ctx, int rc, const struct str *reply, unsigned count))
{
    struct sb key = nodes_key(p);
    struct str name = sb_view(&key);
    const struct str args[] = {node, what};

    p->under_way++;
    adapter_eval(p->adapter, &mark_script, &name, 1, args, 2, done, p);
    sb_fini(&key);
}

void people_nodes_reaped(struct people *p, struct str node)
{
    mark(p, node, STR("reaped"), on_marked);
}

/* Right after the connection: all is written again. Beats of others were not heard yet. */
static void on_first_check(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct people *p = ctx;
    bool was_reaped = rc == OK && count && str_starts(reply[0], STR("reaped"));

    if (people_came_back(p)) people_all_again(p, was_reaped);
}

/* Later: whoever was to be heard has been heard. */
static void on_check(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct people *p = ctx;

    if (!people_came_back(p) || rc != OK || count == 0) return;
    if (str_starts(reply[0], STR("reaped"))) people_all_again(p, true);
    for (unsigned i = 1; i < count; i++)
        if (!adapter_is_alive(p->adapter, reply[i])) people_on_node_lost(p, reply[i]);
}

static void check(struct people *p, bool is_first)
{
    mark(p, adapter_node_id(p->adapter), STR("live"), is_first ? on_first_check : on_check);
}

static void list_again(struct people *p)
{
    size_t i = 0;
    struct person *who;

    while ((who = map_next(&p->persons, &i)))
        people_list_later(who);
}

static void on_check_time(struct timer *t)
{
    struct people *p = LIST_OWNER(t, struct people, check);

    loop_timer(p->conf.loop, t, CHECK_MS);
    if (!adapter_is_connected(p->adapter)) return;
    check(p, false);
    list_again(p);
}

void people_nodes_check(struct people *p)
{
    const struct conf *c = p->conf.conf;

    check(p, true);
    loop_timer(p->conf.loop, &p->check, c->dead_ms + c->beat_ms);
}

void people_nodes_init(struct people *p)
{
    timer_init(&p->check, on_check_time);
}

void people_nodes_fini(struct people *p)
{
    loop_timer_stop(p->conf.loop, &p->check);
}
