/* Nodes over a real Redis Cluster of three servers: slots that move, servers that die. What every
 * driver promises is in contract_test.c and requests_test.c, over a Redis Cluster too. */
#include <criterion/criterion.h>
#include <stdio.h>
#include "tests/unit/support/adapter_fixture.h"

#define ROOMS 60

static struct adapter_fixture f;

#define SKIP_OR_OPEN()                                                                             \
    if (!adapter_fixture_open_with(&f, "redis-sharded cluster"))                                   \
    cr_skip_test("redis-server is not installed")

static void join(int count)
{
    for (int i = 0; i < count; i++)
        adapter_fixture_join(&f, i, "/");
    cr_assert(adapter_fixture_await_all(&f, count));
}

static void publish(int i, const char *room, const char *array)
{
    struct str name = str_z(room);

    adapter_publish(f.nodes[i].adapter,
                    &(struct adapter_cast){
                        .nsp = STR("/"), .array = str_z(array), .rooms = &name, .rooms_count = 1});
}

static void on_ready(void *ctx)
{
    ++*(unsigned *)ctx;
}

static void await_room(int i, const char *name)
{
    unsigned ready = 0;

    adapter_room_open(f.nodes[i].adapter, STR("/"), str_z(name));
    adapter_room_ready(f.nodes[i].adapter, STR("/"), str_z(name), on_ready, &ready);
    cr_assert(adapter_fixture_await(&f, &ready, 1, 0));
}

static const char *channel_of(int room)
{
    static char channel[48];

    (void)snprintf(channel, sizeof channel, "socket.io#/#room-%d#", room);
    return channel;
}

static const char *name_of(int room)
{
    static char name[16];

    (void)snprintf(name, sizeof name, "room-%d", room);
    return name;
}

static int heard_at;
static const char *heard;

static bool is_heard_there(void)
{
    const struct str argv[] = {STR("PUBSUB"), STR("SHARDNUMSUB"), str_z(heard)};

    return str_contains(str_z(redis_fixture_say(&f.cluster.servers[heard_at], argv, 3)),
                        STR("\r\n:1\r\n"));
}

static void await_heard(const char *channel, int server)
{
    heard = channel;
    heard_at = server;
    cr_assert(adapter_fixture_await_that(&f, is_heard_there), "%s", channel);
}

Test(redis_cluster, rooms_of_all_servers_are_heard)
{
    unsigned seen[REDIS_CLUSTER_SIZE] = {0};

    SKIP_OR_OPEN();
    join(2);
    for (int i = 0; i < ROOMS; i++) {
        await_room(1, name_of(i));
        seen[redis_cluster_fixture_owner(&f.cluster, channel_of(i))]++;
        publish(0, name_of(i), "[\"x\"]");
    }
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, ROOMS, 0));
    for (int i = 0; i < REDIS_CLUSTER_SIZE; i++)
        cr_expect_gt(seen[i], 0, "server %d", i);
    cr_expect_eq(metric_get(M_REDIS_REDIRECTS), 0);
    adapter_fixture_close(&f);
}

static unsigned channels_left(void)
{
    unsigned left = 0, count;

    for (int i = 0; i < REDIS_CLUSTER_SIZE; i++)
        if (sscanf(redis_cluster_fixture_say(&f.cluster, i, "PUBSUB SHARDCHANNELS"), "*%u",
                   &count) == 1)
            left += count;
    return left;
}

static bool are_the_own_left(void) /* two of the namespace, two of the node */
{
    return channels_left() == 4;
}

Test(redis_cluster, nothing_is_left_of_rooms)
{
    SKIP_OR_OPEN();
    join(1);
    for (int i = 0; i < ROOMS; i++)
        await_room(0, name_of(i));
    cr_expect_eq(channels_left(), 4 + ROOMS);
    for (int i = 0; i < ROOMS; i++)
        adapter_room_close(f.nodes[0].adapter, STR("/"), str_z(name_of(i)));
    cr_expect(adapter_fixture_await_that(&f, are_the_own_left));
    adapter_fixture_close(&f);
}

Test(redis_cluster, a_room_is_heard_again_where_its_slot_has_moved)
{
    const char *channel = channel_of(1);

    SKIP_OR_OPEN();
    join(2);
    await_room(1, name_of(1));
    for (unsigned i = 1; i <= 3; i++) {
        int to = (redis_cluster_fixture_owner(&f.cluster, channel) + 1) % REDIS_CLUSTER_SIZE;

        redis_cluster_fixture_end_move(&f.cluster, channel, to);
        await_heard(channel, to);
        publish(0, name_of(1), "[\"x\"]");
        cr_assert(adapter_fixture_await(&f, &f.nodes[1].casts, i, 0));
    }
    cr_expect_eq(f.nodes[0].disconnects + f.nodes[1].disconnects, 0, "nobody was cut off");
    adapter_fixture_close(&f);
}

/* What a channel carries while nobody is subscribed at its new server is lost, as ever with Redis'
 * channels; the rest comes once, in its order. */
Test(redis_cluster, casts_of_a_room_keep_their_order_while_its_slot_moves)
{
    const char *channel = channel_of(1);
    char array[24];
    int number, last = -1, to;
    unsigned count = 0;

    SKIP_OR_OPEN();
    join(2);
    await_room(1, name_of(1));
    to = (redis_cluster_fixture_owner(&f.cluster, channel) + 1) % REDIS_CLUSTER_SIZE;
    for (int i = 0; i < 600; i++) {
        (void)snprintf(array, sizeof array, "[\"x\",%d]", i);
        publish(0, name_of(1), array);
        if (i % 10 == 0) loop_turn(f.loop, false);
        if (i == 300) redis_cluster_fixture_end_move(&f.cluster, channel, to);
    }
    await_heard(channel, to);
    publish(0, name_of(1), "[\"x\",9999]");
    for (const char *at; last != 9999;) {
        cr_assert(adapter_fixture_await(&f, &f.nodes[1].casts, count + 1, 0));
        at = adapter_fixture_log(&f.nodes[1]);
        for (; (at = strstr(at, "[\"x\",")); count++) {
            cr_assert_eq(sscanf(at, "[\"x\",%d]", &number), 1);
            cr_assert_gt(number, last);
            last = number;
            at++;
        }
    }
    cr_expect_geq(count, 301, "what was sent before the move");
    adapter_fixture_close(&f);
}

Test(redis_cluster, all_other_rooms_go_on_when_a_server_dies)
{
    int dead, other = 0;

    SKIP_OR_OPEN();
    f.conf.dead_ms = 3600000;
    join(2);
    dead = redis_cluster_fixture_owner(&f.cluster, channel_of(0));
    while (redis_cluster_fixture_owner(&f.cluster, channel_of(other)) == dead)
        other++;
    await_room(1, "room-0");
    await_room(1, name_of(other));
    redis_fixture_kill(&f.cluster.servers[dead]);
    cr_assert(adapter_fixture_await(&f, &f.nodes[1].disconnects, 1, 0), "degraded, and says so");
    cr_assert(adapter_fixture_await(&f, &f.nodes[0].disconnects, 1, 0));
    publish(0, name_of(other), "[\"x\"]");
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, 1, 0));
    redis_fixture_start(&f.cluster.servers[dead]);
    cr_assert(adapter_fixture_await(&f, &f.nodes[0].connects, 2, 0));
    cr_assert(adapter_fixture_await(&f, &f.nodes[1].connects, 2, 0));
    publish(0, "room-0", "[\"x\"]");
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, 2, 0));
    adapter_fixture_close(&f);
}

Test(redis_cluster, messages_between_nodes_follow_their_slots)
{
    int to;

    SKIP_OR_OPEN();
    join(2);
    to = (redis_cluster_fixture_owner(&f.cluster, "ingoma:socket.io:node:n001") + 1) %
         REDIS_CLUSTER_SIZE;
    redis_cluster_fixture_end_move(&f.cluster, "ingoma:socket.io:node:n001", to);
    await_heard("ingoma:socket.io:node:n001", to);
    adapter_send(f.nodes[0].adapter, STR("n001"), ADAPTER_PIPE, STR("x"), adapter_fixture_sent,
                 &f.nodes[0]);
    cr_assert(adapter_fixture_await(&f, &f.nodes[0].answers, 1, 0));
    cr_expect_eq(f.nodes[0].last_rc, OK);
    cr_assert(adapter_fixture_await(&f, &f.nodes[1].messages, 1, 0));
    adapter_fixture_close(&f);
}
