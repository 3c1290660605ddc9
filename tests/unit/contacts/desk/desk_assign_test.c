#include "tests/unit/support/desk_rig.inc"

TestSuite(desk_assign, .init = desk_up, .fini = desk_down);

Test(desk_assign, what_nobody_claims_is_given_after_five_minutes)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB), *cleo = desk_client(CLEO);
    const char *id = desk_form(ann);
    struct eio_session *who;

    bob->sent.n = cleo->sent.n = 0;
    desk_wait(299);
    cr_expect(contact_is_pending(fs_contact(str_z(id))));
    desk_wait(2);
    cr_assert(contact_is_in_progress(fs_contact(str_z(id))));
    who = str_eq(fs_contact(str_z(id))->owner_id, STR("a1")) ? bob : cleo;
    cr_expect(desk_got(who, "[\"autoAssignedContact\",{\"contactId\":"), "%s", take(&who->sent));
    cr_expect(desk_got(who, "\"reason\":\"Auto-assigned due to no manual claim\"}]"));
    cr_expect_not(desk_got(who == bob ? cleo : bob, "autoAssignedContact"));
    cr_expect(desk_got(who == bob ? cleo : bob, "contactClaimed"), "the others know");
    desk_say(who, "sendContactMessage", desk_about(id, ",\"message\":\"x\""));
    cr_expect_eq(fs.messages_count, 1, "it is the agent's now");
    free_session(ann), free_session(bob), free_session(cleo);
}

Test(desk_assign, waits_for_somebody_who_has_room)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);
    const char *id = desk_form(ann);

    desk_say(bob, "setAgentStatus", "{\"available\":false}");
    desk_wait(400);
    cr_expect(contact_is_pending(fs_contact(str_z(id))), "nobody is there");
    desk_say(bob, "setAgentStatus", "{\"available\":true}");
    cr_expect(contact_is_in_progress(fs_contact(str_z(id))), "at once");
    free_session(ann), free_session(bob);
}

Test(desk_assign, a_slot_that_becomes_free_is_used)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);
    const char *ids[3];

    for (int i = 0; i < 3; i++)
        ids[i] = desk_form(ann);
    desk_wait(302);
    cr_expect_eq(fs_agent(STR("a1"))->slots.count, 2, "no more than the capacity");
    for (int i = 0; i < 3; i++)
        if (contact_is_in_progress(fs_contact(str_z(ids[i])))) {
            desk_say(bob, "resolveContact", desk_about(ids[i], ""));
            break;
        }
    cr_expect_eq(fs_agent(STR("a1"))->slots.count, 2, "the third one");
    free_session(ann), free_session(bob);
}
