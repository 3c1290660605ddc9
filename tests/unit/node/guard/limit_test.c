#include "tests/unit/support/fake_guard.inc"

#include <stdio.h>
#include <time.h>
#include "node/event/rate.h"
#include "node/guard/limit.h"

static struct limits *l;

static void open_limits(uint64_t user_events, uint64_t ip_events)
{
    guard.conf.rate_user_events = user_events;
    guard.conf.rate_ip_events = ip_events;
    l = limits_new(guard.loop, &guard.conf, STR_NONE);
    limits_attach(l, guard_adapter());
}

static void down(void)
{
    if (l) limits_free(l);
    guard_down();
}

TestSuite(limit, .init = guard_up, .fini = down);

static struct limit_share *join(enum limit_kind kind, const char *name)
{
    struct limit_share *s;

    cr_assert_eq(limit_join(l, kind, str_z(name), &s), OK);
    return s;
}

Test(limit, asks_nobody_far_from_the_limit)
{
    struct limit_share *u, *ip;

    open_limits(600, 6000);
    u = join(LIMIT_USER, "u7");
    ip = join(LIMIT_IP, "192.0.2.1");
    for (int minute = 0; minute < 10; minute++) {
        for (int i = 0; i < 30; i++) { /* a twentieth of the user's minute */
            cr_expect_eq(limit_take(l, u), 0);
            cr_expect_eq(limit_take(l, ip), 0);
        }
        clock_advance(60000);
    }
    cr_expect_eq(guard.count, 0, "no command to Redis");
    cr_expect_eq(metric_get(M_LIMIT_LEASES), 0);
}

Test(limit, leases_chunks_ahead_of_their_use)
{
    struct limit_share *u;
    unsigned calls = 0;

    open_limits(600, 0);
    u = join(LIMIT_USER, "u7");
    for (int i = 0; i < 300; i++) {
        cr_assert_eq(limit_take(l, u), 0, "event %d", i);
        if (!guard.count) continue;
        calls++;
        if (calls == 1) cr_expect_str_eq(guard_take(&guard.scripts), "limit_lease 30 30 600\n");
        guard.scripts.n = 0;
        guard_answer(OK, "30", "0", NULL);
    }
    cr_expect_leq(calls, 12, "one command a chunk: %u", calls);
}

Test(limit, reports_what_it_used_while_the_answer_was_on_its_way)
{
    struct limit_share *u;

    open_limits(600, 0);
    u = join(LIMIT_USER, "u7");
    for (int i = 0; i < 31 + 10; i++) /* 30 free, one that asks, and 10 on credit */
        cr_expect_eq(limit_take(l, u), 0);
    cr_expect_str_eq(guard_take(&guard.scripts), "limit_lease 30 30 600\n");
    guard_answer(OK, "1", "0", NULL);
    cr_expect_eq(limit_take(l, u), 0);
    cr_expect_str_eq(guard_take(&guard.scripts), "limit_lease 11 30 600\n");
}

Test(limit, gives_a_chunk_of_credit_and_no_more)
{
    struct limit_share *u;
    unsigned passed = 0;

    open_limits(600, 0);
    u = join(LIMIT_USER, "u7");
    while (passed < 1000 && limit_take(l, u) == 0)
        passed++;
    cr_expect_eq(passed, 60, "30 free and 30 on credit: %u", passed);
    cr_expect_eq(guard.count, 1);
}

Test(limit, waits_as_long_as_redis_says_without_asking_again)
{
    struct limit_share *u;

    open_limits(600, 0);
    u = join(LIMIT_USER, "u7");
    for (int i = 0; i < 31; i++)
        cr_expect_eq(limit_take(l, u), 0);
    guard_answer(OK, "0", "700", NULL);
    for (int i = 0; i < 50; i++)
        cr_expect_eq(limit_take(l, u), 700);
    cr_expect_eq(guard.count, 0);
    cr_expect_eq(metric_get_at(M_LIMIT_REFUSED, 0), 50);
    clock_advance(700);
    cr_expect_eq(limit_take(l, u), 0);
    cr_expect_eq(guard.count, 1);
}

Test(limit, has_its_own_bucket_when_redis_is_away_or_fails)
{
    for (int away = 0; away < 2; away++) {
        struct limit_share *u;
        unsigned passed = 0;

        open_limits(60, 0);
        guard.is_connected = away == 0;
        u = join(LIMIT_USER, "u7");
        for (int i = 0; i < 100; i++) {
            if (limit_take(l, u) == 0) passed++;
            if (guard.count) guard_answer(ERR_TIMEOUT, NULL, NULL, NULL);
        }
        cr_expect_eq(passed, 60, "round %d: %u", away, passed);
        cr_expect_leq(metric_get(M_LIMIT_LEASES), 1, "a failing Redis is not asked at once again");
        limits_free(l);
    }
    l = NULL;
}

Test(limit, shares_the_free_part_with_the_other_nodes)
{
    struct limit_share *u;

    guard.nodes = 3;
    open_limits(600, 0);
    u = join(LIMIT_USER, "u7");
    for (int i = 0; i < 10; i++)
        cr_expect_eq(limit_take(l, u), 0);
    cr_expect_eq(guard.count, 0);
    cr_expect_eq(limit_take(l, u), 0);
    cr_expect_str_eq(guard_take(&guard.scripts), "limit_lease 10 30 600\n");
}

Test(limit, counts_sockets)
{
    struct limit_share *a, *b, *c;

    guard.conf.max_connections_per_user = 2;
    open_limits(600, 600);
    a = join(LIMIT_USER, "u7");
    b = join(LIMIT_USER, "u7");
    cr_expect_eq(a, b);
    cr_expect_eq(limit_join(l, LIMIT_USER, STR("u7"), &c), ERR_LIMIT);
    cr_expect_null(c);
    cr_expect_eq(limit_join(l, LIMIT_USER, STR("u8"), &c), OK);
    limit_leave(l, a);
    cr_expect_eq(limit_join(l, LIMIT_USER, STR("u7"), &c), OK);
    limit_leave(l, NULL);
}

Test(limit, remembers_for_a_minute_who_has_left)
{
    struct limit_share *u;
    unsigned passed = 0;

    open_limits(60, 0);
    guard.is_connected = false;
    for (int i = 0; i < 100; i++) { /* a socket an event */
        u = join(LIMIT_USER, "u7");
        passed += limit_take(l, u) == 0;
        limit_leave(l, u);
    }
    cr_expect_eq(passed, 60);
    cr_expect_eq(limits_count(l), 1);
    guard_wait(59000);
    cr_expect_eq(limits_count(l), 1);
    guard_wait(6000);
    cr_expect_eq(limits_count(l), 0);
}

Test(limit, spares_exempt_addresses)
{
    static char exempt[] = "127.0.0.0/8";
    struct limit_share *s;

    guard.conf.limits_exempt = exempt;
    guard.conf.max_connections_per_ip = 1;
    guard.conf.handshakes_per_ip = 1;
    open_limits(600, 1);
    for (int i = 0; i < 10; i++) {
        cr_expect_eq(limit_join(l, LIMIT_IP, STR("127.0.0.1"), &s), OK);
        cr_expect_null(s);
        cr_expect_eq(limit_take(l, s), 0);
        cr_expect_eq(limit_handshake(l, STR("127.0.0.1")), 0);
    }
    cr_expect(limits_is_exempt(l, STR("127.0.0.1")));
    cr_expect_not(limits_is_exempt(l, STR("128.0.0.1")));
}

Test(limit, counts_handshakes_of_an_address_and_of_the_node)
{
    unsigned passed = 0;

    guard.conf.handshakes_per_ip = 20;
    open_limits(0, 0);
    for (int i = 0; i < 30; i++)
        passed += limit_handshake(l, STR("192.0.2.1")) == 0;
    cr_expect_eq(passed, 20);
    cr_expect_eq(limit_handshake(l, STR("192.0.2.1")), 3000);
    cr_expect_eq(limit_handshake(l, STR("192.0.2.2")), 0);
    guard.conf.handshakes_per_second = 5;
    passed = 0;
    for (int i = 0; i < 30; i++) {
        char address[20];

        snprintf(address, sizeof address, "192.0.3.%d", i);
        passed += limit_handshake(l, str_z(address)) == 0;
    }
    cr_expect_eq(passed, 5);
    clock_advance(200);
    cr_expect_eq(limit_handshake(l, STR("192.0.2.9")), 0);
}

Test(limit, may_be_freed_while_redis_is_asked)
{
    struct limit_share *u;

    open_limits(20, 0);
    u = join(LIMIT_USER, "u7");
    for (int i = 0; i < 3; i++)
        (void)limit_take(l, u);
    cr_expect_eq(guard.count, 1);
    limits_free(l);
    l = NULL;
    guard_answer(OK, "5", "0", NULL);
}

Test(limit, buckets_of_another_program_are_others)
{
    struct limit_share *u;

    open_limits(600, 0);
    limits_free(l);
    l = limits_new(guard.loop, &guard.conf, STR("contacts:"));
    limits_attach(l, guard_adapter());
    u = join(LIMIT_USER, "u7");
    for (int i = 0; i < 31; i++)
        cr_expect_eq(limit_take(l, u), 0);
    cr_expect_str_eq(guard_take(&guard.keys), "ingoma:{limit:contacts:user:u7}:bucket\n");
}

static uint64_t own_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* All that an event pays far from the limits: the socket's bucket, the user's and the address'. */
Test(limit, takes_a_microsecond_and_no_command_far_from_the_limit)
{
    enum { EVENTS = 10000, TRIES = 10 };
    struct rate_limits limits;
    struct rate rate = {0};
    struct limit_share *u, *ip;
    uint64_t least = UINT64_MAX;

    guard.conf.rate_events = 1000000;
    guard.conf.rate_presence = guard.conf.rate_typing = guard.conf.rate_pings = 1;
    guard.conf.rate_echoes = guard.conf.rate_strikes = 1;
    limits = rate_limits_of(&guard.conf);
    open_limits(1000000, 1000000);
    u = join(LIMIT_USER, "u7");
    ip = join(LIMIT_IP, "192.0.2.1");
    for (int i = 0; i < TRIES; i++) { /* processor time: the machine may be busy */
        uint64_t start = own_ns(), refused = 0, took;

        for (int k = 0; k < EVENTS; k++)
            refused += rate_take(&rate, &limits, EVENT_RATE_EVENT, clock_ms()) + limit_take(l, u) +
                       limit_take(l, ip);
        took = own_ns() - start;
        if (took < least) least = took;
        cr_expect_eq(refused, 0);
        clock_advance(60000);
    }
    cr_expect_leq(least / EVENTS, 1000, "%llu ns", (unsigned long long)least / EVENTS);
    cr_expect_eq(guard.count, 0, "no command to Redis");
}
