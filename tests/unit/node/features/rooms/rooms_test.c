#include "tests/unit/support/fake_events.inc"

#include "node/features/rooms/rooms.h"

#define BOB "\"id\":\"u7\",\"name\":\"Bob\""

static const struct feature *const features[] = {&feature_rooms, NULL};

static void up_cluster(void)
{
    fake_up(features, true);
}

TestSuite(rooms_cluster, .init = up_cluster, .fini = fake_down);

Test(rooms_cluster, writes_all_counts_again_when_redis_is_back)
{
    struct eio_session *bob = fake_client(BOB);

    say(bob, "2[\"joinRoom\",\"r\"]");
    answer_script(OK, "1", "");
    fake.scripts.n = 0;
    events_on_state(fake.events, false);
    events_on_state(fake.events, true);
    rig_wait(30);
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{room:/:r}:nodes node 1 3600  1000000000 node\n",
                     "who lives is not known yet");
    answer_script(OK, "1", "");
    clock_advance(15000);
    events_on_node_lost(fake.events, STR("abcd"));
    rig_wait(30);
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{room:/:r}:nodes node 1 3600  15 node !abcd0\n");
    free_session(bob);
}
