#include "contacts/rules/zone_priv.h"

#include <criterion/criterion.h>
#include "contacts/rules/civil.h"

Test(zone_tail, changes_in_the_right_second)
{
    struct zone_tail t;
    int64_t begin = civil_days((struct civil){2030, 3, 31}) * CIVIL_DAY_S + 3600;
    int64_t end = civil_days((struct civil){2030, 10, 27}) * CIVIL_DAY_S + 3600;

    cr_assert_eq(zone_tail_decode(STR("CET-1CEST,M3.5.0,M10.5.0/3"), &t), OK);
    cr_expect_eq(zone_tail_offset_s(&t, begin - 1), 3600);
    cr_expect_eq(zone_tail_offset_s(&t, begin), 7200);
    cr_expect_eq(zone_tail_offset_s(&t, end - 1), 7200);
    cr_expect_eq(zone_tail_offset_s(&t, end), 3600);
}

Test(zone_tail, counts_days_of_the_year_in_both_ways)
{
    struct zone_tail julian, zero;
    int64_t noon = CIVIL_DAY_S / 2;

    /* 1 March is J60 in every year, but day 59 or 60 from zero */
    cr_assert_eq(zone_tail_decode(STR("XXX0YYY,J60/0,J300/0"), &julian), OK);
    cr_assert_eq(zone_tail_decode(STR("XXX0YYY,59/0,J300/0"), &zero), OK);
    for (int year = 2027; year <= 2028; year++) {
        int64_t march = civil_days((struct civil){year, 3, 1}) * CIVIL_DAY_S;

        cr_expect_eq(zone_tail_offset_s(&julian, march + noon), 3600);
        cr_expect_eq(zone_tail_offset_s(&julian, march - noon), 0);
        cr_expect_eq(zone_tail_offset_s(&zero, march - noon), year == 2028 ? 3600 : 0);
    }
}

Test(zone_tail, takes_the_last_week_where_there_is_no_fifth)
{
    struct zone_tail t;

    cr_assert_eq(zone_tail_decode(STR("XXX0YYY,M2.5.1/0,M10.1.0/0"), &t), OK);
    cr_expect_eq(zone_tail_offset_s(&t, civil_days((struct civil){2027, 2, 22}) * CIVIL_DAY_S),
                 3600);
    cr_expect_eq(zone_tail_offset_s(&t, civil_days((struct civil){2027, 2, 21}) * CIVIL_DAY_S), 0);
}

Test(zone_tail, leaves_its_place_alone_when_it_refuses)
{
    struct zone_tail t = {.standard_s = 42};

    cr_expect_eq(zone_tail_decode(STR("CET-1,M3"), &t), ERR_PROTO);
    cr_expect_eq(t.standard_s, 42);
    cr_expect_eq(zone_tail_decode(STR(""), &t), OK);
    cr_expect_not(t.is_set);
}
