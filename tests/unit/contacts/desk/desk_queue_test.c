#include "tests/unit/support/desk_rig.inc"

TestSuite(desk_queue, .init = desk_up, .fini = desk_down);

Test(desk_queue, a_visitor_learns_the_place_and_the_time_when_they_change)
{
    struct eio_session *ann = desk_client(NULL), *eve = desk_client(NULL), *bob;
    const char *id = desk_form(ann);

    desk_wait(1);
    (void)desk_form(eve);
    eve->sent.n = 0;
    desk_wait(1);
    cr_expect(desk_got(eve, "\"position\":2}]"), "nobody is there, no time: %s", take(&eve->sent));
    eve->sent.n = 0;
    bob = desk_client(BOB);
    desk_wait(1);
    cr_expect(desk_got(eve, "\"position\":2,\"etaSeconds\":"), "%s", take(&eve->sent));
    eve->sent.n = ann->sent.n = bob->sent.n = 0;
    desk_wait(5);
    cr_expect_not(desk_got(eve, "queue:update"), "not again for nothing");
    desk_say(bob, "claimContact", desk_about(id, ""));
    desk_wait(1);
    cr_expect(desk_got(eve, "\"position\":1,"), "%s", take(&eve->sent));
    cr_expect_not(desk_got(ann, "queue:update"), "waits no more");
    cr_expect_not(desk_got(bob, "queue:update"));
    free_session(ann), free_session(eve), free_session(bob);
}

Test(desk_queue, who_comes_while_the_queue_is_read_is_not_forgotten)
{
    struct eio_session *ann = desk_client(NULL), *eve = desk_client(NULL), *bob = desk_client(BOB);

    (void)desk_form(ann);
    clock_advance(1000);
    loop_turn(rig.loop, false); /* it is asked, and the store has not answered */
    (void)desk_form(eve);
    eve->sent.n = 0;
    desk_wait(1);
    cr_expect(desk_got(eve, "\"position\":2,"), "%s", take(&eve->sent));
    free_session(ann), free_session(eve), free_session(bob);
}

Test(desk_queue, who_waits_no_more_is_not_watched_and_the_others_are)
{
    struct eio_session *all[12], *bob = desk_client("\"id\":\"a9\",\"role\":\"superadmin\"");
    const char *ids[12];
    unsigned before;
    char text[32];

    desk_say(bob, "setAgentStatus", "{\"capacity\":12}");
    for (int i = 0; i < 12; i++) {
        all[i] = desk_client(NULL);
        ids[i] = desk_form(all[i]);
    }
    for (int i = 0; i < 12; i += 3) /* every third is claimed, the next one leaves */
        desk_say(bob, "claimContact", desk_about(ids[i], ""));
    for (int i = 1; i < 12; i += 3) {
        free_session(all[i]);
        desk_say(bob, "resolveContact", desk_about(ids[i], ""));
    }
    desk_wait(1);
    for (int i = 0; i < 12; i++) {
        if (i % 3 == 1) continue;
        (void)snprintf(text, sizeof text, "\"position\":%d,", i / 3 + 1);
        cr_expect_eq(desk_got(all[i], text), i % 3 == 2, "%d: %s", i, take(&all[i]->sent));
        free_session(all[i]);
    }
    desk_say(bob, "setAgentStatus", "{\"capacity\":11}");
    desk_wait(2); /* it is seen that they have left */
    before = fs.calls;
    desk_say(bob, "setAgentStatus", "{\"capacity\":12}");
    desk_wait(2);
    cr_expect_leq(fs.calls - before, 3, "the queue is read for nobody: %u", fs.calls - before);
    free_session(bob);
}

Test(desk_queue, what_could_not_be_read_is_read_in_a_moment)
{
    struct eio_session *ann = desk_client(NULL);

    (void)desk_form(ann);
    ann->sent.n = 0;
    fs.fail = ERR_UNAVAILABLE;
    desk_wait(2);
    cr_expect_not(desk_got(ann, "queue:update"));
    fs.fail = OK;
    desk_wait(1);
    cr_expect(desk_got(ann, "\"position\":1"), "%s", take(&ann->sent));
    free_session(ann);
}

Test(desk_queue, nobody_asks_when_nobody_waits_here)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);
    unsigned before;

    (void)desk_form(ann);
    free_session(ann);
    desk_wait(2);
    before = fs.calls;
    desk_say(bob, "setAgentStatus", "{\"capacity\":3}");
    desk_wait(3);
    cr_expect_leq(fs.calls - before, 3, "the status and who might be given, no lists: %u",
                  fs.calls - before);
    free_session(bob);
}
