#include "tests/unit/support/desk_rig.inc"

#include "contacts/desk/desk_priv.h"
#include "contacts/record/contact.h"

TestSuite(desk_call, .init = desk_up, .fini = desk_down);

Test(desk_call, outlives_the_feature)
{
    struct eio_session *ann = desk_client(NULL);

    say(ann, "2/contacts,1[\"submitContactForm\"," FORM "]"); /* the store has not answered */
    events_detach(fake.events);
    fs.fail = ERR_CLOSED;
    fake_store_run(); /* frees it: the sanitizer looks */
    cr_expect_not(desk_got(ann, "contactForm"));
    free_session(ann);
}

Test(desk_call, outlives_the_socket)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);

    say(ann, "2/contacts,1[\"submitContactForm\"," FORM "]");
    free_session(ann);
    fake_store_run();
    cr_expect_eq(fs.contacts_count, 1);
    cr_expect(desk_got(bob, "newContactSubmission"), "it is stored, and told");
    free_session(bob);
}

Test(desk_call, a_visitor_by_account_has_the_id_or_the_address)
{
    static const struct {
        struct desk_actor actor;
        bool want;
    } rows[] = {
        {{.id = {"u7", 2}}, true},
        {{.id = {"u8", 2}, .email = {"ANN@x.rw", 8}}, true},
        {{.id = {"u8", 2}, .email = {"eve@x.rw", 8}}, false},
        {{.id = {NULL, 0}}, false},
    };
    const struct contact c = {.user_id = STR("u7"), .email = STR("ann@x.rw")},
                         none = {.id = STR("x")};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(desk_is_visitor(&rows[i].actor, &c), rows[i].want, "row %zu", i);
        cr_expect_not(desk_is_visitor(&rows[i].actor, &none), "of nobody: row %zu", i);
    }
}

Test(desk_call, what_one_sender_calls_a_message_is_no_name_of_another_ones)
{
    static const struct {
        const char *kind, *sender, *name;
    } rows[] = {{"", "", "m1"},         {"", "visitor", "m1"}, {"", "a1", "m1"},
                {"note ", "a1", "m1"},  {"", "note a1", "m1"}, {"", "a1:m1", "m1"},
                {"", "a1", "m1:m1"},    {"note ", "", "m1"},   {"", "2:a1", "m1"},
                {"", "note 2:a1", "m1"}};
    struct desk_call call = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str mine;

        call.actor.id = str_z(rows[i].sender);
        mine = desk_client_id(&call, rows[i].kind, str_z(rows[i].name));
        cr_expect(str_eq(mine, desk_client_id(&call, rows[i].kind, str_z(rows[i].name))));
        for (size_t k = 0; k < i; k++) {
            call.actor.id = str_z(rows[k].sender);
            cr_expect_not(str_eq(mine, desk_client_id(&call, rows[k].kind, str_z(rows[k].name))),
                          "rows %zu and %zu: " STR_FMT, k, i, STR_ARG(mine));
        }
    }
    cr_expect_eq(desk_client_id(&call, "", STR_NONE).n, 0, "it has no name");
    arena_fini(&call.mem);
}

/* ---- asked over HTTP: one path with the sockets ---- */

static union event_in about(const char *id)
{
    return (union event_in){.claim_contact = {.contact_id = str_z(id)}};
}

static struct str chat_token(const char *id)
{
    static struct sb token;
    struct token_keys keys;

    token_keys_init(&keys, rig.conf.jwt_secret, NULL);
    token.n = 0;
    cr_assert_eq(token_sign(&keys, TOKEN_CHAT, str_z(id), 1700000060, &token), OK);
    return sb_view(&token);
}

#define SAID(...)                                                                                  \
    (union event_in)                                                                               \
    {                                                                                              \
        .send_contact_message = { __VA_ARGS__ }                                                    \
    }

Test(desk_call, a_form_over_http_is_as_one_of_a_socket)
{
    struct eio_session *bob = desk_client(BOB);
    const union event_in in = {.submit_contact_form = {.name = STR("Ann"),
                                                       .email = STR("ann@example.org"),
                                                       .message = STR("Help"),
                                                       .client_form_id = STR("f-00000001")}};
    const char *told = desk_ask(EVENT_submitContactForm, NULL, in);
    char id[64];

    cr_assert_eq(fs.contacts_count, 1, "%s", told);
    (void)snprintf(id, sizeof id, "ok {\"id\":\"" STR_FMT "\"", STR_ARG(fs.contacts[0].id));
    cr_expect(str_starts(str_z(told), str_z(id)), "%s", told);
    cr_expect_not_null(
        strstr(told, "\"estimatedResponseTime\":\"24 hours\",\"chatToken\":\"chat."));
    cr_expect(str_eq(fs.contacts[0].source, STR("rest")));
    cr_expect(desk_got(bob, "[\"newContactSubmission\","), "%s", take(&bob->sent));
    cr_expect(str_starts(str_z(desk_ask(EVENT_submitContactForm, NULL, in)), str_z(id)));
    cr_expect_eq(fs.contacts_count, 1, "sent again");
    rig.conf.forms_per_hour = 1;
    for (int i = 0; i < 2; i++)
        told = desk_ask(EVENT_submitContactForm, NULL,
                        (union event_in){.submit_contact_form = {.message = STR("m")}});
    cr_expect_str_eq(told, "rate_limited {} too many forms, later 3600000");
    told =
        desk_ask(EVENT_submitContactForm, NULL,
                 (union event_in){.submit_contact_form = {.message = STR("m"),
                                                          .email = STR("a@b.rw\r\nBcc: c@d.rw")}});
    cr_expect(str_starts(str_z(told), STR("invalid_payload {} email: ")), "%s", told);
    free_session(bob);
}

Test(desk_call, a_claim_over_http_tells_the_sockets_and_the_loser_whose_it_is)
{
    struct eio_session *ann = desk_client(NULL), *dan = desk_client(DAN);
    const char *id = desk_form(ann);

    dan->sent.n = 0;
    cr_expect_str_eq(desk_ask(EVENT_claimContact, &desk_bob, about(id)), "ok {}  0");
    cr_expect(desk_got(dan, "\"adminName\":\"Bob\",\"adminId\":\"a1\"}]"), "%s", take(&dan->sent));
    cr_expect_not(fs_agent(STR("a1"))->online, "no socket: nothing is assigned to him");
    desk_ask(EVENT_claimContact, &desk_cleo, about(id));
    cr_expect(str_starts(sb_view(&desk_told), STR("already_claimed {\"contactId\":\"")));
    cr_expect_not_null(strstr(desk_told.p, ",\"assignedTo\":\"Bob\"} "), "%s", desk_told.p);
    cr_expect_str_eq(desk_ask(EVENT_claimContact, NULL, about(id)), "forbidden {}  0");
    cr_expect_str_eq(desk_ask(EVENT_claimContact, &desk_bob, about("contact_1_none")),
                     "not_found {\"contactId\":\"contact_1_none\"} Contact not found 0");
    free_session(ann), free_session(dan);
}

Test(desk_call, what_is_written_over_http_is_heard_at_once)
{
    struct eio_session *ann = desk_client(ANN);
    const char *id = desk_form(ann), *told;
    const struct identity owner = DESK_IS("\"u7\"", "u7", "Ann", ROLE_USER),
                          other = DESK_IS("\"u8\"", "u8", "Eve", ROLE_USER);

    (void)desk_ask(EVENT_claimContact, &desk_bob, about(id));
    ann->sent.n = 0;
    for (int i = 0; i < 2; i++)
        told = desk_ask(EVENT_sendContactMessage, &desk_bob,
                        SAID(.contact_id = str_z(id), .message = STR("how can I help?"),
                             .client_msg_id = STR("m1")));
    cr_expect_not_null(strstr(told, "\"seq\":1,\"timestamp\":"), "%s", told);
    cr_expect(desk_got(ann, "[\"contactMessage\","), "%s", take(&ann->sent));
    cr_expect(desk_got(ann, "[\"adminResponse\","));
    cr_expect_eq(fs.messages_count, 1, "sent again it is one");
    (void)desk_ask(EVENT_sendContactMessage, NULL,
                   SAID(.contact_id = str_z(id), .message = STR("by the token"),
                        .chat_token = chat_token(id)));
    cr_expect(desk_got(ann, "\"message\":\"by the token\""), "%s", desk_told.p);
    (void)desk_ask(EVENT_sendContactMessage, &owner,
                   SAID(.contact_id = str_z(id), .message = STR("by account")));
    cr_expect_eq(fs.messages_count, 3);
    cr_expect(str_eq(fs.messages[1].kind, STR("visitor")) &&
              str_eq(fs.messages[2].kind, STR("visitor")));
    (void)desk_ask(EVENT_sendContactMessage, &other,
                   SAID(.contact_id = str_z(id), .message = STR("x")));
    cr_expect(str_starts(sb_view(&desk_told), STR("not_a_member ")));
    (void)desk_ask(EVENT_sendContactMessage, NULL,
                   SAID(.contact_id = str_z(id), .message = STR("x"),
                        .chat_token = chat_token("contact_2_b")));
    cr_expect(str_starts(sb_view(&desk_told), STR("not_a_member ")));
    (void)desk_ask(EVENT_sendContactMessage, &desk_cleo,
                   SAID(.contact_id = str_z(id), .message = STR("x")));
    cr_expect(str_starts(sb_view(&desk_told), STR("forbidden ")), "it is Bob's");
    cr_expect_eq(fs.messages_count, 3);
    free_session(ann);
}

Test(desk_call, a_contact_ends_and_is_counted_over_http)
{
    struct eio_session *ann = desk_client(NULL), *dan = desk_client(DAN);
    const char *id = desk_form(ann);

    (void)desk_ask(EVENT_claimContact, &desk_bob, about(id));
    dan->sent.n = ann->sent.n = 0;
    cr_expect_str_eq(desk_ask(EVENT_resolveContact, &desk_bob, about(id)), "ok {}  0");
    cr_expect(desk_got(dan, "[\"contactResolved\",{\"contactId\":"));
    cr_expect(desk_got(ann, "\"rateToken\":\"rate."), "%s", take(&ann->sent));
    (void)desk_ask(EVENT_getContactStats, &desk_bob, (union event_in){0});
    cr_expect(str_starts(sb_view(&desk_told), STR("ok {\"totalContacts\":1,")), "%s", desk_told.p);
    cr_expect_str_eq(desk_ask(EVENT_getContactStats, &desk_bob,
                              (union event_in){.get_contact_stats = {.from = STR("yesterday..")}}),
                     "invalid_payload {} from, to: not a date 0");
    cr_expect_str_eq(desk_ask(EVENT_reopenContact, NULL, about(id)), "forbidden {}  0");
    cr_expect_str_eq(desk_ask(EVENT_reopenContact, NULL,
                              (union event_in){.reopen_contact = {.contact_id = str_z(id),
                                                                  .chat_token = chat_token(id)}}),
                     "ok {}  0");
    cr_expect_not(contact_is_resolved(fs_contact(str_z(id))));
    free_session(ann), free_session(dan);
}

Test(desk_call, who_asks_is_told_when_the_feature_ends)
{
    const union event_in in = {.submit_contact_form = {.message = STR("m")}};

    events_ask(fake.events, &(struct event_ask){.event = EVENT_submitContactForm,
                                                .who = identity_guest(),
                                                .address = STR("192.0.2.7"),
                                                .in = &in,
                                                .told = desk_on_told});
    events_detach(fake.events);
    cr_expect(str_eq(sb_view(&desk_told), STR("unavailable {}  0")));
    fs.fail = ERR_CLOSED;
    fake_store_run();
}
