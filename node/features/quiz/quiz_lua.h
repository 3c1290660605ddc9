/* The steps of a game as Redis carries them out: each is one script, so it happens once or not at
 * all. Included by quiz_state.c only.
 *
 * KEYS: game, seats, answers, live, board (keys.def). Replies begin with "ok", or "no", a wire code
 * and a sentence. All times are milliseconds of Redis' clock. A game without a phase is a session
 * of old clients: nobody knows its questions, answers are counted. Boards: quiz_lua_board.h. */
#ifndef NODE_FEATURES_QUIZ_QUIZ_LUA_H
#define NODE_FEATURES_QUIZ_QUIZ_LUA_H

#include "node/features/quiz/score.h"

/* view: what every node needs to tell clients how the game stands. */
#define QUIZ_LUA_HEAD                                                                              \
    "local G, S, A, L, B = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]\n"                          \
    "local t = redis.call('TIME')\n"                                                               \
    "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"                                          \
    "local function no(code, why) return {'no', code, why} end\n"                                  \
    "local function num(field) return tonumber(redis.call('HGET', G, field) or '0') end\n"         \
    "local function touch()\n"                                                                     \
    "  if redis.call('HGET', G, 'phase') == 'ended' then return end\n"                             \
    "  for i = 1, 5 do redis.call('EXPIRE', KEYS[i], 21600) end\n"                                 \
    "end\n"                                                                                        \
    "local function picks(q)\n"                                                                    \
    "  local all = {}\n"                                                                           \
    "  for i = 0, 19 do all[i + 1] = 'o' .. q .. ':' .. i end\n"                                   \
    "  all = redis.call('HMGET', G, unpack(all))\n"                                                \
    "  for i = 1, 20 do all[i] = all[i] or '0' end\n"                                              \
    "  return table.concat(all, ',')\n"                                                            \
    "end\n"                                                                                        \
    "local function view(out)\n"                                                                   \
    "  local g = redis.call('HMGET', G, 'phase', 'seq', 'q', 'count', 'startsAt', 'endsAt', "      \
    "'left', 'lock', 'seats', 'at', 'pin')\n"                                                      \
    "  for i = 1, 11 do out[#out + 1] = g[i] or '' end\n"                                          \
    "  out[#out + 1] = now\n"                                                                      \
    "  local q = g[3] or '-1'\n"                                                                   \
    "  local s = redis.call('HMGET', G, 'n' .. q, 'r' .. q, 'ms' .. q)\n"                          \
    "  for i = 1, 3 do out[#out + 1] = s[i] or '0' end\n"                                          \
    "  out[#out + 1] = picks(q)\n"                                                                 \
    "  return out\n"                                                                               \
    "end\n" /* How many sockets are in the quiz: each node writes its own count. from: index in    \
               ARGV of node, count, age at which unknown nodes are dropped, living nodes. */       \
    "local function present(from)\n"                                                               \
    "  local living, total = {[ARGV[from]] = true}, 0\n"                                           \
    "  for i = from + 3, #ARGV do living[ARGV[i]] = true end\n"                                    \
    "  redis.call('HSET', S, 'node:' .. ARGV[from], ARGV[from + 1] .. '@' .. t[1])\n"              \
    "  redis.call('HSETNX', S, 'nodes', '')\n"                                                     \
    "  local known = redis.call('HGET', S, 'nodes')\n"                                             \
    "  if not string.find(known, ARGV[from] .. ';', 1, true) then known = known .. ARGV[from] .. " \
    "';' end\n"                                                                                    \
    "  local kept = ''\n"                                                                          \
    "  for node in string.gmatch(known, '([^;]+);') do\n"                                          \
    "    local n, at = string.match(redis.call('HGET', S, 'node:' .. node) or '', "                \
    "'^(%d+)@(%d+)$')\n"                                                                           \
    "    if n and n ~= '0' and (living[node] or t[1] - at < tonumber(ARGV[from + 2])) then\n"      \
    "      total = total + n\n"                                                                    \
    "      kept = kept .. node .. ';'\n"                                                           \
    "    else\n"                                                                                   \
    "      redis.call('HDEL', S, 'node:' .. node)\n"                                               \
    "    end\n"                                                                                    \
    "  end\n"                                                                                      \
    "  redis.call('HSET', S, 'nodes', kept)\n"                                                     \
    "  return total\n"                                                                             \
    "end\n"                                                                                        \
    "local function member(seat) return string.format('%06d', seat) end\n"

/* ARGV: PIN's quiz. */
#define QUIZ_LUA_PIN                                                                               \
    "if ARGV[1] == '' then\n"                                                                      \
    "  local id = redis.call('GET', KEYS[1])\n"                                                    \
    "  if not id then return {'no', 'not_found', 'there is no game with this PIN'} end\n"          \
    "  redis.call('EXPIRE', KEYS[1], 21600)\n"                                                     \
    "  return {'ok', id}\n"                                                                        \
    "end\n"                                                                                        \
    "if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', 21600) then\n"                         \
    "  return {'no', 'limit_reached', 'this PIN is taken'}\n"                                      \
    "end\n"                                                                                        \
    "return {'ok', ARGV[1]}\n"

/* ARGV: definition, host's key, PIN, count, late, policy, lead, auto, players, then the limit of
 * each question. */
#define QUIZ_LUA_CREATE                                                                            \
    "if redis.call('HEXISTS', G, 'phase') == 1 then\n"                                             \
    "  return no('forbidden', 'there is a game of this name')\n"                                   \
    "end\n"                                                                                        \
    "redis.call('HSET', G, 'def', ARGV[1], 'host', ARGV[2], 'pin', ARGV[3], 'count', ARGV[4], "    \
    "'late', ARGV[5], 'policy', ARGV[6], 'lead', ARGV[7], 'auto', ARGV[8], 'cap', ARGV[9], "       \
    "'phase', 'lobby', 'q', -1, 'seq', 1)\n"                                                       \
    "for i = 10, #ARGV do redis.call('HSET', G, 't' .. (i - 10), ARGV[i]) end\n"                   \
    "touch()\n"                                                                                    \
    "return view({'ok'})\n"

#define QUIZ_LUA_LOAD                                                                              \
    "local def = redis.call('HGET', G, 'def')\n"                                                   \
    "return {'ok', def or ''}\n"

/* ARGV: seat's key or '', a new key, user or '', identity (JSON), socket, new seats a second, 1
 * when there must be a game (it was found by its PIN), then present(8). Returns key, number (0:
 * looks on), is new, present, place, own answer, view. */
#define QUIZ_LUA_JOIN                                                                              \
    "local g = redis.call('HMGET', G, 'phase', 'lock', 'late', 'cap', 'q', 'full')\n"              \
    "local phase, key, seat, new = g[1], ARGV[1], false, 0\n"                                      \
    "if string.find(ARGV[7], 'g') and not phase then\n"                                            \
    "  return no('not_found', 'the game is over')\n"                                               \
    "end\n"                                                                                        \
    "if key ~= '' then\n"                                                                          \
    "  seat = redis.call('HGET', S, 't:' .. key)\n"                                                \
    "  if not seat and not string.find(ARGV[7], 'm') then\n"                                       \
    "    return no('not_found', 'there is no such seat')\n"                                        \
    "  end\n"                                                                                      \
    "end\n"                                                                                        \
    "if not seat and ARGV[3] ~= '' then\n"                                                         \
    "  key = redis.call('HGET', S, 'u:' .. ARGV[3]) or ''\n"                                       \
    "  seat = key ~= '' and redis.call('HGET', S, 't:' .. key)\n"                                  \
    "end\n"                                                                                        \
    "if seat and redis.call('HEXISTS', S, 'k:' .. seat) == 1 then\n"                               \
    "  return no('forbidden', 'removed from this game')\n"                                         \
    "end\n"                                                                                        \
    "if not seat then\n"                                                                           \
    "  if phase == 'ended' then return no('closed', 'the game is over') end\n"                     \
    "  if g[2] == '1' then return no('forbidden', 'the game is locked') end\n"                     \
    "  if phase and phase ~= 'lobby' and g[3] == 'refuse' then\n"                                  \
    "    return no('forbidden', 'the game has begun')\n"                                           \
    "  end\n"                                                                                      \
    "  if num('seats') >= tonumber(g[4] or '20000') then\n"                                        \
    "    return no('limit_reached', 'the game is full')\n"                                         \
    "  end\n"                                                                                      \
    "  local full = math.max(tonumber(g[6] or '0'), now)\n"                                        \
    "  if full > now + 2000 then return no('rate_limited', 'too many at once, try again') end\n"   \
    "  redis.call('HSET', G, 'full', full + 1000 / tonumber(ARGV[6]))\n"                           \
    "  new = 1\n"                                                                                  \
    "  if phase and phase ~= 'lobby' and g[3] == 'spectate' then\n"                                \
    "    seat, key = 0, ''\n"                                                                      \
    "  else\n"                                                                                     \
    "    seat, key = redis.call('HINCRBY', G, 'seats', 1), ARGV[2]\n"                              \
    "    redis.call('HSET', S, 't:' .. key, seat, 'i:' .. seat, ARGV[4])\n"                        \
    "    if ARGV[3] ~= '' then redis.call('HSET', S, 'u:' .. ARGV[3], key) end\n"                  \
    "    redis.call('ZADD', L, 0, member(seat))\n"                                                 \
    "    redis.call('ZADD', B, 0, member(seat))\n"                                                 \
    "  end\n"                                                                                      \
    "end\n"                                                                                        \
    "if seat ~= 0 then redis.call('HSET', S, 's:' .. seat, ARGV[5]) end\n"                         \
    "local total = present(8)\n"                                                                   \
    "touch()\n"                                                                                    \
    "local own = redis.call('HGET', A, (g[5] or '-1') .. ':' .. seat) or ''\n"                     \
    "local place = seat ~= 0 and redis.call('ZSCORE', B, member(seat)) or '0'\n"                   \
    "return view({'ok', key, tostring(seat), new, total, place, own})\n"

/* ARGV: present(1). */
#define QUIZ_LUA_LEAVE                                                                             \
    "if redis.call('EXISTS', S) == 0 then return {'ok', '0'} end\n"                                \
    "return {'ok', present(1)}\n"

/* ARGV: seat's key, index of the question or its name (old clients), answer, share, options chosen,
 * points, limit, grace, seat. Returns time, ms since the start, answered by this player, by all to
 * this one, seats. Kept of an answer: at|elapsed|points|share|options|answer. A place is a sum of
 * points and times: taking one back and adding another is exact. */
#define QUIZ_LUA_ANSWER                                                                            \
    SCORE_LUA                                                                                      \
    "local g = redis.call('HMGET', G, 'phase', 'q', 'startsAt', 'endsAt', 'policy', 'seats')\n"    \
    "local seat = ARGV[9]\n"                                                                       \
    "local s = redis.call('HMGET', S, 't:' .. ARGV[1], 'k:' .. seat, 'p:' .. seat)\n"              \
    "local answered = s[3] or '0'\n"                                                               \
    "if s[1] ~= seat then return no('not_a_member', 'join the quiz first') end\n"                  \
    "if s[2] then return no('forbidden', 'removed from this game') end\n"                          \
    "local field = ARGV[2] .. ':' .. seat\n"                                                       \
    "local old = redis.call('HGET', A, field)\n"                                                   \
    "local at, el, pts, part, opts, raw\n"                                                         \
    "if old then\n"                                                                                \
    "  at, el, pts, part, opts, raw = string.match(old, "                                          \
    "'^(%d+)|(%d+)|(%d+)|(%d+)|([%d,]*)|(.*)$')\n"                                                 \
    "else\n"                                                                                       \
    "  el, pts, part, opts = 0, 0, 0, ''\n"                                                        \
    "end\n"                                                                                        \
    "local function keep(elapsed, points)\n"                                                       \
    "  redis.call('HSET', A, field, table.concat({now, elapsed, points, ARGV[4], ARGV[5], "        \
    "ARGV[3]},\n"                                                                                  \
    "    '|'))\n"                                                                                  \
    "  if not old then answered = redis.call('HINCRBY', S, 'p:' .. seat, 1) end\n"                 \
    "end\n"                                                                                        \
    "if not g[1] then\n"                                                                           \
    "  if not old and tonumber(answered) >= 200 then\n"                                            \
    "    return no('limit_reached', 'more than 200 questions')\n"                                  \
    "  end\n"                                                                                      \
    "  keep(0, 0)\n"                                                                               \
    "  touch()\n"                                                                                  \
    "  return {'ok', now, 0, answered, '', g[6] or '0'}\n"                                         \
    "end\n"                                                                                        \
    "if old and raw == ARGV[3] then\n"                                                             \
    "  return {'ok', at, el, answered, num('n' .. ARGV[2]), g[6] or '0'}\n"                        \
    "end\n"                                                                                        \
    "if g[1] ~= 'open' or g[2] ~= ARGV[2] then return no('closed', 'this question is not open') "  \
    "end\n"                                                                                        \
    "if now < tonumber(g[3]) then return no('closed', 'this question has not begun') end\n"        \
    "if now > g[4] + ARGV[8] then return no('closed', 'the time is over') end\n"                   \
    "if old and g[5] ~= 'change' then return no('closed', 'already answered') end\n"               \
    "local limit = tonumber(ARGV[7])\n"                                                            \
    "local elapsed = math.min(math.max(now - g[3], 0), limit)\n"                                   \
    "local points = score_points(tonumber(ARGV[6]), tonumber(ARGV[4]), elapsed, limit)\n"          \
    "local function add(name, n)\n"                                                                \
    "  if n ~= 0 then return redis.call('HINCRBY', G, name .. ARGV[2], n) end\n"                   \
    "  return num(name .. ARGV[2])\n"                                                              \
    "end\n"                                                                                        \
    "local function pick(options, sign)\n"                                                         \
    "  for o in string.gmatch(options, '%d+') do\n"                                                \
    "    redis.call('HINCRBY', G, 'o' .. ARGV[2] .. ':' .. o, sign)\n"                             \
    "  end\n"                                                                                      \
    "end\n"                                                                                        \
    "pts, el = tonumber(pts), tonumber(el)\n"                                                      \
    "local delta = score_place(points, points > 0 and elapsed or 0) -\n"                           \
    "  score_place(pts, pts > 0 and el or 0)\n"                                                    \
    "local count = add('n', old and 0 or 1)\n"                                                     \
    "add('ms', elapsed - el)\n"                                                                    \
    "add('r', (ARGV[4] == '1000' and 1 or 0) - (tonumber(part) == 1000 and 1 or 0))\n"             \
    "if opts ~= ARGV[5] then\n"                                                                    \
    "  pick(opts, -1)\n"                                                                           \
    "  pick(ARGV[5], 1)\n"                                                                         \
    "end\n"                                                                                        \
    "keep(elapsed, points)\n"                                                                      \
    "if delta ~= 0 then redis.call('ZINCRBY', L, delta, member(seat)) end\n"                       \
    "return {'ok', now, elapsed, answered, count, g[6] or '0'}\n"

/* ARGV: host's key ('' : the clock), action, ms, seat, seq. Returns what was done ('': nothing),
 * milliseconds until the clock has something to do ('': nothing), socket of who was removed, view.
 */
#define QUIZ_LUA_CONTROL                                                                           \
    "local g = redis.call('HMGET', G, 'phase', 'q', 'count', 'host', 'seq', 'lead', 'auto', "      \
    "'startsAt', 'endsAt', 'left', 'past', 'at')\n"                                                \
    "local phase, q, action = g[1], tonumber(g[2]), ARGV[2]\n"                                     \
    "if not phase then return no('not_found', 'there is no such game') end\n"                      \
    "if ARGV[1] ~= '' and ARGV[1] ~= g[4] then return no('forbidden', 'not the host of this "      \
    "game') end\n"                                                                                 \
    "if ARGV[5] ~= '' and ARGV[5] ~= g[5] then return no('closed', 'the game has moved on') end\n" \
    "local did, gone = action, ''\n"                                                               \
    "local function set(...) redis.call('HSET', G, ...) end\n"                                     \
    "local function open(i)\n"                                                                     \
    "  local start = now + g[6]\n"                                                                 \
    "  phase, g[9] = 'open', start + num('t' .. i)\n"                                              \
    "  set('phase', 'open', 'q', i, 'startsAt', start, 'endsAt', g[9], 'left', '')\n"              \
    "end\n"                                                                                        \
    "local function close()\n"                                                                     \
    "  phase, g[12] = 'closed', now + g[7]\n"                                                      \
    "  set('phase', 'closed', 'left', '', 'at', g[12], 'bfull', '1')\n"                            \
    "  redis.call('ZUNIONSTORE', B, 1, L)\n"                                                       \
    "end\n"                                                                                        \
    "local function finish()\n"                                                                    \
    "  if phase == 'open' or phase == 'paused' then close() end\n"                                 \
    "  phase = 'ended'\n"                                                                          \
    "  for i = 1, 5 do redis.call('EXPIRE', KEYS[i], 600) end\n"                                   \
    "  set('phase', 'ended', 'bfull', '1')\n"                                                      \
    "end\n"                                                                                        \
    "local function go_on()\n"                                                                     \
    "  if q + 1 < tonumber(g[3]) then open(q + 1) else finish() end\n"                             \
    "end\n"                                                                                        \
    "local wrong = no('closed', 'not possible while the game is ' .. phase)\n"                     \
    "if action == 'tick' then\n"                                                                   \
    "  if phase == 'open' and now >= g[9] + 250 then close() did = 'close'\n"                      \
    "  elseif phase == 'closed' and g[7] ~= '0' and now >= tonumber(g[12]) then go_on() did = "    \
    "'next'\n"                                                                                     \
    "  else did = '' end\n"                                                                        \
    "elseif action == 'watch' then did = ''\n"                                                     \
    "elseif phase == 'ended' then return wrong\n"                                                  \
    "elseif action == 'start' then\n"                                                              \
    "  if phase ~= 'lobby' then return wrong end\n"                                                \
    "  open(0)\n"                                                                                  \
    "elseif action == 'next' then\n"                                                               \
    "  if phase ~= 'closed' then return wrong end\n"                                               \
    "  go_on()\n"                                                                                  \
    "elseif action == 'close' then\n"                                                              \
    "  if phase ~= 'open' and phase ~= 'paused' then return wrong end\n"                           \
    "  close()\n"                                                                                  \
    "elseif action == 'pause' then\n"                                                              \
    "  if phase ~= 'open' then return wrong end\n"                                                 \
    "  phase = 'paused'\n"                                                                         \
    "  set('phase', 'paused', 'left', math.max(g[9] - now, 0), 'past', now - g[8])\n"              \
    "elseif action == 'resume' then\n"                                                             \
    "  if phase ~= 'paused' then return wrong end\n"                                               \
    "  phase, g[9] = 'open', now + g[10]\n"                                                        \
    "  set('phase', 'open', 'startsAt', now - g[11], 'endsAt', g[9], 'left', '')\n"                \
    "elseif action == 'extend' then\n"                                                             \
    "  local ms = tonumber(ARGV[3])\n"                                                             \
    "  if phase == 'open' then\n"                                                                  \
    "    g[9] = math.min(g[9] + ms, now + 3600000)\n"                                              \
    "    set('endsAt', g[9])\n"                                                                    \
    "  elseif phase == 'paused' then set('left', math.min(g[10] + ms, 3600000))\n"                 \
    "  else return wrong end\n"                                                                    \
    "elseif action == 'lock' or action == 'unlock' then\n"                                         \
    "  set('lock', action == 'lock' and '1' or '0')\n"                                             \
    "elseif action == 'kick' then\n"                                                               \
    "  if redis.call('HEXISTS', S, 'i:' .. ARGV[4]) == 0 then return no('not_found', 'there is "   \
    "no such seat') end\n"                                                                         \
    "  redis.call('HSET', S, 'k:' .. ARGV[4], '1')\n"                                              \
    "  redis.call('ZREM', L, member(ARGV[4]))\n"                                                   \
    "  redis.call('ZREM', B, member(ARGV[4]))\n"                                                   \
    "  gone = redis.call('HGET', S, 's:' .. ARGV[4]) or ''\n"                                      \
    "elseif action == 'end' then finish()\n"                                                       \
    "else return no('invalid_payload', 'no such action') end\n"                                    \
    "if did ~= '' then\n"                                                                          \
    "  redis.call('HINCRBY', G, 'seq', 1)\n"                                                       \
    "  touch()\n"                                                                                  \
    "end\n"                                                                                        \
    "local wait = ''\n"                                                                            \
    "if phase == 'open' then wait = math.max(g[9] + 250 - now, 0)\n"                               \
    "elseif phase == 'closed' and g[7] ~= '0' then wait = math.max(g[12] - now, 0) end\n"          \
    "return view({'ok', did, wait, gone})\n"

#endif
