#include "contacts/rules/canned.h"

#include <criterion/criterion.h>

static const struct canned_values values = {STR("Ann {{agent}}"), STR_NONE, STR("contact_1_a")};

Test(canned, fills_what_it_knows)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"Hello", "Hello"},
        {"Dear {{name}},", "Dear Ann {{agent}},"}, /* what is put in is not looked at again */
        {"{{ name }}{{contactId}}", "Ann {{agent}}contact_1_a"},
        {"I am {{agent}}.", "I am ."},
        {"I am {{agent|the team}}.", "I am the team."},
        {"{{name|friend}}", "Ann {{agent}}"},
        {"{{agent|a|b}}", "a|b"},
        {"{{unknown}} {{Name}}", "{{unknown}} {{Name}}"},
        {"{{agent|{{name}}", "{{name"}, /* ends at the first }} */
        {"{name} }} {{", "{name} }} {{"},
        {"{{{agent|x}}", "{{{agent|x}}"},
        {"", ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sb out = {0};

        sb_z(&out, ">");
        cr_expect_eq(canned_fill(str_z(rows[i].text), &values, &out), OK, "row %zu", i);
        cr_expect(str_eq(str_skip(sb_view(&out), 1), str_z(rows[i].want)), "row %zu: " STR_FMT, i,
                  STR_ARG(out));
        sb_fini(&out);
    }
}

Test(canned, is_bounded)
{
    struct sb text = {0}, out = {0};
    static char name[2000];
    struct canned_values v = {str_of(name, sizeof name), STR_NONE, STR_NONE};

    memset(name, 'x', sizeof name);
    for (int i = 0; i < 5; i++)
        sb_z(&text, "{{name}}");
    cr_expect_eq(canned_fill(sb_view(&text), &v, &out), OK);
    cr_expect_eq(out.n, CANNED_TEXT_MAX);
    sb_z(&text, ".");
    cr_expect_eq(canned_fill(sb_view(&text), &v, &out), ERR_TOO_BIG);
    cr_expect_eq(out.n, CANNED_TEXT_MAX, "nothing is added");
    sb_fini(&text);
    sb_fini(&out);
}

Test(canned, is_checked_when_it_is_saved)
{
    static const struct {
        const char *code, *text, *why; /* NULL: taken */
    } rows[] = {
        {"hi", "Hello {{name|friend}}, {{agent}} here: {{ contactId }}", NULL},
        {"a-b_9", "x", NULL},
        {"", "x", "code: 1 to 32"},
        {"Hi", "x", "code: 1 to 32"},
        {"abcdefghijklmnopqrstuvwxyz0123456", "x", "code: 1 to 32"},
        {"hi", "", "text: 1 to 10000"},
        {"hi", " \t", "text: 1 to 10000"},
        {"hi", "\xff", "text: 1 to 10000"},
        {"hi", "{{nmae}}", "text: {{nmae}} is unknown"},
        {"hi", "{{}}", "text: {{}} is unknown"},
        {"hi", "{{name} x", "text: a {{ without }}"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sb why = {0};
        int want = rows[i].why ? ERR_SCHEMA : OK;

        cr_expect_eq(canned_check(str_z(rows[i].code), str_z(rows[i].text), &why), want, "row %zu",
                     i);
        cr_expect(str_starts(sb_view(&why), str_z(rows[i].why ? rows[i].why : "")),
                  "row %zu: " STR_FMT, i, STR_ARG(why));
        cr_expect_eq(canned_check(str_z(rows[i].code), str_z(rows[i].text), NULL), want, "row %zu",
                     i);
        sb_fini(&why);
    }
}
