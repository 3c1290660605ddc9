/* The timer wheel against a naive list. */
#include <criterion/criterion.h>
#include "base/rand.h"
#include "base/timer.h"

static struct timers wheel;
static uint64_t now;

struct probe {
    struct timer timer;
    uint64_t due_ms; /* 0: not set */
    uint64_t again_ms;
    int fired;
};

static void on_fire(struct timer *t)
{
    struct probe *p = (struct probe *)(void *)t;

    cr_assert_neq(p->due_ms, 0, "a timer fires that is not set");
    cr_assert_geq(now, p->due_ms, "never early");
    cr_assert_not(timer_is_set(t));
    p->due_ms = 0;
    p->fired++;
    if (!p->again_ms) return;
    timer_start(&wheel, t, now, p->again_ms);
    p->due_ms = now + p->again_ms;
}

static void start(struct probe *p, uint64_t delay)
{
    timer_start(&wheel, &p->timer, now, delay);
    p->due_ms = now + delay;
}

static void begin(uint64_t at)
{
    now = at;
    timers_init(&wheel, now);
}

Test(timer, fires_at_its_time_and_not_before)
{
    static const uint64_t delays[] = {1,     3,      4,       5,       100,      255,
                                      256,   257,    1000,    1024,    16384,    25000,
                                      60000, 262144, 1048576, 3600000, 67108864, 90000000};

    for (uint64_t at = 0; at < 1100; at += 97) {
        for (size_t i = 0; i < sizeof delays / sizeof delays[0]; i++) {
            struct probe p = {0};

            begin(at);
            timer_init(&p.timer, on_fire);
            start(&p, delays[i]);
            cr_assert_eq(wheel.count, 1);
            now = at + delays[i] - 1;
            timers_run(&wheel, now);
            cr_assert_eq(p.fired, 0, "%zu ms", (size_t)delays[i]);
            now += TIMER_TICK_MS; /* late by less than a tick */
            timers_run(&wheel, now);
            cr_assert_eq(p.fired, 1, "%zu ms from %zu", (size_t)delays[i], (size_t)at);
            cr_assert_eq(wheel.count, 0);
            cr_assert_eq(timers_next_ms(&wheel, now), UINT64_MAX);
        }
    }
}

Test(timer, can_be_stopped_and_moved)
{
    struct probe p = {0};

    begin(5);
    timer_init(&p.timer, on_fire);
    timer_stop(&wheel, &p.timer); /* not set: nothing happens */
    start(&p, 10);
    timer_stop(&wheel, &p.timer);
    cr_expect_not(timer_is_set(&p.timer));
    cr_expect_eq(timers_next_ms(&wheel, now), UINT64_MAX, "a stopped timer wakes nobody");
    start(&p, 10);
    start(&p, 5000);
    now = 5000;
    timers_run(&wheel, now);
    cr_expect_eq(p.fired, 0);
    now = 5009;
    timers_run(&wheel, now);
    cr_expect_eq(p.fired, 1);
}

Test(timer, that_starts_itself_again_waits_for_the_next_run)
{
    struct probe p = {.again_ms = 0};

    begin(8);
    timer_init(&p.timer, on_fire);
    start(&p, 0);
    p.again_ms = 1;
    now = 1000;
    timers_run(&wheel, now);
    cr_expect_eq(p.fired, 1);
    now = 1004;
    timers_run(&wheel, now);
    cr_expect_eq(p.fired, 2);
}

static struct probe pair[2];

static void stop_the_other(struct timer *t)
{
    struct probe *p = (struct probe *)(void *)t;

    p->fired++;
    timer_stop(&wheel, &pair[p == &pair[0]].timer);
}

Test(timer, may_be_stopped_by_another_of_the_same_tick)
{
    begin(0);
    for (int i = 0; i < 2; i++) {
        timer_init(&pair[i].timer, stop_the_other);
        timer_start(&wheel, &pair[i].timer, 0, 300);
    }
    timers_run(&wheel, 1000);
    cr_expect_eq(pair[0].fired + pair[1].fired, 1);
    cr_expect_eq(wheel.count, 0);
}

Test(timer, delays_beyond_the_wheel_are_exact_too)
{
    const uint64_t far = (uint64_t)TIMER_TICK_MS << 31; /* twice around the top level */
    struct probe p = {0};

    begin(123456);
    timer_init(&p.timer, on_fire);
    start(&p, far);
    for (uint64_t wait = timers_next_ms(&wheel, now); now + wait < p.due_ms;
         wait = timers_next_ms(&wheel, now)) {
        now += wait;
        timers_run(&wheel, now);
        cr_assert_eq(p.fired, 0);
    }
    now = 123456 + far;
    timers_run(&wheel, now + TIMER_TICK_MS);
    cr_expect_eq(p.fired, 1);
    start(&p, UINT64_MAX);
    cr_expect_neq(timers_next_ms(&wheel, now), UINT64_MAX);
    timer_stop(&wheel, &p.timer);
}

Test(timer, time_that_goes_back_does_no_harm)
{
    struct probe p = {0};

    begin(10000);
    timer_init(&p.timer, on_fire);
    start(&p, 20);
    timers_run(&wheel, 5000);
    cr_expect_eq(p.fired, 0);
    now = 10020;
    timers_run(&wheel, now + TIMER_TICK_MS);
    cr_expect_eq(p.fired, 1);
}

#define PROBES 200

/* Every timer due at least a tick ago has fired, none that is not due; the sleep never passes the
 * next one. */
static void check(struct probe *probes)
{
    uint64_t wait = timers_next_ms(&wheel, now), nearest = UINT64_MAX;
    unsigned set = 0;

    for (int i = 0; i < PROBES; i++) {
        struct probe *p = &probes[i];

        cr_assert_eq(timer_is_set(&p->timer), p->due_ms != 0);
        if (!p->due_ms) continue;
        set++;
        cr_assert_gt(p->due_ms + TIMER_TICK_MS, now, "late");
        if (p->due_ms < nearest) nearest = p->due_ms;
    }
    cr_assert_eq(wheel.count, set);
    if (set) {
        cr_assert_lt(wait, UINT64_MAX);
        cr_assert_leq(now + wait, nearest + TIMER_TICK_MS);
    } else {
        cr_assert_eq(wait, UINT64_MAX);
    }
}

static uint64_t some_delay(void)
{
    static const uint32_t limits[] = {2, 10, 300, 20000, 1100000, 70000000};

    return rand_below(limits[rand_below(6)]);
}

Test(timer, agrees_with_a_naive_list_under_random_use)
{
    static struct probe probes[PROBES];

    rand_seed_for_test(5);
    begin(987654321);
    for (int i = 0; i < PROBES; i++)
        timer_init(&probes[i].timer, on_fire);
    for (int step = 0; step < 30000; step++) {
        struct probe *p = &probes[rand_below(PROBES)];
        uint64_t wait = timers_next_ms(&wheel, now);

        switch (rand_below(4)) {
        case 0:
        case 1:
            start(p, some_delay());
            break;
        case 2:
            timer_stop(&wheel, &p->timer);
            p->due_ms = 0;
            break;
        default:
            now += wait != UINT64_MAX && rand_below(2) ? wait : some_delay();
            timers_run(&wheel, now);
            check(probes);
        }
    }
}

Test(timer, heartbeats_go_on_for_days)
{
    static struct probe probes[PROBES];
    const uint64_t days = 3 * 86400000ull;

    rand_seed_for_test(6);
    begin(77);
    for (int i = 0; i < PROBES; i++) {
        timer_init(&probes[i].timer, on_fire);
        probes[i].again_ms = 600000;
        start(&probes[i], rand_below(600000));
    }
    while (now < days) {
        now += timers_next_ms(&wheel, now);
        timers_run(&wheel, now);
    }
    for (int i = 0; i < PROBES; i++) {
        cr_expect(probes[i].fired >= 431 && probes[i].fired <= 433, "%d", probes[i].fired);
    }
}
