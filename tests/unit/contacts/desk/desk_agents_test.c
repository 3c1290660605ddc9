#include "tests/unit/support/desk_rig.inc"

TestSuite(desk_agents, .init = desk_up, .fini = desk_down);

Test(desk_agents, are_made_when_they_first_come)
{
    struct eio_session *cleo = desk_client(CLEO), *bob;

    cleo->sent.n = 0;
    bob = desk_client(BOB);
    cr_expect(desk_got(cleo,
                       "[\"agentStatus\",{\"agentId\":\"a1\",\"name\":\"Bob\",\"available\":true,"
                       "\"online\":true,\"capacity\":2,\"load\":0,\"skills\":[]}]"),
              "%s", take(&cleo->sent));
    free_session(desk_client(ANN));
    cr_expect_eq(fs.agents_count, 2, "users are none");
    free_session(bob), free_session(cleo);
}

Test(desk_agents, what_a_gone_agent_had_waits_again)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB), *cleo = desk_client(CLEO);
    const char *id = desk_form(ann);
    char want[200];

    desk_say(bob, "claimContact", desk_about(id, ""));
    free_session(bob);
    fake_store_run();
    ann->sent.n = cleo->sent.n = 0;
    desk_wait(58);
    cr_expect(contact_is_in_progress(fs_contact(str_z(id))), "not yet");
    desk_wait(4);
    (void)snprintf(
        want, sizeof want,
        "[\"adminDisconnected\",{\"contactId\":\"%s\",\"adminName\":\"Bob\",\"chatRoomId\":"
        "\"contact-%s\"}]",
        id, id);
    cr_expect(desk_got(ann, want), "%s", take(&ann->sent));
    cr_expect(desk_got(cleo, want), "%s", take(&cleo->sent));
    cr_expect_eq(fs_agent(STR("a1"))->slots.count, 0);
    cr_expect(str_eq(fs_contact(str_z(id))->owner_id, STR("a2")), "another one gets it at once");
    free_session(ann), free_session(cleo);
}

Test(desk_agents, who_comes_back_in_time_keeps_what_he_had)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);
    const char *id = desk_form(ann);

    desk_say(bob, "claimContact", desk_about(id, ""));
    free_session(bob);
    fake_store_run();
    desk_wait(50);
    bob = desk_client(BOB);
    desk_wait(30);
    cr_expect(str_eq(fs_contact(str_z(id))->owner_id, STR("a1")));
    cr_expect(contact_is_in_progress(fs_contact(str_z(id))));
    desk_say(ann, "sendContactMessage", desk_about(id, ",\"message\":\"still there?\""));
    cr_expect(desk_got(bob, "still there?"), "in the chat again: %s", take(&bob->sent));
    free_session(ann), free_session(bob);
}

Test(desk_agents, one_device_of_two_is_not_gone)
{
    struct eio_session *bob = desk_client(BOB), *phone = desk_client(BOB);

    free_session(bob);
    fake_store_run();
    cr_expect_eq(fs_agent(STR("a1"))->gone_at, 0);
    free_session(phone);
    fake_store_run();
    cr_expect_neq(fs_agent(STR("a1"))->gone_at, 0);
}

Test(desk_agents, set_their_own_status_and_a_superadmin_that_of_others)
{
    struct eio_session *bob = desk_client(BOB), *cleo = desk_client(CLEO), *dan = desk_client(DAN);

    desk_say(bob, "setAgentStatus",
             "{\"available\":false,\"capacity\":7,\"skills\":[\"billing\"]}");
    cr_expect(desk_got(cleo,
                       "\"available\":false,\"online\":true,\"capacity\":7,\"load\":0,\"skills\":["
                       "\"billing\"]"),
              "%s", take(&cleo->sent));
    cleo->sent.n = 0;
    desk_say(cleo, "setAgentStatus", "{\"agentId\":\"a1\",\"capacity\":1}");
    cr_expect(desk_got(cleo, "\"code\":\"forbidden\""), "%s", take(&cleo->sent));
    desk_say(dan, "setAgentStatus", "{\"agentId\":\"a1\",\"capacity\":1}");
    cr_expect_eq(fs_agent(STR("a1"))->capacity, 1);
    desk_say(dan, "setAgentStatus", "{\"agentId\":\"nobody\",\"capacity\":1}");
    cr_expect(desk_got(dan, "No such agent"));
    dan->sent.n = 0;
    desk_say(dan, "listAgents", "{}");
    cr_expect(desk_got(dan, "\"agents\":[{\"agentId\":\"a1\",\"name\":\"Bob\""), "%s",
              take(&dan->sent));
    free_session(bob), free_session(cleo), free_session(dan);
}
