#include "tests/unit/support/rooms_rig.inc"

#include "node/features/rooms/rooms_page.h"
#include "node/people/people.h"

static void up_alone(void)
{
    fake_up(features, false);
}

TestSuite(rooms_page, .init = up_alone, .fini = fake_down);

static void ask(struct eio_session *s, const char *after)
{
    char packet[120];

    snprintf(packet, sizeof packet, "21[\"roomMembers\",{\"roomId\":\"r\"%s}]", after);
    s->sent.n = 0;
    say(s, packet);
}

Test(rooms_page, lists_the_sockets_here_in_order_one_row_a_user)
{
    struct eio_session *bob = fake_client(BOB), *again = fake_client(BOB), *ann = fake_client(ANN);

    say(bob, "2[\"joinRoom\",\"r\"]");
    say(ann, "2[\"joinRoom\",\"r\"]");
    say(again, "2[\"joinRoom\",\"r\"]");
    ask(bob, "");
    cr_expect_str_eq(take(&bob->sent),
                     "431[{\"ok\":true,\"roomId\":\"r\",\"members\":[{\"userId\":\"u7\","
                     "\"userName\":\"Bob\"," TIME "},{\"userId\":7,\"userName\":\"Ann\"," TIME
                     "}],\"last\":\"u7\",\"hasMore\":false}]\n");
    ask(bob, ",\"after\":\"u\\\"u7\\\"\"");
    cr_expect_not_null(strstr(take(&bob->sent), "\"members\":[{\"userId\":7"), "behind Bob");
    people_hide(events_people(fake.events), STR("7"), true);
    ask(bob, "");
    cr_expect_null(strstr(take(&bob->sent), "Ann"), "invisible");
    free_session(ann);
    free_session(again);
    free_session(bob);
}

Test(rooms_page, gives_more_than_fit_on_one_page_in_two)
{
    static struct eio_session *all[ROOMS_NAMES_MAX + 5];
    char claims[40];
    unsigned rows = 0;
    const char *sent;

    for (unsigned i = 0; i < ROOMS_NAMES_MAX + 5; i++) {
        snprintf(claims, sizeof claims, "\"id\":\"%03u\"", (i * 7) % (ROOMS_NAMES_MAX + 5));
        all[i] = fake_client(claims);
        say(all[i], "2[\"joinRoom\",\"r\"]");
    }
    ask(all[0], "");
    sent = take(&all[0]->sent);
    cr_expect_not_null(strstr(sent, "\"last\":\"u\\\"199\\\"\",\"hasMore\":true"));
    for (const char *p = sent; (p = strstr(p, "userId")); p++)
        rows++;
    cr_expect_eq(rows, ROOMS_NAMES_MAX);
    ask(all[0], ",\"after\":\"u\\\"199\\\"\"");
    sent = take(&all[0]->sent);
    cr_expect_not_null(strstr(sent, "[{\"userId\":\"200\""));
    cr_expect_not_null(strstr(sent, "\"last\":\"u\\\"204\\\"\",\"hasMore\":false"));
    for (unsigned i = 0; i < ROOMS_NAMES_MAX + 5; i++)
        free_session(all[i]);
}

Test(rooms_page, refuses_replies_that_are_none)
{
    struct rooms_page page;
    const struct str reply[3] = {STR("0"), STR(""), STR("key")};

    cr_expect_not(rooms_page_read(&page, reply, 0));
    cr_expect_not(rooms_page_read(&page, reply, 3));
    cr_expect_not(rooms_page_read(&page, reply, 2 + 2 * (ROOMS_NAMES_MAX + 1)));
    cr_expect(rooms_page_read(&page, reply, 2));
    cr_expect_eq(page.count, 0);
}
