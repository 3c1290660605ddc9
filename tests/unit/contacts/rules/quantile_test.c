#include "contacts/rules/quantile.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static uint64_t state = 7;

static int64_t below(int64_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((state >> 33) % (uint64_t)n);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

Test(quantile, is_exact_for_few)
{
    struct quantile q = {0};

    cr_expect_eq(quantile_at(&q, 50), -1);
    quantile_add(&q, 7);
    cr_expect_eq(quantile_at(&q, 1), 7);
    cr_expect_eq(quantile_at(&q, 100), 7);
    quantile_add(&q, 3);
    cr_expect_eq(quantile_at(&q, 50), 3);
    cr_expect_eq(quantile_at(&q, 51), 7);
    quantile_add(&q, -5);
    cr_expect_eq(quantile_at(&q, 1), 0);
    quantile_fini(&q);
    for (int64_t i = QUANTILE_EXACT; i >= 1; i--)
        quantile_add(&q, i * 1000003);
    cr_expect_eq(quantile_at(&q, 50), QUANTILE_EXACT / 2 * 1000003LL);
    cr_expect_eq(quantile_at(&q, 90), 461 * 1000003LL);
    quantile_fini(&q);
}

/* Times from a millisecond to a year, most of them small. */
Test(quantile, is_within_one_percent_for_many)
{
    enum { N = 20000 };
    static int64_t all[N];
    struct quantile q = {0};

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++) {
            all[i] = (int64_t)exp((double)below(23500) / 1000.0) + (round == 1 ? 0 : below(50));
            quantile_add(&q, all[i]);
        }
        qsort(all, N, sizeof *all, compare);
        for (int percent = 1; percent <= 100; percent++) {
            int64_t want = all[(N * percent + 99) / 100 - 1], got = quantile_at(&q, percent);

            cr_expect(llabs(got - want) * 100 <= want + 100, "p%d: %lld, not %lld", percent,
                      (long long)got, (long long)want);
        }
        quantile_fini(&q);
    }
}

Test(quantile, parts_merge_to_the_whole)
{
    static const int sizes[][2] = {{0, 0},   {3, 0},   {0, 3},    {300, 300},
                                   {600, 5}, {5, 600}, {700, 800}};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct quantile whole = {0}, a = {0}, b = {0};

        for (int k = 0; k < sizes[i][0] + sizes[i][1]; k++) {
            int64_t v = below(1000000);

            quantile_add(&whole, v);
            quantile_add(k < sizes[i][0] ? &a : &b, v);
        }
        quantile_merge(&a, &b);
        cr_expect_eq(a.count, whole.count);
        for (int percent = 1; percent <= 100; percent++)
            cr_expect_eq(quantile_at(&a, percent), quantile_at(&whole, percent), "row %zu p%d", i,
                         percent);
        quantile_fini(&whole);
        quantile_fini(&a);
        quantile_fini(&b);
    }
}

Test(quantile, takes_any_number)
{
    struct quantile q = {0};

    for (int i = 0; i < QUANTILE_EXACT + 1; i++)
        quantile_add(&q, INT64_MAX);
    cr_expect_gt(quantile_at(&q, 50), 900000000000LL, "as large as the last bucket");
    quantile_fini(&q);
    for (int i = 0; i < QUANTILE_EXACT + 1; i++)
        quantile_add(&q, 1);
    cr_expect_eq(quantile_at(&q, 50), 1);
    quantile_fini(&q);
}
