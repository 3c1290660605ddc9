#include <criterion/criterion.h>
#include "contacts/notice/mail.h"
#include "tests/unit/support/hex.h"

static struct sb out;
static struct mail mail;

static void up(void)
{
    mail = (struct mail){.from = STR("help@quizblog.rw"),
                         .to = STR("ann@example.org"),
                         .subject = STR("Hello"),
                         .message_id = STR("c1.0@quizblog.rw"),
                         .wall_ms = 1763917315123, /* 2025-11-23T17:01:55.123Z, a Sunday */
                         .text = STR("Muraho")};
    out.n = 0;
}

static void down(void)
{
    sb_fini(&out);
    out = (struct sb){0};
}

TestSuite(mail, .init = up, .fini = down);

static const char *encoded(void)
{
    out.n = 0;
    cr_assert_eq(mail_encode(&mail, &out), OK);
    return to_z(&out);
}

/* Of the header; NULL: it is not there. */
static bool has_line(const char *line)
{
    const char *found = strstr(encoded(), line), *end = strstr(out.p, "\r\n\r\n");

    return found && found < end && (found == out.p || found[-1] == '\n') &&
           strncmp(found + strlen(line), "\r\n", 2) == 0;
}

Test(mail, is_a_message_of_mail)
{
    mail.from_name = STR("Support");
    cr_expect_str_eq(encoded(), "Date: Sun, 23 Nov 2025 17:01:55 +0000\r\n"
                                "From: Support\r\n <help@quizblog.rw>\r\n"
                                "To: <ann@example.org>\r\n"
                                "Subject: Hello\r\n"
                                "Message-ID: <c1.0@quizblog.rw>\r\n"
                                "Auto-Submitted: auto-generated\r\n"
                                "MIME-Version: 1.0\r\n"
                                "Content-Type: text/plain; charset=utf-8\r\n"
                                "Content-Transfer-Encoding: quoted-printable\r\n"
                                "\r\n"
                                "Muraho\r\n");
}

Test(mail, belongs_to_a_conversation)
{
    mail.in_reply_to = STR("c1.0@h");
    mail.references = STR("c1.0@h c1.1@h");
    mail.reply_to = STR("help+c1.abc@h");
    cr_expect(has_line("In-Reply-To: <c1.0@h>"));
    cr_expect(has_line("References: <c1.0@h>\r\n <c1.1@h>"));
    cr_expect(has_line("Reply-To: <help+c1.abc@h>"));
}

Test(mail, writes_what_is_not_plain_as_encoded_words)
{
    mail.to_name = STR("Zo\xc3\xab");
    mail.subject = STR("Re: [7] Caf\xc3\xa9");
    cr_expect(has_line("To: =?UTF-8?B?Wm/Dqw==?=\r\n <ann@example.org>"));
    cr_expect(has_line("Subject: =?UTF-8?B?UmU6IFs3XSBDYWbDqQ==?="));
    mail.to_name = STR("Ann, the \"first\" <x@y>");
    mail.subject = STR("Re: [7] a question (\"really\")?");
    cr_expect(has_line("To: =?UTF-8?B?QW5uLCB0aGUgImZpcnN0IiA8eEB5Pg==?=\r\n <ann@example.org>"));
    cr_expect(has_line("Subject: Re: [7] a question (\"really\")?"));
    mail.subject = STR("=?UTF-8?B?eA==?=");
    cr_expect(has_line("Subject: =?UTF-8?B?PT9VVEYtOD9CP2VBPT0/PQ==?="),
              "nobody writes words of ours");
}

/* Whoever decodes the words finds no line end in them either. */
static void expect_clean_words(size_t row)
{
    for (const char *word = out.p; (word = strstr(word, "=?UTF-8?B?")) != NULL;) {
        struct sb bytes = {0};
        const char *end;

        word += 10;
        end = strstr(word, "?=");
        cr_assert_eq(sb_base64_decode(&bytes, str_of(word, (size_t)(end - word))), OK);
        for (size_t i = 0; i < bytes.n; i++)
            cr_expect((unsigned char)bytes.p[i] >= ' ' && bytes.p[i] != 0x7F, "row %zu", row);
        sb_fini(&bytes);
    }
}

Test(mail, no_text_ends_a_header)
{
    static const struct str evil[] = {
        STR("x\r\nBcc: all@example.org"),   STR("x\nBcc: all@example.org"),
        STR("x\rBcc: all@example.org"),     STR("x\0\r\n\r\nBcc: all@example.org"),
        STR("x\x0b\x0c\x1b\x7f\r\n .\r\n"),
    };

    for (size_t i = 0; i < sizeof evil / sizeof evil[0]; i++) {
        up();
        mail.subject = mail.from_name = mail.to_name = evil[i];
        encoded();
        cr_expect_null(strstr(out.p, "\nBcc"), "row %zu: %s", i, out.p);
        cr_expect_null(strstr(out.p, "\rBcc"), "row %zu", i);
        cr_expect_not_null(strstr(out.p, "\r\n\r\nMuraho\r\n"), "row %zu", i);
        expect_clean_words(i);
    }
}

Test(mail, refuses_addresses_and_ids_that_are_none)
{
    static const char *const bad[] = {
        "a@b\r\nBcc: c@d",
        "a@b\n",
        "a b@c",
        "a@b@c",
        "<a@b>",
        "a@",
        "@b",
        "a",
        "",
        "a..b@c",
        ".a@b",
        "a.@b",
        "a@b..c",
        "a@-b",
        "a@b-",
        "a@b.",
        "a@b c",
        "a,b@c",
        "a@b,c@d",
        "\"a b\"@c",
        "a@[127.0.0.1]",
        "\xc3\xab@b",
        "a@\xc3\xab",
        "a\xe2\x80\xa8@b",
        "a;b@c",
        "a:b@c",
        "a(b)@c",
        "0123456789012345678901234567890123456789012345678901234567890123456789@b",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_expect_not(mail_is_address(str_z(bad[i])), "row %zu", i);
        up();
        mail.to = str_z(bad[i]);
        cr_expect_eq(mail_encode(&mail, &out), ERR_SCHEMA, "row %zu", i);
        up();
        mail.from = str_z(bad[i]);
        cr_expect_eq(mail_encode(&mail, &out), ERR_SCHEMA, "row %zu", i);
        up();
        mail.reply_to = str_z(bad[i]);
        cr_expect_eq(mail_encode(&mail, &out), bad[i][0] ? ERR_SCHEMA : OK, "row %zu", i);
        cr_expect(bad[i][0] == 0 || out.n == 0, "row %zu", i);
    }
    up();
    mail.message_id = STR("a@b>\r\nX: <c@d");
    cr_expect_eq(mail_encode(&mail, &out), ERR_SCHEMA);
    up();
    mail.references = STR("a@b c\r\nX:d@e");
    cr_expect_eq(mail_encode(&mail, &out), ERR_SCHEMA);
    up();
    mail.text = STR("\xff");
    cr_expect_eq(mail_encode(&mail, &out), ERR_SCHEMA);
}

Test(mail, takes_addresses_that_people_have)
{
    static const char *const good[] = {"a@b", "Ann.Lee+tag@mail.example.org", "o'neil@x-y.rw",
                                       "_@1.2", "a!#$%&*-/=?^_`{|}~@b.c"};

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_expect(mail_is_address(str_z(good[i])), "row %zu", i);
}

Test(mail, reads_a_mailbox)
{
    static const struct {
        const char *text, *name, *address; /* address NULL: none */
    } rows[] = {
        {"a@b", "", "a@b"},
        {" <a@b> ", "", "a@b"},
        {"Quiz Blog <a@b>", "Quiz Blog", "a@b"},
        {"\"Blog, Quiz\" <a@b>", "Blog, Quiz", "a@b"},
        {"", "", NULL},
        {"Quiz <a@b", "", NULL},
        {"Quiz <>", "", NULL},
        {"a@b, c@d", "", NULL},
        {"x <a@b>\r\nBcc: <c@d>", "", NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str name, address = STR_NONE;

        cr_expect_eq(mail_parse_mailbox(str_z(rows[i].text), &name, &address),
                     rows[i].address != NULL, "row %zu", i);
        cr_expect(str_eq(address, str_z(rows[i].address)), "row %zu", i);
        if (rows[i].address) cr_expect(str_eq(name, str_z(rows[i].name)), "row %zu", i);
    }
}

static const char *body_of(const char *text)
{
    mail.text = str_z(text);
    return strstr(encoded(), "\r\n\r\n") + 4;
}

Test(mail, quotes_the_body)
{
    cr_expect_str_eq(body_of("a = b\n"), "a =3D b\r\n");
    cr_expect_str_eq(body_of("\xc3\xab"), "=C3=AB\r\n");
    cr_expect_str_eq(body_of("one\r\ntwo\rthree\n\nfour"), "one\r\ntwo\r\nthree\r\n\r\nfour\r\n");
    cr_expect_str_eq(body_of("blank \ntab\t\na b"), "blank=20\r\ntab=09\r\na b\r\n");
    cr_expect_str_eq(body_of(""), "");
}

Test(mail, has_no_long_lines)
{
    char text[2000];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    for (int i = 0; i + 1 < (int)sizeof text; i += 7)
        text[i] = '=';
    mail.subject = mail.from_name = str_z(text);
    body_of(text);
    for (const char *line = out.p; *line;) {
        const char *end = strstr(line, "\r\n");

        cr_assert_not_null(end);
        cr_expect_leq(end - line, MAIL_LINE_MAX, "%.*s", (int)(end - line), line);
        line = end + 2;
    }
}

Test(mail, cuts_words_between_characters)
{
    struct sb subject = {0};

    for (int i = 0; i < 40; i++)
        sb_z(&subject, "\xf0\x9f\x98\x80");
    mail.subject = sb_view(&subject);
    encoded();
    for (const char *word = out.p; (word = strstr(word, "=?UTF-8?B?")) != NULL;) {
        struct sb bytes = {0};
        const char *end;

        word += 10;
        end = strstr(word, "?=");
        cr_assert_eq(sb_base64_decode(&bytes, str_of(word, (size_t)(end - word))), OK);
        cr_expect(str_is_utf8(sb_view(&bytes)), "half a character is none (RFC 2047 5)");
        sb_fini(&bytes);
    }
    sb_fini(&subject);
}
