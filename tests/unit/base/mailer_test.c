#include <criterion/criterion.h>
#include <stdio.h>
#include "base/mailer.h"
#include "tests/unit/support/hex.h"
#include "tests/unit/support/smtp_fixture.h"

static struct loop *loop;
static struct smtp_fixture server;
static struct mailer *mailer;
static unsigned answers;
static struct mailer_answer got;
static char why[300];

static void on_answer(void *ctx, const struct mailer_answer *a)
{
    (void)ctx;
    got = *a;
    snprintf(why, sizeof why, "%s", a->why ? a->why : "");
    answers++;
}

static void open_with(const char *url, uint64_t timeout_ms)
{
    mailer = mailer_new(loop, &(struct mailer_conf){.url = url, .timeout_ms = timeout_ms});
}

static void up(void)
{
    loop = loop_new();
    smtp_fixture_open(&server, loop);
    answers = 0;
}

static void down(void)
{
    mailer_free(mailer);
    smtp_fixture_close(&server);
    loop_free(loop);
}

TestSuite(mailer, .init = up, .fini = down, .timeout = 60);

static int send_one(const char *text)
{
    struct mailer_mail m = {.from = STR("help@quizblog.rw"), .to = STR("ann@example.org")};
    unsigned before = answers;

    m.bytes = str_z(text);
    cr_assert_eq(mailer_send(mailer, &m, on_answer, NULL), OK);
    cr_expect_eq(answers, before, "never within the call");
    for (int i = 0; i < 20000 && answers == before; i++)
        loop_turn(loop, true);
    cr_assert_eq(answers, before + 1);
    return got.rc;
}

Test(mailer, sends_a_mail)
{
    open_with(server.url, 10000);
    cr_assert_eq(send_one("Subject: x\r\n\r\n.a line with a point\r\n.\r\nend\r\n"), OK, "%s", why);
    cr_expect_eq(got.status, 250);
    cr_expect_eq(server.mails, 1);
    cr_expect_str_eq(to_z(&server.message),
                     "Subject: x\r\n\r\n.a line with a point\r\n.\r\nend\r\n");
    cr_expect_not_null(strstr(to_z(&server.commands), "MAIL FROM:<help@quizblog.rw>"));
    cr_expect_not_null(strstr(server.commands.p, "RCPT TO:<ann@example.org>"));
    cr_expect_eq(send_one("Subject: y\r\n\r\n"), OK);
    cr_expect_eq(server.mails, 2);
}

Test(mailer, tells_never_from_not_now)
{
    static const struct {
        int at;
        const char *says;
        int rc;
        unsigned status;
    } rows[] = {
        {1, "550 no such user", ERR_FORBIDDEN, 550}, {1, "450 later", ERR_IO, 450},
        {0, "553 not from you", ERR_FORBIDDEN, 553}, {2, "451 busy", ERR_IO, 451},
        {3, "554 spam", ERR_FORBIDDEN, 554},         {3, "452 full", ERR_IO, 452},
    };

    open_with(server.url, 10000);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(server.says, 0, sizeof server.says);
        server.says[rows[i].at] = rows[i].says;
        cr_expect_eq(send_one("\r\n"), rows[i].rc, "row %zu: %d %s", i, got.rc, why);
        cr_expect_eq(got.status, rows[i].status, "row %zu: %u", i, got.status);
        cr_expect(why[0], "row %zu", i);
    }
}

Test(mailer, gives_up_a_silent_server)
{
    server.is_silent = true;
    open_with(server.url, 300);
    cr_expect_eq(send_one("\r\n"), ERR_TIMEOUT, "%s", why);
}

Test(mailer, gives_up_where_nobody_listens)
{
    open_with("smtp://127.0.0.1:1", 5000);
    cr_expect_eq(send_one("\r\n"), ERR_IO, "%s", why);
}

Test(mailer, sends_no_password_in_the_clear)
{
    char url[120];

    snprintf(url, sizeof url, "smtp://user:secret@%.60s", server.url + 7);
    open_with(url, 5000);
    cr_expect_eq(send_one("\r\n"), ERR_IO, "the server has no STARTTLS");
    cr_expect_null(strstr(to_z(&server.commands), "AUTH"));
    cr_expect_null(strstr(why, "secret"));
    cr_expect_eq(server.mails, 0);
}

Test(mailer, is_freed_in_the_middle_of_a_mail)
{
    struct mailer_mail m = {.from = STR("a@b"), .to = STR("c@d"), .bytes = STR("\r\n")};

    server.is_silent = true;
    open_with(server.url, 30000);
    cr_assert_eq(mailer_send(mailer, &m, on_answer, NULL), OK);
    cr_assert_eq(mailer_send(mailer, &m, on_answer, NULL), OK);
    for (int i = 0; i < 20000 && !server.connects; i++)
        loop_turn(loop, true);
    mailer_free(mailer);
    mailer = NULL;
    cr_expect_eq(answers, 2);
    cr_expect_eq(got.rc, ERR_CLOSED);
}

Test(mailer, knows_its_urls)
{
    cr_expect(mailer_url_is_good("smtp://127.0.0.1"));
    cr_expect(mailer_url_is_good("SMTPS://user:p%40ss@mail.example.org:465"));
    cr_expect_not(mailer_url_is_good("smtp://"));
    cr_expect_not(mailer_url_is_good("http://mail.example.org"));
    cr_expect_not(mailer_url_is_good("smtp://a b"));
    cr_expect_not(mailer_url_is_good(""));
}
