#include "tests/unit/support/desk_rig.inc"

#include "contacts/rules/token.h"

TestSuite(desk_chat, .init = desk_up, .fini = desk_down);

static const char *token_of(const char *id, uint64_t expires_s)
{
    static char text[256];
    struct token_keys keys;
    struct sb b = {0};

    token_keys_init(&keys, SECRET, NULL);
    cr_assert_eq(token_sign(&keys, TOKEN_CHAT, str_z(id), expires_s, &b), OK);
    (void)snprintf(text, sizeof text, "{\"chatToken\":\"" STR_FMT "\"}", STR_ARG(sb_view(&b)));
    sb_fini(&b);
    return text;
}

Test(desk_chat, goes_both_ways)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB), *eve = desk_client(NULL);
    const char *id = desk_form(ann);

    desk_say(bob, "claimContact", desk_about(id, ""));
    ann->sent.n = bob->sent.n = 0;
    desk_say(bob, "sendContactMessage", desk_about(id, ",\"message\":\"Hello\""));
    cr_expect(desk_got(ann, "\"senderId\":\"a1\",\"senderName\":\"Bob\",\"senderRole\":\"admin\","
                            "\"message\":\"Hello\",\"type\":\"text\""),
              "%s", take(&ann->sent));
    cr_expect(desk_got(bob, "[\"contactMessage\","), "the sender, too");
    cr_expect(desk_got(bob, "\"seq\":1,\"timestamp\":\"2023-"), "%s", take(&bob->sent));
    ann->sent.n = bob->sent.n = 0;
    desk_say(ann, "sendContactMessage", desk_about(id, ",\"message\":\"Thanks\""));
    cr_expect(desk_got(bob, "\"senderName\":\"Ann\",\"message\":\"Thanks\""), "%s",
              take(&bob->sent));
    cr_expect_not(desk_got(bob, "senderRole"));
    cr_expect_str_eq(take(&eve->sent), "");
    free_session(ann), free_session(bob), free_session(eve);
}

Test(desk_chat, a_signed_in_visitor_is_told_on_all_devices)
{
    struct eio_session *ann = desk_client(ANN), *phone = desk_client(ANN), *bob = desk_client(BOB);
    const char *id = desk_form(ann);

    desk_say(bob, "claimContact", desk_about(id, ""));
    ann->sent.n = phone->sent.n = 0;
    desk_say(bob, "sendContactMessage", desk_about(id, ",\"message\":\"Hello\""));
    cr_expect(desk_got(phone, "[\"adminResponse\",{\"contactId\":"), "%s", take(&phone->sent));
    cr_expect(desk_got(phone, "\"adminName\":\"Bob\",\"message\":\"Hello\",\"timestamp\":"));
    cr_expect(desk_got(ann, "adminResponse"));
    cr_expect(desk_got(ann, "contactMessage"));
    free_session(ann), free_session(phone), free_session(bob);
}

Test(desk_chat, strangers_neither_write_nor_read_nor_type)
{
    struct eio_session *ann = desk_client(NULL), *eve = desk_client("\"id\":\"u9\""),
                       *guest = desk_client(NULL);
    const char *id = desk_form(ann);

    ann->sent.n = 0;
    for (int i = 0; i < 2; i++) {
        struct eio_session *s = i ? guest : eve;

        desk_say(s, "sendContactMessage", desk_about(id, ",\"message\":\"x\""));
        cr_expect(desk_got(s, "[\"messageError\",{\"event\":\"sendContactMessage\",\"code\":"
                              "\"not_a_member\""),
                  "%s", take(&s->sent));
        desk_say(s, "joinContactChat", desk_about(id, ""));
        desk_say(s, "joinContactChat", desk_about(id, ",\"chatToken\":\"chat.9999999999.x.y\""));
        cr_expect_not(desk_got(s, "contactChatHistory"));
        desk_say(s, "contactTyping", desk_about(id, ",\"isTyping\":true"));
        desk_say(s, "markContactRead", desk_about(id, ",\"seq\":1"));
    }
    cr_expect_eq(fs.messages_count, 0);
    cr_expect_str_eq(take(&ann->sent), "");
    free_session(ann), free_session(eve), free_session(guest);
}

Test(desk_chat, a_visitor_comes_back_by_the_token_and_gets_what_came_meanwhile)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB), *back;
    const char *id = desk_form(ann);

    free_session(ann);
    desk_say(bob, "claimContact", desk_about(id, ""));
    desk_say(bob, "sendContactMessage", desk_about(id, ",\"message\":\"one\""));
    desk_say(bob, "addContactNote", desk_about(id, ",\"text\":\"a private note\""));
    desk_say(bob, "sendContactMessage", desk_about(id, ",\"message\":\"two\""));
    back = desk_client(NULL);
    desk_say(back, "joinContactChat", token_of(id, 1700000001));
    cr_expect(desk_got(back, "\"message\":\"one\""), "%s", take(&back->sent));
    cr_expect(desk_got(back, "\"message\":\"two\""));
    cr_expect_not(desk_got(back, "private"), "notes are for agents");
    cr_expect(desk_got(back,
                       "\"status\":\"in_progress\",\"more\":false,\"agentRead\":0,\"visitorRead\":"
                       "0,\"agentName\":\"Bob\""));
    back->sent.n = 0;
    desk_say(bob, "sendContactMessage", desk_about(id, ",\"message\":\"three\""));
    cr_expect(desk_got(back, "\"message\":\"three\""));
    back->sent.n = 0;
    desk_say(back, "joinContactChat", token_of(id, 1699999999));
    cr_expect(desk_got(back, "\"code\":\"auth_expired\""), "%s", take(&back->sent));
    free_session(back), free_session(bob);
}

Test(desk_chat, an_agent_writes_what_is_claimed_alone)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB), *cleo = desk_client(CLEO);
    const char *id = desk_form(ann);

    bob->sent.n = 0;
    desk_say(bob, "sendContactMessage", desk_about(id, ",\"message\":\"x\""));
    cr_expect(desk_got(bob, "\"code\":\"forbidden\",\"error\":\"claim the contact first\""), "%s",
              take(&bob->sent));
    desk_say(bob, "claimContact", desk_about(id, ""));
    desk_say(cleo, "joinContactChat", desk_about(id, ""));
    cr_expect(desk_got(cleo, "contactChatHistory") || desk_got(cleo, "\"messages\":[]"));
    desk_say(cleo, "sendContactMessage", desk_about(id, ",\"message\":\"x\""));
    cr_expect_eq(fs.messages_count, 0);
    desk_say(bob, "resolveContact", desk_about(id, ""));
    ann->sent.n = 0;
    desk_say(ann, "sendContactMessage", desk_about(id, ",\"message\":\"x\""));
    cr_expect(desk_got(ann, "\"error\":\"Chat session not found\""), "%s", take(&ann->sent));
    free_session(ann), free_session(bob), free_session(cleo);
}

Test(desk_chat, sent_again_it_is_heard_once)
{
    struct eio_session *ann = desk_client(NULL);
    const char *id = desk_form(ann), *say = ",\"message\":\"x\",\"clientMsgId\":\"m1\"";
    struct sb first = {0};

    ann->sent.n = 0;
    desk_say(ann, "sendContactMessage", desk_about(id, say));
    sb_z(&first, strstr(take(&ann->sent), "43/contacts,"));
    desk_say(ann, "sendContactMessage", desk_about(id, say));
    sb_char(&first, 0);
    cr_expect_str_eq(take(&ann->sent), first.p, "the same answer and no second message");
    cr_expect_eq(fs.messages_count, 1);
    sb_fini(&first);
    free_session(ann);
}

/* What an ack said, of which nothing else was sent. Lives until the next one. */
static const char *ack_of(struct eio_session *s, const char *event, const char *payload)
{
    static char text[512];
    const char *ack;

    s->sent.n = 0;
    desk_say(s, event, payload);
    ack = strstr(take(&s->sent), "43/contacts,");
    (void)snprintf(text, sizeof text, "%s", ack ? ack : "no ack");
    return text;
}

Test(desk_chat, sent_again_it_has_the_first_ack_whatever_has_become_of_the_contact)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB), *cleo = desk_client(CLEO);
    const char *id = desk_form(ann), *say = ",\"message\":\"x\",\"clientMsgId\":\"m1\"";
    const char *other = ",\"message\":\"x\",\"clientMsgId\":\"m2\"";
    char anns[512], bobs[512];

    desk_say(bob, "claimContact", desk_about(id, ""));
    (void)snprintf(anns, sizeof anns, "%s", ack_of(ann, "sendContactMessage", desk_about(id, say)));
    (void)snprintf(bobs, sizeof bobs, "%s", ack_of(bob, "sendContactMessage", desk_about(id, say)));
    cr_expect(strstr(anns, "\"seq\":1,") && strstr(bobs, "\"seq\":2,"), "%s%s", anns, bobs);
    desk_say(bob, "transferContact", desk_about(id, ",\"toAgentId\":\"a2\""));
    cleo->sent.n = 0;
    cr_expect_str_eq(ack_of(bob, "sendContactMessage", desk_about(id, say)), bobs, "handed over");
    cr_expect(strstr(ack_of(bob, "sendContactMessage", desk_about(id, other)), "forbidden"));
    fs.contacts[0].bytes = CONTACT_BYTES_MAX;
    cr_expect_str_eq(ack_of(ann, "sendContactMessage", desk_about(id, say)), anns, "full");
    cr_expect(strstr(ack_of(ann, "sendContactMessage", desk_about(id, other)), "limit_reached"));
    desk_say(cleo, "resolveContact", desk_about(id, ""));
    cr_expect_str_eq(ack_of(ann, "sendContactMessage", desk_about(id, say)), anns, "over");
    cr_expect_str_eq(ack_of(bob, "sendContactMessage", desk_about(id, say)), bobs, "over");
    cr_expect(strstr(ack_of(ann, "sendContactMessage", desk_about(id, other)), "already_resolved"));
    cr_expect(strstr(ack_of(cleo, "sendContactMessage", desk_about(id, say)), "already_resolved"),
              "it is not hers");
    cr_expect_not(desk_got(cleo, "[\"contactMessage\""), "it was told already");
    cr_expect_eq(fs.messages_count, 2);
    free_session(ann), free_session(bob), free_session(cleo);
}

Test(desk_chat, both_see_how_far_the_other_has_read)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);
    const char *id = desk_form(ann);

    desk_say(bob, "claimContact", desk_about(id, ""));
    desk_say(bob, "sendContactMessage", desk_about(id, ",\"message\":\"x\""));
    bob->sent.n = 0;
    desk_say(ann, "markContactRead", desk_about(id, ",\"seq\":99"));
    cr_expect(desk_got(bob, "[\"contactRead\",{\"contactId\":"), "%s", take(&bob->sent));
    cr_expect(desk_got(bob, "\"by\":\"visitor\",\"seq\":1,"));
    bob->sent.n = 0;
    desk_say(ann, "markContactRead", desk_about(id, ",\"seq\":1"));
    cr_expect_str_eq(take(&bob->sent), "", "once");
    free_session(ann), free_session(bob);
}

Test(desk_chat, typing_is_told_to_the_others)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);
    const char *id = desk_form(ann);

    desk_say(bob, "claimContact", desk_about(id, ""));
    ann->sent.n = bob->sent.n = 0;
    desk_say(bob, "contactTyping", desk_about(id, ",\"isTyping\":true"));
    cr_expect(desk_got(ann, "\"userName\":\"Bob\",\"userRole\":\"admin\",\"isTyping\":true,"), "%s",
              take(&ann->sent));
    cr_expect_not(desk_got(bob, "contactUserTyping"));
    free_session(ann), free_session(bob);
}

Test(desk_chat, typing_is_told_once_in_a_while_and_ends_by_itself)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);
    const char *id = desk_form(ann);

    desk_say(bob, "claimContact", desk_about(id, ""));
    ann->sent.n = 0;
    desk_say(bob, "contactTyping", desk_about(id, ",\"isTyping\":true"));
    cr_expect(desk_got(ann, "\"isTyping\":true"));
    ann->sent.n = 0;
    for (int i = 0; i < 20; i++)
        desk_say(bob, "contactTyping", desk_about(id, ",\"isTyping\":true"));
    cr_expect_not(desk_got(ann, "contactUserTyping"), "at each key: %s", take(&ann->sent));
    desk_wait(6);
    cr_expect(desk_got(ann, "\"userName\":\"Bob\",\"userRole\":\"admin\",\"isTyping\":false"), "%s",
              take(&ann->sent));
    free_session(ann), free_session(bob);
}

Test(desk_chat, typing_has_a_bucket_of_its_own)
{
    struct eio_session *ann = desk_client(NULL);
    const char *id = desk_form(ann);

    for (int i = 0; i < 100; i++) /* rate_typing of the rig */
        desk_say(ann, "contactTyping", desk_about(id, ",\"isTyping\":true"));
    ann->sent.n = 0;
    desk_say(ann, "contactTyping", desk_about(id, ",\"isTyping\":true"));
    cr_expect(desk_got(ann, "\"code\":\"rate_limited\""), "%s", take(&ann->sent));
    ann->sent.n = 0;
    desk_say(ann, "sendContactMessage", desk_about(id, ",\"message\":\"still heard\""));
    cr_expect(desk_got(ann, "{\"ok\":true"), "%s", take(&ann->sent));
    free_session(ann);
}
