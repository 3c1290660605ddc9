#include "contacts/rules/form.h"

#include <criterion/criterion.h>

static struct form good(void)
{
    return (struct form){.message = STR(" \n I cannot\tlog in\r\n"),
                         .name = STR("  Ann Mukamana "),
                         .email = STR("ann@example.org"),
                         .priority_name = STR("high")};
}

Test(form, trims_and_takes_a_good_one)
{
    struct form f = good(), small = {.message = STR("Hello")};
    struct form_fault fault;

    cr_expect_eq(form_check(&f, &fault), OK);
    cr_expect(str_eq(f.message, STR("I cannot\tlog in")));
    cr_expect(str_eq(f.name, STR("Ann Mukamana")));
    cr_expect_eq(f.priority, SLA_HIGH);
    cr_expect_not(form_is_trap(&f));
    cr_expect_eq(form_check(&small, &fault), OK, "who does not want to be named");
    cr_expect_eq(small.priority, SLA_NORMAL);
    f.priority_name = STR("SUPER");
    f.website = STR("http://spam");
    cr_expect_eq(form_check(&f, &fault), OK, "a program is not told");
    cr_expect_eq(f.priority, SLA_NORMAL);
    cr_expect(form_is_trap(&f));
}

Test(form, says_which_field_is_wrong)
{
    static char many[FORM_MESSAGE_MAX * 4 + 8];
    static const struct {
        const char *member;
        struct str value;
        int want;
    } rows[] = {
        {"message", STR(""), ERR_SCHEMA},
        {"message", STR(" \t\n"), ERR_SCHEMA},
        {"message", STR("a\0b"), ERR_SCHEMA},
        {"message", STR("a\x1b[2J"), ERR_SCHEMA},
        {"message", STR("\xff"), ERR_UTF8},
        {"message", {many, FORM_MESSAGE_MAX + 1}, ERR_TOO_BIG},
        {"message", {many, sizeof many}, ERR_TOO_BIG},
        {"name", STR("Ann\r\nBcc: x@y.z"), ERR_SCHEMA},
        {"name",
         STR("a\xc2\x85"
             "b"),
         ERR_SCHEMA},
        {"name",
         STR("a\xe2\x80\xa8"
             "b"),
         ERR_SCHEMA},
        {"name", {many, FORM_LINE_MAX + 1}, ERR_TOO_BIG},
        {"subject", STR("a\nb"), ERR_SCHEMA},
        {"phone", {many, FORM_WORD_MAX + 1}, ERR_TOO_BIG},
        {"category", STR("a\tb"), ERR_SCHEMA},
        {"email", STR("ann"), ERR_SCHEMA},
        {"email", STR("ann@example.org\r\nBcc: x@y.z"), ERR_SCHEMA},
    };

    memset(many, 'm', sizeof many);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct form f = good();
        struct form_fault fault = {0};
        const char *m = rows[i].member;
        struct str *at = strcmp(m, "message") == 0   ? &f.message
                         : strcmp(m, "name") == 0    ? &f.name
                         : strcmp(m, "email") == 0   ? &f.email
                         : strcmp(m, "phone") == 0   ? &f.phone
                         : strcmp(m, "subject") == 0 ? &f.subject
                                                     : &f.category;

        *at = rows[i].value;
        cr_expect_eq(form_check(&f, &fault), rows[i].want, "row %zu", i);
        cr_expect_str_eq(fault.field, m, "row %zu", i);
    }
}

Test(form, counts_characters_not_bytes)
{
    struct form f = {0};
    struct form_fault fault;
    struct sb b = {0};

    for (int i = 0; i < FORM_MESSAGE_MAX; i++)
        sb_z(&b, "\xf0\x9f\xa5\x81");
    f.message = sb_view(&b);
    cr_expect_eq(form_check(&f, &fault), OK);
    sb_z(&b, "x");
    f.message = sb_view(&b);
    cr_expect_eq(form_check(&f, &fault), ERR_TOO_BIG);
    sb_fini(&b);
}

Test(form, knows_an_address)
{
    static const char *const good_ones[] = {
        "a@b.co",     "ann.m+tag@mail.example.org", "o'neil@x.ie", "a@xn--bcher-kva.example",
        "x_1@a-b.rw",
    };
    static const char *const bad_ones[] = {
        "",
        "@",
        "a@",
        "@b.co",
        "a@b",
        "a b@c.de",
        "a@b c.de",
        ".a@b.co",
        "a.@b.co",
        "a..b@c.de",
        "a@.co",
        "a@b..co",
        "a@b.co.",
        "a@-b.co",
        "a@b-.co",
        "a@b.co\n",
        "a\r\n@b.co",
        "a@b@c.de",
        "\"a b\"@c.de",
        "a@[192.0.2.7]",
        "a@192.0.2.7",
        "<a@b.co>",
        "a,b@c.de",
        "\xc3\xa9@b.co",
        "a@b.co,c@d.ee",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b.co",
    };

    for (size_t i = 0; i < sizeof good_ones / sizeof good_ones[0]; i++)
        cr_expect(form_is_email(str_z(good_ones[i])), "%s", good_ones[i]);
    for (size_t i = 0; i < sizeof bad_ones / sizeof bad_ones[0]; i++)
        cr_expect_not(form_is_email(str_z(bad_ones[i])), "%s", bad_ones[i]);
    cr_expect_not(form_is_email(STR("a\0@b.co")));
}

Test(form, texts_of_a_chat_follow_the_same_rules)
{
    struct str t = STR(" hi\n"), empty = STR("\n"), none = STR(" "), long_one = STR("12345");
    struct form_fault fault;

    cr_expect_eq(form_text(&t, &fault), OK);
    cr_expect(str_eq(t, STR("hi")));
    cr_expect_eq(form_text(&empty, &fault), ERR_SCHEMA);
    cr_expect_eq(form_optional(&none, 4, &fault), OK);
    cr_expect_eq(none.n, 0);
    cr_expect_eq(form_optional(&long_one, 4, &fault), ERR_TOO_BIG);
}

Test(form, makes_ids_that_it_knows)
{
    char a[FORM_ID_SIZE], b[FORM_ID_SIZE];
    static const char *const bad[] = {
        "",
        "contact_",
        "contact__a",
        "contact_1_",
        "contact_1",
        "contact_x_a",
        "contact_1_A",
        "contact_1_a_b",
        "contact_12345678901234567_a",
        "kontact_1_a",
        "contact_1_a ",
        "{\"$ne\":null}",
        "contact_1_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };

    form_id_make(1764351283000, a);
    form_id_make(1764351283000, b);
    cr_expect(str_starts(str_z(a), STR("contact_1764351283000_")), "%s", a);
    cr_expect(form_id_is(str_z(a)), "%s", a);
    cr_expect_str_neq(a, b);
    form_id_make(UINT64_MAX, a);
    cr_expect(form_id_is(str_z(a)), "%s", a);
    cr_expect(form_id_is(STR("contact_1795397279711_k3j9x0a2b")), "one of the old service");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_not(form_id_is(str_z(bad[i])), "%s", bad[i]);
}
