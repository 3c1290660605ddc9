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

Test(desk_canned, is_for_agents)
{
    struct eio_session *ann = desk_client(ANN);

    desk_say(ann, "saveCannedReply", "{\"code\":\"hello\",\"text\":\"x\"}");
    desk_say(ann, "listCannedReplies", "{}");
    cr_expect_eq(fs.docs_count, 0);
    cr_expect_not(desk_got(ann, "replies"));
    free_session(ann);
}
