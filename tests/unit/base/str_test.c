/* Slices: comparing, cutting, checking. */
#include <criterion/criterion.h>
#include "base/mem.h"
#include "base/str.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

Test(str_eq_nocase, folds_ascii_letters_only)
{
    cr_expect(str_eq_nocase(STR("Sec-WebSocket-Key"), STR("sec-websocket-KEY")));
    cr_expect(str_eq_nocase(STR_NONE, STR("")));
    cr_expect_not(str_eq_nocase(STR("@"), STR("`")));
    cr_expect_not(str_eq_nocase(STR("["), STR("{")));
    cr_expect_not(str_eq_nocase(STR("\xC4"), STR("\xE4")));
    cr_expect_not(str_eq_nocase(STR("ab"), STR("abc")));
}

Test(str_starts, looks_at_the_whole_prefix)
{
    cr_expect(str_starts(STR("/socket.io/"), STR("/socket.io")));
    cr_expect(str_starts(STR("a"), STR_NONE));
    cr_expect(str_starts(STR_NONE, STR_NONE));
    cr_expect_not(str_starts(STR("a"), STR("ab")));
    cr_expect_not(str_starts(STR("Bearer"), STR("bearer")));
    cr_expect(str_starts_nocase(STR("Bearer x"), STR("bearer ")));
    cr_expect_not(str_starts_nocase(STR("Bear"), STR("bearer ")));
}

Test(str_contains, finds_parts)
{
    cr_expect(str_contains(STR("gzip, deflate"), STR("deflate")));
    cr_expect(str_contains(STR("x"), STR("")));
    cr_expect(str_contains(STR_NONE, STR_NONE));
    cr_expect_not(str_contains(STR("x"), STR("xy")));
    cr_expect_not(str_contains(STR_NONE, STR("x")));
    cr_expect_eq(str_find(STR("abc"), 'c'), 2);
    cr_expect_eq(str_find(STR("abc"), 'd'), 3);
    cr_expect_eq(str_find(STR_NONE, 'd'), 0);
}

Test(str_trim, takes_blanks_and_tabs_of_both_ends)
{
    cr_expect(str_eq(str_trim(STR(" \ta b\t ")), STR("a b")));
    cr_expect(str_eq(str_trim(STR(" \t")), STR("")));
    cr_expect(str_eq(str_trim(STR("a\n")), STR("a\n")));
    cr_expect_eq(str_trim(STR_NONE).n, 0);
}

Test(str_cut, splits_at_the_first_separator)
{
    struct str head, tail;

    cr_expect(str_cut(STR("a=b=c"), '=', &head, &tail));
    cr_expect(str_eq(head, STR("a")));
    cr_expect(str_eq(tail, STR("b=c")));
    cr_expect_not(str_cut(STR("abc"), '=', &head, &tail));
    cr_expect(str_eq(head, STR("abc")));
    cr_expect_null(tail.p);
}

Test(str_next, gives_empty_pieces_too)
{
    static const struct {
        const char *list;
        int want;
    } rows[] = {{"a,b", 2}, {"a,", 2}, {",", 2}, {"", 1}, {"a", 1}, {",,", 3}};
    struct str none = STR_NONE, piece;

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct str rest = str_z(rows[i].list);
        int n = 0;

        while (str_next(&rest, ',', &piece))
            n++;
        cr_expect_eq(n, rows[i].want, "row %zu", i);
    }
    cr_expect_not(str_next(&none, ',', &piece));
}

Test(str_u64, reads_digits_and_nothing_else)
{
    static const struct {
        const char *text;
        uint64_t max;
        int rc;
        uint64_t want;
    } rows[] = {
        {"0", 9, OK, 0},
        {"007", 9, OK, 7},
        {"18446744073709551615", UINT64_MAX, OK, UINT64_MAX},
        {"10", 10, OK, 10},
        {"11", 10, ERR_TOO_BIG, 0},
        {"18446744073709551616", UINT64_MAX, ERR_TOO_BIG, 0},
        {"99999999999999999999999999", UINT64_MAX, ERR_TOO_BIG, 0},
        {"99999999999999999999999999x", UINT64_MAX, ERR_PROTO, 0},
        {"", 9, ERR_PROTO, 0},
        {"-1", 9, ERR_PROTO, 0},
        {"+1", 9, ERR_PROTO, 0},
        {" 1", 9, ERR_PROTO, 0},
        {"1 ", 9, ERR_PROTO, 0},
        {"0x1", 9, ERR_PROTO, 0},
        {"/", 9, ERR_PROTO, 0},
        {":", 9, ERR_PROTO, 0},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        uint64_t v = 0;

        cr_expect_eq(str_u64(str_z(rows[i].text), rows[i].max, &v), rows[i].rc, "row %zu", i);
        cr_expect_eq(v, rows[i].want, "row %zu", i);
    }
}

Test(str_is_utf8, is_strict)
{
    static const struct {
        const char *text;
        bool want;
    } rows[] = {
        {"", true},
        {"plain ascii, longer than eight bytes", true},
        {"murakoze \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80", true},
        {"\xEF\xBF\xBF\xF4\x8F\xBF\xBF", true}, /* U+FFFF U+10FFFF */
        {"\xED\x9F\xBF\xEE\x80\x80", true},     /* both sides of the surrogates */
        {"\x7F\xC2\x80", true},
        {"\xC0\x80", false},         /* overlong */
        {"\xC1\xBF", false},         /* overlong */
        {"\xE0\x9F\xBF", false},     /* overlong */
        {"\xF0\x8F\xBF\xBF", false}, /* overlong */
        {"\xED\xA0\x80", false},     /* surrogate */
        {"\xF4\x90\x80\x80", false}, /* above U+10FFFF */
        {"\xF5\x80\x80\x80", false},
        {"\x80", false},
        {"\xC3", false},
        {"\xE2\x82", false},
        {"\xF0\x9F\x98", false},
        {"12345678\xFF", false},
        {"1234567\xC3(", false},
        {"\xE2\x28\xA1", false},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        cr_expect_eq(str_is_utf8(str_z(rows[i].text)), rows[i].want, "row %zu", i);
    }
    cr_expect(str_is_utf8(STR_NONE));
    cr_expect(str_is_utf8(STR("a\0b")));
}

Test(str_query, gives_the_first_value_of_a_key)
{
    static const struct {
        const char *query, *key, *want; /* want NULL: absent */
    } rows[] = {
        {"EIO=4&transport=polling", "transport", "polling"},
        {"EIO=4&transport=polling", "EIO", "4"},
        {"sid=a&sid=b", "sid", "a"},
        {"sid", "sid", ""},
        {"sid=", "sid", ""},
        {"t=a=b", "t", "a=b"},
        {"xsid=1", "sid", NULL},
        {"SID=1", "sid", NULL},
        {"", "sid", NULL},
        {"&&&", "sid", NULL},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct str v;
        bool got = str_query(str_z(rows[i].query), str_z(rows[i].key), &v);

        cr_expect_eq(got, rows[i].want != NULL, "row %zu", i);
        if (got && rows[i].want) cr_expect(str_eq(v, str_z(rows[i].want)), "row %zu", i);
    }
}

Test(str, heads_and_tails_stay_inside)
{
    char *z = str_dup(STR("abc"));

    cr_expect_str_eq(z, "abc");
    cr_expect(str_eq(str_skip(str_z(z), 9), STR("")));
    cr_expect(str_eq(str_head(str_z(z), 9), STR("abc")));
    cr_expect(str_eq(str_head(str_z(z), 1), STR("a")));
    cr_expect_null(str_skip(STR_NONE, 1).p);
    mem_free(z);
}

Test(str_hex_digit, knows_both_cases_and_nothing_else)
{
    static const struct {
        char c;
        int want;
    } rows[] = {{'0', 0},  {'9', 9},  {'a', 10}, {'f', 15}, {'A', 10}, {'F', 15}, {'/', -1},
                {':', -1}, {'g', -1}, {'G', -1}, {'`', -1}, {'@', -1}, {'\0', -1}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(str_hex_digit(rows[i].c), rows[i].want, "row %zu", i);
}
