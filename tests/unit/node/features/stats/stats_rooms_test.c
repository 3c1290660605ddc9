#include <criterion/criterion.h>
#include <stdio.h>
#include "node/features/stats/stats_rooms.h"

/* Rooms from..end - 1, as one node tells them. */
static void join(struct stats_rooms_sum *sum, unsigned from, unsigned end)
{
    struct stats_rooms r = {0};
    struct sb text = {0};
    char name[32];

    for (unsigned i = from; i < end; i++) {
        snprintf(name, sizeof name, "room-%u", i);
        stats_rooms_add(&r, str_z(name));
    }
    stats_rooms_put(&r, &text);
    cr_expect_leq(text.n, 2732, "%zu bytes", text.n);
    stats_rooms_join(sum, r.count, sb_view(&text));
    sb_fini(&text);
}

Test(stats_rooms, counts_each_room_once_exactly_while_all_fit)
{
    static const struct {
        unsigned from[3], end[3], want;
    } rows[] = {
        {{0}, {0}, 0},
        {{0, 0}, {1, 1}, 1},
        {{0, 0, 0}, {4, 4, 4}, 4},
        {{0, 3, 5}, {4, 6, 9}, 9},
        {{0, 100, 400}, {512, 612, 912}, 912},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stats_rooms_sum sum = {0};

        for (int k = 0; k < 3; k++)
            join(&sum, rows[i].from[k], rows[i].end[k]);
        cr_expect_eq(stats_rooms_total(&sum), rows[i].want, "row %zu", i);
    }
}

Test(stats_rooms, is_right_within_a_few_percent_beyond_that)
{
    static const struct {
        unsigned from[2], end[2], want;
    } rows[] = {
        {{0, 0}, {100000, 100000}, 100000},
        {{0, 50000}, {100000, 150000}, 150000},
        {{0, 5000}, {5000, 10000}, 10000},
        {{0, 0}, {20000, 10}, 20000}, /* one node tells all of its own */
        {{0, 20000}, {20000, 20010}, 20010},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stats_rooms_sum sum = {0};
        double got;

        for (int k = 0; k < 2; k++)
            join(&sum, rows[i].from[k], rows[i].end[k]);
        got = (double)stats_rooms_total(&sum);
        cr_expect(got > 0.88 * rows[i].want && got < 1.12 * rows[i].want, "row %zu: %.0f", i, got);
    }
}

Test(stats_rooms, adds_what_a_node_told_no_hashes_of)
{
    static const char *const bad[] = {"", "AAA",
                                      "AAAAA===", "====", "AAAA"}; /* the last: 3 bytes */

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct stats_rooms_sum sum = {0};

        join(&sum, 0, 3);
        stats_rooms_join(&sum, 2, str_z(bad[i]));
        cr_expect_eq(stats_rooms_total(&sum), 5, "row %zu", i);
    }
}
