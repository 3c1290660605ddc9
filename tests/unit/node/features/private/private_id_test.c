#include "node/features/private/private_id.h"

#include <criterion/criterion.h>

Test(private_id, spells_each_user_in_one_way)
{
    static const struct {
        const char *raw, *text, *part;
    } rows[] = {
        {"\"u7\"", "u7", "u7"},
        {"\"\\u0075\\u0037\"", "u7", "u7"},
        {"7", "7", "#7"},
        {"7.0", "7", "#7"},
        {"7e0", "7", "#7"},
        {"-0", "0", "#0"},
        {"\"7\"", "7", "7"},
        {"\"#7\"", "#7", "%237"},
        {"\"a:b\"", "a:b", "a%3Ab"},
        {"\"%\"", "%", "%25"},
        {"\"a}{\\r\\n \"", "a}{\r\n ", "a%7D%7B%0D%0A%20"},
        {"\"\\u00e9\"", "\xc3\xa9", "%C3%A9"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct private_id id;

        cr_assert_eq(private_id_init(&id, str_z(rows[i].raw)), OK, "row %zu", i);
        cr_expect(str_eq(id.raw, str_z(rows[i].raw)), "row %zu", i);
        cr_expect(str_eq(id.text, str_z(rows[i].text)), "row %zu", i);
        cr_expect(str_eq(id.part, str_z(rows[i].part)), "row %zu: " STR_FMT, i, STR_ARG(id.part));
        private_id_fini(&id);
    }
}

Test(private_id, refuses_what_is_no_user)
{
    static const char *const rows[] = {"", "\"\"", "null", "true", "[]", "{}", "nonsense"};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct private_id id;

        cr_expect_eq(private_id_init(&id, str_z(rows[i])), ERR_SCHEMA, "row %zu", i);
        private_id_fini(&id);
    }
}

Test(private_conversation, is_the_same_for_both)
{
    static const struct {
        const char *a, *b, *want;
    } rows[] = {{"u1", "u7", "u1:u7"}, {"u7", "u1", "u1:u7"}, {"u1", "u1", "u1:u1"},
                {"u", "u1", "u:u1"},   {"u1", "u", "u:u1"},   {"#7", "7", "#7:7"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sb b = {0};

        private_conversation(str_z(rows[i].a), str_z(rows[i].b), &b);
        cr_expect(str_eq(sb_view(&b), str_z(rows[i].want)), "row %zu", i);
        cr_expect(private_conversation_has(sb_view(&b), str_z(rows[i].a)));
        cr_expect_not(private_conversation_has(sb_view(&b), STR("u2")));
        cr_expect(
            str_eq(private_conversation_other(sb_view(&b), str_z(rows[i].a)), str_z(rows[i].b)));
        cr_expect(
            str_eq(private_conversation_other(sb_view(&b), str_z(rows[i].b)), str_z(rows[i].a)));
        sb_fini(&b);
    }
}
