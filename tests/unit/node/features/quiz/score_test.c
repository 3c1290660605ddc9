#include "node/features/quiz/score.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include "base/str.h"
#include "tests/unit/support/redis_fixture.h"

Test(score, gives_all_at_once_and_half_at_the_deadline)
{
    static const struct {
        int64_t base, share, elapsed, limit, want;
    } rows[] = {
        {1000, 1000, 0, 20000, 1000},    {1000, 1000, 20000, 20000, 500},
        {1000, 1000, 10000, 20000, 750}, {1000, 0, 0, 20000, 0},
        {1000, 500, 0, 20000, 500},      {0, 1000, 0, 20000, 0},
        {1000, 1000, -5, 20000, 1000},   {1000, 1000, 20250, 20000, 500}, /* within the grace */
        {10000, 1000, 1, 600000, 9999},  {7, 333, 1, 1000, 2},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(score_points(rows[i].base, rows[i].share, rows[i].elapsed, rows[i].limit),
                     rows[i].want, "row %zu", i);
}

Test(score, orders_by_points_then_time)
{
    cr_expect_lt(score_place(1000, 600000), score_place(999, 0));
    cr_expect_lt(score_place(1000, 5), score_place(1000, 6));
    cr_expect_eq(score_place(0, 0), 0);
    for (int64_t points = 1; points <= 1000000; points = points * 3 + 1)
        for (int64_t time = 0; time <= 100LL * SCORE_LIMIT_MAX_MS; time += 7654321) {
            int64_t place = score_place(points, time);

            cr_assert_eq(score_place_points(place), points);
            cr_assert_eq(score_place_time_ms(place), time);
            cr_assert_eq((int64_t)(double)place, place);
        }
}

static uint64_t state;

static int64_t below(int64_t n) /* the same every time */
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((state >> 33) % (uint64_t)n);
}

#define BATCH 100

/* One script: points and place of each case, as text. */
static void compare(struct redis_fixture *redis)
{
    struct sb script = {0}, want = {0};
    const char *got;

    sb_z(&script, SCORE_LUA "local o = {} local c = {");
    for (int i = 0; i < BATCH; i++) {
        int64_t limit = 1000 + below(SCORE_LIMIT_MAX_MS - 999), base = below(SCORE_POINTS_MAX + 1);
        int64_t share = i % 3 ? below(SCORE_SHARE + 1) : SCORE_SHARE;
        int64_t elapsed = below(limit + 500) - 100, points;

        sb_printf(&script, "%lld,%lld,%lld,%lld,", (long long)base, (long long)share,
                  (long long)elapsed, (long long)limit);
        points = score_points(base, share, elapsed, limit);
        sb_printf(&want, "%lld %lld;", (long long)points,
                  (long long)score_place(points, points ? 60000000 : 0));
    }
    sb_z(&script, "} for i = 1, #c, 4 do local p = score_points(c[i], c[i+1], c[i+2], c[i+3])\n"
                  "o[#o+1] = string.format('%.0f %.0f;', p, score_place(p, p > 0 and 60000000 or "
                  "0)) end return table.concat(o)");
    const struct str argv[] = {STR("EVAL"), sb_view(&script), STR("0")};

    sb_char(&want, 0);
    got = redis_fixture_say(redis, argv, 3);
    cr_expect(strstr(got, want.p), "%.400s\n%.400s", got, want.p);
    sb_fini(&script);
    sb_fini(&want);
}

Test(score, is_the_same_in_lua)
{
    struct redis_fixture redis = {0};

    if (!redis_fixture_is_there()) cr_skip_test("redis-server is not installed");
    redis_fixture_open(&redis);
    for (int i = 0; i < 100; i++)
        compare(&redis);
    redis_fixture_close(&redis);
}
