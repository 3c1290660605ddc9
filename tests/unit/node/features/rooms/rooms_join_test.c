#include "tests/unit/support/rooms_people.inc"

TestSuite(rooms_join, .init = up, .fini = fake_down);
TestSuite(rooms_join_cluster, .init = up_cluster, .fini = fake_down);

Test(rooms_join, answers_the_joiner_and_tells_the_others)
{
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN), *guest = fake_client(NULL);

    say(bob, "21[\"joinRoom\",{\"roomId\":\"r\",\"roomType\":\"chat\"}]");
    cr_expect_str_eq(
        take(&bob->sent),
        "42[\"roomJoined\",{\"roomId\":\"r\",\"memberCount\":1,\"roomType\":\"chat\"}]\n"
        "431[{\"ok\":true,\"roomId\":\"r\",\"memberCount\":1,\"roomType\":\"chat\"}]\n");
    say(ann, "2[\"joinRoom\",\"r\"]");
    cr_expect_str_eq(take(&ann->sent), "42[\"roomJoined\",{\"roomId\":\"r\",\"memberCount\":2,"
                                       "\"roomType\":\"chat\"}]\n" BOB_IS_IN);
    cr_expect_str_eq(
        take(&bob->sent),
        "42[\"userJoinedRoom\",{\"userId\":7,\"userName\":\"Ann\",\"roomId\":\"r\"," TIME "}]\n");
    say(guest, "2[\"joinRoom\",\"r\"]");
    cr_expect_str_eq(take(&bob->sent), "42[\"userJoinedRoom\",{\"roomId\":\"r\"," TIME "}]\n",
                     "absent, not null");
    free_session(guest);
    free_session(ann);
    free_session(bob);
}

Test(rooms_join, counts_a_second_join_once_and_answers_it_again)
{
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN);

    say(bob, "2[\"joinRoom\",{\"roomId\":\"r\",\"roomType\":\"chat\"}]");
    say(ann, "2[\"joinRoom\",{\"roomId\":\"r\",\"roomType\":\"quiz\"}]");
    bob->sent.n = ann->sent.n = 0;
    say(ann, "2[\"joinRoom\",{\"roomId\":\"r\",\"roomType\":\"quiz\"}]");
    cr_expect_str_eq(
        take(&ann->sent),
        "42[\"roomJoined\",{\"roomId\":\"r\",\"memberCount\":2,\"roomType\":\"chat\"}]\n");
    cr_expect_str_eq(take(&bob->sent), "");
    free_session(ann);
    free_session(bob);
}

Test(rooms_join, stops_at_the_limit_of_rooms)
{
    struct eio_session *s = fake_client(BOB);
    char packet[60];

    for (int i = 0; i < 6; i++) {
        s->sent.n = 0;
        snprintf(packet, sizeof packet, "2[\"joinRoom\",\"r%d\"]", i);
        say(s, packet);
    }
    cr_expect_str_eq(
        take(&s->sent),
        "42[\"roomError\",{\"event\":\"joinRoom\",\"code\":\"limit_reached\",\"error\":\"a "
        "limit of this server is reached\"}]\n");
    free_session(s);
}

Test(rooms_join_cluster, answers_when_the_count_has_come)
{
    struct eio_session *bob = fake_client(BOB);

    say(bob, "21[\"joinRoom\",{\"roomId\":\"r\",\"roomType\":\"chat\"}]");
    cr_expect_str_eq(take(&bob->sent), "");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{room:/:r}:nodes node 1 3600 chat 15 node\n");
    answer_script(OK, "12", "quiz");
    cr_expect_str_eq(
        take(&bob->sent),
        "42[\"roomJoined\",{\"roomId\":\"r\",\"memberCount\":12,\"roomType\":\"quiz\"}]\n"
        "431[{\"ok\":true,\"roomId\":\"r\",\"memberCount\":12,\"roomType\":\"quiz\"}]\n");
    free_session(bob);
}

Test(rooms_join_cluster, lets_a_joiner_go_before_the_count_has_come)
{
    struct eio_session *bob = fake_client(BOB);

    say(bob, "21[\"joinRoom\",\"r\"]");
    free_session(bob);
    answer_script(OK, "1", "");
    cr_expect(strstr(take(&fake.scripts), "node 0 3600"), "the count is taken back");
}

Test(rooms_join, survives_a_joiner_who_is_cut_by_the_answer)
{
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN);

    say(bob, "2[\"joinRoom\",\"r\"]");
    ann->close_after = 1; /* a slow reader: the first packet is one too many */
    say(ann, "21[\"joinRoom\",\"r\"]");
    cr_expect(ann->is_closed);
    bob->close_after = 1;
    say(bob, "21[\"joinRoom\",\"r\"]");
    cr_expect(bob->is_closed);
    free_session(ann);
    free_session(bob);
}

Test(rooms_join, keeps_the_type_that_a_hidden_joiner_gave)
{
    struct people *p = events_people(fake.events);
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN);

    people_hide(p, STR("u7"), true);
    say(bob, "2[\"joinRoom\",{\"roomId\":\"r\",\"roomType\":\"quiz\"}]");
    bob->sent.n = 0;
    people_hide(p, STR("u7"), false);
    say(ann, "2[\"joinRoom\",\"r\"]");
    cr_expect_str_eq(take(&ann->sent), "42[\"roomJoined\",{\"roomId\":\"r\",\"memberCount\":2,"
                                       "\"roomType\":\"quiz\"}]\n" BOB_IS_IN);
    free_session(ann);
    people_hide(p, STR("u7"), true);
    say(bob, "2[\"leaveRoom\",\"r\"]");
    bob->sent.n = 0;
    say(bob, "2[\"joinRoom\",\"r\"]");
    cr_expect_str_eq(take(&bob->sent), "42[\"roomJoined\",{\"roomId\":\"r\",\"memberCount\":1}]\n",
                     "forgotten with the last one");
    free_session(bob);
}

Test(rooms_join_cluster, answers_the_personal_room_with_the_devices)
{
    struct eio_session *bob = fake_client(BOB);

    say(bob, "21[\"joinRoom\",{\"roomId\":\"user-u7\",\"roomType\":\"personal\"}]");
    for (unsigned i = 0; i < fake.people_count; i++) {
        const struct str reply[] = {STR("3"), STR(""), STR("3"), STR("1")};

        fake.people_calls[i].done(fake.people_calls[i].ctx, OK, reply, 4);
    }
    fake.people_count = 0;
    cr_expect(strstr(take(&bob->sent), "\"memberCount\":3,\"roomType\":\"personal\""));
    free_session(bob);
}
