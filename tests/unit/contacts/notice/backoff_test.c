#include <criterion/criterion.h>
#include "base/rand.h"
#include "contacts/notice/backoff.h"

Test(notice_backoff, waits_longer_and_longer_up_to_an_hour)
{
    static const struct {
        int64_t tries;
        uint64_t ms;
    } rows[] = {{0, 5000}, {1, 10000}, {2, 20000}, {9, 2560000}, {10, 3600000}, {1000000, 3600000}};
    uint64_t least = UINT64_MAX, most = 0;

    rand_seed_for_test(7);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int k = 0; k < 200; k++) {
            uint64_t ms = notice_backoff_ms(rows[i].tries, 0);

            cr_expect_geq(ms, rows[i].ms - rows[i].ms / 4, "row %zu", i);
            cr_expect_leq(ms, rows[i].ms + rows[i].ms / 4, "row %zu", i);
            if (i == 0 && ms < least) least = ms;
            if (i == 0 && ms > most) most = ms;
        }
    }
    cr_expect_gt(most - least, 1000, "not all come at one time");
}

Test(notice_backoff, comes_no_sooner_than_it_was_asked_to)
{
    cr_expect_geq(notice_backoff_ms(0, 120), 120000);
    cr_expect_leq(notice_backoff_ms(0, 1), 6250, "what is sooner is no matter");
    cr_expect_eq(notice_backoff_ms(0, UINT64_MAX), 86400000, "a day at the most");
}
