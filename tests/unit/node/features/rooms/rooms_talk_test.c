#include "tests/unit/support/fake_events.inc"

#include "node/features/rooms/rooms.h"

#define TIME "\"timestamp\":\"2023-11-14T22:13:20.000Z\""
#define BOB "\"id\":\"u7\",\"name\":\"Bob\""
#define ANN "\"id\":7,\"name\":\"Ann\""

static const struct feature *const features[] = {&feature_rooms, NULL};

static void up(void)
{
    fake_up(features, false);
}

TestSuite(rooms_talk, .init = up, .fini = fake_down);

Test(rooms_talk, gives_a_message_to_all_members_the_sender_included)
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

Test(rooms_talk, refuses_messages_that_say_nothing)
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

Test(rooms_talk, tells_the_others_who_is_typing)
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

Test(rooms_talk, lets_only_members_talk_and_type)
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

Test(rooms_talk, ends_the_typing_of_who_says_nothing_more)
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
