#include <criterion/criterion.h>
#include "contacts/notice/mail.h"
#include "contacts/notice/thread.h"
#include "tests/unit/support/hex.h"

static const struct str key = {"key", 3};
static struct sb out;

static const char *address(const char *base, const char *contact)
{
    out.n = 0;
    notice_thread_address(str_z(base), str_z(contact), key, &out);
    return to_z(&out);
}

Test(notice_thread, a_mail_has_the_same_id_each_time)
{
    notice_thread_id(STR("contact_1_a"), 7, STR("quizblog.rw"), &out);
    cr_expect_str_eq(to_z(&out), "contact_1_a.7@quizblog.rw");
    out.n = 0;
    notice_thread_id(STR("a b>\r\n"), 0, STR("h"), &out);
    cr_expect_str_eq(to_z(&out), "a-b---.0@h");
    sb_fini(&out);
}

Test(notice_thread, an_answer_finds_its_contact)
{
    struct str contact;
    const char *to = address("help@quizblog.rw", "contact_1732812345678_abcdefghi");

    cr_expect(strncmp(to, "help+contact_1732812345678_abcdefghi.", 37) == 0, "%s", to);
    cr_expect(mail_is_address(str_z(to)));
    cr_assert(notice_thread_contact(str_z(to), key, &contact));
    cr_expect(str_eq(contact, STR("contact_1732812345678_abcdefghi")));
    cr_expect_not(notice_thread_contact(str_z(to), STR("other"), &contact));
    sb_fini(&out);
}

Test(notice_thread, a_forged_token_is_none)
{
    static const char *const rows[] = {
        "help@h",       "help+@h", "help+c@h", "help+c.@h", "help+c.00000000000000000000@h",
        "help+.abcd@h", "",        "@",        "+",         "help+c.0000000000000000000@h",
    };
    struct str contact = STR("none");

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_not(notice_thread_contact(str_z(rows[i]), key, &contact), "row %zu", i);
    cr_expect(str_eq(contact, STR("none")));
}

Test(notice_thread, no_token_where_it_does_not_fit)
{
    cr_expect_str_eq(address("a-long-name-of-a-sender@h", "contact_1732812345678_abcdefghi"), "");
    cr_expect_str_eq(address("help@h", "with blank"), "");
    cr_expect_str_eq(address("help", "c"), "");
    sb_fini(&out);
}
