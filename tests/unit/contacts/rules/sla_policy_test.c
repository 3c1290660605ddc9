#include "contacts/rules/sla.h"

#include <criterion/criterion.h>

Test(sla_policy, reads_its_settings)
{
    struct json v;
    struct sla_policy p;

    cr_assert_eq(
        json_parse(
            STR("{\"priorities\":{\"urgent\":{\"firstMinutes\":15,\"nextMinutes\":30,"
                "\"resolveMinutes\":240},\"low\":{}},\"warnPercent\":50,\"waitAfterReply\":false}"),
            &v),
        OK);
    cr_assert_eq(sla_policy_decode(v, &p, NULL), OK);
    cr_expect_eq(p.target_ms[SLA_URGENT][SLA_FIRST], 900000);
    cr_expect_eq(p.target_ms[SLA_URGENT][SLA_NEXT], 1800000);
    cr_expect_eq(p.target_ms[SLA_URGENT][SLA_RESOLVE], 14400000);
    cr_expect_eq(p.target_ms[SLA_LOW][SLA_FIRST], 0);
    cr_expect_eq(p.target_ms[SLA_NORMAL][SLA_FIRST], 0);
    cr_expect_eq(p.warn_percent, 50);
    cr_expect_not(p.is_waiting_after_reply);
    cr_assert_eq(json_parse(STR("{}"), &v), OK);
    cr_assert_eq(sla_policy_decode(v, &p, NULL), OK);
    cr_expect_eq(p.target_ms[SLA_URGENT][SLA_FIRST], 0);
    cr_expect_eq(p.warn_percent, 80);
    cr_expect(p.is_waiting_after_reply);
}

Test(sla_policy, says_where_and_what_is_wrong)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"[]", "an object with priorities"},
        {"{\"priority\":{}}", "\"priority\" is unknown"},
        {"{\"priorities\":[]}", "priorities: an object is wanted"},
        {"{\"priorities\":{\"huge\":{}}}", "priorities: \"huge\" is unknown"},
        {"{\"priorities\":{\"high\":5}}", "priorities.high: an object is wanted"},
        {"{\"priorities\":{\"high\":{\"first\":5}}}", "priorities.high: \"first\" is unknown"},
        {"{\"priorities\":{\"high\":{\"firstMinutes\":0}}}",
         "priorities.high.firstMinutes: whole minutes"},
        {"{\"priorities\":{\"high\":{\"nextMinutes\":1.5}}}",
         "priorities.high.nextMinutes: whole minutes"},
        {"{\"priorities\":{\"high\":{\"nextMinutes\":525601}}}",
         "priorities.high.nextMinutes: whole minutes"},
        {"{\"priorities\":{\"high\":{\"resolveMinutes\":\"5\"}}}",
         "priorities.high.resolveMinutes: whole"},
        {"{\"warnPercent\":100}", "warnPercent: a number from 1 to 99"},
        {"{\"waitAfterReply\":1}", "waitAfterReply: true or false"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json v;
        struct sla_policy p = {.warn_percent = 42};
        struct sb why = {0};

        cr_assert_eq(json_parse(str_z(rows[i].text), &v), OK, "row %zu", i);
        cr_expect_eq(sla_policy_decode(v, &p, &why), ERR_CONFIG, "row %zu", i);
        cr_expect(str_starts(sb_view(&why), str_z(rows[i].why)), "row %zu: " STR_FMT, i,
                  STR_ARG(why));
        cr_expect_eq(p.warn_percent, 42, "row %zu", i);
        cr_expect_eq(sla_policy_decode(v, &p, NULL), ERR_CONFIG, "row %zu", i);
        sb_fini(&why);
    }
}

Test(sla_policy, names_are_each_others_inverse)
{
    for (int i = 0; i < SLA_PRIORITIES; i++) {
        enum sla_priority p;

        cr_expect(sla_priority_of(str_z(sla_priority_name((enum sla_priority)i)), &p));
        cr_expect_eq((int)p, i);
    }
    enum sla_priority p = SLA_HIGH;
    cr_expect_not(sla_priority_of(STR("High"), &p));
    cr_expect_eq(p, SLA_HIGH);
    cr_expect_str_eq(sla_clock_name(SLA_RESOLVE), "resolve");
}
