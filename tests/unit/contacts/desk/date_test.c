#include <criterion/criterion.h>
#include "contacts/desk/date.h"

Test(date, reads_days_and_times)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {{"1970-01-01", 0},
                {"2023-11-14", 1699920000000},
                {"2023-11-14T22:13:20Z", 1700000000000},
                {"2023-11-14T22:13:20.123Z", 1700000000123},
                {"2024-02-29", 1709164800000}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = -1;

        cr_expect(date_read(str_z(rows[i].text), &ms), "%s", rows[i].text);
        cr_expect_eq(ms, rows[i].ms, "%s", rows[i].text);
    }
}

Test(date, refuses_everything_else)
{
    static const char *const rows[] = {"",
                                       "2023",
                                       "2023-13-01",
                                       "2023-02-29",
                                       "2023-11-14T",
                                       "2023-11-14T25:00:00Z",
                                       "2023-11-14T22:13:20",
                                       "2023-11-14 22:13:20Z",
                                       "2023-11-14T22:13:20.1234Z",
                                       "-023-11-14",
                                       "2023-11-1a"};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms;

        cr_expect_not(date_read(str_z(rows[i]), &ms), "%s", rows[i]);
    }
}
