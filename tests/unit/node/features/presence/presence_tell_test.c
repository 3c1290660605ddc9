#include "tests/unit/support/fake_events.inc"

#include "node/features/presence/presence.h"

#define BOB "\"id\":\"u7\",\"name\":\"Bob\""
#define ANN "\"id\":7,\"name\":\"Ann\""

static const struct feature *const features[] = {&feature_presence, NULL};

static void up(void)
{
    fake_up(features, false);
}

TestSuite(presence_tell, .init = up, .fini = fake_down);

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;

    while ((text = strstr(text, what))) {
        n++;
        text++;
    }
    return n;
}

Test(presence_tell, tells_others_of_the_first_and_last_device)
{
    struct eio_session *bob = fake_client(BOB), *ann, *tab;
    const char *got;

    rig_wait(1010);
    bob->sent.n = 0;
    ann = fake_client(ANN);
    tab = fake_client(ANN);
    cr_expect_str_eq(take(&bob->sent), "", "within an interval, not at once");
    rig_wait(1010);
    got = take(&bob->sent);
    cr_expect(strstr(got, "42[\"userOnline\",{\"userId\":7,\"name\":\"Ann\",\"timestamp\":"), "%s",
              got);
    cr_expect(strstr(got,
                     "42[\"onlineUsers\",{\"users\":[{\"userId\":7,\"name\":\"Ann\",\"status\":"
                     "\"online\",\"lastActivity\":"),
              "%s", got);
    cr_expect(strstr(got, "}],\"count\":2,\"timestamp\":"), "%s", got);
    cr_expect_eq(count(take(&ann->sent), "userOnline"), 0, "not to herself");
    free_session(ann);
    rig_wait(1010);
    cr_expect_str_eq(take(&bob->sent), "");
    free_session(tab);
    rig_wait(1010);
    got = take(&bob->sent);
    cr_expect(strstr(got, "42[\"userOffline\",{\"userId\":7,\"name\":\"Ann\",\"timestamp\":"), "%s",
              got);
    free_session(bob);
}

Test(presence_tell, gives_a_newcomer_the_list_at_once)
{
    struct eio_session *bob = fake_client(BOB), *ann;
    char connect[9000];

    rig_wait(1010);
    ann = open_session(4);
    snprintf(connect, sizeof connect, "0{\"token\":\"%s\"}", fake_token(ANN));
    say(ann, connect);
    cr_expect(strstr(take(&ann->sent), "42[\"onlineUsers\",{\"users\":[{\"userId\":\"u7\","));
    free_session(ann);
    free_session(bob);
}

Test(presence_tell, sends_each_client_bounded_bytes)
{
    struct eio_session *bob = fake_client(BOB), *many[300];
    const char *got;

    rig_wait(1010);
    bob->sent.n = 0;
    for (int i = 0; i < 300; i++) {
        char claims[40];

        snprintf(claims, sizeof claims, "\"id\":\"n%d\",\"name\":\"N\"", i);
        many[i] = fake_client(claims);
    }
    rig_wait(1010);
    cr_expect_lt(bob->sent.n, 20000 + 20 * 100);
    for (int i = 0; i < 5; i++)
        rig_wait(1010);
    cr_expect_lt(bob->sent.n, 30000);
    bob->sent.n = bob->sent.n < 19000 ? bob->sent.n : 19000;
    got = take(&bob->sent);
    cr_expect_eq(count(got, "userOnline"), 20);
    cr_expect_eq(count(got, "42[\"onlineUsers\""), 1, "one page for all");
    for (int i = 0; i < 300; i++)
        free_session(many[i]);
    free_session(bob);
}
