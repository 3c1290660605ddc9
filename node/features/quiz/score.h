/* What an answer is worth, and how players are ordered. Pure. The formula stands twice, in C and in
 * Lua (SCORE_LUA: it has to run inside the one step of an answer); a test holds one
 * against the other.
 *
 * points = floor(base · share/1000 · (1 − elapsed / (2 · limit))): the whole base at once, half of
 * it at the deadline; share is 1000 for a right answer, less for a part of one, 0 for a wrong one.
 * Times in milliseconds by the clock of Redis, elapsed cut to 0 … limit.
 *
 * Order of players: more points first; then the smaller sum of the times of the answers that
 * earned points; then who joined first. Equal points and times share a rank: 1, 2, 2, 4. */
#ifndef NODE_FEATURES_QUIZ_SCORE_H
#define NODE_FEATURES_QUIZ_SCORE_H

#include <stdint.h>

#define SCORE_SHARE 1000       /* of a right answer */
#define SCORE_POINTS_MAX 10000 /* base of one question */
#define SCORE_LIMIT_MAX_MS 600000
#define SCORE_QUESTIONS_MAX 100 /* more, and points and times would not fit into one double */

int64_t score_points(int64_t base, int64_t share, int64_t elapsed_ms, int64_t limit_ms);

/* Points and time in one number for a sorted set: the smaller, the better. Exact in a double. */
int64_t score_place(int64_t points, int64_t time_ms);
int64_t score_place_points(int64_t place);
int64_t score_place_time_ms(int64_t place);

/* Lua: local functions score_points and score_place. */
#define SCORE_LUA                                                                                  \
    "local function score_points(base, share, elapsed, limit)\n"                                   \
    "  if elapsed < 0 then elapsed = 0 end\n"                                                      \
    "  if elapsed > limit then elapsed = limit end\n"                                              \
    "  return math.floor(base * share * (2 * limit - elapsed) / (2000 * limit))\n"                 \
    "end\n"                                                                                        \
    "local function score_place(points, time)\n"                                                   \
    "  if points == 0 then return 0 end\n"                                                         \
    "  return time - points * 134217728\n"                                                         \
    "end\n"

#endif
