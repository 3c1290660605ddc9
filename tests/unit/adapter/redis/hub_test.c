/* The servers of a real Redis Cluster, and the map of their slots. */
#include <criterion/criterion.h>
#include <hiredis/hiredis.h>
#include "adapter/redis/hub_priv.h"
#include "base/clock.h"
#include "base/metric.h"
#include "tests/unit/support/hub_fixture.h"

static struct hub_fixture f;

#define SKIP_OR_OPEN()                                                                             \
    if (!hub_fixture_open(&f)) cr_skip_test("redis-server is not installed")

static bool is_without_seeds(const struct redis_hub *h)
{
    (void)h;
    return metric_get(M_REDIS_CONNECTED) == 2 * REDIS_CLUSTER_SIZE;
}

static bool is_all_down(const struct redis_hub *h)
{
    return !redis_hub_is_partly_up(h);
}

/* It was asked for the map and had none. */
static bool is_asked_again_later(const struct redis_hub *h)
{
    return metric_get(M_REDIS_CONNECTED) == 1 && h->cluster->is_stale &&
           list_is_linked(&h->cluster->refresh.node) && h->cluster->refused;
}

Test(redis_hub, comes_up_when_all_slots_have_a_connection)
{
    SKIP_OR_OPEN();
    cr_expect_not(redis_hub_is_up(f.hub));
    cr_expect_not(redis_hub_is_partly_up(f.hub));
    cr_assert(hub_fixture_await(&f, &f.ups, 1));
    cr_expect(redis_hub_is_up(f.hub));
    cr_assert(hub_fixture_await(&f, &f.subscriber_ups, REDIS_CLUSTER_SIZE));
    cr_expect_eq(f.maps, 1);
    cr_assert(hub_fixture_await_that(&f, f.hub, is_without_seeds), "localhost is let go");
    for (int i = 0; i < REDIS_CLUSTER_SIZE; i++) {
        static const char *const keys[] = {"a", "b", "c"}; /* of three servers */

        cr_expect_neq(redis_hub_subscriber(f.hub, str_z(keys[i])),
                      redis_hub_subscriber(f.hub, str_z(keys[(i + 1) % REDIS_CLUSTER_SIZE])));
    }
    hub_fixture_close(&f);
}

Test(redis_hub, a_command_finds_its_server_and_all_means_all)
{
    SKIP_OR_OPEN();
    cr_assert(hub_fixture_await(&f, &f.ups, 1));
    for (char key[] = "a"; key[0] <= 'z'; key[0]++)
        cr_expect_eq(hub_fixture_say(&f, key, "INCR %s"), OK);
    cr_assert(hub_fixture_await(&f, &f.replies, 26));
    cr_expect_eq(f.errors, 0);
    cr_expect_eq(metric_get(M_REDIS_REDIRECTS), 0, "the map was right");
    f.replies = 0;
    cr_expect_eq(redis_hub_send_all(f.hub, &STR("PING"), 1, hub_fixture_on_reply, &f),
                 REDIS_CLUSTER_SIZE);
    cr_assert(hub_fixture_await(&f, &f.replies, REDIS_CLUSTER_SIZE));
    hub_fixture_close(&f);
}

Test(redis_hub, a_server_that_dies_takes_its_own_slots_only)
{
    int owner;

    SKIP_OR_OPEN();
    cr_assert(hub_fixture_await(&f, &f.ups, 1));
    cr_assert(hub_fixture_await(&f, &f.subscriber_ups, REDIS_CLUSTER_SIZE));
    owner = redis_cluster_fixture_owner(&f.cluster, "a");
    redis_fixture_kill(&f.cluster.servers[owner]);
    cr_assert(hub_fixture_await(&f, &f.downs, 1));
    cr_assert(hub_fixture_await(&f, &f.subscriber_downs, 1));
    cr_expect_not(redis_hub_is_up(f.hub));
    cr_expect(redis_hub_is_partly_up(f.hub));
    cr_expect_eq(hub_fixture_say(&f, "a", "GET %s"), ERR_UNAVAILABLE);
    cr_expect_eq(hub_fixture_say(&f, "b", "PUBLISH %s x"), OK);
    cr_assert(hub_fixture_await(&f, &f.replies, 1));
    redis_fixture_start(&f.cluster.servers[owner]);
    cr_assert(hub_fixture_await(&f, &f.ups, 2));
    cr_expect_eq(hub_fixture_say(&f, "a", "PUBLISH %s x"), OK);
    cr_assert(hub_fixture_await(&f, &f.replies, 2));
    hub_fixture_close(&f);
}

/* All servers come back at other places, as pods do; only the names of REDIS_URL still hold. */
Test(redis_hub, seeds_are_asked_again_when_nobody_is_left)
{
    SKIP_OR_OPEN();
    cr_assert(hub_fixture_await(&f, &f.ups, 1));
    for (int i = 0; i < REDIS_CLUSTER_SIZE; i++)
        redis_fixture_kill(&f.cluster.servers[i]);
    cr_assert(hub_fixture_await_that(&f, f.hub, is_all_down));
    for (int i = 0; i < REDIS_CLUSTER_SIZE; i++)
        redis_fixture_start(&f.cluster.servers[i]);
    cr_assert(hub_fixture_await(&f, &f.ups, 2));
    hub_fixture_close(&f);
}

Test(redis_hub, a_server_without_cluster_support_is_said_to_be_one)
{
    SKIP_OR_OPEN();
    hub_fixture_close(&f);
    cr_assert(hub_fixture_open_plain(&f));
    cr_assert(hub_fixture_await_that(&f, f.hub, is_asked_again_later));
    cr_expect_eq(f.ups, 0);
    cr_expect_not(redis_hub_is_partly_up(f.hub));
    hub_fixture_close(&f);
}

Test(redis_hub, a_moved_slot_is_followed_at_once_and_the_map_read_again)
{
    int from, to;

    SKIP_OR_OPEN();
    cr_assert(hub_fixture_await(&f, &f.ups, 1));
    from = redis_cluster_fixture_owner(&f.cluster, "a");
    to = (from + 1) % REDIS_CLUSTER_SIZE;
    redis_cluster_fixture_end_move(&f.cluster, "a", to);
    cr_expect_eq(hub_fixture_say(&f, "a", "INCR %s"), OK);
    cr_assert(hub_fixture_await(&f, &f.replies, 1));
    cr_expect_eq(f.errors, 0);
    cr_expect_eq(metric_get(M_REDIS_REDIRECTS), 1);
    cr_expect_eq(hub_fixture_say(&f, "a", "INCR %s"), OK);
    cr_assert(hub_fixture_await(&f, &f.replies, 2));
    cr_expect_eq(metric_get(M_REDIS_REDIRECTS), 1, "known by now");
    cr_expect_eq(f.downs, 0);
    hub_fixture_close(&f);
}
