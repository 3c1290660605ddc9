#include "tests/unit/support/fake_events.inc"

#include "node/features/presence/presence.h"
#include "node/people/people.h"

#define BOB "\"id\":\"u7\",\"name\":\"Bob\""
#define ROW "{\"userId\":\"u7\",\"name\":\"Bob\",\"status\":\"%s\",\"lastActivity\":"

static const struct feature *const features[] = {&feature_presence, NULL};

static void up(void)
{
    fake_up(features, false);
}

static void up_cluster(void)
{
    fake.tells_people = true;
    fake_up(features, true);
}

TestSuite(presence, .init = up, .fini = fake_down);
TestSuite(presence_cluster, .init = up_cluster, .fini = fake_down);

static bool is_hidden(void)
{
    return people_is_hidden(events_people(fake.events), STR("u7"));
}

Test(presence, takes_the_word_or_the_object)
{
    struct eio_session *bob = fake_client(BOB), *guest = fake_client(NULL);

    say(bob, "21[\"updatePresence\",\"away\"]");
    cr_expect_str_eq(take(&bob->sent), "431[{\"ok\":true,\"status\":\"away\"}]\n");
    say(bob, "21[\"updatePresence\",{\"status\":\"Invisible\"}]");
    cr_expect_str_eq(take(&bob->sent), "431[{\"ok\":true,\"status\":\"invisible\"}]\n");
    cr_expect(is_hidden());
    say(bob, "21[\"updatePresence\",\"online\"]");
    cr_expect(!is_hidden());
    bob->sent.n = 0;
    say(bob, "2[\"updatePresence\",\"gone\"]");
    cr_expect(strstr(take(&bob->sent), "status: not online, away, busy or invisible"));
    say(guest, "2[\"updatePresence\",\"away\"]");
    cr_expect(strstr(take(&guest->sent), "\"event\":\"updatePresence\""));
    free_session(bob);
    free_session(guest);
}

Test(presence_cluster, shows_nobody_before_the_status_is_known)
{
    struct eio_session *bob = fake_client(BOB);

    cr_expect(is_hidden());
    answer_step("1", "0");                                                /* people */
    answer_call(OK, (const struct str[]){STR("invisible"), STR("0")}, 2); /* kept */
    cr_expect(is_hidden());
    fake.scripts.n = 0;
    loop_turn(rig.loop, false);
    cr_expect(strstr(take(&fake.scripts),
                     " + u7 1700000000000000 i 1700000000000 \"userId\":\"u7\","
                     "\"name\":\"Bob\"\n"));
    free_session(bob);
}

Test(presence_cluster, shows_who_is_not_known_to_hide)
{
    static const int codes[] = {OK, ERR_TIMEOUT};

    for (size_t i = 0; i < 2; i++) {
        struct eio_session *bob = fake_client(BOB);

        answer_step("1", "0");
        answer_call(codes[i], (const struct str[]){STR(""), STR("0")}, 2);
        cr_expect(!is_hidden());
        free_session(bob);
        while (fake.calls_count)
            answer_script(OK, "0", "");
        loop_turn(rig.loop, false);
        while (fake.calls_count)
            answer_script(OK, "0", "");
    }
}

Test(presence_cluster, hides_at_once_and_answers_when_redis_has_it)
{
    struct eio_session *bob = fake_client(BOB);

    answer_step("1", "0");
    answer_call(OK, (const struct str[]){STR(""), STR("0")}, 2);
    loop_turn(rig.loop, false);
    while (fake.calls_count)
        answer_script(OK, "1", "");
    bob->sent.n = fake.scripts.n = 0;
    say(bob, "21[\"updatePresence\",\"invisible\"]");
    cr_expect(is_hidden());
    cr_expect_str_eq(take(&bob->sent), "");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{user:u7}:presence seen 2592000 1700000000000\n"
                                          "ingoma:{user:u7}:presence hide 2592000 1700000000000\n");
    answer_script(OK, "", "0");
    answer_script(ERR_TIMEOUT, "", "");
    cr_expect(strstr(take(&bob->sent), "\"ok\":false,\"code\":\"timeout\""));
    cr_expect(!is_hidden(), "as it was");
    fake.is_connected = false;
    say(bob, "21[\"updatePresence\",\"away\"]");
    cr_expect(strstr(take(&bob->sent), "\"ok\":false,\"code\":\"unavailable\""));
    free_session(bob);
}

Test(presence_cluster, writes_leaves_and_what_redis_lost)
{
    struct eio_session *bob = fake_client(BOB);

    answer_step("1", "0");
    answer_call(OK, (const struct str[]){STR(""), STR("0")}, 2);
    loop_turn(rig.loop, false);
    while (fake.calls_count)
        answer_script(OK, "1", "");
    fake.scripts.n = 0;
    events_on_state(fake.events, true);
    loop_turn(rig.loop, false);
    cr_expect(strstr(take(&fake.scripts), " ? u7 1700000000000000 o 1700000000000 "));
    while (fake.calls_count)
        answer_script(OK, "1", "");
    free_session(bob);
    fake.scripts.n = 0;
    answer_step("0", "1");
    loop_turn(rig.loop, false);
    cr_expect(strstr(take(&fake.scripts), " - u7 1700000000000000 \n"));
}

Test(presence_cluster, is_closed_while_answers_are_due)
{
    struct eio_session *bob = fake_client(BOB);

    rig_wait(1010);
    say(bob, "21[\"updatePresence\",\"invisible\"]");
    free_session(bob);
}
