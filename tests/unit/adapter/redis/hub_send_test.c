/* Commands under way while slots of a real Redis Cluster move. */
#include <criterion/criterion.h>
#include <stdio.h>
#include "adapter/redis/hub_priv.h"
#include "base/metric.h"
#include "tests/unit/support/hub_fixture.h"

static struct hub_fixture f;

#define SKIP_OR_OPEN()                                                                             \
    if (!hub_fixture_open(&f)) cr_skip_test("redis-server is not installed");                      \
    cr_assert(hub_fixture_await(&f, &f.ups, 1))

static bool is_held(const struct redis_hub *h)
{
    return !list_is_empty(&h->cluster->waits);
}

static unsigned pushed;

/* Some are on their way when it returns. */
static void push_some(void)
{
    for (int i = 0; i < 40; i++) {
        char words[32];

        (void)snprintf(words, sizeof words, "RPUSH %%s %u", pushed++);
        cr_assert_eq(hub_fixture_say(&f, "{k}a", words), OK);
        if (i % 8 == 0) loop_turn(f.loop, false);
    }
}

static void expect_all_in_order(int owner)
{
    char line[16];
    const char *at;

    cr_assert(hub_fixture_await(&f, &f.replies, pushed));
    cr_expect_eq(f.errors, 0);
    at = redis_cluster_fixture_say(&f.cluster, owner, "LRANGE {k}a 0 -1");
    for (unsigned i = 0; i < pushed; i++) {
        (void)snprintf(line, sizeof line, "\r\n%u\r\n", i);
        at = strstr(at, line);
        cr_assert(at, "%u is missing, or not in its place", i);
    }
}

Test(redis_hub_send, a_slot_that_moves_keeps_the_order_of_its_commands)
{
    int from, to;

    SKIP_OR_OPEN();
    from = redis_cluster_fixture_owner(&f.cluster, "{k}a");
    to = (from + 1) % REDIS_CLUSTER_SIZE;
    push_some();
    cr_assert(hub_fixture_await(&f, &f.replies, pushed));
    push_some();
    redis_cluster_fixture_begin_move(&f.cluster, "{k}a", to);
    push_some();
    redis_cluster_fixture_move_key(&f.cluster, "{k}a", from, to);
    push_some(); /* ASK */
    cr_assert(hub_fixture_await(&f, &f.replies, pushed));
    push_some();
    redis_cluster_fixture_end_move(&f.cluster, "{k}a", to);
    push_some(); /* MOVED, while more of them come */
    push_some();
    expect_all_in_order(to);
    cr_expect_gt(metric_get(M_REDIS_REDIRECTS), 1);
    hub_fixture_close(&f);
}

/* Between two refusals of the old master somebody sends the next command. */
static void push_one_more(void *ctx, int rc, const struct redisReply *r)
{
    hub_fixture_on_reply(ctx, rc, r);
    cr_expect_eq(hub_fixture_say(ctx, "{k}a", "RPUSH %s 2"), OK);
}

Test(redis_hub_send, what_comes_in_the_middle_of_a_move_waits_for_what_came_before)
{
    char other[] = "a";
    const struct str get[] = {STR("GET"), str_of(other, 1)};
    int from, to;

    SKIP_OR_OPEN();
    from = redis_cluster_fixture_owner(&f.cluster, "{k}a");
    while (redis_cluster_fixture_owner(&f.cluster, other) != from)
        other[0]++;
    to = (from + 1) % REDIS_CLUSTER_SIZE;
    redis_cluster_fixture_end_move(&f.cluster, "{k}a", to);
    cr_expect_eq(hub_fixture_say(&f, "{k}a", "RPUSH %s 0"), OK);
    cr_expect_eq(redis_hub_send(f.hub, str_z(other), get, 2, push_one_more, &f), OK);
    cr_expect_eq(hub_fixture_say(&f, "{k}a", "RPUSH %s 1"), OK);
    pushed = 3;
    cr_assert(hub_fixture_await(&f, &f.replies, 4));
    expect_all_in_order(to);
    hub_fixture_close(&f);
}

static const struct str both_keys[] = {STR("EVAL"),
                                       STR("return redis.call('MGET', KEYS[1], KEYS[2])"), STR("2"),
                                       STR("{k}a"), STR("{k}b")};

static int ask_both_keys(void)
{
    return redis_hub_send(f.hub, both_keys[3], both_keys, 5, hub_fixture_on_reply, &f);
}

/* One of the keys has gone over, the other one has not. */
static void move_half(int *from, int *to)
{
    cr_expect_eq(hub_fixture_say(&f, "{k}a", "SET %s 1"), OK);
    cr_expect_eq(hub_fixture_say(&f, "{k}b", "SET %s 2"), OK);
    cr_assert(hub_fixture_await(&f, &f.replies, 2));
    *from = redis_cluster_fixture_owner(&f.cluster, "{k}a");
    *to = (*from + 1) % REDIS_CLUSTER_SIZE;
    redis_cluster_fixture_begin_move(&f.cluster, "{k}a", *to);
    redis_cluster_fixture_move_key(&f.cluster, "{k}a", *from, *to);
}

Test(redis_hub_send, a_script_over_a_slot_that_is_half_moved_is_tried_again)
{
    int from, to;

    SKIP_OR_OPEN();
    move_half(&from, &to);
    cr_expect_eq(ask_both_keys(), OK);
    cr_assert(hub_fixture_await_that(&f, f.hub, hub_fixture_is_waiting));
    cr_expect_eq(f.replies, 2);
    redis_cluster_fixture_move_key(&f.cluster, "{k}b", from, to);
    redis_cluster_fixture_end_move(&f.cluster, "{k}a", to);
    cr_assert(hub_fixture_await(&f, &f.replies, 3));
    cr_expect_eq(f.errors, 0);
    hub_fixture_close(&f);
}

Test(redis_hub_send, what_waits_is_answered_when_its_time_is_over_or_the_hub_closes)
{
    int from, to;

    SKIP_OR_OPEN();
    move_half(&from, &to);
    cr_expect_eq(ask_both_keys(), OK);
    cr_assert(hub_fixture_await(&f, &f.replies, 3));
    cr_expect_eq(f.errors, 1, "TRYAGAIN to the end");
    cr_expect_eq(ask_both_keys(), OK);
    cr_assert(hub_fixture_await_that(&f, f.hub, hub_fixture_is_waiting));
    hub_fixture_close(&f);
    cr_expect_eq(f.replies, 4);
}

/* The slot has moved to a server that has just died: what comes is held until that is clear. */
Test(redis_hub_send, what_waits_for_a_slot_is_bounded)
{
    static char large[65536];
    const struct str argv[] = {STR("SPUBLISH"), STR("x"), str_of(large, sizeof large)};
    unsigned taken = 1;
    int from, to, rc = OK;

    SKIP_OR_OPEN();
    memset(large, 'x', sizeof large);
    from = redis_cluster_fixture_owner(&f.cluster, "x");
    to = (from + 1) % REDIS_CLUSTER_SIZE;
    redis_cluster_fixture_end_move(&f.cluster, "x", to);
    redis_fixture_kill(&f.cluster.servers[to]);
    cr_assert(hub_fixture_await(&f, &f.downs, 1));
    cr_assert_eq(redis_hub_send(f.hub, STR("x"), argv, 3, hub_fixture_on_reply, &f), OK);
    cr_assert(hub_fixture_await_that(&f, f.hub, is_held));
    while (rc == OK && taken < 1000) {
        rc = redis_hub_send(f.hub, STR("x"), argv, 3, hub_fixture_on_reply, &f);
        taken += rc == OK;
    }
    cr_expect_eq(rc, ERR_LIMIT);
    cr_expect_eq(taken, HUB_FIXTURE_QUEUE_BYTES / sizeof large - 1);
    cr_assert(hub_fixture_await(&f, &f.replies, taken), "their time is over");
    cr_expect_eq(f.errors, taken);
    redis_fixture_start(&f.cluster.servers[to]);
    hub_fixture_close(&f);
}
