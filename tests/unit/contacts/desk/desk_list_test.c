#include "tests/unit/support/desk_rig.inc"

TestSuite(desk_list, .init = desk_up, .fini = desk_down);

Test(desk_list, those_who_wait_are_an_array_the_newest_first)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);
    const char *first = desk_form(ann), *second;
    char want[600];

    desk_wait(1);
    second = desk_form(ann);
    bob->sent.n = 0;
    desk_say(bob, "getPendingContacts", "{}");
    (void)snprintf(
        want, sizeof want,
        "42/contacts,[\"pendingContacts\",[{\"id\":\"%s\",\"name\":\"Ann\",\"email\":"
        "\"ann@example.org\",\"subject\":\"Account\",\"priority\":\"normal\",\"submittedAt\":"
        "\"2023-11-14T22:13:21.000Z\"},{\"id\":\"%s\",",
        second, first);
    cr_expect(desk_got(bob, want), "%s", take(&bob->sent));
    cr_expect_not(desk_got(bob, "Help"), "without the message");
    free_session(ann), free_session(bob);
}

Test(desk_list, agents_see_lists_and_all_of_a_contact)
{
    struct eio_session *ann = desk_client(ANN), *bob = desk_client(BOB);
    const char *id = desk_form(ann);

    desk_say(bob, "addContactNote", desk_about(id, ",\"text\":\"n\""));
    bob->sent.n = 0;
    desk_say(bob, "listContacts", "{\"status\":\"pending\",\"from\":\"2023-01-01\"}");
    cr_expect(desk_got(bob, "\"total\":1}]"), "%s", take(&bob->sent));
    bob->sent.n = 0;
    desk_say(bob, "getContact", desk_about(id, ""));
    cr_expect(desk_got(bob, "\"message\":\"Help\""), "%s", take(&bob->sent));
    cr_expect(desk_got(bob, "\"note\":true"));
    desk_say(ann, "listContacts", "{}");
    desk_say(ann, "getPendingContacts", "{}");
    desk_say(ann, "getContact", desk_about(id, ""));
    cr_expect_not(desk_got(ann, "\"total\""));
    cr_expect_not(desk_got(ann, "pendingContacts\",["));
    bob->sent.n = 0;
    desk_say(bob, "listContacts", "{\"from\":\"yesterday-x\"}");
    cr_expect(desk_got(bob, "not a date"), "%s", take(&bob->sent));
    free_session(ann), free_session(bob);
}

Test(desk_list, a_transcript_is_for_its_visitor_and_agents)
{
    struct eio_session *ann = desk_client(ANN), *eve = desk_client("\"id\":\"u9\"");
    const char *id = desk_form(ann);

    ann->sent.n = 0;
    desk_say(ann, "getTranscript", desk_about(id, ""));
    cr_expect(desk_got(ann, "Help"), "%s", take(&ann->sent));
    desk_say(eve, "getTranscript", desk_about(id, ""));
    cr_expect(desk_got(eve, "\"code\":\"forbidden\""));
    cr_expect_not(desk_got(eve, "Help"));
    free_session(ann), free_session(eve);
}
