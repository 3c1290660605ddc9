/* The scanner and the walk: what is JSON, what is not, and json-c as a second opinion. */
#include <criterion/criterion.h>
#define json_type json_c_type /* both name a type so */
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_type
#undef json_bool
#include "base/json.h"
#include "base/mem.h"
#include "base/rand.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

/* Parsed from memory of exactly the text's length: reading past the end is found by
 * AddressSanitizer. */
static int parse(struct str text, struct json *out)
{
    char *exact = text.n ? mem_try(text.n) : NULL;
    int rc;

    if (text.n) memcpy(exact, text.p, text.n);
    rc = json_parse(str_of(exact, text.n), out);
    if (rc == OK) out->raw.p = text.p + (out->raw.p - exact);
    mem_free(exact);
    return rc;
}

Test(json_parse, takes_what_rfc_8259_allows)
{
    static const struct {
        struct str text;
        enum json_type type;
    } rows[] = {
        {STR("null"), JSON_NULL},
        {STR(" true\n"), JSON_BOOL},
        {STR("\tfalse\r"), JSON_BOOL},
        {STR("0"), JSON_NUMBER},
        {STR("-0"), JSON_NUMBER},
        {STR("-0.0e-0"), JSON_NUMBER},
        {STR("123.456E+789"), JSON_NUMBER},
        {STR("1e5"), JSON_NUMBER},
        {STR("\"\""), JSON_STRING},
        {STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\""), JSON_STRING},
        {STR("\"\\uD83D\\ude00\""), JSON_STRING},
        {STR("\"\\ud800\""), JSON_STRING}, /* half a pair, as in Node */
        {STR("\"\\udc00\\ud800x\""), JSON_STRING},
        {STR("\"\\u0000\""), JSON_STRING},
        {STR("\"\x7f\""), JSON_STRING},
        {STR("\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""), JSON_STRING},
        {STR("\"\xE2\x80\xA8\xEF\xBF\xBF\xF4\x8F\xBF\xBF\""), JSON_STRING},
        {STR("\"1234567\\\"89012345\xC3\xA9plain and a long way to the end\""), JSON_STRING},
        {STR("[]"), JSON_ARRAY},
        {STR("[ ]"), JSON_ARRAY},
        {STR("[1,[2,[]],{\"a\":[{}]}]"), JSON_ARRAY},
        {STR("[[],[],{},{}]"), JSON_ARRAY},
        {STR("{}"), JSON_OBJECT},
        {STR(" { \"a\" : 1 , \"a\" : { \"\" : null } } "), JSON_OBJECT},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct json v;

        cr_expect_eq(parse(rows[i].text, &v), OK, "row %zu", i);
        cr_expect_eq(v.type, rows[i].type, "row %zu", i);
        cr_expect(str_eq(v.raw, rows[i].text) || rows[i].text.n > v.raw.n, "row %zu", i);
    }
}

static const struct {
    struct str text;
    int want;
} refused[] = {
    {STR_NONE, ERR_PROTO},
    {STR(""), ERR_PROTO},
    {STR(" "), ERR_PROTO},
    {STR("nul"), ERR_PROTO},
    {STR("nulL"), ERR_PROTO},
    {STR("nullx"), ERR_PROTO},
    {STR("True"), ERR_PROTO},
    {STR("NaN"), ERR_PROTO},
    {STR("Infinity"), ERR_PROTO},
    {STR("-Infinity"), ERR_PROTO},
    {STR("undefined"), ERR_PROTO},
    {STR("1 2"), ERR_PROTO},
    {STR("\xEF\xBB\xBF{}"), ERR_PROTO},
    {STR("1\0"), ERR_PROTO},
    {STR("\f1"), ERR_PROTO},
    {STR("\xC2\xA0"
         "1"),
     ERR_PROTO},
    /* numbers */
    {STR("-"), ERR_PROTO},
    {STR("+1"), ERR_PROTO},
    {STR("01"), ERR_PROTO},
    {STR("-01"), ERR_PROTO},
    {STR("1."), ERR_PROTO},
    {STR(".5"), ERR_PROTO},
    {STR("1.e1"), ERR_PROTO},
    {STR("1e"), ERR_PROTO},
    {STR("1e+"), ERR_PROTO},
    {STR("1e1.5"), ERR_PROTO},
    {STR("0x1F"), ERR_PROTO},
    {STR("1_000"), ERR_PROTO},
    {STR("--1"), ERR_PROTO},
    {STR("- 1"), ERR_PROTO},
    /* strings */
    {STR("\""), ERR_PROTO},
    {STR("\"a"), ERR_PROTO},
    {STR("\"12345678"), ERR_PROTO},
    {STR("'a'"), ERR_PROTO},
    {STR("\"\\\""), ERR_PROTO},
    {STR("\"\\"), ERR_PROTO},
    {STR("\"\\a\""), ERR_PROTO},
    {STR("\"\\x41\""), ERR_PROTO},
    {STR("\"\\U0041\""), ERR_PROTO},
    {STR("\"\\u\""), ERR_PROTO},
    {STR("\"\\u12\""), ERR_PROTO},
    {STR("\"\\u123"), ERR_PROTO},
    {STR("\"\\u12g4\""), ERR_PROTO},
    {STR("\"\\u+123\""), ERR_PROTO},
    {STR("\"a\nb\""), ERR_PROTO},
    {STR("\"a\tb\""), ERR_PROTO},
    {STR("\"\0\""), ERR_PROTO},
    {STR("\"\x1f\""), ERR_PROTO},
    {STR("\"\xFF\""), ERR_UTF8},
    {STR("\"1234567\xFF\""), ERR_UTF8},
    {STR("\"\xC3\""), ERR_UTF8},
    {STR("\"\xC0\x80\""), ERR_UTF8},
    {STR("\"\xE0\x9F\xBF\""), ERR_UTF8},
    {STR("\"\xED\xA0\x80\""), ERR_UTF8},
    {STR("\"\xF4\x90\x80\x80\""), ERR_UTF8},
    {STR("\"\xF0\x9F\x98"), ERR_UTF8},
    {STR("{\"\xFF\":1}"), ERR_UTF8},
    /* arrays */
    {STR("["), ERR_PROTO},
    {STR("]"), ERR_PROTO},
    {STR("[1"), ERR_PROTO},
    {STR("[1,"), ERR_PROTO},
    {STR("[1,]"), ERR_PROTO},
    {STR("[,1]"), ERR_PROTO},
    {STR("[,]"), ERR_PROTO},
    {STR("[1 2]"), ERR_PROTO},
    {STR("[1:2]"), ERR_PROTO},
    {STR("[]]"), ERR_PROTO},
    {STR("[1}"), ERR_PROTO},
    {STR("[[]"), ERR_PROTO},
    {STR("[1,,2]"), ERR_PROTO},
    {STR("[\"a\",\n4\n,1,"), ERR_PROTO},
    /* objects */
    {STR("{"), ERR_PROTO},
    {STR("}"), ERR_PROTO},
    {STR("{]"), ERR_PROTO},
    {STR("{\"a\""), ERR_PROTO},
    {STR("{\"a\":"), ERR_PROTO},
    {STR("{\"a\":}"), ERR_PROTO},
    {STR("{\"a\"}"), ERR_PROTO},
    {STR("{\"a\" 1}"), ERR_PROTO},
    {STR("{\"a\":1"), ERR_PROTO},
    {STR("{\"a\":1,}"), ERR_PROTO},
    {STR("{,\"a\":1}"), ERR_PROTO},
    {STR("{\"a\":1]"), ERR_PROTO},
    {STR("{\"a\"::1}"), ERR_PROTO},
    {STR("{a:1}"), ERR_PROTO},
    {STR("{1:1}"), ERR_PROTO},
    {STR("{'a':1}"), ERR_PROTO},
    {STR("{null:1}"), ERR_PROTO},
    {STR("{\"a\":1}}"), ERR_PROTO},
    {STR("{\"a\":1 \"b\":2}"), ERR_PROTO},
    {STR("[1] // no"), ERR_PROTO},
    {STR("/* no */ 1"), ERR_PROTO},
    {STR("{}#"), ERR_PROTO},
};

Test(json_parse, refuses_everything_else)
{
    for (size_t i = 0; i < ROWS(refused); i++) {
        struct json v = {.type = JSON_BOOL};

        cr_expect_eq(parse(refused[i].text, &v), refused[i].want, "row %zu: " STR_FMT, i,
                     STR_ARG(refused[i].text));
        cr_expect(v.type == JSON_BOOL && !v.raw.p, "row %zu leaves *out alone", i);
    }
}

static struct str nested(struct sb *b, int depth, bool is_object)
{
    b->n = 0;
    for (int i = 0; i < depth; i++)
        sb_z(b, is_object ? "{\"k\":" : "[");
    if (is_object) sb_z(b, "1");
    for (int i = 0; i < depth; i++)
        sb_char(b, is_object ? '}' : ']');
    return sb_view(b);
}

Test(json_parse, bounds_the_depth)
{
    struct sb b = {0};
    struct json v;

    for (int kind = 0; kind < 2; kind++) {
        cr_expect_eq(json_parse(nested(&b, JSON_DEPTH_MAX, kind), &v), OK);
        cr_expect_eq(json_parse(nested(&b, JSON_DEPTH_MAX + 1, kind), &v), ERR_DEPTH);
        cr_expect_eq(json_parse_deep(nested(&b, 1024, kind), 1024, &v), OK);
        cr_expect_eq(json_parse_deep(nested(&b, 1025, kind), 1 << 20, &v), ERR_DEPTH);
        cr_expect_eq(json_parse_deep(nested(&b, 100000, kind), 1 << 20, &v), ERR_DEPTH);
    }
    cr_expect_eq(json_parse_deep(STR("1"), 0, &v), OK);
    cr_expect_eq(json_parse_deep(STR("[]"), 0, &v), ERR_DEPTH);
    cr_expect_eq(json_parse_deep(STR("[[1],[2],[3]]"), 2, &v), OK);
    sb_fini(&b);
}

Test(json_parse, the_bits_of_kinds_do_not_mix)
{
    struct sb b = {0};
    struct json v;

    /* arrays and objects by turns over the border of a word of 64 bits, then the wrong end */
    for (int i = 0; i < 100; i++)
        sb_z(&b, i % 2 ? "{\"a\":" : "[");
    sb_z(&b, "0");
    for (int i = 99; i >= 0; i--)
        sb_char(&b, i % 2 ? '}' : ']');
    cr_expect_eq(json_parse_deep(sb_view(&b), 200, &v), OK);
    for (size_t i = b.n - 100; i < b.n; i++) {
        char right = b.p[i];

        b.p[i] = right == '}' ? ']' : '}';
        cr_expect_eq(json_parse_deep(sb_view(&b), 200, &v), ERR_PROTO);
        b.p[i] = right;
    }
    sb_fini(&b);
}

Test(json_parse, finds_the_end_of_a_string_wherever_it_is)
{
    char text[64];
    struct json v;

    for (size_t at = 1; at < 40; at++) {
        static const char marks[] = {'"', '\\', '\x1f', '\x20', '\x21', '\x5d', '\x7f'};

        for (size_t k = 0; k < sizeof marks; k++) {
            bool is_good = marks[k] >= 0x20 && marks[k] != '"' && marks[k] != '\\';

            memset(text, 'a', sizeof text);
            text[0] = text[50] = '"';
            text[at] = marks[k];
            cr_expect_eq(parse(str_of(text, 51), &v) == OK, is_good, "%x at %zu",
                         (unsigned)marks[k], at);
        }
    }
}

Test(json_next_item, walks_an_array)
{
    static const char *const want[] = {"1",    "\"a,]\\\"\"", "[2,[\"]\"]]", "{\"b\":\"}\"}",
                                       "null", "-1.5e3",      "true"};
    struct json v, item;
    struct str rest;
    size_t n = 0;

    cr_assert_eq(
        json_parse(STR(" [ 1 ,\"a,]\\\"\",[2,[\"]\"]] , {\"b\":\"}\"},null\n,-1.5e3,true ] "), &v),
        OK);
    rest = json_begin(v);
    while (json_next_item(&rest, &item)) {
        cr_assert_lt(n, ROWS(want));
        cr_expect(str_eq(item.raw, str_z(want[n])), "%zu: " STR_FMT, n, STR_ARG(item.raw));
        n++;
    }
    cr_expect_eq(n, ROWS(want));
    cr_expect_eq(json_count(v), ROWS(want));
}

Test(json_next_item, empty_and_scalar_values_have_none)
{
    static const char *const rows[] = {"[]", "[ \n]", "{}", "{ }", "1", "\"ab\"", "null", "\"\""};

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct json v, item;
        struct str rest, key;

        cr_assert_eq(json_parse(str_z(rows[i]), &v), OK);
        cr_expect_eq(json_count(v), 0, "row %zu", i);
        rest = json_begin(v);
        cr_expect_not(json_next_item(&rest, &item), "row %zu", i);
        cr_expect_not(json_next_member(&rest, &key, &item), "row %zu", i);
    }
}

Test(json_member, takes_the_last_of_doubles)
{
    struct json v, got;

    cr_assert_eq(json_parse(STR("{\"a\" : 1, \"b\":{\"a\":9}, \"a\":[2] ,\"\\u0063\":3}"), &v), OK);
    cr_expect(json_member(v, STR("a"), &got));
    cr_expect(str_eq(got.raw, STR("[2]")));
    cr_expect(json_member(v, STR("b"), &got));
    cr_expect(str_eq(got.raw, STR("{\"a\":9}")));
    cr_expect(json_member(v, STR("c"), &got));
    cr_expect(str_eq(got.raw, STR("3")));
    cr_expect_not(json_member(v, STR("d"), &got));
    cr_expect_not(json_member(got, STR("a"), &got), "a number has no members");
    cr_expect_eq(json_count(v), 4);
}

/* ---- json-c says the same ---- */

static void put_random(struct sb *b, int depth)
{
    static const char *const leaves[] = {
        "null",  "true", "false",       "0",       "-1",           "12.5e-3",         "\"\"",
        "\"x\"", "1e9",  "\"\\u00e9\"", "\"\\n\"", "\"\xC3\xA9\"", "9007199254740993"};
    unsigned n = rand_below(5);

    switch (depth > 6 ? 0 : rand_below(4)) {
    case 0:
    case 1:
        sb_z(b, leaves[rand_below(ROWS(leaves))]);
        break;
    case 2:
        sb_char(b, '[');
        for (unsigned i = 0; i < n; i++) {
            if (i) sb_z(b, rand_below(4) ? "," : " , ");
            put_random(b, depth + 1);
        }
        sb_char(b, ']');
        break;
    default:
        sb_char(b, '{');
        for (unsigned i = 0; i < n; i++) {
            sb_printf(b, "%s\"k%u\":", i ? "," : "", i);
            put_random(b, depth + 1);
        }
        sb_char(b, '}');
    }
}

static bool json_c_accepts(struct str text)
{
    struct json_tokener *t = json_tokener_new_ex(64);
    struct json_object *o;
    bool is_good;

    json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    o = json_tokener_parse_ex(t, text.p, (int)text.n); /* the NUL behind it is among the n */
    is_good = json_tokener_get_error(t) == json_tokener_success;
    json_object_put(o);
    json_tokener_free(t);
    return is_good;
}

static void expect_same_shape(struct json v, struct json_object *o)
{
    struct str rest = json_begin(v), key;
    struct json item;
    size_t i = 0;

    cr_assert_eq(v.type == JSON_ARRAY, json_object_is_type(o, json_type_array));
    cr_assert_eq(v.type == JSON_OBJECT, json_object_is_type(o, json_type_object));
    if (v.type == JSON_ARRAY) {
        cr_assert_eq(json_count(v), json_object_array_length(o));
        while (json_next_item(&rest, &item)) {
            expect_same_shape(item, json_object_array_get_idx(o, i++));
        }
    } else if (v.type == JSON_OBJECT) {
        cr_assert_eq(json_count(v), (size_t)json_object_object_length(o));
        while (json_next_member(&rest, &key, &item)) {
            char *name = str_dup(str_of(key.p + 1, key.n - 2));

            expect_same_shape(item, json_object_object_get(o, name));
            mem_free(name);
        }
    } else if (v.type == JSON_NUMBER) {
        double d;

        cr_assert(json_f64(v, &d));
        cr_assert_float_eq(d, json_object_get_double(o), 0);
    }
}

Test(json_parse, agrees_with_json_c_on_valid_texts)
{
    struct sb b = {0};
    struct json v;

    rand_seed_for_test(9);
    for (int i = 0; i < 4000; i++) {
        struct json_object *o;

        b.n = 0;
        put_random(&b, 0);
        cr_assert_eq(parse(sb_view(&b), &v), OK, STR_FMT, STR_ARG(sb_view(&b)));
        cr_assert(str_eq(v.raw, sb_view(&b)));
        sb_char(&b, 0);
        o = json_tokener_parse(b.p);
        expect_same_shape(v, o);
        json_object_put(o);
    }
    sb_fini(&b);
}

/* Spoilt texts. json-c takes some that we must not (raw control characters, "nULL", a lone "-"),
 * never the reverse. */
Test(json_parse, accepts_nothing_that_json_c_refuses)
{
    static const char bytes[] = "{}[]\",:\\u0123456789-+.eEtrfalsn \n\x01\x7f\xC3\xA9\xFF";
    struct sb b = {0};
    struct json v;
    int good = 0;

    rand_seed_for_test(10);
    for (int i = 0; i < 40000; i++) {
        b.n = 0;
        put_random(&b, 2);
        for (unsigned k = rand_below(3); k > 0 && b.n; k--) {
            b.p[rand_below((uint32_t)b.n)] = bytes[rand_below(sizeof bytes)];
        }
        if (parse(sb_view(&b), &v) != OK) continue;
        good++;
        sb_char(&b, 0);
        cr_assert(json_c_accepts(sb_view(&b)), "%s", b.p);
    }
    cr_expect_gt(good, 1000);
    sb_fini(&b);
}
