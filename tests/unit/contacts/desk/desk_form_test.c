#include "tests/unit/support/desk_rig.inc"

#include "contacts/rules/token.h"

TestSuite(desk_form, .init = desk_up, .fini = desk_down);

Test(desk_form, is_stored_answered_and_told_to_agents)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);
    const char *id = desk_form(ann);
    char want[512];

    (void)snprintf(
        want, sizeof want,
        "42/contacts,[\"contactFormSubmitted\",{\"id\":\"%s\",\"message\":\"Your message has "
        "been received. We will get back to you shortly.\",\"estimatedResponseTime\":\"24 "
        "hours\",\"chatToken\":\"chat.",
        id);
    cr_expect(desk_got(ann, want), "%s", take(&ann->sent));
    (void)snprintf(
        want, sizeof want,
        "42/contacts,[\"newContactSubmission\",{\"id\":\"%s\",\"name\":\"Ann\",\"email\":"
        "\"ann@example.org\",\"subject\":\"Account\",\"priority\":\"normal\",\"submittedAt\":"
        "\"2023-11-14T22:13:20.000Z\"}]\n",
        id);
    cr_expect_str_eq(take(&bob->sent), want);
    cr_expect_eq(fs.letters_count, 0, "told: nothing is left to be told");
    free_session(ann), free_session(bob);
}

Test(desk_form, its_letter_stays_until_redis_has_it)
{
    struct eio_session *ann = desk_client(NULL), *bob = desk_client(BOB);

    desk_keeps_flush = true;
    (void)desk_form(ann);
    cr_expect(desk_got(bob, "newContactSubmission"));
    cr_expect_eq(fs.letters_count, 1, "this node may still die, and no other have heard");
    answer_flush(ERR_UNAVAILABLE);
    fake_store_run();
    cr_expect_eq(fs.letters_count, 1, "Redis is away: the others are told later");
    (void)desk_form(ann);
    answer_flush(OK);
    fake_store_run();
    cr_expect_eq(fs.letters_count, 1, "told: that of the second form is over");
    free_session(ann), free_session(bob);
}

Test(desk_form, the_sender_is_not_told_as_an_agent)
{
    struct eio_session *bob = desk_client(BOB);

    (void)desk_form(bob);
    cr_expect_not(desk_got(bob, "newContactSubmission"));
    free_session(bob);
}

Test(desk_form, what_is_not_its_own_is_ignored)
{
    struct eio_session *ann = desk_client(NULL);

    desk_say(ann, "submitContactForm",
             "{\"name\":\"Ann\",\"email\":\"ann@example.org\",\"message\":\"Help\",\"status\":"
             "\"resolved\",\"assignedAdmin\":{\"id\":\"a1\"},\"id\":\"mine\",\"owner_id\":\"a1\","
             "\"tags\":[\"vip\"],\"userId\":\"u1\"}");
    cr_assert_eq(fs.contacts_count, 1);
    cr_expect(contact_is_pending(&fs.contacts[0]));
    cr_expect_eq(fs.contacts[0].owner_id.n + fs.contacts[0].user_id.n, 0);
    cr_expect_eq(fs.contacts[0].tags.count, 0);
    cr_expect(str_starts(fs.contacts[0].id, STR("contact_")));
    free_session(ann);
}

Test(desk_form, bad_input_is_refused_with_the_field)
{
    static const struct {
        const char *form, *want;
    } rows[] = {
        {"{\"name\":\"A\",\"email\":\"a@b.rw\"}", "message: missing"},
        {"{\"name\":\"A\",\"email\":\"none\",\"message\":\"m\"}", "email: "},
        {"{\"name\":\"A\",\"email\":\"a@b.rw\\r\\nBcc: c@d.rw\",\"message\":\"m\"}", "email: "},
        {"{\"name\":\"A\",\"email\":{\"$ne\":null},\"message\":\"m\"}", "email: not a string"},
        {"{\"name\":{\"$gt\":\"\"},\"email\":\"a@b.rw\",\"message\":\"m\"}", "name: not a string"},
        {"null", "not an object"},
    };
    struct eio_session *ann = desk_client(NULL);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ann->sent.n = 0;
        desk_say(ann, "submitContactForm", rows[i].form);
        cr_expect(desk_got(ann, "[\"contactFormError\","), "row %zu", i);
        cr_expect(desk_got(ann, rows[i].want), "row %zu: %s", i, take(&ann->sent));
    }
    cr_expect_eq(fs.contacts_count, 0);
    free_session(ann);
}

Test(desk_form, sent_again_it_is_the_same)
{
#define AGAIN(text)                                                                                \
    "{\"name\":\"A\",\"email\":\"a@b.rw\",\"message\":\"" text "\",\"clientFormId\":\"f-"          \
    "00000001\"}"
    struct eio_session *ann = desk_client(NULL), *eve = desk_client(NULL);
    char want[128];

    desk_say(ann, "submitContactForm", AGAIN("m"));
    ann->sent.n = 0;
    desk_say(ann, "submitContactForm", AGAIN("m"));
    cr_assert_eq(fs.contacts_count, 1);
    (void)snprintf(want, sizeof want, "\"id\":\"" STR_FMT "\"", STR_ARG(fs.contacts[0].id));
    cr_expect(desk_got(ann, want));
    desk_say(eve, "submitContactForm", AGAIN("other"));
    cr_expect_eq(fs.contacts_count, 2, "who knows the name alone gets no key to the chat");
    cr_expect_not(desk_got(eve, want));
    free_session(ann), free_session(eve);
}

Test(desk_form, the_trap_keeps_nothing_and_says_nothing)
{
    struct eio_session *bot = desk_client(NULL), *bob = desk_client(BOB);

    desk_say(bot, "submitContactForm",
             "{\"name\":\"A\",\"email\":\"a@b.rw\",\"message\":\"buy\",\"website\":\"http://x\"}");
    cr_expect(desk_got(bot, "contactFormSubmitted"));
    cr_expect_eq(fs.contacts_count, 0);
    cr_expect_str_eq(take(&bob->sent), "");
    free_session(bot), free_session(bob);
}

Test(desk_form, five_an_hour_from_one_address)
{
    struct eio_session *ann = desk_client(NULL);

    rig.conf.forms_per_hour = 5;
    for (int i = 0; i < 5; i++)
        (void)desk_form(ann);
    ann->sent.n = 0;
    desk_say(ann, "submitContactForm", FORM);
    cr_expect(desk_got(ann, "\"code\":\"rate_limited\""), "%s", take(&ann->sent));
    cr_expect(desk_got(ann, "\"retryAfterMs\":720000"));
    cr_expect_eq(fs.contacts_count, 5);
    free_session(ann);
}

Test(desk_form, sent_again_it_is_none_of_the_five)
{
#define NAMED(name, text)                                                                          \
    "{\"name\":\"A\",\"email\":\"a@b.rw\",\"message\":\"" text "\",\"clientFormId\":\"" name "\"}"
    struct eio_session *ann = desk_client(NULL);

    rig.conf.forms_per_hour = 2;
    for (int i = 0; i < 10; i++)
        desk_say(ann, "submitContactForm", NAMED("f-00000001", "m"));
    cr_expect_not(desk_got(ann, "rate_limited"));
    (void)desk_form(ann);
    ann->sent.n = 0;
    desk_say(ann, "submitContactForm", NAMED("f-00000002", "m"));
    cr_expect(desk_got(ann, "\"code\":\"rate_limited\""), "two were: %s", take(&ann->sent));
    ann->sent.n = 0;
    desk_say(ann, "submitContactForm", NAMED("f-00000001", "m"));
    cr_expect(desk_got(ann, "{\"ok\":true,\"id\":"), "also when none is left: %s",
              take(&ann->sent));
    free_session(ann);
}

Test(desk_form, twice_at_one_time_it_is_one_of_the_five)
{
    struct eio_session *ann = desk_client(NULL);

    rig.conf.forms_per_hour = 2;
    for (int i = 0; i < 2; i++) /* the store has not answered the first one */
        say(ann, "2/contacts,1[\"submitContactForm\"," NAMED("f-00000001", "m") "]");
    fake_store_run();
    cr_expect_eq(fs.contacts_count, 1);
    cr_expect_not(desk_got(ann, "rate_limited"));
    (void)desk_form(ann);
    free_session(ann);
}

Test(desk_form, without_the_store_nothing_is_said_to_be_stored)
{
    struct eio_session *ann = desk_client(NULL);

    fs.fail = ERR_UNAVAILABLE;
    desk_say(ann, "submitContactForm", FORM);
    cr_expect(desk_got(ann, "[\"contactFormError\",{\"event\":\"submitContactForm\",\"code\":"
                            "\"unavailable\",\"error\":\"Failed to submit contact form. Please try "
                            "again.\"}]"),
              "%s", take(&ann->sent));
    fs.fail = OK;
    free_session(ann);
}
