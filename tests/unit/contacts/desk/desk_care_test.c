#include "tests/unit/support/desk_rig.inc"

TestSuite(desk_care, .init = desk_up, .fini = desk_down);

Test(desk_care, a_note_reaches_agents_alone)
{
    struct eio_session *ann = desk_client(ANN), *bob = desk_client(BOB), *cleo = desk_client(CLEO);
    const char *id = desk_form(ann);

    desk_say(bob, "claimContact", desk_about(id, ""));
    ann->sent.n = cleo->sent.n = 0;
    desk_say(bob, "addContactNote", desk_about(id, ",\"text\":\"secret\""));
    cr_expect(desk_got(cleo, "\"text\":\"secret\",\"authorId\":\"a1\",\"authorName\":\"Bob\""),
              "%s", take(&cleo->sent));
    desk_say(ann, "joinContactChat", desk_about(id, ""));
    desk_say(ann, "getTranscript", desk_about(id, ""));
    desk_say(ann, "getTranscript", desk_about(id, ",\"format\":\"html\""));
    desk_say(ann, "getContact", desk_about(id, ""));
    desk_say(ann, "addContactNote", desk_about(id, ",\"text\":\"mine\""));
    cr_expect_not(desk_got(ann, "secret"), "%s", take(&ann->sent));
    cr_expect_eq(fs.messages_count, 1);
    free_session(ann), free_session(bob), free_session(cleo);
}

Test(desk_care, tags_come_and_go)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);
    const char *id = desk_form(ann);

    desk_say(bob, "tagContact", desk_about(id, ",\"add\":[\"billing\",\"vip\"]"));
    bob->sent.n = 0;
    desk_say(bob, "tagContact", desk_about(id, ",\"add\":[\"spam\"],\"remove\":[\"vip\"]"));
    cr_expect(
        desk_got(bob,
                 "\"status\":\"pending\",\"priority\":\"normal\",\"tags\":[\"billing\",\"spam\"]"),
        "%s", take(&bob->sent));
    bob->sent.n = 0;
    desk_say(bob, "tagContact", desk_about(id, ",\"add\":[\"spam\"]"));
    cr_expect_not(desk_got(bob, "contactUpdated"), "nothing has changed");
    free_session(ann), free_session(bob);
}

Test(desk_care, the_urgent_go_first)
{
    struct eio_session *ann = desk_client(NULL), *eve = desk_client(NULL), *bob = desk_client(BOB);
    const char *late;

    (void)desk_form(ann);
    desk_wait(1);
    late = desk_form(eve);
    ann->sent.n = eve->sent.n = 0;
    desk_say(bob, "setContactPriority", desk_about(late, ",\"priority\":\"urgent\""));
    desk_wait(1);
    cr_expect(desk_got(eve, "\"position\":1"), "%s", take(&eve->sent));
    cr_expect(desk_got(ann, "\"position\":2"), "%s", take(&ann->sent));
    bob->sent.n = 0;
    desk_say(bob, "setContactPriority", desk_about(late, ",\"priority\":\"at once\""));
    cr_expect(desk_got(bob, "\"code\":\"invalid_payload\""));
    free_session(ann), free_session(eve), free_session(bob);
}

Test(desk_care, a_note_that_is_sent_again_is_one_and_no_message_takes_its_name)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB), *cleo = desk_client(CLEO);
    const char *id = desk_form(ann);

    desk_say(bob, "claimContact", desk_about(id, ""));
    desk_say(bob, "addContactNote", desk_about(id, ",\"text\":\"once\",\"clientMsgId\":\"m1\""));
    cleo->sent.n = bob->sent.n = 0;
    desk_say(bob, "addContactNote", desk_about(id, ",\"text\":\"once\",\"clientMsgId\":\"m1\""));
    cr_expect(desk_got(bob, "\"seq\":1,"), "the ack of the first one: %s", take(&bob->sent));
    cr_expect_not(desk_got(cleo, "contactNote"), "it was told already");
    fs.contacts[0].bytes = CONTACT_BYTES_MAX;
    bob->sent.n = 0;
    desk_say(bob, "addContactNote", desk_about(id, ",\"text\":\"once\",\"clientMsgId\":\"m1\""));
    cr_expect(desk_got(bob, "\"seq\":1,"), "also when there is no more room: %s", take(&bob->sent));
    fs.contacts[0].bytes = 0;
    ann->sent.n = 0;
    desk_say(bob, "sendContactMessage",
             desk_about(id, ",\"message\":\"hello\",\"clientMsgId\":\"m1\""));
    cr_expect(desk_got(ann, "\"message\":\"hello\""), "%s", take(&ann->sent));
    cr_expect_eq(fs.messages_count, 2);
    free_session(ann), free_session(bob), free_session(cleo);
}
