#include "contacts/rules/hours.h"

#include <criterion/criterion.h>
#include "contacts/rules/civil.h"
#include "contacts/rules/zone.h"

static struct hours *read_hours(const char *text)
{
    struct json v;
    struct hours *h = NULL;
    struct sb why = {0};

    cr_assert_eq(json_parse(str_z(text), &v), OK, "%s", text);
    cr_assert_eq(hours_decode(v, zone_open, &h, &why), OK, STR_FMT, STR_ARG(why));
    return h;
}

/* "2026-11-23 08:00" UTC, in ms */
static int64_t ms(const char *t)
{
    int v[5], at = 0;

    for (int i = 0; i < 5; i++, at++)
        for (v[i] = 0; t[at] >= '0' && t[at] <= '9'; at++)
            v[i] = v[i] * 10 + t[at] - '0';
    return (civil_days((struct civil){v[0], v[1], v[2]}) * CIVIL_DAY_S + v[3] * 3600 + v[4] * 60) *
           1000;
}

#define OFFICE                                                                                     \
    "{\"zone\":\"Africa/Kigali\",\"week\":{\"mon\":[\"08:00-12:00\",\"13:00-17:00\"],"             \
    "\"tue\":[\"08:00-12:00\",\"13:00-17:00\"],\"fri\":[\"22:00-06:00\"]},"                        \
    "\"holidays\":[\"12-25\",\"2026-12-01\",{\"date\":\"2026-12-07\",\"open\":[\"10:00-11:00\"]}," \
    "\"12-07\"]}"
#define HOUR 3600000LL

/* Monday is 2026-11-23; Kigali is two hours ahead of UTC all year. */
Test(hours, knows_when_somebody_is_there)
{
    static const struct {
        const char *at;
        bool is_open;
        const char *opens, *closes; /* next; NULL: at itself */
    } rows[] = {
        {"2026-11-23 05:59", false, "2026-11-23 06:00", NULL},
        {"2026-11-23 06:00", true, NULL, "2026-11-23 10:00"},
        {"2026-11-23 09:59", true, NULL, "2026-11-23 10:00"},
        {"2026-11-23 10:00", false, "2026-11-23 11:00", NULL}, /* noon */
        {"2026-11-23 15:00", false, "2026-11-24 06:00", NULL},
        {"2026-11-24 15:00", false, "2026-11-27 20:00", NULL},
        {"2026-11-28 03:59", true, NULL, "2026-11-28 04:00"}, /* over midnight */
        {"2026-11-28 04:00", false, "2026-11-30 06:00", NULL},
        {"2026-12-01 08:00", false, "2026-12-04 20:00", NULL}, /* a holiday once */
        {"2026-12-07 07:00", false, "2026-12-07 08:00",
         NULL}, /* a date counts more than a yearly one */
        {"2026-12-07 08:30", true, NULL, "2026-12-07 09:00"},
        {"2027-12-07 08:30", false, "2027-12-10 20:00", NULL}, /* a Tuesday */
        {"2026-12-25 21:00", false, "2026-12-28 06:00", NULL}, /* the Friday's night goes with it */
    };
    struct hours *h = read_hours(OFFICE);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t at = ms(rows[i].at);

        cr_expect_eq(hours_is_open(h, at), rows[i].is_open, "row %zu", i);
        cr_expect_eq(hours_next_open_ms(h, at), rows[i].opens ? ms(rows[i].opens) : at, "row %zu",
                     i);
        cr_expect_eq(hours_next_close_ms(h, at), rows[i].closes ? ms(rows[i].closes) : at,
                     "row %zu", i);
    }
    hours_free(h);
}

Test(hours, counts_working_time_alone)
{
    static const struct {
        const char *from;
        int64_t working;
        const char *due;
    } rows[] = {
        {"2026-11-23 06:00", HOUR, "2026-11-23 07:00"},
        {"2026-11-23 09:00", HOUR, "2026-11-23 10:00"},     /* due at the end, not after noon */
        {"2026-11-23 09:00", HOUR + 1, "2026-11-23 11:00"}, /* and one millisecond */
        {"2026-11-23 14:00", 2 * HOUR, "2026-11-24 07:00"},
        {"2026-11-22 00:00", 0, "2026-11-23 06:00"},
        {"2026-11-23 06:30", 0, "2026-11-23 06:30"},
        {"2026-11-24 14:30", HOUR, "2026-11-27 20:30"},
        {"2026-11-23 06:00", 48 * HOUR,
         "2026-12-08 14:00"}, /* the 1st is off, the 7th has one hour */
    };
    struct hours *h = read_hours(OFFICE);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t due = hours_add_ms(h, ms(rows[i].from), rows[i].working);

        cr_expect_eq(due, ms(rows[i].due) + rows[i].working % 2, "row %zu: %lld", i,
                     (long long)(due - ms(rows[i].from)));
        cr_expect_eq(hours_between_ms(h, ms(rows[i].from), due), rows[i].working, "row %zu", i);
    }
    cr_expect_eq(hours_between_ms(h, ms("2026-11-23 00:00"), ms("2026-11-30 00:00")), 24 * HOUR);
    cr_expect_eq(hours_between_ms(h, ms("2026-11-23 09:30"), ms("2026-11-23 11:30")), HOUR);
    cr_expect_eq(hours_between_ms(h, ms("2026-11-23 11:30"), ms("2026-11-23 09:30")), 0);
    hours_free(h);
}

Test(hours, follows_the_clock_where_it_is_moved)
{
    static const struct {
        const char *zone, *day, *period, *from, *to; /* open in UTC, in the week of the change */
    } rows[] = {
        {"Europe/Berlin", "sun", "01:30-03:30", "2026-03-29 00:30",
         "2026-03-29 01:30"}, /* an hour is missing */
        {"Europe/Berlin", "sun", "02:30-04:00", "2026-03-29 01:00", "2026-03-29 02:00"},
        {"Europe/Berlin", "sun", "01:00-02:30", "2026-03-29 00:00", "2026-03-29 01:00"},
        {"Europe/Berlin", "sun", "01:30-03:30", "2026-10-24 23:30",
         "2026-10-25 02:30"}, /* one more */
        {"Europe/Berlin", "sun", "02:30-04:00", "2026-10-25 00:30", "2026-10-25 03:00"},
        {"Europe/Berlin", "sun", "01:00-02:30", "2026-10-24 23:00", "2026-10-25 01:30"},
        {"Europe/Berlin", "sat", "22:00-06:00", "2026-10-24 20:00",
         "2026-10-25 05:00"}, /* nine hours */
        {"America/New_York", "sun", "00:00-24:00", "2026-03-08 05:00", "2026-03-09 04:00"},
        {"America/New_York", "sun", "00:00-24:00", "2026-11-01 04:00", "2026-11-02 05:00"},
        {"America/Santiago", "sun", "00:00-06:00", "2026-09-06 04:00",
         "2026-09-06 09:00"}, /* midnight is skipped */
        {"Australia/Sydney", "sun", "01:00-04:00", "2026-10-03 15:00", "2026-10-03 17:00"},
        {"Australia/Sydney", "sun", "01:00-04:00", "2026-04-04 14:00", "2026-04-04 18:00"},
        {"Africa/Kigali", "sun", "01:30-03:30", "2026-03-28 23:30", "2026-03-29 01:30"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sb b = {0};
        struct hours *h;
        int64_t from = ms(rows[i].from), to = ms(rows[i].to);

        sb_printf(&b, "{\"zone\":\"%s\",\"week\":{\"%s\":[\"%s\"]}}%c", rows[i].zone, rows[i].day,
                  rows[i].period, 0);
        h = read_hours(b.p);
        cr_expect_eq(hours_next_open_ms(h, from - 40 * HOUR), from, "row %zu: %+lld min", i,
                     (long long)(hours_next_open_ms(h, from - 40 * HOUR) - from) / 60000);
        cr_expect_eq(hours_next_close_ms(h, from), to, "row %zu: %+lld min", i,
                     (long long)(hours_next_close_ms(h, from) - to) / 60000);
        cr_expect_eq(hours_between_ms(h, from - HOUR, to + HOUR), to - from, "row %zu", i);
        hours_free(h);
        sb_fini(&b);
    }
}

Test(hours, a_period_that_does_not_happen_is_not_open)
{
    struct hours *h =
        read_hours("{\"zone\":\"Europe/Berlin\",\"week\":{\"sun\":[\"02:10-02:50\"]}}");

    cr_expect_eq(hours_next_open_ms(h, ms("2026-03-28 00:00")), ms("2026-04-05 00:10"));
    hours_free(h);
}

Test(hours, may_be_always_or_never)
{
    struct hours *all = read_hours(
        "{\"zone\":\"Europe/"
        "Berlin\",\"week\":{\"mon\":[\"00:00-24:00\"],\"tue\":[\"00:00-12:00\",\"12:00-24:00\"],"
        "\"wed\":[\"00:00-24:00\"],\"thu\":[\"00:00-24:00\"],\"fri\":[\"00:00-24:00\"],\"sat\":["
        "\"00:00-24:00\"],"
        "\"sun\":[\"00:00-24:00\"]}}");
    struct hours *none = read_hours("{\"zone\":\"Africa/Kigali\",\"week\":{}}");
    int64_t at = ms("2026-03-29 00:59");
    const struct hours *both[] = {all, NULL};

    for (int i = 0; i < 2; i++) {
        cr_expect(hours_is_open(both[i], at));
        cr_expect_eq(hours_next_close_ms(both[i], at), HOURS_NEVER);
        cr_expect_eq(hours_add_ms(both[i], at, 1000 * HOUR), at + 1000 * HOUR);
        cr_expect_eq(hours_between_ms(both[i], at, at + 9000 * HOUR), 9000 * HOUR);
        cr_expect_eq(hours_add_ms(both[i], at, 100000 * HOUR), HOURS_NEVER, "eleven years");
    }
    cr_expect_not(hours_is_open(none, at));
    cr_expect_eq(hours_next_open_ms(none, at), HOURS_NEVER);
    cr_expect_eq(hours_add_ms(none, at, 1), HOURS_NEVER);
    cr_expect_eq(hours_between_ms(none, at, at + 9000 * HOUR), 0);
    hours_free(all);
    hours_free(none);
}

/* Against the clock, minute by minute, where nothing happens twice or not at all. */
Test(hours, agrees_with_the_clock_on_the_wall)
{
    struct hours *h = read_hours(
        "{\"zone\":\"America/St_Johns\",\"week\":{\"mon\":[\"09:00-11:30\",\"12:15-18:00\"],"
        "\"thu\":[\"18:45-01:00\"],\"sun\":[\"23:00-24:00\"]}}");
    const struct zone *z = hours_zone(h);
    int64_t sum = 0, start = ms("2026-01-01 00:00"), end = ms("2027-06-01 00:00");

    for (int64_t at = start; at < end; at += 60000) {
        int64_t local = zone_local_s(z, at / 1000);
        int day = civil_weekday(local / CIVIL_DAY_S), minute = (int)(local % CIVIL_DAY_S / 60);
        bool want = (day == 0 && minute >= 540 && minute < 690) ||
                    (day == 0 && minute >= 735 && minute < 1080) || (day == 3 && minute >= 1125) ||
                    (day == 4 && minute < 60) || (day == 6 && minute >= 1380);

        cr_assert_eq(hours_is_open(h, at), want, "%lld", (long long)at);
        sum += want ? 60000 : 0;
        if (at % 7200000 == 0) cr_assert_eq(hours_between_ms(h, start, at + 60000), sum);
    }
    hours_free(h);
}
