#include "contacts/rules/csat.h"

#include <criterion/criterion.h>

Test(csat, takes_one_to_five_with_a_comment)
{
    struct str comment = STR("  quick \n"), bad = STR("\x1b"), none = STR_NONE;
    static char many[CSAT_COMMENT_MAX + 1];
    struct str too_long = {many, sizeof many};

    memset(many, 'x', sizeof many);
    cr_expect_eq(csat_check(5, &comment), OK);
    cr_expect(str_eq(comment, STR("quick")));
    cr_expect_eq(csat_check(1, &none), OK);
    cr_expect_eq(csat_check(0, &none), ERR_SCHEMA);
    cr_expect_eq(csat_check(6, &none), ERR_SCHEMA);
    cr_expect_eq(csat_check(3, &bad), ERR_SCHEMA);
    cr_expect_eq(csat_check(3, &too_long), ERR_TOO_BIG);
}

Test(csat, is_given_once_for_each_end)
{
    cr_expect_eq(csat_may(false, 0, 0), ERR_CLOSED);
    cr_expect_eq(csat_may(true, 1000, 0), OK);
    cr_expect_eq(csat_may(true, 1000, 1000), ERR_EXISTS);
    cr_expect_eq(csat_may(true, 1000, 1500), ERR_EXISTS);
    cr_expect_eq(csat_may(false, 1000, 1500), ERR_CLOSED, "opened again");
    cr_expect_eq(csat_may(true, 2000, 1500), OK, "and resolved again");
}

Test(csat, sums_and_averages)
{
    struct csat_sum a = {0}, b = {0};
    struct sb out = {0};

    csat_put(&a, &out);
    cr_expect(str_eq(sb_view(&out), STR("{\"count\":0,\"average\":null,\"scores\":[0,0,0,0,0]}")));
    out.n = 0;
    csat_add(&a, 4);
    csat_add(&a, 4);
    csat_add(&a, 9); /* is none */
    csat_add(&b, 5);
    csat_merge(&a, &b);
    cr_expect_eq(csat_count(&a), 3);
    cr_expect_eq(csat_average_100(&a), 433);
    csat_put(&a, &out);
    cr_expect(str_eq(sb_view(&out), STR("{\"count\":3,\"average\":4.33,\"scores\":[0,0,0,2,1]}")),
              STR_FMT, STR_ARG(out));
    b = (struct csat_sum){{1, 0, 0, 0, 0}};
    cr_expect_eq(csat_average_100(&b), 100);
    sb_fini(&out);
}
