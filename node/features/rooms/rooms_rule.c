/* The scripts behind rooms_rules.h: one reads and changes what moderators decided, one is the clock
 * of slow mode. All times are Redis'. */
#include "node/features/rooms/rooms_priv.h"

#include "node/features/rooms/rooms_rules.h"

/* KEYS: rules, bars, nodes. ARGV: read, lock, slow, m or k; a number; a member's key; most bars;
 * seconds that a room with members keeps. What has ended goes, at every change. HGETALL is bounded:
 * most. Returns the text of rooms_rules.h, or limit. */
static struct adapter_script rules_script = {
    .name = "room_rules",
    .keys = {KEY_ROOM_RULES, KEY_ROOM_BARS, KEY_ROOM_NODES},
    .keys_count = 3,
    .text = "local U, B, N = KEYS[1], KEYS[2], KEYS[3]\n"
            "local what, value, key = ARGV[1], tonumber(ARGV[2]), ARGV[3]\n"
            "local t = redis.call('TIME')\n"
            "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
            "if what == 'lock' or what == 'slow' then\n"
            "  if value > 0 then redis.call('HSET', U, what, ARGV[2])\n"
            "  else redis.call('HDEL', U, what) end\n"
            "  redis.call('EXPIRE', U, redis.call('EXISTS', N) == 1 and ARGV[5] or 60)\n"
            "elseif what ~= 'read' then\n"
            "  if value == 0 then redis.call('HDEL', B, what .. key)\n"
            "  else\n"
            "    local all = redis.call('HGETALL', B)\n"
            "    for i = 1, #all, 2 do\n"
            "      if tonumber(all[i + 1]) <= now then redis.call('HDEL', B, all[i]) end\n"
            "    end\n"
            "    if redis.call('HLEN', B) >= tonumber(ARGV[4]) and\n"
            "      redis.call('HEXISTS', B, what .. key) == 0 then return {'limit'} end\n"
            "    redis.call('HSET', B, what .. key, string.format('%.0f', now + value))\n"
            "  end\n"
            "end\n"
            "local out = {string.format('%.0f %s %s\\n', t[1] * 1000000 + t[2],\n"
            "  redis.call('HGET', U, 'lock') or '0', redis.call('HGET', U, 'slow') or '0')}\n"
            "local all, last = redis.call('HGETALL', B), 0\n"
            "for i = 1, #all, 2 do\n"
            "  local left = tonumber(all[i + 1]) - now\n"
            "  if left > 0 then\n"
            "    out[#out + 1] = string.format('%s %.0f %s\\n', string.sub(all[i], 1, 1), left,\n"
            "      string.sub(all[i], 2))\n"
            "    if left > last then last = left end\n"
            "  end\n"
            "end\n"
            "if what ~= 'read' and last > 0 then redis.call('PEXPIRE', B, string.format('%.0f', "
            "last)) end\n"
            "return {table.concat(out)}\n",
};

void rooms_rule(struct rooms *r, struct str name, const struct rooms_order *o,
                rooms_call_told *told, void *ctx)
{
    struct rooms_call c = {0};

    rooms_call_key(&c, KEY_ROOM_RULES, name);
    rooms_call_key(&c, KEY_ROOM_BARS, name);
    rooms_call_key(&c, KEY_ROOM_NODES, name);
    rooms_call_arg(&c, str_z(o->what));
    rooms_call_u64(&c, o->value);
    rooms_call_arg(&c, o->key);
    rooms_call_u64(&c, ROOMS_BARS_MAX);
    rooms_call_u64(&c, KEY_ROOM_RULES_TTL_S);
    rooms_call_run(r, &c, &rules_script, told, ctx);
}

/* KEYS: the pace of one member. ARGV: interval in ms. Returns the milliseconds to wait; 0: speak.
 */
static struct adapter_script pace_script = {
    .name = "room_pace",
    .keys = {KEY_ROOM_PACE},
    .keys_count = 1,
    .text = "if redis.call('SET', KEYS[1], '1', 'PX', ARGV[1], 'NX') then return {'0'} end\n"
            "return {tostring(math.max(redis.call('PTTL', KEYS[1]), 1))}\n",
};

void rooms_pace(struct rooms *r, struct str name, struct str key, uint64_t interval_ms,
                rooms_call_told *told, void *ctx)
{
    struct rooms_call c = {0};
    struct sb whose = {0};

    sb_str(&whose, name);
    sb_char(&whose, ' ');
    sb_str(&whose, key);
    rooms_call_key(&c, KEY_ROOM_PACE, sb_view(&whose));
    rooms_call_u64(&c, interval_ms);
    rooms_call_run(r, &c, &pace_script, told, ctx);
    sb_fini(&whose);
}
