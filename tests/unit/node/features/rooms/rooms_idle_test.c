#include "tests/unit/support/rooms_rig.inc"

static struct eio_session *bob;

static void up_idle(void)
{
    up();
    rig.conf.room_idle_chat_ms = 10000;
    bob = fake_client(BOB);
    join(bob, "r", "5 0 0\n");
}

static void down_idle(void)
{
    free_session(bob);
    fake_down();
}

TestSuite(rooms_idle, .init = up_idle, .fini = down_idle);

Test(rooms_idle, says_that_something_happened_ten_times_in_the_time_at_most)
{
    fake.scripts.n = 0;
    say(bob, "2[\"roomMessage\",{\"roomId\":\"r\",\"message\":\"m\"}]");
    cr_expect_str_eq(take(&fake.scripts), "", "the join said so just now");
    rig_wait(1000);
    say(bob, "2[\"roomMessage\",{\"roomId\":\"r\",\"message\":\"m\"}]");
    say(bob, "2[\"roomMessage\",{\"roomId\":\"r\",\"message\":\"m\"}]");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{room:/:r}:rules 0 0 3600\n");
}

Test(rooms_idle, asks_when_nothing_happened_here_and_ends_the_room_when_told)
{
    const struct str left[] = {STR("0"), STR("500")}, over[] = {STR("1"), STR("11000")};

    fake.scripts.n = 0;
    rig_wait(9900);
    cr_expect_str_eq(take(&fake.scripts), "");
    rig_wait(200);
    const char *scripts = take(&fake.scripts);
    cr_expect_not_null(strstr(scripts, " 11000 3600\n"), "%s", scripts);
    answer_call(OK, left, 2); /* something happened elsewhere */
    bob->sent.n = fake.scripts.n = 0;
    rig_wait(520);
    cr_expect_not_null(strstr(take(&fake.scripts), " 11000 3600\n"));
    answer_call(OK, over, 2);
    cr_expect_not_null(
        strstr(take(&bob->sent), "42[\"roomEnded\",{\"roomId\":\"r\",\"reason\":\"idle\""));
    say(bob, "21[\"roomMembers\",{\"roomId\":\"r\"}]");
    cr_expect_not_null(strstr(take(&bob->sent), "not_a_member"));
}

Test(rooms_idle, lets_a_room_live_in_which_something_is_said)
{
    for (int i = 0; i < 5; i++) {
        rig_wait(5000);
        say(bob, "2[\"roomMessage\",{\"roomId\":\"r\",\"message\":\"m\"}]");
        while (fake.calls_count)
            answer_page("0", "500", NULL, NULL);
    }
    cr_expect_null(strstr(take(&fake.scripts), " 11000 "), "nobody asks");
}

Test(rooms_idle, asks_again_when_redis_does_not_answer)
{
    rig_wait(10100);
    while (fake.calls_count)
        answer_call(ERR_TIMEOUT, NULL, 0);
    fake.scripts.n = 0;
    rig_wait(1010);
    cr_expect_not_null(strstr(take(&fake.scripts), " 11000 3600\n"));
}
