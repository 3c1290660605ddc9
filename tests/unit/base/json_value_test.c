/* Values: text without escapes, numbers without rounding. */
#include <criterion/criterion.h>
#include <math.h>
#include "base/json.h"
#include "base/rand.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

static struct json value(const char *text)
{
    struct json v = {0};

    cr_assert_eq(json_parse(str_z(text), &v), OK, "%s", text);
    return v;
}

Test(json_text, resolves_escapes)
{
    static const struct {
        const char *text;
        struct str want;
    } rows[] = {
        {"\"\"", STR("")},
        {"\"plain \xC3\xA9\"", STR("plain \xC3\xA9")},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", STR("\"\\/\b\f\n\r\t")},
        {"\"a\\u0041z\"", STR("aAz")},
        {"\"\\u00e9\\u20AC\"", STR("\xC3\xA9\xE2\x82\xAC")},
        {"\"\\u0000\"", STR("\0")},
        {"\"\\ud83d\\uDE00!\"", STR("\xF0\x9F\x98\x80!")},
        {"\"\\udbff\\udfff\"", STR("\xF4\x8F\xBF\xBF")},
        {"\"\\ud800\"", STR("\xEF\xBF\xBD")},
        {"\"\\udc00x\"", STR("\xEF\xBF\xBDx")},
        {"\"\\ud800\\u0041\"", STR("\xEF\xBF\xBD"
                                   "A")},
        {"\"\\ud800\\ud800\\udc00\"", STR("\xEF\xBF\xBD\xF0\x90\x80\x80")},
        {"\"\\ud800\\ue000\"", STR("\xEF\xBF\xBD\xEE\x80\x80")},
        {"\"\\ud800\\n\"", STR("\xEF\xBF\xBD\n")},
        {"\"\\uffff\"", STR("\xEF\xBF\xBF")},
    };
    struct sb scratch = {0};

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct str got;

        scratch.n = 0;
        cr_expect_eq(json_text(value(rows[i].text), &scratch, &got), OK, "row %zu", i);
        cr_expect(str_eq(got, rows[i].want), "row %zu: " STR_FMT, i, STR_ARG(got));
        cr_expect(str_is_utf8(got), "row %zu", i);
    }
    sb_fini(&scratch);
}

Test(json_text, borrows_what_has_no_escape_and_refuses_what_is_no_string)
{
    struct sb scratch = {0};
    struct json v = value("\"abc\"");
    struct str got = STR("same");

    cr_expect_eq(json_text(v, &scratch, &got), OK);
    cr_expect_eq(got.p, v.raw.p + 1);
    cr_expect_null(scratch.p);
    got = STR("same");
    cr_expect_eq(json_text(value("1"), &scratch, &got), ERR_SCHEMA);
    cr_expect(str_eq(got, STR("same")));
}

Test(json_text, gives_back_what_sb_json_wrote)
{
    struct sb quoted = {0}, scratch = {0};

    rand_seed_for_test(2);
    for (int i = 0; i < 3000; i++) {
        char text[40];
        size_t n = rand_below(sizeof text);
        struct json v;
        struct str got;

        for (size_t k = 0; k < n; k++)
            text[k] = (char)rand_below(128);
        quoted.n = scratch.n = 0;
        sb_json(&quoted, str_of(text, n));
        cr_assert_eq(json_parse(sb_view(&quoted), &v), OK);
        cr_assert_eq(json_text(v, &scratch, &got), OK);
        cr_assert(str_eq(got, str_of(text, n)));
    }
    sb_fini(&quoted);
    sb_fini(&scratch);
}

Test(json_key_is, unescapes_when_it_has_to)
{
    static const struct {
        const char *key;
        struct str name;
        bool want;
    } rows[] = {
        {"\"roomId\"", STR("roomId"), true},
        {"\"room\\u0049d\"", STR("roomId"), true},
        {"\"\"", STR(""), true},
        {"\"\\u0000\"", STR("\0"), true},
        {"\"\\ud83d\\ude00\"", STR("\xF0\x9F\x98\x80"), true},
        {"\"roomId\"", STR("roomI"), false},
        {"\"roomI\"", STR("roomId"), false},
        {"\"room\\u0049\"", STR("roomId"), false},
        {"\"room\\u0049dd\"", STR("roomId"), false},
        {"\"a\\nb\"", STR("a\\nb"), false}, /* the raw bytes are no name */
        {"\"a\\nb\"", STR("a\nb"), true},
        {"\"roomid\"", STR("roomId"), false},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        cr_expect_eq(json_key_is(str_z(rows[i].key), rows[i].name), rows[i].want, "row %zu", i);
    }
}

Test(json_i64, takes_whole_numbers_however_they_are_written)
{
    static const struct {
        const char *text;
        int64_t want;
    } rows[] = {
        {"0", 0},
        {"-0", 0},
        {"0.0", 0},
        {"-0.000e99999999999999999999", 0},
        {"7", 7},
        {"-7", -7},
        {"1.0", 1},
        {"1e3", 1000},
        {"1E+3", 1000},
        {"1.5e1", 15},
        {"12.50e1", 125},
        {"1200e-2", 12},
        {"100.00", 100},
        {"0.001e3", 1},
        {"0.00000000000000000001e20", 1},
        {"10000000000000000000000000e-25", 1},
        {"9007199254740993", 9007199254740993}, /* a double would round it */
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"9223372036854775807.000", INT64_MAX},
        {"9e18", 9000000000000000000},
        {"922337203685477580.7e1", INT64_MAX},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        int64_t v = 42;

        cr_expect(json_i64(value(rows[i].text), &v), "row %zu", i);
        cr_expect_eq(v, rows[i].want, "row %zu: %lld", i, (long long)v);
    }
}

Test(json_i64, refuses_fractions_and_what_does_not_fit)
{
    static const char *const rows[] = {
        "0.5",
        "1.5",
        "1e-1",
        "1200e-3",
        "0.0001",
        "9223372036854775808",
        "-9223372036854775809",
        "1e19",
        "10e18",
        "1e400",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "99999999999999999999",
        "\"1\"",
        "true",
        "null",
        "[]",
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        int64_t v = 42;

        cr_expect_not(json_i64(value(rows[i]), &v), "row %zu", i);
        cr_expect_eq(v, 42, "row %zu", i);
    }
}

Test(json_i64, agrees_with_print_at_random)
{
    struct sb b = {0};

    rand_seed_for_test(4);
    for (int i = 0; i < 5000; i++) {
        int64_t want, got = 0;
        struct json v;

        rand_bytes(&want, sizeof want);
        want >>= rand_below(64);
        b.n = 0;
        sb_i64(&b, want);
        cr_assert_eq(json_parse(sb_view(&b), &v), OK);
        cr_assert(json_i64(v, &got));
        cr_assert_eq(got, want);
    }
    sb_fini(&b);
}

Test(json_f64, reads_what_is_finite)
{
    struct sb b = {0};
    double d = 42;
    struct json v;

    cr_expect(json_f64(value("-12.5e-1"), &d));
    cr_expect_float_eq(d, -1.25, 0);
    cr_expect(json_f64(value("1e-400"), &d));
    cr_expect_float_eq(d, 0, 0);
    sb_z(&b, "0.");
    for (int i = 0; i < 1000; i++)
        sb_char(&b, '1');
    cr_assert_eq(json_parse(sb_view(&b), &v), OK);
    cr_expect(json_f64(v, &d), "longer than the buffer on the stack");
    cr_expect(fabs(d - 1.0 / 9) < 1e-15);
    sb_fini(&b);
    d = 42;
    cr_expect_not(json_f64(value("1e400"), &d));
    cr_expect_not(json_f64(value("\"1\""), &d));
    cr_expect_float_eq(d, 42, 0);
}

Test(json_bool, takes_true_and_false_alone)
{
    bool b = false;

    cr_expect(json_bool(value("true"), &b));
    cr_expect(b);
    cr_expect(json_bool(value("false"), &b));
    cr_expect_not(b);
    cr_expect_not(json_bool(value("0"), &b));
    cr_expect_not(json_bool(value("null"), &b));
}

Test(json_length, counts_characters)
{
    cr_expect_eq(json_length(STR("")), 0);
    cr_expect_eq(json_length(STR("abc")), 3);
    cr_expect_eq(json_length(STR("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80")), 3);
}
