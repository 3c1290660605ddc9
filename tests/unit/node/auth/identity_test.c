#include <criterion/criterion.h>
#include <stdio.h>
#include "node/auth/identity.h"

static int read(const char *claims, struct identity **who)
{
    struct json v;

    cr_assert_eq(json_parse(str_z(claims), &v), OK, "%s", claims);
    return identity_from_claims(v, who);
}

Test(identity, takes_the_id_from_id_then_underscore_id_then_sub)
{
    static const struct {
        const char *claims, *raw, *text;
    } rows[] = {
        {"{\"id\":\"u7\",\"_id\":\"x\",\"sub\":\"y\"}", "\"u7\"", "u7"},
        {"{\"_id\":\"x\",\"sub\":\"y\"}", "\"x\"", "x"},
        {"{\"sub\":\"y\"}", "\"y\"", "y"},
        {"{\"id\":7}", "7", "7"}, /* a number stays a number */
        {"{\"id\":0}", "0", "0"},
        {"{\"id\":12345678901234567890}", "12345678901234567890", "12345678901234567890"},
        {"{\"id\":null,\"_id\":\"x\"}", "\"x\"", "x"},
        {"{\"id\":\"\",\"_id\":\"x\"}", "\"x\"", "x"},
        {"{\"id\":{\"$ne\":1},\"sub\":\"y\"}", "\"y\"", "y"},
        {"{\"id\":\"a\\u0041\\\"\"}", "\"a\\u0041\\\"\"", "aA\""},
        {"{\"id\":\"a\",\"id\":\"b\"}", "\"b\"", "b"}, /* the last one wins, as in JavaScript */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct identity *who = NULL;

        cr_assert_eq(read(rows[i].claims, &who), OK, "row %zu", i);
        cr_expect(str_eq(who->id, str_z(rows[i].raw)), "row %zu: " STR_FMT, i, STR_ARG(who->id));
        cr_expect(str_eq(who->id_text, str_z(rows[i].text)), "row %zu: " STR_FMT, i,
                  STR_ARG(who->id_text));
        identity_free(who);
    }
}

Test(identity, refuses_claims_without_a_usable_id)
{
    static const char *const rows[] = {
        "{}", "{\"id\":null}", "{\"id\":\"\"}",     "{\"id\":true}", "{\"id\":[1]}", "[]",
        "7",  "\"u7\"",        "{\"name\":\"Bob\"}"};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct identity *who = NULL;

        cr_expect_eq(read(rows[i], &who), ERR_AUTH, "row %zu", i);
        cr_expect_null(who, "row %zu", i);
    }
}

Test(identity, refuses_an_id_of_more_than_128_bytes)
{
    char claims[300];
    struct identity *who = NULL;

    snprintf(claims, sizeof claims, "{\"id\":\"%0128d\"}", 1);
    cr_assert_eq(read(claims, &who), OK);
    identity_free(who);
    snprintf(claims, sizeof claims, "{\"id\":\"%0129d\"}", 1);
    cr_expect_eq(read(claims, &who), ERR_AUTH);
}

Test(identity, reads_roles_without_case)
{
    static const struct {
        const char *text;
        enum role want;
    } rows[] = {
        {"admin", ROLE_ADMIN},
        {"Admin", ROLE_ADMIN},
        {"ADMIN", ROLE_ADMIN},
        {"SuperAdmin", ROLE_SUPERADMIN},
        {"superadmin", ROLE_SUPERADMIN},
        {"user", ROLE_USER},
        {"", ROLE_USER},
        {"administrator", ROLE_USER},
        {"guest", ROLE_USER},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(identity_role(str_z(rows[i].text)), rows[i].want, "row %zu", i);
    cr_expect_str_eq(identity_role_name(ROLE_SUPERADMIN), "superadmin");
}

Test(identity, leaves_out_what_the_token_does_not_say)
{
    struct identity *who = NULL;

    cr_assert_eq(read("{\"id\":1,\"name\":\"\",\"email\":7}", &who), OK);
    cr_expect_null(who->name.p);
    cr_expect_null(who->email.p);
    cr_expect_eq(who->role, ROLE_USER);
    identity_free(who);
    cr_assert_eq(
        read("{\"id\":1,\"name\":\"Zo\\u00eb\",\"email\":\"z@e.org\",\"role\":\"Admin\"}", &who),
        OK);
    cr_expect(str_eq(who->name, STR("Zo\xc3\xab")));
    cr_expect(str_eq(who->email, STR("z@e.org")));
    cr_expect_eq(who->role, ROLE_ADMIN);
    identity_free(who);
}

Test(identity, cuts_a_long_name_between_characters)
{
    char claims[1000] = "{\"id\":1,\"name\":\"x";
    struct identity *who = NULL;

    for (int i = 0; i < 150; i++)
        strncat(claims, "\xc3\xab", 3);
    strncat(claims, "\"}", 3);
    cr_assert_eq(read(claims, &who), OK);
    cr_expect_eq(who->name.n, 199);
    cr_expect(str_is_utf8(who->name));
    identity_free(who);
}

Test(identity, has_one_guest_for_all)
{
    cr_expect_eq(identity_guest()->role, ROLE_GUEST);
    cr_expect_null(identity_guest()->id.p);
    identity_free(identity_guest());
    identity_free(NULL);
}

Test(identity, opens_the_rooms_that_the_token_names)
{
    struct identity *who = NULL;
    static char claims[9000];

    cr_assert_eq(read("{\"id\":7,\"rooms\":[\"contact-1\",5,null,\"caf\\u00e9\",\"\"]}", &who), OK);
    cr_expect(identity_opens(who, STR("contact-1")));
    cr_expect(identity_opens(who, STR("caf\xc3\xa9")), "escapes are read");
    cr_expect_not(identity_opens(who, STR("contact-2")));
    cr_expect_not(identity_opens(who, STR("5")));
    cr_expect_not(identity_opens(who, STR("contact-")));
    identity_free(who);
    cr_assert_eq(read("{\"id\":7,\"rooms\":\"contact-1\"}", &who), OK);
    cr_expect_not(identity_opens(who, STR("contact-1")), "no list");
    identity_free(who);
    snprintf(claims, sizeof claims, "{\"id\":7,\"rooms\":[\"contact-1\",\"%8200d\"]}", 1);
    cr_assert_eq(read(claims, &who), OK);
    cr_expect_not(identity_opens(who, STR("contact-1")), "too long: not at all");
    identity_free(who);
    cr_expect_not(identity_opens(identity_guest(), STR("contact-1")));
}
