#include "contacts/rules/civil.h"

#include <criterion/criterion.h>

Test(civil, days_and_dates_are_each_others_inverse)
{
    static const struct {
        struct civil date;
        int64_t days;
        int weekday;
    } rows[] = {
        {{1970, 1, 1}, 0, 3},        {{1969, 12, 31}, -1, 2},    {{2000, 2, 29}, 11016, 1},
        {{2000, 3, 1}, 11017, 2},    {{2026, 11, 28}, 20785, 5}, {{2100, 3, 1}, 47541, 0},
        {{1600, 2, 29}, -135081, 1}, {{1, 1, 1}, -719162, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(civil_days(rows[i].date), rows[i].days, "row %zu", i);
        cr_expect_eq(civil_weekday(rows[i].days), rows[i].weekday, "row %zu", i);
    }
    for (int64_t d = -800000; d < 800000; d += 13)
        cr_assert_eq(civil_days(civil_of(d)), d);
}

Test(civil, knows_leap_years)
{
    cr_expect(civil_is_leap(2000) && civil_is_leap(2024));
    cr_expect(!civil_is_leap(1900) && !civil_is_leap(2026));
    cr_expect_eq(civil_month_days(2024, 2), 29);
    cr_expect_eq(civil_month_days(2026, 2), 28);
    cr_expect_eq(civil_month_days(2026, 12), 31);
}

Test(civil, rounds_down_before_1970)
{
    cr_expect_eq(civil_floor(-1, 86400), -1);
    cr_expect_eq(civil_floor(-86400, 86400), -1);
    cr_expect_eq(civil_floor(86399, 86400), 0);
}
