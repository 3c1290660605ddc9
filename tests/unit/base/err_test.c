/* Error codes: the table is consistent with itself. */
#include <criterion/criterion.h>
#include <string.h>
#include "base/err.h"
#include "base/log.h"

Test(err, gives_wire_name_text_and_level_of_a_code)
{
    cr_expect_str_eq(err_wire(ERR_TOO_BIG), "payload_too_large");
    cr_expect_str_eq(err_text(ERR_TOO_BIG), "larger than the limit");
    cr_expect_eq(err_level(ERR_TOO_BIG), LOG_LEVEL_INFO);
    cr_expect_eq(err_level(ERR_INTERNAL), LOG_LEVEL_ERROR);
}

Test(err, knows_ok_and_admits_what_it_does_not_know)
{
    cr_expect_str_eq(err_wire(OK), "ok");
    cr_expect_str_eq(err_wire(-9999), "unknown");
    cr_expect_str_eq(err_wire(7), "unknown");
    cr_expect_not_null(err_text(-9999));
    cr_expect_eq(err_level(-9999), LOG_LEVEL_ERROR);
}

Test(err, rows_are_negative_and_differ_in_code_and_wire_name)
{
    int a, b, count = 0;

    for (unsigned i = 0; err_row(i, &a); i++, count++) {
        cr_expect_lt(a, 0, "row %u", i);
        cr_expect_gt(strlen(err_text(a)), 0, "row %u", i);
        for (unsigned k = 0; k < i; k++) {
            cr_assert(err_row(k, &b));
            cr_expect_neq(a, b, "rows %u and %u", i, k);
            cr_expect_str_neq(err_wire(a), err_wire(b), "rows %u and %u", i, k);
        }
    }
    cr_expect_geq(count, 21);
}
