/* The script behind a room's members: writes what changed, reads a page. */
#include "node/features/rooms/rooms_priv.h"

/* KEYS: members, rows, nodes, log, rules. ARGV: node; seconds that a room with members keeps; most
 * rows, 0: none are asked for; cursor; then the changes: + or -, the key, a line feed, the row. A
 * row that is written again keeps its time. Rows of nodes without a count are passed over, and go
 * after a minute. Without any count the room is empty, and all goes in a minute. Returns as
 * rooms_page_read has it. */
static struct adapter_script look_script = {
    .name = "room_look",
    .keys = {KEY_ROOM_MEMBERS, KEY_ROOM_ROWS, KEY_ROOM_NODES, KEY_ROOM_LOG, KEY_ROOM_RULES},
    .keys_count = 5,
    .text =
        "local M, R, N, L, U = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]\n"
        "local node, most, after = ARGV[1], tonumber(ARGV[3]), ARGV[4]\n"
        "local now = tonumber(redis.call('TIME')[1])\n"
        "for i = 5, #ARGV do\n"
        "  local what, key, row = string.match(ARGV[i], '^([+-])([^\\n]*)\\n(.*)$')\n"
        "  local member = key .. ' ' .. node\n"
        "  if what == '+' then\n"
        "    local was = redis.call('HGET', R, member)\n"
        "    redis.call('ZADD', M, 0, member)\n"
        "    redis.call('HSET', R, member, now .. '@' ..\n"
        "      (was and string.match(was, '^%d+@(.*)$') or row))\n"
        "  else\n"
        "    redis.call('ZREM', M, member)\n"
        "    redis.call('HDEL', R, member)\n"
        "  end\n"
        "end\n"
        "local left = redis.call('EXISTS', N) == 1 and ARGV[2] or 60\n"
        "redis.call('EXPIRE', M, left)\n"
        "redis.call('EXPIRE', R, left)\n"
        "redis.call('EXPIRE', L, left)\n"
        "redis.call('EXPIRE', U, left)\n"
        "if most == 0 then return {'0', ''} end\n"
        "local out, low, last, n, seen = {'0', ''}, '-', nil, 0, 0\n"
        "local living = {}\n"
        "if after ~= '' then low = '(' .. after .. ' ~' end\n"
        "repeat\n"
        "  local page = redis.call('ZRANGEBYLEX', M, low, '+', 'LIMIT', 0, most + 1)\n"
        "  for _, member in ipairs(page) do\n"
        "    local key, from = string.sub(member, 1, -6), string.sub(member, -4)\n"
        "    low, seen = '(' .. member, seen + 1\n"
        "    if living[from] == nil then living[from] = redis.call('HEXISTS', N, from) == 1 end\n"
        "    local row = redis.call('HGET', R, member)\n"
        "    if not row or (not living[from] and\n"
        "      now - tonumber(string.match(row, '^%d+')) > 60) then\n"
        "      redis.call('ZREM', M, member)\n"
        "      redis.call('HDEL', R, member)\n"
        "    elseif living[from] and key ~= last then\n"
        "      if n == most then\n"
        "        out[1] = '1'\n"
        "        return out\n"
        "      end\n"
        "      last, n, out[2] = key, n + 1, key\n"
        "      out[#out + 1], out[#out + 2] = key, string.match(row, '^%d+@(.*)$')\n"
        "    end\n"
        "    if seen >= 4000 then\n"
        "      out[1], out[2] = '1', key\n"
        "      return out\n"
        "    end\n"
        "  end\n"
        "until #page <= most\n"
        "return out\n",
};

void rooms_look_begin(struct rooms_call *c, const struct rooms_room *m, unsigned most,
                      struct str after)
{
    for (unsigned i = 0; i < look_script.keys_count; i++)
        rooms_call_key(c, look_script.keys[i], m->name);
    rooms_call_arg(c, adapter_node_id(m->rooms->adapter));
    rooms_call_u64(c, KEY_ROOM_LOG_TTL_S);
    rooms_call_u64(c, most);
    rooms_call_arg(c, after);
}

void rooms_look_run(struct rooms *r, struct rooms_call *c, rooms_call_told *told, void *ctx)
{
    rooms_call_run(r, c, &look_script, told, ctx);
}
