#include "tests/unit/support/desk_rig.inc"

TestSuite(desk_stats, .init = desk_up, .fini = desk_down);

Test(desk_stats, are_counted_from_the_records)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);
    const char *id = desk_form(ann);

    (void)desk_form(ann);
    desk_say(bob, "claimContact", desk_about(id, ""));
    desk_say(bob, "sendContactMessage", desk_about(id, ",\"message\":\"x\""));
    desk_wait(10);
    desk_say(bob, "resolveContact", desk_about(id, ""));
    bob->sent.n = 0;
    desk_say(bob, "getContactStats", "{}");
    cr_expect(desk_got(bob,
                       "42/contacts,[\"contactStats\",{\"totalContacts\":2,\"activeChats\":0,"
                       "\"messagesExchanged\":1,\"averageResponseTime\":10000,\"onlineAdmins\":1,"
                       "\"pendingContacts\":1,\"activeContacts\":0,\"details\":{"),
              "%s", take(&bob->sent));
    bob->sent.n = 0;
    desk_say(bob, "getContactStats", "{\"from\":\"2030-01-01\"}");
    cr_expect(desk_got(bob, "\"totalContacts\":0"));
    free_session(ann), free_session(bob);
}

Test(desk_stats, are_for_agents)
{
    struct eio_session *ann = desk_client(ANN);

    desk_say(ann, "getContactStats", "{}");
    cr_expect(desk_got(ann, "\"code\":\"forbidden\""));
    free_session(ann);
}
