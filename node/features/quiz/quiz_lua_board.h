/* The steps that read a game's board; as quiz_lua.h. Included by quiz_state.c only.
 *
 * A row is {seat, place, rank, answered, identity}. A reply about a board begins with its seven
 * words: total, seq of the game, is scored, phase, index of the question, rows, seq of the board.
 */
#ifndef NODE_FEATURES_QUIZ_QUIZ_LUA_BOARD_H
#define NODE_FEATURES_QUIZ_QUIZ_LUA_BOARD_H

/* rows(out, from, count), around(out, seat): append rows, return their number. */
#define QUIZ_LUA_ROWS                                                                              \
    "local known, ranks = {}, {}\n"                                                                \
    "local function rows(out, from, count)\n"                                                      \
    "  local all = redis.call('ZRANGE', B, from, from + count - 1, 'WITHSCORES')\n"                \
    "  for i = 1, #all, 2 do\n"                                                                    \
    "    local n, place = tostring(tonumber(all[i])), all[i + 1]\n"                                \
    "    known[n] = known[n] or redis.call('HMGET', S, 'p:' .. n, 'i:' .. n)\n"                    \
    "    ranks[place] = ranks[place] or redis.call('ZCOUNT', B, '-inf', '(' .. place) + 1\n"       \
    "    local s = known[n]\n"                                                                     \
    "    for _, v in ipairs({n, place, ranks[place], s[1] or '0', s[2] or '{}'}) do\n"             \
    "      out[#out + 1] = v\n"                                                                    \
    "    end\n"                                                                                    \
    "  end\n"                                                                                      \
    "  return #all / 2\n"                                                                          \
    "end\n"                                                                                        \
    "local function around(out, seat)\n"                                                           \
    "  local at = redis.call('ZRANK', B, member(seat))\n"                                          \
    "  if not at then return 0 end\n"                                                              \
    "  local from = math.max(at - 2, 0)\n"                                                         \
    "  return rows(out, from, at + 3 - from)\n"                                                    \
    "end\n"

/* ARGV: from, count, seat's key or '', anything when the answers are wanted: the host's key, or
 * whatever with 1 as the fifth, from a back end. Returns the seven words and the rows asked for;
 * then those from two above to two below the seat; or with the answers, of each closed question:
 * answered, right, ms, picks, the answers of the rows. */
#define QUIZ_LUA_BOARD                                                                             \
    QUIZ_LUA_ROWS                                                                                  \
    "local g = redis.call('HMGET', G, 'phase', 'seq', 'q', 'host', 'bseq')\n"                      \
    "if ARGV[5] ~= '1' and ARGV[4] ~= '' and ARGV[4] ~= g[4] then\n"                               \
    "  return no('forbidden', 'not the host of this game')\n"                                      \
    "end\n"                                                                                        \
    "if redis.call('EXISTS', S) == 0 and not g[1] then\n"                                          \
    "  return no('not_found', 'there is no such quiz')\n"                                          \
    "end\n"                                                                                        \
    "local seat = ARGV[3] ~= '' and redis.call('HGET', S, 't:' .. ARGV[3])\n"                      \
    "local out = {'ok', redis.call('ZCARD', B), g[2] or '0', g[1] and '1' or '0', g[1] or '',\n"   \
    "  g[3] or '-1', '0', g[5] or '0'}\n"                                                          \
    "local here = rows(out, tonumber(ARGV[1]), tonumber(ARGV[2]))\n"                               \
    "out[7] = here\n"                                                                              \
    "if ARGV[4] == '' then\n"                                                                      \
    "  if seat then around(out, seat) end\n"                                                       \
    "  return out\n"                                                                               \
    "end\n"                                                                                        \
    "local last = tonumber(g[3] or '-1')\n"                                                        \
    "if g[1] == 'open' or g[1] == 'paused' then last = last - 1 end\n"                             \
    "out[6] = last\n"                                                                              \
    "for q = 0, last do\n"                                                                         \
    "  local s = redis.call('HMGET', G, 'n' .. q, 'r' .. q, 'ms' .. q)\n"                          \
    "  for i = 1, 3 do out[#out + 1] = s[i] or '0' end\n"                                          \
    "  out[#out + 1] = picks(q)\n"                                                                 \
    "  for i = 0, here - 1 do\n"                                                                   \
    "    out[#out + 1] = redis.call('HGET', A, q .. ':' .. out[9 + 5 * i]) or ''\n"                \
    "  end\n"                                                                                      \
    "end\n"                                                                                        \
    "return out\n"

/* What of the first rows has changed since it was told: at most once in 250 ms for a game, whoever
 * asks. ARGV: rows, 1 to tell it as after a close. Returns -1: nothing; or milliseconds after which
 * it may be told; or 0, a 1 for each row that differs, seats that are not among them any more, 1
 * when a question has closed since, the time, the seven words and the rows. */
#define QUIZ_LUA_TELL                                                                              \
    QUIZ_LUA_ROWS                                                                                  \
    "local g = redis.call('HMGET', G, 'phase', 'seq', 'q', 'bseq', 'bat', 'bfull', 'shown')\n"     \
    "if not g[1] then return {'ok', '-1'} end\n"                                                   \
    "local wait = tonumber(g[5] or '0') + 250 - now\n"                                             \
    "if wait > 0 and wait <= 250 then return {'ok', wait} end\n"                                   \
    "if ARGV[2] == '1' then g[6] = '1' end\n"                                                      \
    "local list, flags, kept, before, gone = {}, {}, {}, {}, {}\n"                                 \
    "for seat, row in string.gmatch(g[7] or '', '(%d+)=([^;]*);') do before[seat] = row end\n"     \
    "local here, differs = rows(list, 0, tonumber(ARGV[1])), g[6]\n"                               \
    "for i = 1, #list, 5 do\n"                                                                     \
    "  local row = table.concat({list[i + 1], list[i + 2], list[i + 3], g[1] == 'ended' and 'e' "  \
    "or ''}, ' ')\n"                                                                               \
    "  kept[#kept + 1] = list[i] .. '=' .. row .. ';'\n"                                           \
    "  flags[#flags + 1] = before[list[i]] == row and '0' or '1'\n"                                \
    "  differs = differs or before[list[i]] ~= row\n"                                              \
    "  before[list[i]] = nil\n"                                                                    \
    "end\n"                                                                                        \
    "for seat in pairs(before) do gone[#gone + 1] = seat end\n"                                    \
    "if not differs and #gone == 0 then return {'ok', '-1'} end\n"                                 \
    "table.sort(gone)\n"                                                                           \
    "redis.call('HSET', G, 'bat', now, 'shown', table.concat(kept))\n"                             \
    "redis.call('HDEL', G, 'bfull')\n"                                                             \
    "local out = {'ok', '0', table.concat(flags), table.concat(gone, ','), g[6] or '0', now,\n"    \
    "  redis.call('ZCARD', B), g[2], '1', g[1], g[3], here, redis.call('HINCRBY', G, 'bseq', "     \
    "1)}\n"                                                                                        \
    "for i = 1, #list do out[#out + 1] = list[i] end\n"                                            \
    "return out\n"

/* ARGV: seats. Returns the seven words, then for each seat the number of rows, two above to two
 * below it, and the rows. */
#define QUIZ_LUA_AROUND                                                                            \
    QUIZ_LUA_ROWS                                                                                  \
    "local g = redis.call('HMGET', G, 'phase', 'seq', 'q', 'bseq')\n"                              \
    "local out = {'ok', redis.call('ZCARD', B), g[2] or '0', g[1] and '1' or '0', g[1] or '',\n"   \
    "  g[3] or '-1', '0', g[4] or '0'}\n"                                                          \
    "for i = 1, #ARGV do\n"                                                                        \
    "  out[#out + 1] = '0'\n"                                                                      \
    "  local at = #out\n"                                                                          \
    "  out[at] = around(out, ARGV[i])\n"                                                           \
    "end\n"                                                                                        \
    "return out\n"

#endif
