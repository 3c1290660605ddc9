#include <criterion/criterion.h>
#include "node/features/stats/stats_row.h"

Test(stats_row, is_read_as_it_was_written)
{
    static const char *const bad[] = {"", "x", "1 -2", "1  2", "99999999999999999999"};
    struct stats_row r = {.sockets = 3, .users = 4, .redis_us = 5}, got = {0};
    struct sb text = {0};

    stats_row_put(&r, &text);
    cr_expect_eq(stats_row_read(sb_view(&text), &got), OK);
    cr_expect_eq(got.sockets, 3);
    cr_expect_eq(got.users, 4);
    cr_expect_eq(got.redis_us, 5);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_eq(stats_row_read(str_z(bad[i]), &got), ERR_PROTO, "row %zu", i);
    cr_expect_eq(stats_row_read(STR("7 8"), &got), OK, "of an older node");
    cr_expect_eq(got.sockets_total, 8);
    cr_expect_eq(got.redis_us, 0);
    sb_fini(&text);
}

Test(stats_row, is_added_or_the_most_is_taken)
{
    struct stats_row sum = {.sockets = 3, .users = 4, .uptime_s = 9};

    stats_row_join(&sum, &(struct stats_row){.sockets = 2, .users = 5, .uptime_s = 1});
    cr_expect_eq(sum.sockets, 5);
    cr_expect_eq(sum.users, 5);
    cr_expect_eq(sum.uptime_s, 9);
}

Test(stats_row, is_told_as_the_pages_know_it)
{
    struct stats_cluster c = {.sum = {.sockets = 3}, .total = 10, .peak = 5};
    struct stats_row r = {.interval_ms = 2000,
                          .events = 5,
                          .events_us = 5500,
                          .deliveries = 20,
                          .redis = 3,
                          .redis_us = 300,
                          .cpu_permille = 125};
    struct sb b = {0};

    stats_put_connections(&c, &b);
    cr_expect(str_eq(sb_view(&b), STR("{\"totalConnections\":10,\"currentConnections\":3,"
                                      "\"peakConnections\":5}")));
    b.n = 0;
    c.peak_ms = 1700000000000;
    stats_put_connections(&c, &b);
    cr_expect(str_contains(sb_view(&b), STR(",\"lastPeak\":\"2023-11-14T22:13:20.000Z\"}")));
    b.n = 0;
    stats_put_rates(&r, &b);
    cr_expect(
        str_eq(sb_view(&b),
               STR("{\"eventsPerSecond\":2.5,\"deliveriesPerSecond\":10,\"errorsPerSecond\":0,"
                   "\"eventMs\":1.1,\"redisMs\":0.1,\"cpuPercent\":12.5}")),
        STR_FMT, STR_ARG(sb_view(&b)));
    b.n = 0;
    stats_put_memory(&r, &b);
    cr_expect(str_eq(sb_view(&b), STR("{\"rss\":0,\"heapTotal\":0,\"heapUsed\":0}")));
    sb_fini(&b);
}
