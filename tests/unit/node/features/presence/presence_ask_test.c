#include "tests/unit/support/fake_events.inc"

#include "node/features/presence/presence.h"

#define BOB "\"id\":\"u7\",\"name\":\"Bob\""
#define ANN "\"id\":7,\"name\":\"Ann\""

static const struct feature *const features[] = {&feature_presence, NULL};

static void up(void)
{
    fake_up(features, false);
}

static void up_cluster(void)
{
    fake_up(features, true);
}

TestSuite(presence_ask, .init = up, .fini = fake_down);
TestSuite(presence_ask_cluster, .init = up_cluster, .fini = fake_down);

Test(presence_ask, answers_what_is_so_and_tells_what_changes)
{
    struct eio_session *bob = fake_client(BOB), *ann;
    const char *got;

    rig_wait(1010);
    bob->sent.n = 0;
    say(bob, "21[\"presence:subscribe\",{\"userIds\":[\"u7\",\"7\"]}]");
    got = take(&bob->sent);
    cr_expect(strstr(got,
                     "431[{\"ok\":true,\"users\":[{\"userId\":\"u7\",\"name\":\"Bob\",\"status\":"
                     "\"online\","),
              "%s", got);
    cr_expect(strstr(got, ",{\"userId\":\"7\",\"status\":\"offline\"}],\"seq\":0}]"), "%s", got);
    ann = fake_client(ANN);
    rig_wait(1010);
    cr_expect(strstr(take(&bob->sent),
                     "42[\"presence:diff\",{\"joins\":[{\"userId\":7,\"name\":\"Ann\","));
    free_session(ann);
    rig_wait(1010);
    got = take(&bob->sent);
    cr_expect(
        strstr(got, "42[\"presence:diff\",{\"joins\":[],\"leaves\":[{\"userId\":7,\"name\":\"Ann\","
                    "\"lastSeen\":"),
        "%s", got);
    cr_expect(strstr(got, "],\"seq\":2}]"), "%s", got);
    say(bob, "21[\"presence:unsubscribe\",{\"userIds\":[\"7\"]}]");
    ann = fake_client(ANN);
    rig_wait(1010);
    cr_expect(!strstr(take(&bob->sent), "presence:diff"));
    free_session(ann);
    free_session(bob);
}

Test(presence_ask, has_a_limit)
{
    struct eio_session *bob = fake_client(BOB);

    for (int i = 0; i < 6; i++) {
        struct sb b = {0};

        sb_z(&b, "21[\"presence:subscribe\",{\"userIds\":[");
        for (int j = 0; j < 100; j++)
            sb_printf(&b, "%s\"%d\"", j ? "," : "", 100 * i + j);
        sb_z(&b, "]}]");
        sb_char(&b, '\0');
        bob->sent.n = 0;
        say(bob, b.p);
        cr_expect_eq(strstr(take(&bob->sent), "\"ok\":true") != NULL, i < 5, "round %d", i);
        sb_fini(&b);
    }
    free_session(bob);
}

Test(presence_ask, gives_pages)
{
    struct eio_session *bob = fake_client(BOB);

    say(bob, "21[\"presence:list\",{}]");
    cr_expect(strstr(take(&bob->sent), "\"count\":1,\"page\":0,\"pages\":1}]"));
    say(bob, "21[\"presence:list\",{\"page\":3}]");
    cr_expect_str_eq(take(&bob->sent),
                     "431[{\"ok\":true,\"users\":[],\"count\":1,\"page\":3,\"pages\":1}]\n");
    free_session(bob);
}

Test(presence_ask_cluster, asks_redis_when_somebody_was_last_seen)
{
    struct eio_session *bob = fake_client(BOB);
    const struct str reply[] = {STR(""), STR("1700000000000")};

    say(bob, "21[\"presence:subscribe\",{\"userIds\":[\"u8\"]}]");
    cr_expect_str_eq(take(&bob->sent), "");
    fake.people_count--;
    fake.people_calls[fake.people_count].done(fake.people_calls[fake.people_count].ctx, OK, reply,
                                              2);
    cr_expect_str_eq(take(&bob->sent),
                     "431[{\"ok\":true,\"users\":[{\"userId\":\"u8\",\"status\":\"offline\","
                     "\"lastSeen\":\"2023-11-14T22:13:20.000Z\"}],\"seq\":0}]\n");
    say(bob, "21[\"presence:subscribe\",{\"userIds\":[\"u9\"]}]");
    free_session(bob); /* and nobody waits any more */
}
