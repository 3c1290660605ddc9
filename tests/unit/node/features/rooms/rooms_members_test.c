#include "tests/unit/support/rooms_rig.inc"

TestSuite(rooms_members, .init = up, .fini = fake_down);

Test(rooms_members, gives_a_page_to_members)
{
    struct eio_session *bob = fake_client(BOB);
    const struct str reply[] = {STR("1"),  STR("u\"u7\""), STR("g0123456789abcdef01234567"),
                                STR(TIME), STR("u\"u7\""), STR("\"userId\":\"u7\"")};

    join(bob, "r", "5 0 0\n");
    say(bob, "21[\"roomMembers\",{\"roomId\":\"r\",\"after\":\"u5\"}]");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{room:/:r}:members node 3600 200 u5\n");
    answer_call(OK, reply, 6);
    cr_expect_str_eq(take(&bob->sent),
                     "431[{\"ok\":true,\"roomId\":\"r\",\"members\":[{\"memberId\":"
                     "\"g0123456789abcdef01234567\"," TIME "},{\"userId\":\"u7\"}],"
                     "\"last\":\"u\\\"u7\\\"\",\"hasMore\":true}]\n");
    free_session(bob);
}

Test(rooms_members, refuses_strangers_and_personal_rooms)
{
    struct eio_session *bob = fake_client(BOB);

    say(bob, "21[\"roomMembers\",{\"roomId\":\"r\"}]");
    cr_expect_not_null(strstr(take(&bob->sent), "\"code\":\"not_a_member\""));
    say(bob, "21[\"roomMembers\",{\"roomId\":\"user-u7\"}]");
    cr_expect_not_null(strstr(take(&bob->sent), "\"code\":\"forbidden\""));
    cr_expect_str_eq(take(&fake.scripts), "");
    free_session(bob);
}

Test(rooms_members, says_when_redis_is_away)
{
    struct eio_session *bob = fake_client(BOB);

    join(bob, "r", "5 0 0\n");
    say(bob, "21[\"roomMembers\",{\"roomId\":\"r\"}]");
    answer_call(ERR_UNAVAILABLE, NULL, 0);
    cr_expect_not_null(strstr(take(&bob->sent), "\"code\":\"unavailable\""));
    say(bob, "21[\"roomMembers\",{\"roomId\":\"r\"}]");
    answer_text("garbage");
    cr_expect_not_null(strstr(take(&bob->sent), "\"code\":\"internal\""));
    free_session(bob);
}
