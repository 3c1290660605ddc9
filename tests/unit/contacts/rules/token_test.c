#include "contacts/rules/token.h"

#include <criterion/criterion.h>

#define SECRET "a secret of more than thirty-two bytes, for tests"
#define ID "contact_1764351283000_k3j9x0a2b"

static struct token_keys keys_of(const char *secret, const char *previous)
{
    struct token_keys k;

    token_keys_init(&k, secret, previous);
    return k;
}

static struct str sign(const struct token_keys *k, enum token_purpose purpose, struct sb *b)
{
    b->n = 0;
    cr_assert_eq(token_sign(k, purpose, STR(ID), 2000, b), OK);
    return sb_view(b);
}

Test(token, opens_what_it_was_made_for_until_its_time)
{
    struct token_keys k = keys_of(SECRET, NULL);
    struct sb b = {0};
    struct str t = sign(&k, TOKEN_CHAT, &b), id = STR("untouched");

    cr_expect(str_starts(t, STR("chat.2000." ID ".")), STR_FMT, STR_ARG(t));
    cr_expect_eq(token_check(&k, TOKEN_CHAT, t, 2000, &id), ERR_EXPIRED);
    cr_expect_eq(token_check(&k, TOKEN_RATE, t, 1999, &id), ERR_AUTH);
    cr_expect(str_eq(id, STR("untouched")));
    cr_expect_eq(token_check(&k, TOKEN_CHAT, t, 1999, &id), OK);
    cr_expect(str_eq(id, STR(ID)));
    sb_fini(&b);
}

/* Whatever single character is another one, or missing, or too many: refused. */
Test(token, no_character_of_it_may_change)
{
    struct token_keys k = keys_of(SECRET, NULL);
    struct sb b = {0};
    struct str t = sign(&k, TOKEN_CHAT, &b), id;

    for (size_t i = 0; i < t.n; i++) {
        char was = b.p[i];

        for (const char *c = "a0.Z-_=\n"; *c; c++) {
            if (*c == was) continue;
            b.p[i] = *c;
            cr_expect_eq(token_check(&k, TOKEN_CHAT, sb_view(&b), 0, &id), ERR_AUTH, "%zu %c", i,
                         *c);
        }
        b.p[i] = was;
        cr_expect_eq(token_check(&k, TOKEN_CHAT, str_head(t, i), 0, &id), ERR_AUTH);
    }
    sb_z(&b, "A");
    cr_expect_eq(token_check(&k, TOKEN_CHAT, sb_view(&b), 0, &id), ERR_AUTH);
    sb_fini(&b);
}

Test(token, survives_the_change_of_the_secret_once)
{
    struct token_keys old = keys_of("the secret of last year, which was long too", NULL);
    struct token_keys now = keys_of(SECRET, "the secret of last year, which was long too");
    struct token_keys next = keys_of("and the one of the next year, also long", SECRET);
    struct sb b = {0};
    struct str id, t = sign(&old, TOKEN_RATE, &b);

    cr_expect_eq(token_check(&now, TOKEN_RATE, t, 0, &id), OK);
    cr_expect_eq(token_check(&next, TOKEN_RATE, t, 0, &id), ERR_AUTH);
    t = sign(&now, TOKEN_RATE, &b);
    cr_expect_eq(token_check(&old, TOKEN_RATE, t, 0, &id), ERR_AUTH, "the new one signs");
    cr_expect_eq(token_check(&next, TOKEN_RATE, t, 0, &id), OK);
    sb_fini(&b);
}

Test(token, without_a_secret_nothing_is_signed_or_taken)
{
    struct token_keys none = keys_of("", NULL), k = keys_of(SECRET, "");
    struct sb b = {0};
    struct str id;

    cr_expect_eq(token_sign(&none, TOKEN_CHAT, STR(ID), 2000, &b), ERR_CONFIG);
    cr_expect_eq(b.n, 0);
    cr_expect_eq(token_check(&none, TOKEN_CHAT, sign(&k, TOKEN_CHAT, &b), 0, &id), ERR_AUTH);
    cr_expect_eq(k.count, 1);
    sb_fini(&b);
}

Test(token, ids_are_of_one_alphabet)
{
    static const char *const ids[] = {"", "a.b", "a b", "a\n", "a+b", "é"};
    struct token_keys k = keys_of(SECRET, NULL);
    struct sb b = {0};
    char many[TOKEN_ID_MAX + 2];

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        cr_expect_eq(token_sign(&k, TOKEN_CHAT, str_z(ids[i]), 2000, &b), ERR_SCHEMA, "row %zu", i);
    memset(many, 'a', sizeof many);
    cr_expect_eq(token_sign(&k, TOKEN_CHAT, str_of(many, TOKEN_ID_MAX + 1), 1, &b), ERR_SCHEMA);
    cr_expect_eq(token_sign(&k, TOKEN_CHAT, str_of(many, TOKEN_ID_MAX), 1, &b), OK);
    sb_fini(&b);
}

Test(token, an_answer_by_mail_finds_its_contact)
{
    struct token_keys k = keys_of(SECRET, NULL),
                      other = keys_of("another secret, just as long as it", NULL);
    struct token_keys both = keys_of("another secret, just as long as it", SECRET);
    struct sb b = {0};
    struct str id;
    char bytes[TOKEN_ID_MAX];

    cr_assert_eq(token_mail_sign(&k, STR("help@Example.rw"), STR(ID), &b), OK);
    cr_expect(str_starts(sb_view(&b), STR("help+" ID ".")), STR_FMT, STR_ARG(b));
    cr_expect_leq(str_find(sb_view(&b), '@'), 64);
    cr_expect_eq(token_mail_check(&k, sb_view(&b), bytes, &id), OK);
    cr_expect(str_eq(id, STR(ID)));
    cr_expect_eq(token_mail_check(&both, sb_view(&b), bytes, &id), OK);
    cr_expect_eq(token_mail_check(&other, sb_view(&b), bytes, &id), ERR_AUTH);
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] >= 'a' && b.p[i] <= 'z') b.p[i] = (char)(b.p[i] - 32); /* as a mail server may */
    cr_expect_eq(token_mail_check(&k, sb_view(&b), bytes, &id), OK);
    cr_expect(str_eq(id, STR(ID)));
    b.p[str_find(sb_view(&b), '@') - 1] ^= 1;
    cr_expect_eq(token_mail_check(&k, sb_view(&b), bytes, &id), ERR_AUTH);
    sb_fini(&b);
}

Test(token, mail_addresses_that_are_none)
{
    static const char *const rows[] = {"",
                                       "help@x.rw",
                                       "help+@x.rw",
                                       "help+" ID "@x.rw",
                                       "help+" ID ".short@x.rw",
                                       "+.aaaaaaaaaaaaaaaaaaaa@x.rw"};
    struct token_keys k = keys_of(SECRET, NULL);
    struct sb b = {0};
    struct str id;
    char bytes[TOKEN_ID_MAX];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(token_mail_check(&k, str_z(rows[i]), bytes, &id), ERR_AUTH, "row %zu", i);
    cr_expect_eq(token_mail_sign(&k, STR("help"), STR(ID), &b), ERR_SCHEMA);
    cr_expect_eq(token_mail_sign(&k, STR("@x.rw"), STR(ID), &b), ERR_SCHEMA);
    cr_expect_eq(token_mail_sign(&k, STR("a-very-long-mailbox@x.rw"), STR(ID), &b), ERR_TOO_BIG);
    cr_expect_eq(b.n, 0);
    sb_fini(&b);
}
