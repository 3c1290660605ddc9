#include "contacts/rules/zone.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <time.h>
#include "contacts/rules/civil.h"

static const char *const names[] = {
    "Africa/Kigali",     "Europe/Berlin",    "Europe/London",       "America/New_York",
    "America/Sao_Paulo", "Australia/Sydney", "Australia/Lord_Howe", "Pacific/Apia",
    "Africa/Casablanca", "Asia/Kathmandu",   "America/St_Johns",    "Pacific/Auckland",
    "America/Santiago",  "Europe/Dublin",    "Asia/Tehran",         "Antarctica/Troll",
};

static struct zone *open_zone(const char *name)
{
    struct zone *z = NULL;
    struct sb why = {0};

    cr_assert_eq(zone_open(str_z(name), &z, &why), OK, STR_FMT, STR_ARG(why));
    return z;
}

static int64_t at(int y, int mo, int d, int h, int mi)
{
    return civil_days((struct civil){y, mo, d}) * CIVIL_DAY_S + h * 3600 + mi * 60;
}

/* The C library has a reader of its own: a second opinion, for every 5 hours of 150 years. */
Test(zone, says_what_the_c_library_says)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct zone *z = open_zone(names[i]);

        setenv("TZ", names[i], 1);
        tzset();
        for (time_t t = -1577923200; t < 3155760000; t += 5 * 3600 + 1) {
            struct tm tm;

            cr_assert(localtime_r(&t, &tm));
            cr_assert_eq(zone_offset_s(z, t), tm.tm_gmtoff, "%s at %lld: %d, not %ld", names[i],
                         (long long)t, zone_offset_s(z, t), tm.tm_gmtoff);
        }
        zone_free(z);
    }
}

Test(zone, finds_the_moment_of_a_clock)
{
    static const struct {
        const char *zone;
        int y, mo, d, h, mi;   /* shown by the clock */
        int64_t before, after; /* seconds that UTC is behind it: earlier and later moment */
    } rows[] = {
        {"Africa/Kigali", 2026, 6, 1, 9, 0, 7200, 7200},
        {"Europe/Berlin", 2026, 1, 15, 9, 0, 3600, 3600},
        {"Europe/Berlin", 2026, 7, 15, 9, 0, 7200, 7200},
        {"Europe/Berlin", 2026, 10, 25, 2, 30, 7200, 3600}, /* happens twice */
        {"Europe/Berlin", 2026, 10, 25, 1, 59, 7200, 7200},
        {"Europe/Berlin", 2026, 10, 25, 3, 0, 3600, 3600},
        {"Europe/Berlin", 2026, 3, 29, 1, 59, 3600, 3600},
        {"Europe/Berlin", 2026, 3, 29, 3, 0, 7200, 7200},
        {"America/New_York", 2026, 11, 1, 1, 15, 14400 * -1, 18000 * -1},
        {"Australia/Lord_Howe", 2026, 4, 5, 1, 45, 39600, 37800}, /* half an hour */
        {"Europe/Berlin", 2099, 10, 25, 2, 30, 7200, 3600},       /* by the rule */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct zone *z = open_zone(rows[i].zone);
        int64_t local = at(rows[i].y, rows[i].mo, rows[i].d, rows[i].h, rows[i].mi);

        cr_expect_eq(local - zone_utc_s(z, local, false), rows[i].before, "row %zu", i);
        cr_expect_eq(local - zone_utc_s(z, local, true), rows[i].after, "row %zu", i);
        zone_free(z);
    }
}

Test(zone, jumps_over_what_does_not_happen)
{
    struct zone *z = open_zone("Europe/Berlin");

    for (int minute = 0; minute < 60; minute++) {
        int64_t local = at(2026, 3, 29, 2, minute);

        cr_expect_eq(zone_utc_s(z, local, false), at(2026, 3, 29, 1, 0));
        cr_expect_eq(zone_utc_s(z, local, true), at(2026, 3, 29, 1, 0));
    }
    zone_free(z);
    z = open_zone("Pacific/Apia"); /* 30 December 2011 was left out */
    cr_expect_eq(zone_utc_s(z, at(2011, 12, 30, 12, 0), false), at(2011, 12, 30, 10, 0));
    zone_free(z);
}

Test(zone, local_and_back_is_the_same_moment_or_its_twin)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct zone *z = open_zone(names[i]);

        for (int64_t t = at(2020, 1, 1, 0, 0); t < at(2045, 1, 1, 0, 0); t += 3 * 3600 + 1) {
            int64_t local = zone_local_s(z, t), a = zone_utc_s(z, local, false),
                    b = zone_utc_s(z, local, true);

            cr_assert(a <= t && t <= b, "%s at %lld", names[i], (long long)t);
            cr_assert(a == t || b == t, "%s at %lld", names[i], (long long)t);
        }
        zone_free(z);
    }
}

/* A file of version 2 without a change: one type of an hour, and this footer. */
static struct str file_with(struct sb *b, const char *footer, char leaps)
{
    const char head[44] = {'T', 'Z', 'i', 'f', '2', [31] = 0, [39] = 1, [43] = 4};
    const char type[10] = {0, 0, 0x0e, 0x10, 0, 0, 'C', 'E', 'T', 0};

    b->n = 0;
    for (int i = 0; i < 2; i++) {
        sb_put(b, head, sizeof head);
        b->p[b->n - 44 + 31] = i ? leaps : 0;
        sb_put(b, type, sizeof type);
        for (int k = 0; i && k < 12 * leaps; k++)
            sb_char(b, 0);
    }
    sb_z(b, footer);
    return sb_view(b);
}

Test(zone, reads_the_rule_of_the_footer)
{
    static const struct {
        const char *footer;
        int month, hour, want; /* offset at the 15th of the month in 2030, or at hour of it */
    } rows[] = {
        {"\n\n", 7, 0, 3600},
        {"\nEST5\n", 7, 0, -18000},
        {"\n<+0545>-5:45\n", 1, 0, 20700},
        {"\nCET-1CEST,M3.5.0,M10.5.0/3\n", 7, 0, 7200},
        {"\nCET-1CEST,M3.5.0,M10.5.0/3\n", 1, 0, 3600},
        {"\nAEST-10AEDT,M10.1.0,M4.1.0/3\n", 1, 0, 39600},
        {"\nAEST-10AEDT,M10.1.0,M4.1.0/3\n", 7, 0, 36000},
        {"\n<+1030>-10:30<+11>-11,M10.1.0,M4.1.0\n", 1, 0, 39600},
        {"\nXXX3YYY2,J60/0,J300/0\n", 7, 0, -7200},
        {"\nXXX3YYY2,59/0,299/0\n", 12, 0, -10800},
        {"\nIST-2IDT,M3.4.4/26,M10.5.0\n", 7, 0, 10800},
        {"\n<-02>2<-01>,M3.5.0/-1,M10.5.0/0\n", 7, 0, -3600},
        {"\nEST5EDT,0/0,J365/25\n", 1, 0, -14400}, /* summer all year */
    };
    struct sb b = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct zone *z = NULL;

        cr_assert_eq(zone_decode(file_with(&b, rows[i].footer, 0), &z), OK, "row %zu", i);
        cr_expect_eq(zone_offset_s(z, at(2030, rows[i].month, 15, rows[i].hour, 0)), rows[i].want,
                     "row %zu", i);
        zone_free(z);
    }
    sb_fini(&b);
}

Test(zone, refuses_what_is_none)
{
    static const char *const footers[] = {
        "",
        "\n",
        "CET-1\n",
        "\nCET\n",
        "\nCE-1\n",
        "\n<CET-1\n",
        "\nCET-25\n",
        "\nCET-1CEST\n",
        "\nCET-1CEST,M3.5.0\n",
        "\nCET-1CEST,M13.5.0,M10.5.0\n",
        "\nCET-1CEST,M3.6.0,M10.5.0\n",
        "\nCET-1CEST,M3.5.7,M10.5.0\n",
        "\nCET-1CEST,J0,J5\n",
        "\nCET-1CEST,M3.5.0,M10.5.0/168\n",
        "\nCET-1CEST,M3.5.0,M10.5.0x\n",
        "\nCET-1CEST,366,5\n",
    };
    struct sb b = {0};
    struct zone *z = NULL;

    for (size_t i = 0; i < sizeof footers / sizeof footers[0]; i++)
        cr_expect_eq(zone_decode(file_with(&b, footers[i], 0), &z), ERR_PROTO, "row %zu", i);
    cr_expect_eq(zone_decode(file_with(&b, "\n\n", 1), &z), ERR_CONFIG, "leap seconds");
    file_with(&b, "\nCET-1CEST,M3.5.0,M10.5.0/3\n", 0);
    for (size_t n = 0; n < b.n; n++)
        cr_expect_eq(zone_decode(str_head(sb_view(&b), n), &z), ERR_PROTO, "%zu bytes", n);
    b.p[44 + 10 + 36] = 1; /* 2^24 types */
    cr_expect_eq(zone_decode(sb_view(&b), &z), ERR_PROTO);
    cr_expect_null(z);
    sb_fini(&b);
}
