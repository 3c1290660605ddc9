#include <criterion/criterion.h>
#include <stdio.h>
#include "base/metric.h"
#include "tests/unit/support/hex.h"
#include "tests/unit/support/smtp_fixture.h"
#include "tests/unit/support/fake_outbox.inc"

static struct notice *notice;
static struct conf conf;
static struct smtp_fixture server;
static char none[] = "", from[] = "Quiz Blog <help@quizblog.rw>",
            team[] = "one@quizblog.rw, two@quizblog.rw", secret[] = "a secret of the tests of mail",
            site[] = "https://desk.quizblog.rw";

static bool on_tell(void *ctx, const struct outbox *o, void (*done)(void *letter, int rc),
                    void *letter)
{
    (void)ctx, (void)o;
    done(letter, OK);
    return true;
}

static char *open_it(void)
{
    static const struct notice_hooks hooks = {.tell_agents = on_tell};
    char *why = NULL;

    notice = notice_new(fake.loop, &conf, NULL, &hooks, &why);
    return why;
}

static void up(void)
{
    metric_reset_for_test();
    fake = (struct fake_outbox){.loop = loop_new()};
    fake_messages_count = 0;
    smtp_fixture_open(&server, fake.loop);
    fake.contact = (struct contact){.id = STR("contact_1_a"),
                                    .name = STR("Ann\r\nBcc: all@example.org"),
                                    .email = STR("ann@example.org"),
                                    .subject = STR("Account\r\nX-Evil: 1"),
                                    .message = STR("Hello\n.\nBye"),
                                    .created_at = 1700000000000};
    conf = (struct conf){.webhook_urls = none,
                         .webhook_secret = none,
                         .outbound_ca_file = none,
                         .smtp_url = server.url,
                         .smtp_from = from,
                         .notice_mail_to = team,
                         .smtp_timeout_ms = 10000,
                         .mail_away_ms = 600000,
                         .contacts_url = site,
                         .chat_days = 90,
                         .jwt_secret = secret,
                         .notice_tries = 5};
}

static void down(void)
{
    notice_free(notice);
    for (int i = 0; i < 3; i++)
        loop_turn(fake.loop, false);
    cr_expect_eq(fake.open, 0);
    smtp_fixture_close(&server);
    arena_fini(&fake_mem);
    loop_free(fake.loop);
    sb_fini(&fake.log);
}

TestSuite(notice_mail, .init = up, .fini = down, .timeout = 60);

static bool await_log(const char *text)
{
    for (int i = 0; i < 5000; i++) {
        if (strstr(to_z(&fake.log), text)) return true;
        loop_turn(fake.loop, true);
    }
    return false;
}

static void say(unsigned i, int64_t seq, const char *kind, const char *text)
{
    fake_messages[i] = (struct message){
        .seq = seq, .kind = str_z(kind), .author_name = STR("Bob"), .text = str_z(text)};
    if (i >= fake_messages_count) fake_messages_count = i + 1;
}

Test(notice_mail, tells_the_team_of_a_form)
{
    const char *mail;

    cr_assert_null(open_it());
    fake_put("m1", "mail", "one@quizblog.rw");
    notice_ask(notice);
    cr_assert(await_log("done m1;"));
    mail = to_z(&server.message);
    cr_expect_not_null(strstr(to_z(&server.commands), "MAIL FROM:<help@quizblog.rw>"));
    cr_expect_not_null(strstr(server.commands.p, "RCPT TO:<one@quizblog.rw>"));
    cr_expect_not_null(strstr(mail, "Message-ID: <contact_1_a.0@quizblog.rw>\r\n"));
    cr_expect_not_null(strstr(mail, "Reply-To: <help+contact_1_a."));
    cr_expect_not_null(strstr(mail, "\r\nHello\r\n.\r\nBye\r\n"));
    cr_expect_not_null(strstr(mail, "Claim it: https://desk.quizblog.rw/admin/"));
    cr_expect_null(memmem(mail, (size_t)(strstr(mail, "\r\n\r\n") - mail), "\nBcc", 4));
    cr_expect_null(strstr(mail, "\nX-Evil"), "%s", mail);
}

Test(notice_mail, brings_answers_to_a_visitor_who_is_away)
{
    struct outbox *o;
    const char *mail;

    cr_assert_null(open_it());
    say(0, 4, "agent", "First answer");
    say(1, 5, "visitor", "not mine");
    say(2, 6, "agent", "Second \xc3\xa9");
    fake.contact.visitor_read = 3;
    o = fake_put("m1", "mail", "ann@example.org");
    o->event = STR("message.agent");
    notice_ask(notice);
    cr_assert(await_log("done m1;"));
    cr_expect_not_null(strstr(to_z(&fake.log), "get contact_1_a after=3;"));
    mail = to_z(&server.message);
    cr_expect_not_null(strstr(mail, "First answer"));
    cr_expect_not_null(strstr(mail, "Second =C3=A9"));
    cr_expect_null(strstr(mail, "not mine"));
    cr_expect_not_null(strstr(mail, "Message-ID: <contact_1_a.6@quizblog.rw>"));
    cr_expect_not_null(strstr(mail, "In-Reply-To: <contact_1_a.0@quizblog.rw>"));
    cr_expect_not_null(strstr(mail, "References: <contact_1_a.0@quizblog.rw>"));
    cr_expect_not_null(strstr(mail, "/widget/#contact=3Dcontact_1_a&token="), "%s", mail);
    cr_expect_eq(fake_written.mail_seq, 6);
    cr_expect(str_eq(fake_written.mail_last, STR("contact_1_a.6@quizblog.rw")));
    cr_expect(str_eq(fake_written.mail_thread, STR("contact_1_a.6@quizblog.rw")));
}

/* One mail with an answer; its bytes. */
static const char *mailed(const char *id)
{
    struct outbox *o = fake_put(id, "mail", "ann@example.org");
    char want[32];

    o->event = STR("message.agent");
    snprintf(want, sizeof want, "done %s;", id);
    notice_ask(notice);
    cr_assert(await_log(want));
    return to_z(&server.message);
}

Test(notice_mail, asks_how_it_was_when_the_contact_has_ended)
{
    cr_assert_null(open_it());
    say(0, 4, "agent", "Done");
    cr_expect_null(strstr(mailed("m1"), "How was it"), "it has not");
    fake.contact.status = STR("resolved");
    fake.contact.resolved_at = 1700000060000;
    cr_expect_not_null(
        strstr(mailed("m2"), "How was it? https://desk.quizblog.rw/widget/#contact=3Dcontact"),
        "%s", to_z(&server.message));
    cr_expect_not_null(strstr(to_z(&server.message), "=3Drate."), "%s", to_z(&server.message));
    fake.contact.rated_at = 1700000070000;
    cr_expect_null(strstr(mailed("m3"), "How was it"), "it was told already");
}

Test(notice_mail, leaves_those_alone_who_came_back_or_have_it)
{
    struct outbox *o;

    cr_assert_null(open_it());
    say(0, 4, "agent", "First answer");
    o = fake_put("m1", "mail", "ann@example.org");
    o->event = STR("message.agent");
    fake.contact.visitor_seen_at = o->created_at + 1;
    notice_ask(notice);
    cr_assert(await_log("done m1;"));
    fake.contact.visitor_seen_at = 0;
    fake_messages_count = 0; /* nothing behind what was mailed */
    fake.contact.mail_seq = 9;
    o = fake_put("m2", "mail", "ann@example.org");
    o->event = STR("message.agent");
    notice_ask(notice);
    cr_assert(await_log("done m2;"));
    cr_expect_not_null(strstr(to_z(&fake.log), "after=9;"));
    cr_expect_eq(server.mails, 0);
}

Test(notice_mail, puts_off_or_gives_up_as_the_server_says)
{
    cr_assert_null(open_it());
    server.says[1] = "450 later";
    fake_put("m1", "mail", "one@quizblog.rw");
    notice_ask(notice);
    cr_assert(await_log("fail m1;"));
    server.says[1] = "550 nobody";
    fake_put("m2", "mail", "two@quizblog.rw");
    notice_ask(notice);
    cr_assert(await_log("dead m2;"));
    fake_put("m3", "mail", "a@b\r\nRCPT TO:<c@d>");
    notice_ask(notice);
    cr_assert(await_log("dead m3;"));
    cr_expect_null(strstr(to_z(&server.commands), "c@d"));
}

Test(notice_mail, may_be_freed_while_it_sends)
{
    server.is_silent = true;
    cr_assert_null(open_it());
    fake_put("m1", "mail", "one@quizblog.rw");
    notice_ask(notice);
    for (int i = 0; i < 5000 && !server.connects; i++)
        loop_turn(fake.loop, true);
    cr_expect_eq(server.connects, 1);
}

Test(notice_mail, is_off_without_a_server)
{
    conf.smtp_url = none;
    cr_assert_null(open_it());
    fake_put("m1", "mail", "one@quizblog.rw");
    notice_ask(notice);
    cr_assert(await_log("dead m1;"));
}

Test(notice_mail, refuses_options_that_cannot_work)
{
    static char bad_url[] = "http://mail", bad_from[] = "nobody", bad_team[] = "a@b, c d@e";
    char *why;

    conf.smtp_url = bad_url;
    cr_assert_not_null(why = open_it());
    cr_expect_not_null(strstr(why, "SMTP_URL"));
    mem_free(why);
    conf.smtp_url = server.url;
    conf.smtp_from = bad_from;
    cr_assert_not_null(why = open_it());
    cr_expect_not_null(strstr(why, "SMTP_FROM"));
    mem_free(why);
    conf.smtp_from = from;
    conf.notice_mail_to = bad_team;
    cr_assert_not_null(why = open_it());
    cr_expect_not_null(strstr(why, "NOTICE_MAIL_TO"));
    mem_free(why);
}
