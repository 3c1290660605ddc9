/* A room in which nothing happens for the time of its type ends: its members are told and are out.
 * A node says to Redis that something happened, at most ten times in that time, and asks when it
 * has seen nothing itself for so long; one of those who ask is told to end the room. So a room ends
 * at most a tenth late, and never early. */
#include "node/features/rooms/rooms_priv.h"

#include "base/clock.h"
#include "base/conf.h"
#include "base/mem.h"
#include "events_out.h"

enum { PARTS = 10, AGAIN_MS = 1000 };

/* KEYS: rules, nodes. ARGV: milliseconds since something happened here; the idle time, 0: only say
 * so; seconds that a room with members keeps. Returns 1: end it, and the milliseconds that are
 * left. */
static struct adapter_script idle_script = {
    .name = "room_idle",
    .keys = {KEY_ROOM_RULES, KEY_ROOM_NODES},
    .keys_count = 2,
    .text = "local U, N, ago, idle = KEYS[1], KEYS[2], tonumber(ARGV[1]), tonumber(ARGV[2])\n"
            "local t = redis.call('TIME')\n"
            "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
            "local at = math.max(tonumber(redis.call('HGET', U, 'active') or '0'), now - ago)\n"
            "local ends = idle > 0 and now - at >= idle\n"
            "if ends then at = now end\n"
            "redis.call('HSET', U, 'active', string.format('%.0f', at))\n"
            "redis.call('EXPIRE', U, redis.call('EXISTS', N) == 1 and ARGV[3] or 60)\n"
            "return {ends and '1' or '0', string.format('%.0f', math.max(idle - now + at, 1))}\n",
};

struct asking {
    struct rooms *rooms;
    struct sb name;
};

static uint64_t idle_ms_of(const struct rooms_room *m)
{
    return rooms_type_idle_ms(rooms_room_type(m), events_conf(m->rooms->events));
}

static void arm(struct rooms_room *m, uint64_t ms)
{
    loop_timer(events_loop(m->rooms->events), &m->idle, ms);
}

static void end_room(struct rooms_room *m)
{
    struct rooms_news news = {
        .nsp = str_head(m->name, m->nsp_n), .room = rooms_room_id(m), .out = STR("*")};
    struct out_room_ended say = {.room_id = news.room, .reason = STR("idle")};
    struct sb array = {0};
    char now[CLOCK_ISO_SIZE];

    clock_iso(clock_wall_ms(), now);
    say.timestamp = str_z(now);
    out_room_ended_encode(&array, &say);
    news.array = sb_view(&array);
    rooms_tell(m->rooms, &news, NULL, NULL);
    sb_fini(&array);
}

static void on_answer(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct asking *a = ctx;
    struct rooms_room *m =
        a->rooms->is_closed ? NULL : rooms_room_named(a->rooms, sb_view(&a->name));
    uint64_t left = AGAIN_MS;

    if (m && rc == OK && count == 2) {
        if (str_u64(reply[1], UINT32_MAX, &left) != OK) left = AGAIN_MS;
        if (str_eq(reply[0], STR("1"))) end_room(m);
    }
    if (m) arm(m, left);
    sb_fini(&a->name);
    mem_free(a);
}

/* limit_ms 0: only says so. */
static void say_or_ask(struct rooms_room *m, uint64_t limit_ms)
{
    struct rooms_call c = {0};
    struct asking *a = NULL;

    m->noted_ms = clock_ms();
    rooms_call_key(&c, KEY_ROOM_RULES, m->name);
    rooms_call_key(&c, KEY_ROOM_NODES, m->name);
    rooms_call_u64(&c, clock_ms() - m->active_ms);
    rooms_call_u64(&c, limit_ms);
    rooms_call_u64(&c, KEY_ROOM_RULES_TTL_S);
    if (limit_ms) {
        a = MEM_NEW(struct asking);
        a->rooms = m->rooms;
        sb_str(&a->name, m->name);
    }
    rooms_call_run(m->rooms, &c, &idle_script, a ? on_answer : NULL, a);
}

static void on_time(struct timer *t)
{
    struct rooms_room *m = LIST_OWNER(t, struct rooms_room, idle);
    uint64_t limit = idle_ms_of(m), quiet = clock_ms() - m->active_ms;

    if (!limit) return; /* until something happens */
    if (quiet < limit)
        arm(m, limit - quiet);
    else if (m->rooms->adapter)
        say_or_ask(m, limit + limit / PARTS); /* what others said may be as old */
    else
        end_room(m);
}

void rooms_idle_init(struct rooms_room *m)
{
    m->active_ms = clock_ms();
    timer_init(&m->idle, on_time);
}

void rooms_idle_touch(struct rooms_room *m)
{
    uint64_t now = clock_ms(), limit = idle_ms_of(m);

    m->active_ms = now;
    if (!limit) return;
    if (!timer_is_set(&m->idle)) arm(m, limit);
    if (m->rooms->adapter && (!m->noted_ms || now - m->noted_ms >= limit / PARTS)) say_or_ask(m, 0);
}
