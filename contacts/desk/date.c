/* ISO 8601 in UTC: a day, or a day and a time with or without milliseconds. */
#include "contacts/desk/date.h"

#include "contacts/rules/civil.h"

/* Digits at a place; false: something else. */
static bool digits(struct str s, size_t at, size_t n, int *out)
{
    uint64_t v;

    if (at + n > s.n || str_u64(str_of(s.p + at, n), 9999, &v) != OK) return false;
    *out = (int)v;
    return true;
}

static bool is_at(struct str s, size_t at, char c)
{
    return at < s.n && s.p[at] == c;
}

bool date_read(struct str s, int64_t *ms)
{
    struct civil day;
    int hour = 0, minute = 0, second = 0, milli = 0;

    if (!digits(s, 0, 4, &day.year) || !is_at(s, 4, '-') || !digits(s, 5, 2, &day.month) ||
        !is_at(s, 7, '-') || !digits(s, 8, 2, &day.day))
        return false;
    if (day.month < 1 || day.month > 12 || day.day < 1 ||
        day.day > civil_month_days(day.year, day.month))
        return false;
    if (s.n > 10) {
        if (!is_at(s, 10, 'T') || !digits(s, 11, 2, &hour) || !is_at(s, 13, ':') ||
            !digits(s, 14, 2, &minute) || !is_at(s, 16, ':') || !digits(s, 17, 2, &second))
            return false;
        if (s.n == 24 ? !is_at(s, 19, '.') || !digits(s, 20, 3, &milli) || !is_at(s, 23, 'Z')
                      : s.n != 20 || !is_at(s, 19, 'Z'))
            return false;
    }
    if (hour > 23 || minute > 59 || second > 59) return false;
    *ms = (((civil_days(day) * 24 + hour) * 60 + minute) * 60 + second) * INT64_C(1000) + milli;
    return true;
}
