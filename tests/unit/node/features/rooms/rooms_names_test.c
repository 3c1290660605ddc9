#include "tests/unit/support/rooms_rig.inc"

#include "node/people/people.h"

TestSuite(rooms_names, .init = up, .fini = fake_down);

#define BOBS "\"userId\":\"u7\",\"userName\":\"Bob\"," TIME

Test(rooms_names, writes_a_row_when_the_count_is_written)
{
    struct eio_session *bob = fake_client(BOB);

    say(bob, "2[\"joinRoom\",\"r\"]");
    answer_text("5 0 0\n");
    fake.scripts.n = 0;
    answer_script(OK, "1", "");
    cr_expect_str_eq(take(&fake.scripts),
                     "ingoma:{room:/:r}:members node 3600 0  +u\"u7\"\n" BOBS "\n",
                     "the newcomer is told by the next call");
    answer_page("0", "", NULL, NULL);
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{room:/:r}:members node 3600 200 \n");
    free_session(bob);
}

Test(rooms_names, tells_a_newcomer_of_the_others)
{
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN);
    const struct str reply[] = {STR("0"),  STR("u7"), STR("u\"u7\""),
                                STR(BOBS), STR("u7"), STR("\"userId\":7,\"userName\":\"Ann\"")};

    join(bob, "r", "5 0 0\n");
    say(ann, "2[\"joinRoom\",\"r\"]");
    settle("room_look"); /* writes her row */
    answer_page("0", "", NULL, NULL);
    settle("room_look");
    bob->sent.n = ann->sent.n = 0;
    answer_call(OK, reply, 6);
    cr_expect_str_eq(take(&ann->sent),
                     "42[\"userJoinedRoom\",{" BOBS ",\"roomId\":\"r\",\"isPresent\":true}]\n",
                     "not of herself");
    cr_expect_str_eq(take(&bob->sent), "", "he is no newcomer");
    free_session(ann);
    free_session(bob);
}

Test(rooms_names, answers_a_rush_with_a_handful_of_calls)
{
    struct eio_session *all[30];
    unsigned calls = 0;

    for (unsigned i = 0; i < 30; i++)
        all[i] = fake_client(NULL);
    for (unsigned i = 0; i < 30; i++)
        say(all[i], "2[\"joinRoom\",\"r\"]");
    settle(NULL);
    for (const char *p = take(&fake.scripts); (p = strstr(p, ":members node")); p++)
        calls++;
    cr_expect_leq(calls, 4, "%u calls", calls);
    for (unsigned i = 0; i < 30; i++)
        free_session(all[i]);
}

Test(rooms_names, keeps_the_row_while_another_device_is_there)
{
    struct eio_session *bob = fake_client(BOB), *again = fake_client(BOB);

    join(bob, "r", "5 0 0\n");
    join(again, "r", "");
    say(bob, "2[\"leaveRoom\",\"r\"]");
    answer_step("1", "2");
    cr_expect_null(strstr(take(&fake.scripts), "-u\"u7\""));
    say(again, "2[\"leaveRoom\",\"r\"]");
    answer_step("0", "1");
    cr_expect_not_null(strstr(take(&fake.scripts), "members node 3600 0  -u\"u7\"\n"));
    free_session(again);
    free_session(bob);
}

Test(rooms_names, takes_the_row_of_who_hides)
{
    struct eio_session *bob = fake_client(BOB), *again = fake_client(BOB);

    join(bob, "r", "5 0 0\n");
    join(again, "r", "");
    people_hide(events_people(fake.events), STR("u7"), true);
    answer_step("1", "2");
    cr_expect_not_null(strstr(take(&fake.scripts), "-u\"u7\"\n"));
    free_session(again);
    free_session(bob);
}

Test(rooms_names, writes_again_what_redis_did_not_take)
{
    struct eio_session *bob = fake_client(BOB);

    say(bob, "2[\"joinRoom\",\"r\"]");
    answer_text("5 0 0\n");
    answer_script(OK, "1", "");
    answer_call(ERR_TIMEOUT, NULL, 0);
    fake.scripts.n = 0;
    rig_wait(1010);
    cr_expect_not_null(strstr(take(&fake.scripts), "+u\"u7\"\n"));
    free_session(bob);
}

Test(rooms_names, tells_a_newcomer_of_those_here_without_redis)
{
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN);

    join(bob, "r", "5 0 0\n");
    say(ann, "2[\"joinRoom\",\"r\"]");
    answer_script(OK, "2", "");
    ann->sent.n = 0;
    while (fake.calls_count)
        answer_call(ERR_UNAVAILABLE, NULL, 0);
    cr_expect_str_eq(take(&ann->sent),
                     "42[\"userJoinedRoom\",{" BOBS ",\"roomId\":\"r\",\"isPresent\":true}]\n");
    free_session(ann);
    free_session(bob);
}

Test(rooms_names, writes_all_rows_again_when_redis_was_away)
{
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN);

    join(bob, "r", "5 0 0\n");
    join(ann, "r", "");
    events_on_state(fake.events, true);
    rig_wait(30);
    fake.scripts.n = 0;
    answer_step("2", "2");
    const char *scripts = take(&fake.scripts);
    cr_expect_not_null(strstr(scripts, "+u\"u7\"\n"), "%s", scripts);
    cr_expect_not_null(strstr(scripts, "+u7\n"), "%s", scripts);
    free_session(ann);
    free_session(bob);
}

Test(rooms_names, lets_an_empty_room_end)
{
    struct eio_session *bob = fake_client(BOB);

    join(bob, "r", "5 0 0\n");
    free_session(bob);
    answer_step("0", "1");
    cr_expect_not_null(strstr(take(&fake.scripts), "ingoma:{room:/:r}:members node 3600 0 "));
}
