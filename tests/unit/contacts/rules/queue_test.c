#include "contacts/rules/queue.h"

#include <criterion/criterion.h>
#include "contacts/rules/sla.h"

Test(queue, tells_place_times_handling_over_free_places)
{
    static const struct {
        int64_t position, handling_ms, agents, places, want;
    } rows[] = {
        {1, 60000, 1, 1, 60},  {3, 60000, 2, 2, 90},         {1, 1, 1, 5, 1},
        {4, 60000, 2, 0, 240}, /* all are busy: one at a time */
        {1, 0, 1, 1, 300},     /* nothing is known yet */
        {2, 60000, 0, 0, -1},  /* nobody is there */
        {0, 60000, 1, 1, 60},  {5000, 3600000, 1, 1, 86400}, {INT64_MAX, INT64_MAX, 1, 1, 86400},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(
            queue_eta_s(rows[i].position, rows[i].handling_ms, rows[i].agents, rows[i].places),
            rows[i].want, "row %zu", i);
}

Test(queue, nobody_in_front_is_told_more)
{
    for (int64_t handling = 1; handling < 4000000; handling = handling * 3 + 7)
        for (int64_t places = 0; places < 8; places++)
            for (int64_t position = 1; position < 60; position++) {
                int64_t eta = queue_eta_s(position, handling, 1, places);

                cr_assert_leq(eta, queue_eta_s(position + 1, handling, 1, places));
                cr_assert_geq(eta, queue_eta_s(position, handling, 1, places + 1));
                cr_assert(eta >= 1 && eta <= QUEUE_ETA_MAX_S);
            }
}

Test(queue, the_average_follows_and_forgets)
{
    int64_t ms = queue_handling_ms(0, 100000);

    cr_expect_eq(ms, 100000, "the first is all that is known");
    for (int i = 0; i < 3; i++)
        ms = queue_handling_ms(ms, 200000);
    cr_expect(ms > 145000 && ms < 155000, "%lld", (long long)ms);
    for (int i = 0; i < 60; i++)
        ms = queue_handling_ms(ms, 0);
    cr_expect(ms >= 1 && ms <= 10, "it never becomes unknown again: %lld", (long long)ms);
    cr_expect_eq(queue_handling_ms(0, INT64_MAX), 86400000, "a week is no measure");
    cr_expect_eq(queue_handling_ms(0, -5), 1);
}

Test(queue, orders_by_priority_then_who_was_put_back)
{
    int64_t before = -1;

    for (int priority = SLA_URGENT; priority >= SLA_LOW; priority--)
        for (int is_new = 0; is_new < 2; is_new++) {
            cr_expect_gt(queue_rank(priority, !is_new), before);
            before = queue_rank(priority, !is_new);
        }
}
