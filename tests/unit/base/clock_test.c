/* Time, standing still and moved by hand; dates. */
#include <criterion/criterion.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "base/rand.h"

Test(clock, stands_still_when_frozen)
{
    clock_freeze(1000, 5000);
    clock_refresh();
    cr_expect_eq(clock_ms(), 1000);
    cr_expect_eq(clock_wall_ms(), 5000);
    cr_expect_eq(clock_us(), 1000000);
    clock_advance(7);
    cr_expect_eq(clock_ms(), 1007);
    cr_expect_eq(clock_wall_ms(), 5007);
    cr_expect_eq(clock_us(), 1007000);
}

Test(clock, runs_with_the_system_otherwise)
{
    struct timespec t;
    uint64_t before = clock_us();

    clock_gettime(CLOCK_REALTIME, &t);
    clock_refresh();
    cr_expect_geq(clock_ms(), before / 1000);
    cr_expect_leq(clock_ms(), clock_us() / 1000);
    cr_expect_lt(clock_wall_ms() - (uint64_t)t.tv_sec * 1000, 5000);
}

Test(clock_iso, writes_dates_as_javascript_does)
{
    static const struct {
        uint64_t ms;
        const char *want;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1795453315123, "2026-11-23T17:01:55.123Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {951868799999, "2000-02-29T23:59:59.999Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"}, /* no leap year */
        {1709164800000, "2024-02-29T00:00:00.000Z"},
        {1735689599999, "2024-12-31T23:59:59.999Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[CLOCK_ISO_SIZE];

        clock_iso(rows[i].ms, text);
        cr_expect_str_eq(text, rows[i].want, "row %zu", i);
    }
}

Test(clock_iso, agrees_with_the_system_on_any_day)
{
    rand_seed_for_test(3);
    for (int i = 0; i < 20000; i++) {
        time_t at = (time_t)(((uint64_t)rand_below(UINT32_MAX) << 5) % 253402300800u);
        char text[CLOCK_ISO_SIZE], want[CLOCK_ISO_SIZE];
        struct tm tm;

        clock_iso((uint64_t)at * 1000, text);
        strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%S.000Z", gmtime_r(&at, &tm));
        cr_assert_str_eq(text, want);
    }
}
