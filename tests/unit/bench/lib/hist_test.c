/* The histogram of bench/: exact where values are small, within 3.2 % where they are not. */
#include "bench/lib/hist.h"

#include <criterion/criterion.h>

static struct hist h;

Test(hist, percentiles_of_small_values_are_exact)
{
    static const struct {
        unsigned permille;
        uint64_t want;
    } rows[] = {{0, 1}, {1, 1}, {500, 25}, {950, 48}, {990, 50}, {1000, 50}};

    hist_reset(&h);
    for (uint64_t v = 1; v <= 50; v++)
        hist_add(&h, v);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_assert_eq(hist_at(&h, rows[i].permille), rows[i].want, "row %zu: %lu", i,
                     hist_at(&h, rows[i].permille));
    cr_assert_eq(h.count, 50);
    cr_assert_eq(h.max, 50);
}

Test(hist, large_values_are_never_understated_and_at_most_3_2_percent_over)
{
    for (uint64_t v = 1; v < UINT64_C(1) << 62; v += v / 7 + 1) {
        hist_reset(&h);
        hist_add(&h, v);
        hist_add(&h, UINT64_MAX);
        cr_assert_geq(hist_at(&h, 500), v);
        cr_assert_leq(hist_at(&h, 500) - v, v / 31, "value %lu", v);
    }
}

Test(hist, every_value_falls_between_its_neighbours_over_the_borders_of_buckets)
{
    for (unsigned bit = 1; bit < 63; bit++) {
        uint64_t border = UINT64_C(1) << bit;

        hist_reset(&h);
        hist_add(&h, border - 1);
        hist_add(&h, border);
        hist_add(&h, UINT64_MAX);
        cr_assert_lt(hist_at(&h, 333), border);
        cr_assert_geq(hist_at(&h, 666), border);
    }
}

Test(hist, the_largest_value_caps_every_percentile_and_the_whole_range_fits)
{
    hist_reset(&h);
    hist_add(&h, 1000001);
    cr_assert_eq(hist_at(&h, 500), 1000001);
    hist_add(&h, UINT64_MAX);
    hist_add(&h, 0);
    cr_assert_eq(hist_at(&h, 1000), UINT64_MAX);
    cr_assert_eq(hist_at(&h, 1), 0);
}

Test(hist, an_empty_one_answers_zero)
{
    hist_reset(&h);
    cr_assert_eq(hist_at(&h, 990), 0);
}
