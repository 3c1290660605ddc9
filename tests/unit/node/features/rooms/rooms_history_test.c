#include "tests/unit/support/fake_events.inc"

#include "node/features/rooms/rooms.h"
#include "node/features/rooms/rooms_history.h"

#define BOB "\"id\":\"u7\",\"name\":\"Bob\""
#define TIME "\"timestamp\":\"2023-11-14T22:13:20.000Z\""

static const struct feature *const features[] = {&feature_rooms, NULL};
static struct eio_session *bob;

static void up(void)
{
    fake_up(features, true);
    rig.conf.room_history = 50;
    bob = fake_client(BOB);
    say(bob, "2[\"joinRoom\",\"r\"]");
    answer_script(OK, "1", "");
    answer_script(ERR_UNAVAILABLE, "", ""); /* what a newcomer is told */
    bob->sent.n = fake.scripts.n = 0;
}

static void down(void)
{
    free_session(bob);
    fake_down();
}

TestSuite(rooms_history, .init = up, .fini = down);

Test(rooms_history, keeps_what_was_said_beside_the_counts_of_the_room)
{
    const char *scripts;

    say(bob, "2[\"roomMessage\",{\"roomId\":\"r\",\"message\":\"hello\"}]");
    scripts = take(&fake.scripts);
    cr_expect(strstr(scripts, "ingoma:{room:/:r}:log 50 {\"messageId\":\"msg_"), "%s", scripts);
    cr_expect(strstr(scripts, "\"message\":\"hello\",\"type\":\"text\",\"roomId\":\"r\"," TIME
                              "} 3600 chat \n"),
              "%s", scripts);
    cr_expect(strstr(take(&bob->sent), "42[\"roomMessage\",{"), "said all the same");
}

Test(rooms_history, keeps_nothing_when_it_is_off_or_personal)
{
    rig.conf.room_history = 0;
    say(bob, "2[\"roomMessage\",{\"roomId\":\"r\",\"message\":\"hello\"}]");
    rig.conf.room_history = 50;
    say(bob, "2[\"roomMessage\",{\"roomId\":\"user-u7\",\"message\":\"note\"}]");
    cr_expect_str_eq(take(&fake.scripts), "");
    cr_expect(strstr(take(&bob->sent), "note"), "said all the same");
}

Test(rooms_history, answers_the_ack_or_with_the_event)
{
    const struct str reply[] = {STR("1"),   STR("0"),         STR("5-0"),
                                STR("6-0"), STR("{\"m\":1}"), STR("{\"m\":2}")};

    say(bob, "21[\"roomHistory\",{\"roomId\":\"r\",\"before\":\"7-0\",\"limit\":2}]");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{room:/:r}:log 7-0  2 262144\n");
    answer_call(OK, reply, 6);
    cr_expect_str_eq(take(&bob->sent),
                     "431[{\"ok\":true,\"roomId\":\"r\",\"messages\":[{\"m\":1},{\"m\":2}],"
                     "\"first\":\"5-0\",\"last\":\"6-0\",\"hasMore\":true,\"hasGap\":false}]\n");
    say(bob, "2[\"roomHistory\",{\"roomId\":\"r\",\"after\":\"6-0\"}]");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{room:/:r}:log  6-0 50 262144\n");
    answer_call(OK, (const struct str[]){STR("0"), STR("1"), STR(""), STR("")}, 4);
    cr_expect_str_eq(take(&bob->sent),
                     "42[\"roomHistory\",{\"roomId\":\"r\",\"messages\":[],\"first\":\"\","
                     "\"last\":\"\",\"hasMore\":false,\"hasGap\":true}]\n");
}

Test(rooms_history, refuses_strangers_and_cursors_that_were_never_given)
{
    static const char *const cursors[] = {
        "1-", "-1", "1", "abc", "1-2-3", "1-0 x", "99999999999999999999-0"};
    char packet[120];

    say(bob, "21[\"roomHistory\",{\"roomId\":\"other\"}]");
    cr_expect(strstr(take(&bob->sent), "\"code\":\"not_a_member\""));
    for (size_t i = 0; i < sizeof cursors / sizeof cursors[0]; i++) {
        snprintf(packet, sizeof packet, "21[\"roomHistory\",{\"roomId\":\"r\",\"after\":\"%s\"}]",
                 cursors[i]);
        say(bob, packet);
        cr_expect(strstr(take(&bob->sent), "\"ok\":false"), "%s", cursors[i]);
    }
    cr_expect_str_eq(take(&fake.scripts), "");
}

Test(rooms_history, says_when_redis_is_away_and_lets_an_asker_go)
{
    say(bob, "21[\"roomHistory\",\"r\"]"); /* no bare text here */
    cr_expect(strstr(take(&bob->sent), "\"ok\":false"));
    say(bob, "21[\"roomHistory\",{\"roomId\":\"r\"}]");
    answer_call(ERR_UNAVAILABLE, NULL, 0);
    cr_expect(strstr(take(&bob->sent), "\"code\":\"unavailable\""));
    say(bob, "21[\"roomHistory\",{\"roomId\":\"r\"}]");
    free_session(bob);
    answer_call(OK, (const struct str[]){STR("0"), STR("0"), STR(""), STR("")}, 4);
    bob = fake_client(BOB);
}
