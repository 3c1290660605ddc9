#include "tests/unit/support/fake_events.inc"

#include "node/features/rooms/rooms.h"

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

TestSuite(rooms_access, .init = up, .fini = fake_down);
TestSuite(rooms_access_cluster, .init = up_cluster, .fini = fake_down);

Test(rooms_access, opens_personal_rooms_to_their_user_alone)
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

Test(rooms_access_cluster, refuses_names_that_may_be_somebodys_private_room)
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

Test(rooms_access, is_no_member_of_its_own_id)
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

Test(rooms_access, opens_contact_and_quiz_rooms_by_right)
{
    static const struct {
        const char *claims, *room;
        bool want;
    } rows[] = {
        {"\"id\":1,\"role\":\"Admin\"", "contact-1", true},
        {"\"id\":1,\"role\":\"SuperAdmin\"", "quiz-1", true},
        {"\"id\":1,\"rooms\":[\"contact-1\"]", "contact-1", true},
        {"\"id\":1,\"rooms\":[\"contact-1\"]", "contact-2", false},
        {"\"id\":1,\"rooms\":[\"user-2\"]", "user-2", false}, /* no token opens these */
        {"\"id\":1", "contact-1", false},
        {"\"id\":1", "quiz-1", false},
        {NULL, "quiz-1", false},
        {NULL, "quiz", true},
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

/* As the quiz puts its players in. */
Test(rooms_access, is_open_to_whom_another_feature_has_put_in)
{
    struct eio_session *bob = fake_client(BOB);

    cr_assert_eq(
        sio_socket_join(sio_socket_find(rig.main, STR("node0000000000000001")), STR("quiz-1")), OK);
    say(bob, "21[\"joinRoom\",\"quiz-1\"]");
    cr_expect_not_null(strstr(take(&bob->sent), "431[{\"ok\":true,\"roomId\":\"quiz-1\""));
    say(bob, "21[\"roomMessage\",{\"roomId\":\"quiz-1\",\"message\":\"m\"}]");
    cr_expect_not_null(strstr(take(&bob->sent), "\"ok\":true"));
    free_session(bob);
}
