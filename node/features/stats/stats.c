/* Each node writes its row and reads those of the others in one script, then tells its own sockets.
 * Without Redis the figures are those of this node. */
#include "node/features/stats/stats.h"

#include "adapter/adapter.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/proc.h"
#include "events_out.h"
#include "node/features/stats/stats_rooms.h"
#include "node/features/stats/stats_row.h"
#include "node/people/people.h"

enum {
    REPLY_FIXED = 3,
    ROWS_AGE = 3, /* intervals, then a row is of a dead node */
    MINUTE_MS = 60000,
    WALK_STEP = 2000 /* rooms in one go */
};

/* KEYS: the rows. ARGV: node, row, time to live, seconds after which a row is dropped, millisecond.
 * The first two figures of a row are the sockets now and since its start: those of a dead node stay
 * in the total. HGETALL is bounded: a field a node. Returns peak, its millisecond, sockets of dead
 * nodes, then the rows. */
static struct adapter_script rows_script = {
    .name = "stats_rows",
    .keys = {KEY_STATS_NODES},
    .keys_count = 1,
    .text = "local key = KEYS[1]\n"
            "local now = tonumber(redis.call('TIME')[1])\n"
            "redis.call('HSET', key, ARGV[1], now .. '@' .. ARGV[2])\n"
            "local sockets, gone, rows, peak = 0, 0, {}, '0 0'\n"
            "local all = redis.call('HGETALL', key)\n"
            "for i = 1, #all, 2 do\n"
            "  if all[i] == ':peak' then peak = all[i + 1]\n"
            "  elseif all[i] == ':gone' then gone = gone + tonumber(all[i + 1])\n"
            "  else\n"
            "    local at, n, total = string.match(all[i + 1], '^(%d+)@(%d+) (%d+)')\n"
            "    if at and now - tonumber(at) <= tonumber(ARGV[4]) then\n"
            "      sockets = sockets + tonumber(n)\n"
            "      rows[#rows + 1] = string.match(all[i + 1], '@(.*)$')\n"
            "    else\n"
            "      redis.call('HDEL', key, all[i])\n"
            "      gone = gone + tonumber(total or 0)\n"
            "      if total then redis.call('HINCRBY', key, ':gone', total) end\n"
            "    end\n"
            "  end\n"
            "end\n"
            "local most, at = string.match(peak, '^(%d+) (%d+)$')\n"
            "if sockets > tonumber(most) then\n"
            "  most, at = sockets, ARGV[5]\n"
            "  redis.call('HSET', key, ':peak', string.format('%d', most) .. ' ' .. at)\n"
            "end\n"
            "redis.call('EXPIRE', key, ARGV[3])\n"
            "return {tostring(most), at, string.format('%.0f', gone), unpack(rows)}\n",
};

struct counts { /* as the counters were at the end of the last interval */
    uint64_t at_ms, cpu_us, events, events_us, deliveries, refused, redis, redis_us;
};

struct stats {
    struct events *events;
    struct adapter *adapter; /* NULL: this node alone */
    struct timer timer, walk;
    size_t walk_at;
    struct stats_rooms rooms;
    uint64_t started_ms;
    struct counts before;
    struct stats_row row;
    uint64_t peak, peak_ms; /* of this node */
    unsigned waiting;
    bool is_closed; /* freed when nothing is due any more */
};

static uint64_t value(enum metric m)
{
    int64_t v = metric_get(m);

    return v > 0 ? (uint64_t)v : 0;
}

static struct counts counts_now(void)
{
    return (struct counts){.at_ms = clock_ms(),
                           .cpu_us = proc_cpu_us(),
                           .events = value(M_EVENTS_IN),
                           .events_us = metric_sum_us(M_EVENT_SECONDS),
                           .deliveries = value(M_DELIVERIES),
                           .refused = value(M_EVENTS_REFUSED),
                           .redis = value(M_REDIS_SECONDS),
                           .redis_us = metric_sum_us(M_REDIS_SECONDS)};
}

static void measure(struct stats *st)
{
    struct counts now = counts_now(), *was = &st->before;
    uint64_t ms = now.at_ms - was->at_ms;
    struct stats_row r = {.sockets = value(M_SOCKETS),
                          .sockets_total = value(M_SOCKETS_CONNECTED),
                          .users = value(M_USERS_ONLINE),
                          .quiz_sessions = value(M_QUIZ_SESSIONS),
                          .uptime_s = (now.at_ms - st->started_ms) / 1000,
                          .resident_bytes = proc_resident_bytes(),
                          .cpu_permille = ms ? (now.cpu_us - was->cpu_us) / ms : 0,
                          .interval_ms = ms,
                          .events = now.events - was->events,
                          .events_us = now.events_us - was->events_us,
                          .deliveries = now.deliveries - was->deliveries,
                          .refused = now.refused - was->refused,
                          .redis = now.redis - was->redis,
                          .redis_us = now.redis_us - was->redis_us};

    r.heap_bytes = proc_heap_bytes(&r.heap_used_bytes);
    st->row = r;
    st->before = now;
    if (r.sockets <= st->peak) return;
    st->peak = r.sockets;
    st->peak_ms = clock_wall_ms();
}

/* Rates as whole numbers, so that metrics and /health can say them. */
struct gauges {
    enum metric events, deliveries, errors, event_us, redis_us, cpu;
};
static const struct gauges of_node = {M_NODE_EVENTS,   M_NODE_DELIVERIES, M_NODE_ERRORS,
                                      M_NODE_EVENT_US, M_NODE_REDIS_US,   M_NODE_CPU};
static const struct gauges of_cluster = {M_CLUSTER_EVENTS,   M_CLUSTER_DELIVERIES, M_CLUSTER_ERRORS,
                                         M_CLUSTER_EVENT_US, M_CLUSTER_REDIS_US,   M_CLUSTER_CPU};

static int64_t share(uint64_t count, uint64_t of, uint64_t unit)
{
    return of ? (int64_t)(count * unit / of) : 0;
}

static void set_gauges(const struct gauges *g, const struct stats_row *r)
{
    metric_set(g->events, share(r->events, r->interval_ms, MINUTE_MS));
    metric_set(g->deliveries, share(r->deliveries, r->interval_ms, MINUTE_MS));
    metric_set(g->errors, share(r->refused, r->interval_ms, MINUTE_MS));
    metric_set(g->event_us, share(r->events_us, r->events, 1));
    metric_set(g->redis_us, share(r->redis_us, r->redis, 1));
    metric_set(g->cpu, (int64_t)r->cpu_permille);
}

static void set_cluster(const struct stats_cluster *c)
{
    metric_set(M_CLUSTER_SOCKETS, (int64_t)c->sum.sockets);
    metric_set(M_CLUSTER_SOCKETS_TOTAL, (int64_t)c->total);
    metric_set(M_CLUSTER_SOCKETS_PEAK, (int64_t)c->peak);
    metric_set(M_CLUSTER_ROOMS, (int64_t)c->sum.rooms);
    metric_set(M_CLUSTER_MEMORY, (int64_t)c->sum.resident_bytes);
    set_gauges(&of_cluster, &c->sum);
}

static void tell(struct stats *st, const struct stats_cluster *c)
{
    char now[CLOCK_ISO_SIZE];
    struct sb connections = {0}, memory = {0}, rates = {0};
    struct sio_cast to = sio_cast_all(sio_nsp_get(events_sio(st->events), STR("/")));
    struct out_server_stats say = {.online_users = (int64_t)c->sum.users,
                                   .active_rooms = (int64_t)c->sum.rooms,
                                   .quiz_sessions =
                                       (int64_t)value(M_QUIZ_SESSIONS), /* each node knows it */
                                   .uptime = (int64_t)c->sum.uptime_s,
                                   .nodes = (int64_t)c->nodes};

    set_gauges(&of_node, &st->row);
    set_cluster(c);
    stats_put_connections(c, &connections);
    stats_put_memory(&c->sum, &memory);
    stats_put_rates(&c->sum, &rates);
    clock_iso(clock_wall_ms(), now);
    say.connections = sb_view(&connections);
    say.memory_usage = sb_view(&memory);
    say.rates = sb_view(&rates);
    say.timestamp = str_z(now);
    to.flags = SIO_LOCAL;
    emit_server_stats(&to, &say);
    sb_fini(&connections);
    sb_fini(&memory);
    sb_fini(&rates);
}

static void tell_alone(struct stats *st)
{
    struct stats_cluster c = {.sum = st->row,
                              .nodes = 1,
                              .total = st->row.sockets_total,
                              .peak = st->peak,
                              .peak_ms = st->peak_ms};

    tell(st, &c);
}

static bool read_fixed(const struct str *reply, unsigned count, struct stats_cluster *c)
{
    return count > REPLY_FIXED && str_u64(reply[0], UINT32_MAX, &c->peak) == OK &&
           str_u64(reply[1], UINT64_MAX / 1000, &c->peak_ms) == OK &&
           str_u64(reply[2], UINT64_MAX / 1000, &c->total) == OK;
}

static void on_rows(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct stats *st = ctx;
    struct stats_cluster c = {0};
    struct stats_rooms_sum rooms = {0};
    struct stats_row r;
    struct str figures, hashes;

    st->waiting--;
    if (st->is_closed) {
        if (!st->waiting) mem_free(st);
        return;
    }
    if (rc != OK || !read_fixed(reply, count, &c)) {
        tell_alone(st);
        return;
    }
    for (unsigned i = REPLY_FIXED; i < count; i++) {
        (void)str_cut(reply[i], '|', &figures, &hashes);
        if (stats_row_read(figures, &r) != OK) continue;
        stats_row_join(&c.sum, &r);
        stats_rooms_join(&rooms, r.rooms, hashes);
        c.nodes++;
    }
    c.total += c.sum.sockets_total;
    c.sum.rooms = stats_rooms_total(&rooms);
    tell(st, &c);
}

static void ask(struct stats *st)
{
    const struct conf *conf = events_conf(st->events);
    struct sb key = {0}, row = {0}, ttl = {0}, age = {0}, now = {0};
    struct str name, args[5];

    key_name(KEY_STATS_NODES, str_z(conf->adapter_prefix), &key);
    stats_row_put(&st->row, &row);
    sb_char(&row, '|');
    stats_rooms_put(&st->rooms, &row);
    sb_u64(&ttl, KEY_STATS_NODES_TTL_S);
    sb_u64(&age, ROWS_AGE * conf->stats_interval_ms / 1000 + 1);
    sb_u64(&now, clock_wall_ms());
    name = sb_view(&key);
    args[0] = adapter_node_id(st->adapter);
    args[1] = sb_view(&row);
    args[2] = sb_view(&ttl);
    args[3] = sb_view(&age);
    args[4] = sb_view(&now);
    st->waiting++;
    adapter_eval(st->adapter, &rows_script, &name, 1, args, 5, on_rows, st);
    sb_fini(&key);
    sb_fini(&row);
    sb_fini(&ttl);
    sb_fini(&age);
    sb_fini(&now);
}

static void add_room(void *ctx, struct str room)
{
    if (!people_is_room(room)) stats_rooms_add(ctx, room);
}

/* The names of all rooms here, some at a time; then what was measured is told. */
static void on_walk(struct timer *t)
{
    struct stats *st = LIST_OWNER(t, struct stats, walk);
    const struct sio_nsp *main = sio_nsp_get(events_sio(st->events), STR("/"));

    if (sio_nsp_each_room(main, &st->walk_at, WALK_STEP, add_room, &st->rooms)) {
        loop_timer(events_loop(st->events), t, 1);
        return;
    }
    st->row.rooms = st->rooms.count;
    if (st->adapter && adapter_is_connected(st->adapter))
        ask(st);
    else
        tell_alone(st);
}

static void on_time(struct timer *t)
{
    struct stats *st = LIST_OWNER(t, struct stats, timer);

    loop_timer(events_loop(st->events), t, events_conf(st->events)->stats_interval_ms);
    if (timer_is_set(&st->walk)) return; /* more rooms than can be counted in an interval */
    measure(st);
    st->walk_at = 0;
    st->rooms.count = st->rooms.n = 0;
    on_walk(&st->walk);
}

static void *stats_open(struct events *e)
{
    struct stats *st = MEM_NEW(struct stats);

    st->events = e;
    st->adapter = strcmp(events_conf(e)->adapter, "local") == 0 ? NULL : events_adapter(e);
    st->started_ms = clock_ms();
    st->before = counts_now();
    timer_init(&st->timer, on_time);
    timer_init(&st->walk, on_walk);
    loop_timer(events_loop(e), &st->timer, events_conf(e)->stats_interval_ms);
    return st;
}

static void stats_close(void *state)
{
    struct stats *st = state;

    loop_timer_stop(events_loop(st->events), &st->timer);
    loop_timer_stop(events_loop(st->events), &st->walk);
    st->is_closed = true;
    if (!st->waiting) mem_free(st);
}

static const struct event_row events[] = {{0}};

const struct feature feature_stats = {
    .name = "stats", .events = events, .open = stats_open, .close = stats_close};
