/* metric_print.c is tested with metric.c; here: what it prints stays the same when nothing happens.
 */
#include <criterion/criterion.h>
#include "base/metric.h"

Test(metric_print, printing_changes_nothing)
{
    struct sb a = {0}, b = {0};

    metric_add(M_CASTS, 1);
    metric_observe_us(M_LOOP_SECONDS, 5);
    metric_print(&a);
    metric_print(&b);
    cr_expect(str_eq(sb_view(&a), sb_view(&b)));
    cr_expect(str_contains(sb_view(&a), STR("\ningoma_loop_turn_seconds_sum 0.000005\n")));
    sb_fini(&a);
    sb_fini(&b);
}

Test(metric_print, every_metric_has_a_row_of_the_table)
{
    struct sb b = {0};
    struct str rest, line;
    int rows = 0;

    metric_print_markdown(&b);
    rest = sb_view(&b);
    while (str_next(&rest, '\n', &line))
        rows += str_starts(line, STR("| `ingoma_"));
    cr_expect_eq(rows, METRIC_COUNT);
    sb_fini(&b);
}
