#include <criterion/criterion.h>
#include "base/conf.h"
#include "node/event/rate.h"

static struct rate_limits limits(uint64_t events, uint64_t strikes)
{
    struct conf c = {.rate_events = events,
                     .rate_presence = 1,
                     .rate_typing = 1,
                     .rate_pings = 120,
                     .rate_echoes = 6000,
                     .rate_strikes = strikes};

    return rate_limits_of(&c);
}

Test(rate, gives_a_minutes_tokens_at_once_and_then_evenly)
{
    static const uint64_t sizes[] = {1, 7, 100, 6000};

    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        struct rate_limits l = limits(sizes[k], 1);
        struct rate r = {0};
        uint64_t now = 5000, wait;

        for (uint64_t i = 0; i < sizes[k]; i++)
            cr_assert_eq(rate_take(&r, &l, EVENT_RATE_EVENT, now), 0, "size %zu, token %zu", k,
                         (size_t)i);
        wait = rate_take(&r, &l, EVENT_RATE_EVENT, now);
        cr_expect_geq(wait, 1, "size %zu", k);
        cr_expect_leq(wait, 60000 / sizes[k] + 1, "size %zu", k);
        cr_expect_eq(rate_take(&r, &l, EVENT_RATE_EVENT, now + wait), 0, "size %zu: as promised",
                     k);
        cr_expect_geq(rate_take(&r, &l, EVENT_RATE_EVENT, now + wait), 1,
                      "size %zu: one and no more", k);
    }
}

Test(rate, is_full_again_after_a_minute)
{
    struct rate_limits l = limits(100, 1);
    struct rate r = {0};

    for (int i = 0; i < 100; i++)
        cr_assert_eq(rate_take(&r, &l, EVENT_RATE_EVENT, 1), 0);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(rate_take(&r, &l, EVENT_RATE_EVENT, 60001), 0, "token %d", i);
    cr_expect_eq(rate_take(&r, &l, EVENT_RATE_EVENT, 60001), 600);
}

Test(rate, keeps_classes_apart)
{
    struct rate_limits l = limits(1, 1);
    struct rate r = {0};

    cr_expect_eq(rate_take(&r, &l, EVENT_RATE_EVENT, 1), 0);
    cr_expect_neq(rate_take(&r, &l, EVENT_RATE_EVENT, 1), 0);
    cr_expect_eq(rate_take(&r, &l, EVENT_RATE_PRESENCE, 1), 0);
    cr_expect_neq(rate_take(&r, &l, EVENT_RATE_PRESENCE, 1), 0);
    cr_expect_eq(rate_take(&r, &l, EVENT_RATE_TYPING, 1), 0);
    cr_expect_neq(rate_take(&r, &l, EVENT_RATE_TYPING, 1), 0);
    cr_expect_eq(rate_take(&r, &l, EVENT_RATE_PING, 1), 0);
    cr_expect_eq(rate_take(&r, &l, EVENT_RATE_ECHO, 1), 0);
}

Test(rate, a_refusal_takes_nothing)
{
    struct rate_limits l = limits(1, 1);
    struct rate r = {0};

    cr_expect_eq(rate_take(&r, &l, EVENT_RATE_EVENT, 0), 0);
    for (int i = 0; i < 1000; i++)
        cr_assert_neq(rate_take(&r, &l, EVENT_RATE_EVENT, 59999), 0);
    cr_expect_eq(rate_take(&r, &l, EVENT_RATE_EVENT, 60000), 0);
}

Test(rate, strikes_out_at_the_limit_within_a_minute)
{
    struct rate_limits l = limits(1, 3);
    struct rate r = {0};

    cr_expect_not(rate_strike(&r, &l, 1000));
    cr_expect_not(rate_strike(&r, &l, 2000));
    cr_expect(rate_strike(&r, &l, 60999));
    cr_expect(rate_strike(&r, &l, 60999));
}

Test(rate, forgets_strikes_after_a_minute)
{
    struct rate_limits l = limits(1, 3);
    struct rate r = {0};

    cr_expect_not(rate_strike(&r, &l, 1000));
    cr_expect_not(rate_strike(&r, &l, 2000));
    cr_expect_not(rate_strike(&r, &l, 61000));
    cr_expect_not(rate_strike(&r, &l, 61001));
    cr_expect(rate_strike(&r, &l, 61002));
}
