#include "tests/unit/support/desk_rig.inc"

#include "contacts/desk/desk_priv.h"

TestSuite(desk_decide, .init = desk_up, .fini = desk_down);

Test(desk_decide, an_agent_is_the_visitor_of_the_own_form)
{
    const struct contact c = {.user_id = STR("a1")};
    struct desk_actor a = {.id = STR("a1"), .role = ROLE_ADMIN};

    cr_expect_not(desk_acts_as_agent(&a, &c));
    a.id = STR("a2");
    cr_expect(desk_acts_as_agent(&a, &c));
    a.role = ROLE_USER;
    cr_expect_not(desk_acts_as_agent(&a, &c));
}

Test(desk_decide, a_role_is_named_for_agents_alone)
{
    const struct desk_actor a = {.id = STR("a1"), .role = ROLE_SUPERADMIN};

    cr_expect(str_eq(desk_who(&a, true).role, STR("superadmin")));
    cr_expect(desk_who(&a, true).is_super);
    cr_expect_eq(desk_who(&a, false).role.n, 0);
    cr_expect_not(desk_who(&a, false).is_super);
}

Test(desk_decide, others_are_told_in_the_same_write)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);
    const char *id = desk_form(ann);

    desk_say(bob, "claimContact", desk_about(id, ""));
    desk_say(bob, "sendContactMessage", desk_about(id, ",\"message\":\"x\""));
    desk_say(bob, "addContactNote", desk_about(id, ",\"text\":\"x\""));
    desk_say(ann, "sendContactMessage", desk_about(id, ",\"message\":\"y\""));
    desk_say(bob, "resolveContact", desk_about(id, ""));
    cr_expect_str_eq(take(&desk_noticed), "CLAVR", "a note is told to nobody");
    free_session(ann), free_session(bob);
}

Test(desk_decide, the_outbox_is_looked_at_when_something_is_in_it)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);
    const char *id = desk_form(ann);

    cr_expect_eq(desk_notice_at, (int64_t)clock_wall_ms() + 3000, "if this node dies now");
    desk_say(bob, "claimContact", desk_about(id, ""));
    cr_expect_eq(desk_notice_at, 0, "no webhook, no mail");
    free_session(ann), free_session(bob);
}

Test(desk_decide, who_decides_again_after_a_conflict_decides_anew)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);
    const char *id = desk_form(ann);

    fs.conflicts = 3;
    desk_say(bob, "claimContact", desk_about(id, ""));
    cr_expect_eq(fs_contact(str_z(id))->assign_count, 1);
    cr_expect_eq(fs_agent(STR("a1"))->slots.count, 1);
    free_session(ann), free_session(bob);
}
