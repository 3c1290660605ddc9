#include "tests/unit/support/fake_events.inc"

#include "node/features/stats/stats.h"

#define BOB "\"id\":\"u7\",\"name\":\"Bob\""

static const struct feature *const features[] = {&feature_stats, NULL};

static void up_with(bool with_adapter)
{
    fake_up(features, with_adapter);
}

static void up(void)
{
    up_with(false);
}

static void up_cluster(void)
{
    up_with(true);
}

TestSuite(stats, .init = up, .fini = fake_down);
TestSuite(stats_cluster, .init = up_cluster, .fini = fake_down);

Test(stats, tells_everybody_every_half_minute)
{
    struct eio_session *bob = fake_client(BOB), *guest = fake_client(NULL);
    const char *got;

    rig_wait(29000);
    rig_wait(1010);
    cr_expect(
        strstr(take(&guest->sent), "42[\"serverStats\",{\"connections\":{\"totalConnections\":"));
    got = take(&bob->sent);
    cr_expect(strstr(got, "\"currentConnections\":2,\"peakConnections\":2,\"lastPeak\":\""), "%s",
              got);
    cr_expect(strstr(got, "\"activeRooms\":0,\"quizSessions\":0,\"uptime\":30,"), "%s", got);
    cr_expect(strstr(got, ",\"nodes\":1,\"timestamp\":"), "%s", got);
    free_session(bob);
    free_session(guest);
}

Test(stats_cluster, adds_the_rows_of_all_nodes)
{
    struct eio_session *bob = fake_client(BOB);
    const struct str reply[] = {
        STR("9"),       STR("1700000000000"), STR("100"), STR("2 20 1 7 0 5"), STR("3 30 2 7 0 50"),
        STR("nonsense")};
    const char *got;

    rig_wait(30010);
    cr_expect(strstr(take(&fake.scripts), "ingoma:{stats:socket.io}:nodes node 1 1 0 "));
    cr_expect_str_eq(take(&bob->sent), "");
    answer_call(OK, reply, 6);
    got = take(&bob->sent);
    cr_expect(strstr(got,
                     "{\"totalConnections\":150,\"currentConnections\":5,\"peakConnections\":9,"
                     "\"lastPeak\":\"2023-11-14T22:13:20.000Z\"},\"onlineUsers\":7,"
                     "\"activeRooms\":3,\"quizSessions\":0,\"uptime\":50,"),
              "%s", got);
    cr_expect(strstr(got, "\"nodes\":2"), "%s", got);
    cr_expect_eq(metric_get(M_CLUSTER_SOCKETS), 5);
    cr_expect_eq(metric_get(M_CLUSTER_SOCKETS_TOTAL), 150);
    cr_expect_eq(metric_get(M_CLUSTER_SOCKETS_PEAK), 9);
    cr_expect_eq(metric_get(M_CLUSTER_ROOMS), 3);
    free_session(bob);
}

Test(stats_cluster, tells_its_own_figures_when_redis_is_away)
{
    struct eio_session *bob = fake_client(BOB);

    rig_wait(30010);
    answer_script(ERR_TIMEOUT, "", "");
    cr_expect(strstr(take(&bob->sent), "\"nodes\":1"));
    fake.is_connected = false;
    rig_wait(30010);
    cr_expect(strstr(take(&bob->sent), "\"nodes\":1"));
    fake.is_connected = true;
    rig_wait(30010);
    free_session(bob); /* and closed while the answer is due */
}

Test(stats_cluster, counts_a_room_on_two_nodes_once)
{
    struct eio_session *bob = fake_client(BOB);
    struct sio_socket *s = sio_socket_find(rig.main, STR("node0000000000000001"));
    struct sb row = {0};
    const char *told, *hashes;

    cr_assert_eq(sio_socket_join(s, STR("r")), OK); /* with that, user-u7 and its own id: one */
    rig_wait(30010);
    told = take(&fake.scripts);
    cr_expect(strstr(told, "nodes node 1 1 1 "), "%s", told);
    hashes = strchr(told, '|');
    cr_assert_not_null(hashes);
    cr_expect_eq(strcspn(hashes + 1, " "), 8, "%s", hashes);
    sb_printf(&row, "2 20 1%.9s", hashes);
    answer_call(
        OK, (const struct str[]){STR("9"), STR("1"), STR("0"), sb_view(&row), sb_view(&row)}, 5);
    cr_expect(strstr(take(&bob->sent), "\"activeRooms\":1,"));
    sb_fini(&row);
    free_session(bob);
}
