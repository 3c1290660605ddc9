/* Days of the calendar as numbers: 0 is 1970-01-01, a Thursday. Proleptic Gregorian, pure.
 * Source: H. Hinnant, "chrono-compatible low-level date algorithms". */
#ifndef CONTACTS_RULES_CIVIL_H
#define CONTACTS_RULES_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

#define CIVIL_DAY_S 86400

struct civil {
    int year, month, day; /* month 1 … 12, day 1 … 31 */
};

static inline bool civil_is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static inline int civil_month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && civil_is_leap(year));
}

static inline int64_t civil_days(struct civil c)
{
    int64_t y = c.year - (c.month <= 2), m = c.month > 2 ? c.month - 3 : c.month + 9;
    int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int64_t doy = (153 * m + 2) / 5 + c.day - 1;

    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static inline struct civil civil_of(int64_t days)
{
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), m = (5 * doy + 2) / 153;
    int month = (int)(m < 10 ? m + 3 : m - 9);

    return (struct civil){(int)(yoe + era * 400) + (month <= 2), month,
                          (int)(doy - (153 * m + 2) / 5) + 1};
}

/* Monday is 0, as ISO 8601 has it first. */
static inline int civil_weekday(int64_t days)
{
    return (int)(((days + 3) % 7 + 7) % 7);
}

/* Quotient rounded down: the day of a second before 1970 is before day 0. */
static inline int64_t civil_floor(int64_t v, int64_t by)
{
    return v / by - (v % by < 0);
}

#endif
