#include "tests/unit/support/rooms_people.inc"

TestSuite(rooms_show, .init = up, .fini = fake_down);
TestSuite(rooms_show_cluster, .init = up_cluster, .fini = fake_down);

Test(rooms_show, tells_the_others_who_left)
{
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN);
    static const char *const packets[] = {"21[\"leaveRoom\",\"r\"]",
                                          "21[\"leaveRoom\",{\"roomId\":\"r\"}]"};

    for (size_t i = 0; i < 2; i++) {
        say(bob, "2[\"joinRoom\",\"r\"]");
        say(ann, "2[\"joinRoom\",\"r\"]");
        bob->sent.n = ann->sent.n = 0;
        say(ann, packets[i]);
        cr_expect_str_eq(
            take(&bob->sent),
            "42[\"userLeftRoom\",{\"userId\":7,\"userName\":\"Ann\",\"roomId\":\"r\"," TIME "}]\n");
        cr_expect_str_eq(take(&ann->sent), "431[{\"ok\":true}]\n");
    }
    say(ann, "2[\"leaveRoom\",\"r\"]");
    cr_expect_str_eq(take(&bob->sent), "", "a stranger leaves in silence");
    free_session(ann);
    free_session(bob);
}

Test(rooms_show, tells_every_room_of_a_socket_that_goes)
{
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN);

    say(bob, "2[\"joinRoom\",\"r\"]");
    say(bob, "2[\"joinRoom\",\"s\"]");
    say(ann, "2[\"joinRoom\",\"r\"]");
    say(ann, "2[\"joinRoom\",\"s\"]");
    bob->sent.n = 0;
    free_session(ann);
    cr_expect_str_eq(
        take(&bob->sent),
        "42[\"userLeftRoom\",{\"userId\":7,\"userName\":\"Ann\",\"roomId\":\"r\"," TIME "}]\n"
        "42[\"userLeftRoom\",{\"userId\":7,\"userName\":\"Ann\",\"roomId\":\"s\"," TIME "}]\n");
    say(bob, "2[\"joinRoom\",\"r\"]");
    cr_expect_str_eq(take(&bob->sent), "42[\"roomJoined\",{\"roomId\":\"r\",\"memberCount\":1}]\n");
    free_session(bob);
}

Test(rooms_show, tells_more_rooms_than_fit_in_one_go)
{
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN);
    unsigned lines = 0;

    rig.conf.max_rooms = 101; /* with that of her user */
    for (int i = 0; i < 100; i++) {
        char packet[60];

        snprintf(packet, sizeof packet, "2[\"joinRoom\",\"r%d\"]", i);
        say(bob, packet);
        say(ann, packet);
    }
    bob->sent.n = 0;
    free_session(ann);
    for (size_t i = 0; i < bob->sent.n; i++)
        lines += bob->sent.p[i] == '\n';
    cr_expect_eq(lines, 100);
    free_session(bob);
}

Test(rooms_show, does_not_show_hidden_users)
{
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN);
    struct people *people = events_people(fake.events);

    say(bob, "2[\"joinRoom\",\"r\"]");
    people_hide(people, STR("7"), true);
    bob->sent.n = 0;
    say(ann, "2[\"joinRoom\",\"r\"]");
    cr_expect_str_eq(take(&ann->sent),
                     "42[\"roomJoined\",{\"roomId\":\"r\",\"memberCount\":2}]\n" BOB_IS_IN,
                     "she counts for herself");
    say(ann, "2[\"typing\",{\"roomId\":\"r\",\"isTyping\":true}]");
    cr_expect_str_eq(take(&bob->sent), "");
    say(bob, "2[\"joinRoom\",\"r\"]");
    cr_expect_str_eq(take(&bob->sent), "42[\"roomJoined\",{\"roomId\":\"r\",\"memberCount\":1}]\n");
    people_hide(people, STR("7"), false);
    cr_expect_str_eq(
        take(&bob->sent),
        "42[\"userJoinedRoom\",{\"userId\":7,\"userName\":\"Ann\",\"roomId\":\"r\"," TIME "}]\n");
    people_hide(people, STR("7"), true);
    cr_expect_str_eq(take(&bob->sent),
                     "42[\"userLeftRoom\",{\"userId\":7,\"userName\":\"Ann\",\"roomId\":\"r\"," TIME
                     "}]\n");
    free_session(ann);
    say(bob, "2[\"joinRoom\",\"r\"]");
    cr_expect_str_eq(take(&bob->sent), "42[\"roomJoined\",{\"roomId\":\"r\",\"memberCount\":1}]\n");
    free_session(bob);
}

static bool come_back(struct eio_session *s, const char *who)
{
    static const struct str rooms[] = {STR("S2345678901234567890"), STR("red")};
    const struct session was = {.sid = rooms[0],
                                .pid = STR("P2345678901234567890"),
                                .rooms = rooms,
                                .rooms_count = 2,
                                .who = str_z(who),
                                .has_who = true};
    char connect[9000];
    bool is_his;

    snprintf(connect, sizeof connect, "0{\"pid\":\"P2345678901234567890\",\"token\":\"%s\"}",
             fake_token(BOB));
    say(s, connect);
    is_his = rig_restore.on_session(rig_restore.ctx, &was);
    rig_restore.done(rig_restore.ctx, is_his ? OK : ERR_FORBIDDEN);
    return is_his;
}

Test(rooms_show_cluster, counts_who_came_back_again)
{
    struct eio_session *bob, *ann;

    rig.conf.recovery_ms = 60000;
    rig_with_adapter();
    ann = fake_client(ANN);
    say(ann, "2[\"joinRoom\",\"red\"]");
    answer_script(OK, "1", "");
    ann->sent.n = fake.scripts.n = 0;
    bob = open_session(4);
    cr_expect_not(come_back(bob, "u8"), "somebody else's");
    cr_expect_str_eq(take(&fake.scripts), "");
    free_session(bob);
    bob = open_session(4);
    cr_expect(come_back(bob, "u7"));
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{room:/:red}:nodes node 2 3600  15 node\n");
    cr_expect_str_eq(take(&ann->sent),
                     "42[\"userJoinedRoom\",{\"userId\":\"u7\",\"userName\":\"Bob\","
                     "\"roomId\":\"red\"," TIME "}]\n");
    bob->sent.n = 0;
    say(bob, "2[\"joinRoom\",\"AAAA4567890123456789\"]");
    cr_expect_not_null(strstr(take(&bob->sent), "this name is taken by a connection"));
    free_session(bob);
    cr_expect_not_null(strstr(take(&ann->sent), "userLeftRoom"));
    free_session(ann);
}
