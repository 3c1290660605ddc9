#include "contacts/rules/hours.h"

#include <criterion/criterion.h>
#include "contacts/rules/zone.h"

Test(hours_read, says_where_and_what_is_wrong)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"[]", "an object with zone and week is wanted"},
        {"{}", "zone is missing"},
        {"{\"zone\":5}", "zone: the name of a time zone is wanted"},
        {"{\"zone\":\"Mars/Olympus\"}", "zone: \"Mars/Olympus\" is not a time zone"},
        {"{\"zone\":\"UTC\",\"zone\":\"UTC\"}", "zone: stands there twice"},
        {"{\"zone\":\"UTC\",\"days\":{}}", "\"days\" is unknown"},
        {"{\"week\":[]}", "week: an object of mon … sun is wanted"},
        {"{\"week\":{\"monday\":[]}}", "week: \"monday\" is no day"},
        {"{\"week\":{\"mon\":[],\"mon\":[]}}", "week: \"mon\" stands there twice"},
        {"{\"week\":{\"mon\":\"08:00-12:00\"}}", "week.mon: a list of periods is wanted"},
        {"{\"week\":{\"mon\":[\"08:00-12:00\",\"1-2\"]}}", "week.mon[1]: a period is wanted"},
        {"{\"week\":{\"mon\":[\"08:00-12:60\"]}}", "week.mon[0]: a period"},
        {"{\"week\":{\"mon\":[\"24:00-08:00\"]}}", "week.mon[0]: a period"},
        {"{\"week\":{\"mon\":[\"08:00-24:01\"]}}", "week.mon[0]: a period"},
        {"{\"week\":{\"mon\":[\"08:00-08:00\"]}}", "week.mon[0]: a period"},
        {"{\"week\":{\"mon\":[800]}}", "week.mon[0]: a period"},
        {"{\"week\":{\"mon\":[\"08:00-12:00\",\"11:00-13:00\"]}}",
         "week.mon[1]: begins before the end"},
        {"{\"week\":{\"mon\":[\"22:00-06:00\",\"23:00-24:00\"]}}",
         "week.mon[1]: begins before the end"},
        {"{\"holidays\":{}}", "holidays: a list is wanted"},
        {"{\"holidays\":[\"12-25\",\"02-30\"]}", "holidays[1]: a date is wanted"},
        {"{\"holidays\":[\"2027-02-29\"]}", "holidays[0]: a date is wanted"},
        {"{\"holidays\":[\"2027/02/28\"]}", "holidays[0]: a date is wanted"},
        {"{\"holidays\":[7]}", "holidays[0]: a date is wanted"},
        {"{\"holidays\":[{}]}", "holidays[0]: date is missing"},
        {"{\"holidays\":[{\"date\":1}]}", "holidays[0].date: a date is wanted"},
        {"{\"holidays\":[{\"date\":\"12-24\",\"open\":[\"x\"]}]}", "holidays[0].open[0]: a period"},
        {"{\"holidays\":[{\"day\":\"12-24\"}]}", "holidays[0]: \"day\" is unknown"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json v;
        struct hours *h = NULL;
        struct sb why = {0};

        cr_assert_eq(json_parse(str_z(rows[i].text), &v), OK, "row %zu", i);
        cr_expect_eq(hours_decode(v, zone_open, &h, &why), ERR_CONFIG, "row %zu", i);
        cr_expect(str_starts(sb_view(&why), str_z(rows[i].why)), "row %zu: " STR_FMT, i,
                  STR_ARG(why));
        cr_expect_null(h, "row %zu", i);
        cr_expect_eq(hours_decode(v, zone_open, &h, NULL), ERR_CONFIG, "row %zu", i);
        sb_fini(&why);
    }
}

Test(hours_read, bounds_what_it_takes)
{
    struct sb b = {0}, why = {0};
    struct hours *h = NULL;
    struct json v;

    sb_z(&b, "{\"zone\":\"UTC\",\"week\":{\"mon\":[");
    for (int i = 0; i < HOURS_PERIODS_MAX + 1; i++)
        sb_printf(&b, "%s\"%02d:00-%02d:30\"", i ? "," : "", i, i);
    sb_z(&b, "]}}");
    cr_assert_eq(json_parse(sb_view(&b), &v), OK);
    cr_expect_eq(hours_decode(v, zone_open, &h, &why), ERR_CONFIG);
    cr_expect(str_eq(sb_view(&why), STR("week.mon[12]: more than 12 periods")) ||
                  str_starts(sb_view(&why), STR("week.mon")),
              STR_FMT, STR_ARG(why));
    b.n = why.n = 0;
    sb_z(&b, "{\"zone\":\"UTC\",\"holidays\":[\"12-25\"");
    for (int i = 0; i < HOURS_HOLIDAYS_MAX; i++)
        sb_z(&b, ",\"01-01\"");
    sb_z(&b, "]}");
    cr_assert_eq(json_parse(sb_view(&b), &v), OK);
    cr_expect_eq(hours_decode(v, zone_open, &h, &why), ERR_CONFIG);
    cr_expect(str_eq(sb_view(&why), STR("holidays: more than 400")), STR_FMT, STR_ARG(why));
    sb_fini(&b);
    sb_fini(&why);
}

Test(hours_read, the_order_of_members_does_not_matter)
{
    struct json v;
    struct hours *h = NULL;

    cr_assert_eq(
        json_parse(STR("{\"holidays\":[{\"open\":[\"10:00-11:00\"],\"date\":\"1971-01-01\"}],"
                       "\"week\":{\"fri\":[\"08:00-09:00\"]},\"z\\u006fne\":\"UTC\"}"),
                   &v),
        OK);
    cr_assert_eq(hours_decode(v, zone_open, &h, NULL), OK);
    cr_expect(hours_is_open(h, 365LL * 86400000 + 10 * 3600000), "1971-01-01 was a Friday");
    cr_expect_not(hours_is_open(h, 365LL * 86400000 + 8 * 3600000));
    hours_free(h);
}
