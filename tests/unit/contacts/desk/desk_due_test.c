#include "tests/unit/support/desk_rig.inc"

static void up(void)
{
    desk_up();
    desk_app.sla.target_ms[SLA_NORMAL][SLA_FIRST] = 100000;
}

TestSuite(desk_due, .init = up, .fini = desk_down);

Test(desk_due, warns_at_four_fifths_and_when_a_promise_is_broken)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);

    (void)desk_form(ann);
    bob->sent.n = ann->sent.n = 0;
    desk_wait(79);
    cr_expect_not(desk_got(bob, "slaWarning"));
    desk_wait(2);
    cr_expect(
        desk_got(bob,
                 "\"clock\":\"first\",\"state\":\"warning\",\"dueAt\":\"2023-11-14T22:15:00.000Z\","
                 "\"priority\":\"normal\"}]"),
        "%s", take(&bob->sent));
    bob->sent.n = 0;
    desk_wait(20);
    cr_expect(desk_got(bob, "\"clock\":\"first\",\"state\":\"breached\""), "%s", take(&bob->sent));
    bob->sent.n = 0;
    desk_wait(60);
    cr_expect_not(desk_got(bob, "slaWarning"), "each once");
    cr_expect_not(desk_got(ann, "slaWarning"), "not the visitor");
    free_session(ann), free_session(bob);
}

Test(desk_due, an_answer_in_time_ends_it)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);
    const char *id = desk_form(ann);

    desk_say(bob, "claimContact", desk_about(id, ""));
    desk_say(bob, "sendContactMessage", desk_about(id, ",\"message\":\"x\""));
    bob->sent.n = 0;
    desk_wait(200);
    cr_expect_not(desk_got(bob, "slaWarning"), "%s", take(&bob->sent));
    free_session(ann), free_session(bob);
}

Test(desk_due, who_does_not_answer_loses_it_to_another)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB), *cleo = desk_client(CLEO);
    const char *id = desk_form(ann);

    desk_say(bob, "claimContact", desk_about(id, ""));
    cleo->sent.n = ann->sent.n = 0;
    desk_wait(605);
    cr_expect(desk_got(cleo, "\"clock\":\"first\",\"state\":\"escalated\""), "%s",
              take(&cleo->sent));
    cr_expect(desk_got(ann, "contactRequeued"));
    cr_expect(str_eq(fs_contact(str_z(id))->owner_id, STR("a2")));
    cr_expect_eq(fs_agent(STR("a1"))->slots.count, 0);
    cr_expect_eq(fs_agent(STR("a2"))->slots.count, 1);
    free_session(ann), free_session(bob), free_session(cleo);
}

Test(desk_due, what_is_due_waits_for_the_store)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);

    (void)desk_form(ann);
    bob->sent.n = 0;
    fs.fail = ERR_UNAVAILABLE;
    desk_wait(90);
    fs.fail = OK;
    fs.on_state(fs.state_ctx, true);
    fake_store_run();
    desk_wait(2);
    cr_expect(desk_got(bob, "\"state\":\"warning\""), "%s", take(&bob->sent));
    free_session(ann), free_session(bob);
}

Test(desk_due, without_anything_due_the_store_is_asked_once_a_minute)
{
    unsigned before;

    desk_wait(2);
    before = fs.calls;
    desk_wait(600);
    cr_expect_leq(fs.calls - before, 21, "%u calls", fs.calls - before);
}
