#include "tests/unit/support/rooms_rig.inc"

static void up_reap(void)
{
    up();
    fake.keeps_reaps = true;
}

TestSuite(rooms_reap, .init = up_reap, .fini = fake_down);

Test(rooms_reap, notes_rooms_with_members_here_in_one_call_a_turn)
{
    struct eio_session *bob = fake_client(BOB);

    say(bob, "2[\"joinRoom\",\"r\"]");
    settle(NULL);
    say(bob, "2[\"joinRoom\",\"s\"]");
    settle(NULL);
    fake.scripts.n = 0;
    loop_turn(rig.loop, false);
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{rooms:socket.io:node}:here 3600 0 +/:r +/:s\n");
    settle(NULL);
    say(bob, "2[\"leaveRoom\",\"r\"]");
    answer_step("0", "1");
    fake.scripts.n = 0;
    loop_turn(rig.loop, false);
    const char *scripts = take(&fake.scripts);
    cr_expect_not_null(strstr(scripts, ":here 3600 0 -/:r\n"), "%s", scripts);
    free_session(bob);
}

static void answer_part(const char *a, const char *b)
{
    const struct str reply[] = {str_z(a), str_z(b)};

    answer_call(OK, reply, b ? 2 : a ? 1 : 0);
}

Test(rooms_reap, goes_through_the_rooms_of_a_dead_node)
{
    events_on_node_lost(fake.events, STR("abcd"));
    rig_wait(14900);
    cr_expect_str_eq(take(&fake.scripts), "", "perhaps it comes back");
    rig_wait(110);
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{rooms:socket.io:abcd}:here 3600 50\n");
    answer_part("/:r", "/:s");
    cr_expect_str_eq(take(&fake.scripts),
                     "ingoma:{room:/:r}:nodes abcd\ningoma:{room:/:s}:nodes abcd\n");
    answer_part(NULL, NULL);
    answer_part(NULL, NULL);
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{rooms:socket.io:abcd}:here 3600 50 -/:r -/:s\n");
    answer_part(NULL, NULL);
    cr_expect_str_eq(take(&fake.scripts), "", "all done");
}

Test(rooms_reap, stops_when_the_node_is_back_or_redis_away)
{
    events_on_node_lost(fake.events, STR("abcd"));
    rig_wait(15010);
    fake.scripts.n = 0;
    fake.living = "nodeabcd";
    answer_part("/:r", NULL);
    cr_expect_str_eq(take(&fake.scripts), "");
    fake.living = "node";
    events_on_node_lost(fake.events, STR("abcd"));
    rig_wait(15010);
    answer_part("/:r", NULL);
    fake.scripts.n = 0;
    answer_call(ERR_TIMEOUT, NULL, 0);
    cr_expect_str_eq(take(&fake.scripts), "");
}

/* A node that was stopped takes the others for dead, and hears them in the next moment. */
Test(rooms_reap, leaves_alone_who_is_heard_again)
{
    events_on_node_lost(fake.events, STR("abcd"));
    events_on_node_up(fake.events, STR("abcd"));
    rig_wait(20000);
    cr_expect_str_eq(take(&fake.scripts), "");
    events_on_node_lost(fake.events, STR("abcd"));
    events_on_state(fake.events, true); /* this node was away itself */
    rig_wait(20000);
    cr_expect_null(strstr(take(&fake.scripts), "{rooms:socket.io:abcd}"));
    events_on_node_lost(fake.events, STR("abcd")); /* freed with the feature */
}
