#include "tests/unit/support/fake_events.inc"

#include "node/features/rooms/rooms.h"
#include "node/people/people.h"

#define TIME "\"timestamp\":\"2023-11-14T22:13:20.000Z\""
#define BOB "\"id\":\"u7\",\"name\":\"Bob\""
#define ANN "\"id\":7,\"name\":\"Ann\""

static const struct feature *const features[] = {&feature_rooms, NULL};

static void up(void)
{
    fake_up(features, false);
}

static void up_cluster(void)
{
    fake_up(features, true);
}

TestSuite(rooms, .init = up, .fini = fake_down);
TestSuite(rooms_cluster, .init = up_cluster, .fini = fake_down);

Test(rooms, answers_the_joiner_and_tells_the_others)
{
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN), *guest = fake_client(NULL);

    say(bob, "21[\"joinRoom\",{\"roomId\":\"r\",\"roomType\":\"chat\"}]");
    cr_expect_str_eq(
        take(&bob->sent),
        "42[\"roomJoined\",{\"roomId\":\"r\",\"memberCount\":1,\"roomType\":\"chat\"}]\n"
        "431[{\"ok\":true,\"roomId\":\"r\",\"memberCount\":1,\"roomType\":\"chat\"}]\n");
    say(ann, "2[\"joinRoom\",\"r\"]");
    cr_expect_str_eq(
        take(&ann->sent),
        "42[\"roomJoined\",{\"roomId\":\"r\",\"memberCount\":2,\"roomType\":\"chat\"}]\n");
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

Test(rooms, counts_a_second_join_once_and_answers_it_again)
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

Test(rooms, tells_the_others_who_left)
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

Test(rooms, tells_every_room_of_a_socket_that_goes)
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

Test(rooms, tells_more_rooms_than_fit_in_one_go)
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

Test(rooms, gives_a_message_to_all_members_the_sender_included)
{
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN), *other = fake_client(NULL);
    const char *got;

    say(bob, "2[\"joinRoom\",\"r\"]");
    say(ann, "2[\"joinRoom\",\"r\"]");
    bob->sent.n = ann->sent.n = 0;
    say(bob, "2[\"roomMessage\",{\"roomId\":\"r\",\"message\":\"hi \\u00e9 "
             "\\\"\\\\ud83d\",\"type\":\"text\"}]");
    got = take(&bob->sent);
    cr_expect_eq(strncmp(got, "42[\"roomMessage\",{\"messageId\":\"msg_1700000000000_", 49), 0,
                 "%s", got);
    cr_expect(strstr(got, "\",\"senderId\":\"u7\",\"senderName\":\"Bob\",\"message\":\"hi \\u00e9 "
                          "\\\"\\\\ud83d\",\"type\":"
                          "\"text\",\"roomId\":\"r\"," TIME "}]\n"),
              "%s", got);
    cr_expect_str_eq(take(&ann->sent), got, "the same for all");
    cr_expect_str_eq(take(&other->sent), "");
    say(bob, "2[\"roomMessage\",{\"roomId\":\"r\",\"message\":{\"image\":[1,2]}}]");
    got = take(&ann->sent);
    cr_expect(strstr(got, "\"message\":{\"image\":[1,2]},\"type\":\"text\""), "%s", got);
    free_session(other);
    free_session(ann);
    free_session(bob);
}

Test(rooms, refuses_messages_that_say_nothing)
{
    static const struct {
        const char *message, *why;
    } rows[] = {
        {"\"\"", "message: shorter than 1"},
        {"0", "message: empty"},
        {"-0.0", "message: empty"},
        {"null", "message: missing"},
        {"false", "message: not a string, number, object or array"},
    };
    struct eio_session *bob = fake_client(BOB);

    say(bob, "2[\"joinRoom\",\"r\"]");
    bob->sent.n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char packet[200], want[300];

        snprintf(packet, sizeof packet, "2[\"roomMessage\",{\"roomId\":\"r\",\"message\":%s}]",
                 rows[i].message);
        snprintf(want, sizeof want,
                 "42[\"messageError\",{\"event\":\"roomMessage\",\"code\":\"invalid_payload\","
                 "\"error\":\"%s\"}]\n",
                 rows[i].why);
        say(bob, packet);
        cr_expect_str_eq(take(&bob->sent), want, "row %zu", i);
    }
    free_session(bob);
}

Test(rooms, tells_the_others_who_is_typing)
{
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN);

    say(bob, "2[\"joinRoom\",\"r\"]");
    say(ann, "2[\"joinRoom\",\"r\"]");
    bob->sent.n = ann->sent.n = 0;
    say(ann, "2[\"typing\",{\"roomId\":\"r\",\"isTyping\":true}]");
    cr_expect_str_eq(take(&bob->sent), "42[\"userTyping\",{\"userId\":7,\"userName\":\"Ann\","
                                       "\"isTyping\":true,\"roomId\":\"r\"," TIME "}]\n");
    cr_expect_str_eq(take(&ann->sent), "");
    free_session(ann);
    free_session(bob);
}

Test(rooms, lets_only_members_talk_and_type)
{
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN);

    say(bob, "2[\"joinRoom\",\"r\"]");
    bob->sent.n = 0;
    say(ann, "2[\"roomMessage\",{\"roomId\":\"r\",\"message\":\"m\"}]");
    cr_expect_str_eq(
        take(&ann->sent),
        "42[\"messageError\",{\"event\":\"roomMessage\",\"code\":\"not_a_member\",\"error\":"
        "\"join the room first\"}]\n");
    say(ann, "2[\"typing\",{\"roomId\":\"r\",\"isTyping\":true}]");
    cr_expect_str_eq(
        take(&ann->sent),
        "42[\"roomError\",{\"event\":\"typing\",\"code\":\"not_a_member\",\"error\":\"join "
        "the room first\"}]\n");
    cr_expect_str_eq(take(&bob->sent), "");
    free_session(ann);
    free_session(bob);
}

Test(rooms, opens_personal_rooms_to_their_user_alone)
{
    static const struct {
        const char *claims, *room;
        bool want;
    } rows[] = {
        {BOB, "user-u7", true},   {ANN, "user-7", true}, {BOB, "user-u8", false},
        {BOB, "user-U7", false},  {BOB, "user-", false}, {NULL, "user-", false},
        {NULL, "user-u7", false}, {NULL, "users", true}, {BOB, "user-u7 ", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eio_session *s = fake_client(rows[i].claims);
        char packet[100];

        snprintf(packet, sizeof packet, "2[\"joinRoom\",\"%s\"]", rows[i].room);
        say(s, packet);
        cr_expect_eq(strstr(take(&s->sent), "42[\"roomJoined\"") != NULL, rows[i].want, "row %zu",
                     i);
        free_session(s);
    }
}

Test(rooms_cluster, refuses_names_that_may_be_somebodys_private_room)
{
    static const struct {
        const char *room;
        bool want;
    } rows[] = {
        {"node0000000000000001", false}, /* a live socket */
        {"nodeAAAAAAAAAAAAAAAA", false}, /* could be one of this node */
        {"abcdAAAAAAAAAAAA-_AA", false}, /* or of another living one */
        {"efghAAAAAAAAAAAAAAAA", true},  /* nobody's */
        {"abcdAAAAAAAAAAAAAAA", true},   /* too short */
        {"abcdAAAAAAAAAAAA A A", true},  /* no such character */
        {"/#abcdAAAAAAAAAAAAAAAA", false},
    };
    struct eio_session *first = fake_client(NULL);

    fake.living = "nodeabcd";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eio_session *s = fake_client(BOB);
        char packet[100];

        snprintf(packet, sizeof packet, "2[\"joinRoom\",\"%s\"]", rows[i].room);
        say(s, packet);
        cr_expect_eq(strstr(take(&s->sent), "\"forbidden\"") == NULL, rows[i].want, "row %zu", i);
        free_session(s);
        while (fake.calls_count)
            answer_script(OK, "0", "");
    }
    free_session(first);
}

Test(rooms, is_no_member_of_its_own_id)
{
    struct eio_session *s = fake_client(BOB);

    say(s, "2[\"roomMessage\",{\"roomId\":\"node0000000000000001\",\"message\":\"m\"}]");
    cr_expect(strstr(take(&s->sent), "\"not_a_member\""));
    say(s, "21[\"leaveRoom\",\"node0000000000000001\"]");
    cr_expect_str_eq(take(&s->sent), "431[{\"ok\":true}]\n");
    cr_expect(sio_socket_is_in(sio_socket_find(rig.main, STR("node0000000000000001")),
                               STR("node0000000000000001")));
    free_session(s);
}

Test(rooms, stops_at_the_limit_of_rooms)
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

Test(rooms_cluster, answers_when_the_count_has_come)
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

Test(rooms_cluster, lets_a_joiner_go_before_the_count_has_come)
{
    struct eio_session *bob = fake_client(BOB);

    say(bob, "21[\"joinRoom\",\"r\"]");
    free_session(bob);
    answer_script(OK, "1", "");
    cr_expect(strstr(take(&fake.scripts), "node 0 3600"), "the count is taken back");
}

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

Test(rooms, survives_a_joiner_who_is_cut_by_the_answer)
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

Test(rooms_cluster, counts_who_came_back_again)
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

Test(rooms, ends_the_typing_of_who_says_nothing_more)
{
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN);

    say(bob, "2[\"joinRoom\",\"r\"]");
    say(ann, "2[\"joinRoom\",\"r\"]");
    say(ann, "2[\"typing\",{\"roomId\":\"r\",\"isTyping\":true}]");
    bob->sent.n = 0;
    rig_wait(5900);
    cr_expect_str_eq(take(&bob->sent), "");
    rig_wait(110);
    cr_expect(strstr(take(&bob->sent), "\"isTyping\":false,\"roomId\":\"r\""));
    say(ann, "2[\"typing\",{\"roomId\":\"r\",\"isTyping\":true}]");
    say(ann, "2[\"leaveRoom\",\"r\"]");
    bob->sent.n = 0;
    rig_wait(6010);
    cr_expect_str_eq(take(&bob->sent), "", "who has left is not typing");
    free_session(ann);
    free_session(bob);
}

Test(rooms, keeps_the_type_that_a_hidden_joiner_gave)
{
    struct people *p = events_people(fake.events);
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN);

    people_hide(p, STR("u7"), true);
    say(bob, "2[\"joinRoom\",{\"roomId\":\"r\",\"roomType\":\"quiz\"}]");
    bob->sent.n = 0;
    people_hide(p, STR("u7"), false);
    say(ann, "2[\"joinRoom\",\"r\"]");
    cr_expect_str_eq(
        take(&ann->sent),
        "42[\"roomJoined\",{\"roomId\":\"r\",\"memberCount\":2,\"roomType\":\"quiz\"}]\n");
    free_session(ann);
    people_hide(p, STR("u7"), true);
    say(bob, "2[\"leaveRoom\",\"r\"]");
    bob->sent.n = 0;
    say(bob, "2[\"joinRoom\",\"r\"]");
    cr_expect_str_eq(take(&bob->sent), "42[\"roomJoined\",{\"roomId\":\"r\",\"memberCount\":1}]\n",
                     "forgotten with the last one");
    free_session(bob);
}

Test(rooms, does_not_show_hidden_users)
{
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN);
    struct people *people = events_people(fake.events);

    say(bob, "2[\"joinRoom\",\"r\"]");
    people_hide(people, STR("7"), true);
    bob->sent.n = 0;
    say(ann, "2[\"joinRoom\",\"r\"]");
    cr_expect_str_eq(take(&ann->sent), "42[\"roomJoined\",{\"roomId\":\"r\",\"memberCount\":2}]\n",
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

Test(rooms_cluster, answers_the_personal_room_with_the_devices)
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
