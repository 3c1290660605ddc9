#include "tests/unit/support/desk_rig.inc"

TestSuite(desk_canned, .init = desk_up, .fini = desk_down);

Test(desk_canned, is_kept_filled_in_changed_and_deleted)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB), *cleo = desk_client(CLEO);
    const char *id = desk_form(ann);
    char text[200];

    cleo->sent.n = 0;
    desk_say(bob, "saveCannedReply",
             "{\"code\":\"hello\",\"title\":\"T\",\"text\":\"Hello {{name}}, {{agent}} here\"}");
    cr_assert_eq(fs.docs_count, 1, "%s", take(&bob->sent));
    cr_expect(desk_got(cleo, "[\"cannedReplies\",{\"replies\":[{\"id\":\"canned_"), "%s",
              take(&cleo->sent));
    bob->sent.n = 0;
    desk_say(bob, "listCannedReplies", desk_about(id, ""));
    cr_expect(desk_got(bob, "\"uses\":0,\"version\":1,\"filled\":\"Hello Ann, Bob here\""), "%s",
              take(&bob->sent));
    (void)snprintf(text, sizeof text,
                   "{\"id\":\"" STR_FMT "\",\"code\":\"hi\",\"text\":\"Hi\",\"version\":7}",
                   STR_ARG(fs.docs[0].id));
    bob->sent.n = 0;
    desk_say(bob, "saveCannedReply", text);
    cr_expect(desk_got(bob, "\"code\":\"conflict\""), "%s", take(&bob->sent));
    (void)snprintf(text, sizeof text, "\"" STR_FMT "\"", STR_ARG(fs.docs[0].id));
    desk_say(bob, "deleteCannedReply", text);
    cr_expect_eq(fs.docs_count, 0);
    free_session(ann), free_session(bob), free_session(cleo);
}

/* A contact of Ann's that Bob has, and a canned reply; ids to be said with desk_about. */
static const char *canned_made(struct eio_session *ann, struct eio_session *bob)
{
    const char *id = desk_form(ann);

    desk_say(bob, "claimContact", desk_about(id, ""));
    desk_say(bob, "saveCannedReply", "{\"code\":\"hello\",\"text\":\"Hello {{name}}\"}");
    cr_assert_eq(fs.docs_count, 1);
    return id;
}

static void send_canned(struct eio_session *s, const char *id, const char *name)
{
    char more[200];

    (void)snprintf(more, sizeof more,
                   ",\"message\":\"Hello Ann\",\"clientMsgId\":\"%s\",\"cannedId\":\"" STR_FMT "\"",
                   name, STR_ARG(fs.docs[0].id));
    desk_say(s, "sendContactMessage", desk_about(id, more));
}

Test(desk_canned, each_use_by_an_agent_is_counted_once)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);
    const char *id = canned_made(ann, bob);

    send_canned(bob, id, "m1");
    send_canned(bob, id, "m1"); /* sent again */
    send_canned(bob, id, "m2");
    send_canned(ann, id, "m3"); /* a visitor uses none */
    desk_say(bob, "sendContactMessage",
             desk_about(id, ",\"message\":\"x\",\"cannedId\":\"canned_unknown\""));
    cr_expect_eq(fs.docs_count, 1);
    bob->sent.n = 0;
    desk_say(bob, "listCannedReplies", "{}");
    cr_expect(desk_got(bob, "\"text\":\"Hello {{name}}\",\"uses\":2,\"version\":1"), "%s",
              take(&bob->sent));
    free_session(ann), free_session(bob);
}

Test(desk_canned, a_use_is_no_change_that_an_agent_is_late_for)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);
    const char *id = canned_made(ann, bob);
    char text[200];

    send_canned(bob, id, "m1");
    (void)snprintf(text, sizeof text,
                   "{\"id\":\"" STR_FMT "\",\"code\":\"hi\",\"text\":\"Hi\",\"version\":1}",
                   STR_ARG(fs.docs[0].id));
    bob->sent.n = 0;
    desk_say(bob, "saveCannedReply", text);
    cr_expect(desk_got(bob, "\"version\":2}"), "%s", take(&bob->sent));
    bob->sent.n = 0;
    desk_say(bob, "saveCannedReply", text);
    cr_expect(desk_got(bob, "\"code\":\"conflict\""), "the first one was changed");
    bob->sent.n = 0;
    desk_say(bob, "listCannedReplies", "{}");
    cr_expect(
        desk_got(bob, "\"code\":\"hi\",\"title\":\"\",\"text\":\"Hi\",\"uses\":1,\"version\":2"),
        "%s", take(&bob->sent));
    free_session(ann), free_session(bob);
}

Test(desk_canned, uses_at_one_time_are_all_counted)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);
    const char *id = canned_made(ann, bob);
    struct sb text = {0};

    for (int i = 0; i < 5; i++) { /* the store answers none before all have come */
        text.n = 0;
        sb_printf(&text,
                  "2/contacts,[\"sendContactMessage\",{\"contactId\":\"%s\",\"message\":\"x\","
                  "\"cannedId\":\"" STR_FMT "\"}]",
                  id, STR_ARG(fs.docs[0].id));
        sb_char(&text, 0);
        say(bob, text.p);
    }
    sb_fini(&text);
    fake_store_run();
    bob->sent.n = 0;
    desk_say(bob, "listCannedReplies", "{}");
    cr_expect(desk_got(bob, "\"uses\":5,"), "%s", take(&bob->sent));
    free_session(ann), free_session(bob);
}

Test(desk_canned, is_for_agents)
{
    struct eio_session *ann = desk_client(ANN);

    desk_say(ann, "saveCannedReply", "{\"code\":\"hello\",\"text\":\"x\"}");
    desk_say(ann, "listCannedReplies", "{}");
    cr_expect_eq(fs.docs_count, 0);
    cr_expect_not(desk_got(ann, "replies"));
    free_session(ann);
}
