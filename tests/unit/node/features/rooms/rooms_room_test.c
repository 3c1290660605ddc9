#include "tests/unit/support/rooms_rig.inc"

TestSuite(rooms_room, .init = up, .fini = fake_down);

Test(rooms_room, reads_the_rules_before_its_first_event_and_once)
{
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN);

    say(bob, "21[\"joinRoom\",\"r\"]");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{room:/:r}:rules read 0  1000 3600\n");
    answer_text("5 0 0\n");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{room:/:r}:nodes node 1 3600  15 node\n");
    answer_script(OK, "1", "");
    fake.scripts.n = 0;
    say(ann, "2[\"joinRoom\",\"r\"]");
    cr_expect_null(strstr(take(&fake.scripts), ":rules"), "they come by messages now");
    free_session(ann);
    free_session(bob);
}

Test(rooms_room, keeps_the_order_of_a_page_that_does_not_wait)
{
    struct eio_session *bob = fake_client(BOB);

    say(bob, "21[\"joinRoom\",\"r\"]");
    say(bob, "22[\"roomMessage\",{\"roomId\":\"r\",\"message\":\"first\"}]");
    say(bob, "23[\"typing\",{\"roomId\":\"r\",\"isTyping\":true}]");
    cr_expect_str_eq(take(&bob->sent), "");
    answer_text("5 0 0\n");
    cr_expect_not_null(strstr(take(&bob->sent), "\"message\":\"first\""));
    answer_script(OK, "1", "");
    cr_expect_not_null(strstr(take(&bob->sent), "431[{\"ok\":true,\"roomId\":\"r\""));
    free_session(bob);
}

Test(rooms_room, refuses_what_a_page_says_that_may_not_come_in)
{
    struct eio_session *bob = fake_client(BOB);

    say(bob, "21[\"joinRoom\",\"r\"]");
    say(bob, "22[\"roomMessage\",{\"roomId\":\"r\",\"message\":\"first\"}]");
    answer_text("5 1 0\n");
    const char *sent = take(&bob->sent);
    cr_expect_not_null(strstr(sent, "431[{\"ok\":false,\"code\":\"room_locked\""), "%s", sent);
    cr_expect_not_null(strstr(sent, "432[{\"ok\":false,\"code\":\"not_a_member\""), "%s", sent);
    free_session(bob);
}

Test(rooms_room, goes_on_without_redis)
{
    struct eio_session *bob = fake_client(BOB);

    say(bob, "21[\"joinRoom\",\"r\"]");
    answer_call(ERR_UNAVAILABLE, NULL, 0);
    answer_script(OK, "1", "");
    cr_expect_not_null(strstr(take(&bob->sent), "431[{\"ok\":true"));
    free_session(bob);
}

Test(rooms_room, forgets_a_room_with_its_last_member)
{
    struct eio_session *bob = fake_client(BOB);

    join(bob, "r", "5 0 0\n");
    say(bob, "2[\"leaveRoom\",\"r\"]");
    settle(NULL);
    loop_turn(rig.loop, false);
    fake.scripts.n = 0;
    say(bob, "2[\"joinRoom\",\"r\"]");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{room:/:r}:rules read 0  1000 3600\n");
    free_session(bob);
}

Test(rooms_room, lets_go_of_who_has_gone_meanwhile)
{
    struct eio_session *bob = fake_client(BOB);

    say(bob, "21[\"joinRoom\",\"r\"]");
    free_session(bob);
    answer_text("5 0 0\n");
    cr_expect_eq(fake.calls_count, 0, "nobody came in");
}

Test(rooms_room, reads_the_rules_again_when_redis_was_away)
{
    struct eio_session *bob = fake_client(BOB);

    join(bob, "r", "9 0 0\n");
    events_on_state(fake.events, true);
    rig_wait(30);
    answer_step("1", "1");
    cr_expect_not_null(strstr(take(&fake.scripts), "ingoma:{room:/:r}:rules read"));
    answer_text("3 0 7000\n"); /* another Redis, whose clock is behind */
    settle(NULL);
    say(bob, "2[\"joinRoom\",\"r\"]");
    settle(NULL);
    cr_expect_not_null(strstr(take(&bob->sent), "\"slowModeMs\":7000"));
    free_session(bob);
}
