/* Waiting commands: order over growth and wrap-around. */
#include <criterion/criterion.h>
#include "adapter/redis/ring_priv.h"

Test(redis_ring, keeps_the_order_while_it_grows_and_wraps)
{
    struct redis_ring r = {0};
    struct redis_ring_item got;
    uint64_t in = 0, out = 0;

    cr_expect_not(redis_ring_shift(&r, &got));
    cr_expect_eq(redis_ring_oldest_us(&r), 0);
    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < 300; i++)
            redis_ring_push(&r, &(struct redis_ring_item){.sent_us = ++in});
        cr_expect_eq(redis_ring_oldest_us(&r), out + 1);
        for (int i = 0; i < 150; i++) {
            cr_assert(redis_ring_shift(&r, &got));
            cr_assert_eq(got.sent_us, ++out);
        }
    }
    while (redis_ring_shift(&r, &got))
        cr_assert_eq(got.sent_us, ++out);
    cr_expect_eq(out, in);
    cr_expect_eq(r.cap, 0, "a large one is given back when it is empty");
    redis_ring_fini(&r);
}

Test(redis_ring_touch, moves_every_time)
{
    struct redis_ring r = {0};
    struct redis_ring_item got;

    for (int i = 1; i < 100; i++)
        redis_ring_push(&r, &(struct redis_ring_item){.sent_us = (uint64_t)i});
    redis_ring_touch(&r, 1000);
    while (redis_ring_shift(&r, &got))
        cr_expect_eq(got.sent_us, 1000);
    redis_ring_fini(&r);
}
