#include "tests/unit/support/desk_rig.inc"

TestSuite(desk_claim, .init = desk_up, .fini = desk_down);

Test(desk_claim, the_one_who_claims_is_told_twice_in_two_shapes)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB), *cleo = desk_client(CLEO);
    const char *id = desk_form(ann);
    char want[512];

    bob->sent.n = cleo->sent.n = 0;
    desk_say(bob, "claimContact", desk_about(id, ""));
    (void)snprintf(
        want, sizeof want,
        "[\"contactClaimed\",{\"contactId\":\"%s\",\"adminName\":\"Bob\",\"adminId\":\"a1\"}]", id);
    cr_expect(desk_got(bob, want), "%s", take(&bob->sent));
    cr_expect(desk_got(cleo, want), "%s", take(&cleo->sent));
    (void)snprintf(want, sizeof want, "[\"contactClaimed\",{\"contactId\":\"%s\",\"contact\":{",
                   id);
    cr_expect(desk_got(bob, want));
    cr_expect_not(desk_got(cleo, want));
    (void)snprintf(want, sizeof want, "\"chatRoomId\":\"contact-%s\"}]", id);
    cr_expect(desk_got(bob, want));
    free_session(ann), free_session(bob), free_session(cleo);
}

Test(desk_claim, who_comes_late_learns_whose_it_is)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB), *cleo = desk_client(CLEO);
    const char *id = desk_form(ann);

    desk_say(bob, "claimContact", desk_about(id, ""));
    cleo->sent.n = 0;
    desk_say(cleo, "claimContact", desk_about(id, ""));
    cr_expect(
        desk_got(cleo,
                 "\"code\":\"already_claimed\",\"error\":\"Contact already claimed by another "
                 "admin\""),
        "%s", take(&cleo->sent));
    cr_expect(desk_got(cleo, "\"assignedTo\":\"Bob\""));
    cr_expect_eq(fs_agent(STR("a2"))->slots.count, 0, "the slot is given back");
    cr_expect_eq(fs_agent(STR("a1"))->slots.count, 1);
    bob->sent.n = 0;
    desk_say(bob, "claimContact", desk_about(id, ""));
    cr_expect(desk_got(bob, "[{\"ok\":true}]"), "asked again: %s", take(&bob->sent));
    cr_expect_eq(fs_agent(STR("a1"))->slots.count, 1);
    free_session(ann), free_session(bob), free_session(cleo);
}

Test(desk_claim, nobody_has_more_than_the_capacity)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);
    const char *ids[3];

    for (int i = 0; i < 3; i++)
        ids[i] = desk_form(ann);
    desk_say(bob, "claimContact", desk_about(ids[0], ""));
    desk_say(bob, "claimContact", desk_about(ids[1], ""));
    bob->sent.n = 0;
    desk_say(bob, "claimContact", desk_about(ids[2], ""));
    cr_expect(desk_got(bob, "\"code\":\"limit_reached\""), "%s", take(&bob->sent));
    desk_say(bob, "resolveContact", desk_about(ids[0], ""));
    bob->sent.n = 0;
    desk_say(bob, "claimContact", desk_about(ids[2], ""));
    cr_expect(desk_got(bob, "{\"ok\":true}"), "%s", take(&bob->sent));
    free_session(ann), free_session(bob);
}

Test(desk_claim, a_slot_that_a_crash_left_is_swept)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);
    const char *ids[3];

    for (int i = 0; i < 3; i++)
        ids[i] = desk_form(ann);
    desk_say(bob, "claimContact", desk_about(ids[0], ""));
    desk_say(bob, "claimContact", desk_about(ids[1], ""));
    fs_contact(str_z(ids[0]))->status = STR("resolved"); /* and the slot was not given back */
    desk_say(bob, "claimContact", desk_about(ids[2], ""));
    cr_expect(desk_got(bob, "\"code\":\"limit_reached\""), "it is fresh: perhaps being claimed");
    desk_wait(11);
    bob->sent.n = 0;
    desk_say(bob, "claimContact", desk_about(ids[2], ""));
    cr_expect(desk_got(bob, "{\"ok\":true}"), "%s", take(&bob->sent));
    cr_expect_eq(fs_agent(STR("a1"))->slots.count, 2);
    free_session(ann), free_session(bob);
}

Test(desk_claim, is_for_agents)
{
    struct eio_session *ann = desk_client(ANN);
    const char *id = desk_form(ann);

    ann->sent.n = 0;
    desk_say(ann, "claimContact", desk_about(id, ""));
    cr_expect(desk_got(ann, "[\"claimError\",{\"event\":\"claimContact\",\"code\":\"forbidden\""),
              "%s", take(&ann->sent));
    desk_say(ann, "requeueContact", desk_about(id, ""));
    desk_say(ann, "transferContact", desk_about(id, ",\"toAgentId\":\"u7\""));
    cr_expect(contact_is_pending(fs_contact(str_z(id))));
    free_session(ann);
}

Test(desk_claim, given_back_it_waits_in_front)
{
    struct eio_session *ann = desk_client(NULL), *eve = desk_client(NULL), *bob = desk_client(BOB);
    const char *id = desk_form(ann);

    desk_say(bob, "claimContact", desk_about(id, ""));
    desk_wait(1);
    (void)desk_form(eve);
    ann->sent.n = bob->sent.n = 0;
    desk_say(bob, "requeueContact", desk_about(id, ",\"reason\":\"end of my day\""));
    cr_expect(desk_got(bob, "\"reason\":\"end of my day\",\"by\":\"Bob\"}]"), "%s",
              take(&bob->sent));
    cr_expect(desk_got(ann, "[\"contactRequeued\",{\"contactId\":"));
    cr_expect_not(desk_got(ann, "end of my day"), "the reason is for agents");
    cr_expect_eq(fs_agent(STR("a1"))->slots.count, 0);
    desk_wait(1);
    cr_expect(desk_got(ann, "\"position\":1"), "%s", take(&ann->sent));
    cr_expect(desk_got(eve, "\"position\":2"), "%s", take(&eve->sent));
    free_session(ann), free_session(eve), free_session(bob);
}

Test(desk_claim, handed_over_the_slot_goes_along_and_the_note_stays_within)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB), *cleo = desk_client(CLEO);
    const char *id = desk_form(ann);

    desk_say(bob, "claimContact", desk_about(id, ""));
    ann->sent.n = cleo->sent.n = 0;
    desk_say(cleo, "transferContact", desk_about(id, ",\"toAgentId\":\"a2\""));
    cr_expect(desk_got(cleo, "\"code\":\"forbidden\""), "another one's: %s", take(&cleo->sent));
    desk_say(bob, "transferContact", desk_about(id, ",\"toAgentId\":\"a2\",\"note\":\"secret\""));
    cr_expect(desk_got(ann, "\"fromName\":\"Bob\",\"toName\":\"Cleo\"}]"), "%s", take(&ann->sent));
    cr_expect_not(desk_got(ann, "secret"));
    cr_expect(desk_got(cleo, "\"chatRoomId\":"));
    cr_expect_eq(fs_agent(STR("a1"))->slots.count, 0);
    cr_expect_eq(fs_agent(STR("a2"))->slots.count, 1);
    cr_expect(message_is_note(&fs.messages[0]));
    free_session(ann), free_session(bob), free_session(cleo);
}
