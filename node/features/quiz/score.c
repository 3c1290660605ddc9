/* See score.h. SCORE_LUA says the same. */
#include "node/features/quiz/score.h"
#include "base/forbid.h"

#define PLACE_POINT 134217728 /* above the sum of all times: 100 questions of 600 s */

int64_t score_points(int64_t base, int64_t share, int64_t elapsed_ms, int64_t limit_ms)
{
    if (elapsed_ms < 0) elapsed_ms = 0;
    if (elapsed_ms > limit_ms) elapsed_ms = limit_ms;
    return base * share * (2 * limit_ms - elapsed_ms) / (2 * SCORE_SHARE * limit_ms);
}

int64_t score_place(int64_t points, int64_t time_ms)
{
    return points ? time_ms - points * PLACE_POINT : 0;
}

int64_t score_place_points(int64_t place)
{
    return (PLACE_POINT - 1 - place) / PLACE_POINT;
}

int64_t score_place_time_ms(int64_t place)
{
    return place + score_place_points(place) * PLACE_POINT;
}
