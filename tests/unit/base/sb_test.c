/* The builder: numbers, escapes, percent, base64. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include "base/rand.h"
#include "base/str.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

static bool holds(struct sb *b, const char *want)
{
    bool is_same = str_eq(sb_view(b), str_z(want));

    b->n = 0;
    return is_same;
}

Test(sb, appends_what_it_is_given)
{
    struct sb b = {0};

    sb_str(&b, STR("a"));
    sb_z(&b, "bc");
    sb_z(&b, NULL);
    sb_char(&b, 'd');
    sb_put(&b, NULL, 0);
    sb_printf(&b, "%s-%d", "x", 7);
    cr_expect(holds(&b, "abcdx-7"));
    for (int i = 0; i < 10000; i++)
        sb_put(&b, "0123456789", 10);
    cr_expect_eq(b.n, 100000);
    sb_fini(&b);
    cr_expect_null(b.p);
    sb_fini(&b);
}

Test(sb, writes_numbers_to_their_limits)
{
    struct sb b = {0};

    sb_u64(&b, 0);
    cr_expect(holds(&b, "0"));
    sb_u64(&b, UINT64_MAX);
    cr_expect(holds(&b, "18446744073709551615"));
    sb_i64(&b, INT64_MIN);
    cr_expect(holds(&b, "-9223372036854775808"));
    sb_i64(&b, INT64_MAX);
    cr_expect(holds(&b, "9223372036854775807"));
    sb_i64(&b, -1);
    cr_expect(holds(&b, "-1"));
    sb_fini(&b);
}

Test(sb_json, escapes_as_json_stringify)
{
    static const struct {
        struct str text;
        const char *want;
    } rows[] = {
        {STR_NONE, "\"\""},
        {STR("plain"), "\"plain\""},
        {STR("a\"b\\c/d"), "\"a\\\"b\\\\c/d\""},
        {STR("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
        {STR("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\""},
        {STR("\xE2\x80\xA8\xF0\x9F\x98\x80"), "\"\xE2\x80\xA8\xF0\x9F\x98\x80\""},
        {STR("a\xFFz"), "\"a\xEF\xBF\xBDz\""},
        {STR("\xC3"), "\"\xEF\xBF\xBD\""},
        {STR("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    };
    struct sb b = {0};

    for (size_t i = 0; i < ROWS(rows); i++) {
        sb_json(&b, rows[i].text);
        cr_expect(str_eq(sb_view(&b), str_z(rows[i].want)), "row %zu: " STR_FMT, i,
                  STR_ARG(sb_view(&b)));
        b.n = 0;
    }
    sb_fini(&b);
}

Test(sb_percent_decode, leaves_malformed_escapes_as_they_are)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"a%20b+c", "a b c"},
        {"%e2%82%AC", "\xE2\x82\xAC"},
        {"100%", "100%"},
        {"%4", "%4"},
        {"%zz", "%zz"},
        {"%%41", "%A"},
        {"", ""},
    };
    struct sb b = {0};

    for (size_t i = 0; i < ROWS(rows); i++) {
        sb_percent_decode(&b, str_z(rows[i].text));
        cr_expect(holds(&b, rows[i].want), "row %zu", i);
    }
    sb_fini(&b);
}

Test(sb_base64, encodes_the_vectors_of_rfc_4648)
{
    static const struct {
        const char *plain, *coded;
    } rows[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xFB\xFF\xBF", "+/+/"},
    };
    struct sb b = {0};

    for (size_t i = 0; i < ROWS(rows); i++) {
        sb_base64(&b, str_z(rows[i].plain));
        cr_expect(holds(&b, rows[i].coded), "row %zu", i);
        cr_expect_eq(sb_base64_decode(&b, str_z(rows[i].coded)), OK, "row %zu", i);
        cr_expect(holds(&b, rows[i].plain), "row %zu", i);
    }
    sb_fini(&b);
}

Test(sb_base64, comes_back_whole)
{
    struct sb coded = {0}, plain = {0};
    char bytes[300];

    rand_bytes(bytes, sizeof bytes);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        coded.n = plain.n = 0;
        sb_base64(&coded, str_of(bytes, n));
        cr_assert_eq(coded.n, (n + 2) / 3 * 4);
        cr_assert_eq(sb_base64_decode(&plain, sb_view(&coded)), OK);
        cr_assert(str_eq(sb_view(&plain), str_of(bytes, n)), "%zu bytes", n);
    }
    sb_fini(&coded);
    sb_fini(&plain);
}

Test(sb_base64_decode, refuses_what_is_not_exact)
{
    static const char *const rows[] = {
        "Zg",   "Zg=",      "Zh==", "Zm9=", "Z===", "====", "=Zg=",
        "Zm 9", "Zg==Zg==", "Zm9-", "Zm9_", "Zg=v", "\n",   "Zm9v\n",
    };
    struct sb b = {0};

    sb_char(&b, 'x');
    for (size_t i = 0; i < ROWS(rows); i++) {
        cr_expect_eq(sb_base64_decode(&b, str_z(rows[i])), ERR_PROTO, "row %zu", i);
        cr_expect_eq(b.n, 1, "row %zu leaves nothing behind", i);
    }
    sb_fini(&b);
}
