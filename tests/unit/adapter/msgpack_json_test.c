/* JSON to MessagePack and back: numbers, dates, attachments, and what is refused. */
#include <criterion/criterion.h>
#include "adapter/msgpack_json.h"
#include "tests/unit/support/hex.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

Test(msgpack_from_json, writes_what_the_peers_write)
{
    static const struct {
        const char *json, *want;
    } rows[] = {
        {"[\"hello\",1,\"2\",{\"3\":[true]}]", "94a568656c6c6f01a13281a13391c3"},
        {"null", "c0"},
        {"false", "c2"},
        {" [ ] ", "90"},
        {"{}", "80"},
        {"-1", "ff"},
        {"500", "cd01f4"},
        {"1.5", "cb3ff8000000000000"},
        {"1.0", "01"},
        {"1e3", "cd03e8"},
        {"-0.5", "cbbfe0000000000000"},
        {"9007199254740993", "cf0020000000000001"},
        {"18446744073709551615", "cfffffffffffffffff"},
        {"18446744073709551616", "cb43f0000000000000"},
        {"-9223372036854775809", "cbc3e0000000000000"},
        {"1e999", "c0"},
        {"\"\\u00e9\\n\"", "a3c3a90a"},
        {"\"\\ud800\"", "a3efbfbd"},
        {"{\"_placeholder\":true,\"num\":0}", "82ac5f706c616365686f6c646572c3a36e756d00"},
    };
    struct sb out = {0}, text = {0};

    for (size_t i = 0; i < ROWS(rows); i++) {
        out.n = 0;
        cr_expect_eq(msgpack_from_json(str_z(rows[i].json), NULL, 0, &out), OK, "row %zu", i);
        cr_expect_str_eq(to_hex(&text, sb_view(&out)), rows[i].want, "row %zu", i);
    }
    sb_fini(&out);
    sb_fini(&text);
}

Test(msgpack_from_json, puts_attachments_in_their_places)
{
    const struct str attachments[] = {STR("\x01\x02\x03\x04"), STR("")};
    struct sb out = {0}, text = {0};

    cr_expect_eq(
        msgpack_from_json(
            STR("[\"bin\",{\"num\":1,\"_placeholder\":true},{\"_placeholder\":true,\"num\":0},"
                "{\"_placeholder\":true,\"num\":2}]"),
            attachments, 2, &out),
        OK);
    cr_expect_str_eq(to_hex(&text, sb_view(&out)),
                     "94a362696ec400c4040102030482ac5f706c616365686f6c646572c3a36e756d02");
    sb_fini(&out);
    sb_fini(&text);
}

Test(msgpack_from_json, refuses_what_is_not_json)
{
    static const char *const rows[] = {"", "[1,", "{\"a\"}", "nul", "\"\x80\"", "[1] 2"};
    struct sb out = {0};

    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_neq(msgpack_from_json(str_z(rows[i]), NULL, 0, &out), OK, "row %zu", i);
    sb_fini(&out);
}

static const char *json_of(const char *bytes, struct sb *out, int want)
{
    static struct msgpack_json_attachments a;
    struct sb b = {0};
    struct str rest = hex(&b, bytes);

    a.count = 0;
    out->n = 0;
    cr_expect_eq(msgpack_to_json(&rest, out, &a), want, "%s", bytes);
    sb_fini(&b);
    return to_z(out);
}

Test(msgpack_to_json, prints_as_javascript_does)
{
    static const struct {
        const char *bytes, *want;
    } rows[] = {
        {"94a568656c6c6f01a13281a13391c3", "[\"hello\",1,\"2\",{\"3\":[true]}]"},
        {"cb3fb999999999999a", "0.1"},
        {"cb3ff8000000000000", "1.5"},
        {"cb8000000000000000", "0"},
        {"cb3fd5555555555555", "0.3333333333333333"},
        {"cb3fd3333333333334", "0.30000000000000004"},
        {"cb40c3880000000000", "10000"},
        {"cb4341c37937e08000", "10000000000000000"},
        {"cb7ff8000000000000", "null"},
        {"cb7ff0000000000000", "null"},
        {"cb7fefffffffffffff", "1.7976931348623157e+308"},
        {"cb0000000000000001", "4.94065645841247e-324"},
        {"cfffffffffffffffff", "18446744073709551615"},
        {"d38000000000000000", "-9223372036854775808"},
        {"d40000", "null"},
        {"d70a0000000000000000", "null"},
        {"d7ff1d5353006553f100", "\"2023-11-14T22:13:20.123Z\""},
        {"d6ff00000000", "\"1970-01-01T00:00:00.000Z\""},
        {"c70cff000000000000000000000000", "\"1970-01-01T00:00:00.000Z\""},
        {"c70cff3b9ac9ffffffffffffffffff", "\"1969-12-31T23:59:59.999Z\""},
        {"c70cff00000000ffffffc4f0b2a180", "\"-006069-11-04T16:40:32.000Z\""},
        {"c70cff000000007fffffffffffffff", "null"},
        {"d700000001 8bcfe56be0", "\"2023-11-14T22:13:20.992Z\""},
        {"d7007fffffffffffffff", "null"},
        {"d6ff65e06780", "\"2024-02-29T11:16:16.000Z\""},
        {"86 01a161 c0a162 c3a163 cb3ff8000000000000a164 ffa165 a0a166",
         "{\"1\":\"a\",\"null\":\"b\",\"true\":\"c\",\"1.5\":\"d\",\"-1\":\"e\",\"\":\"f\"}"},
        {"a3220a5c", "\"\\\"\\n\\\\\""},
    };
    struct sb out = {0};

    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_str_eq(json_of(rows[i].bytes, &out, OK), rows[i].want, "row %zu", i);
    sb_fini(&out);
}

Test(msgpack_to_json, lists_attachments_in_order)
{
    struct msgpack_json_attachments a = {.count = 0};
    struct sb b = {0}, out = {0};
    struct str rest = hex(&b, "92 c401aa 81a162 c402bbcc");

    cr_expect_eq(msgpack_to_json(&rest, &out, &a), OK);
    cr_expect_str_eq(
        to_z(&out),
        "[{\"_placeholder\":true,\"num\":0},{\"b\":{\"_placeholder\":true,\"num\":1}}]");
    cr_expect_eq(a.count, 2);
    cr_expect(str_eq(a.items[0], STR("\xaa")));
    cr_expect(str_eq(a.items[1], STR("\xbb\xcc")));
    sb_fini(&b);
    sb_fini(&out);
}

Test(msgpack_to_json, refuses_garbage)
{
    static const struct {
        const char *bytes;
        int want;
    } rows[] = {
        {"", ERR_PROTO},
        {"92 01", ERR_PROTO},
        {"81 90 01", ERR_PROTO},
        {"81 c40161 01", ERR_PROTO},
        {"81 d40000 01", ERR_PROTO},
        {"91 a2c328", ERR_UTF8},
        {"c1", ERR_PROTO},
    };
    struct sb out = {0}, b = {0};
    struct msgpack_json_attachments *a = calloc(1, sizeof *a);
    struct str rest;

    for (size_t i = 0; i < ROWS(rows); i++)
        json_of(rows[i].bytes, &out, rows[i].want);
    for (int i = 0; i < 33; i++)
        sb_char(&b, (char)0x91);
    sb_char(&b, 0);
    rest = sb_view(&b);
    cr_expect_eq(msgpack_to_json(&rest, &out, a), ERR_DEPTH);
    rest = str_skip(sb_view(&b), 1);
    cr_expect_eq(msgpack_to_json(&rest, &out, a), OK);
    b.p[b.n - 1] = (char)0xc4; /* an attachment is an object in JSON: one level more */
    sb_char(&b, 0);
    rest = str_skip(sb_view(&b), 1);
    cr_expect_eq(msgpack_to_json(&rest, &out, a), ERR_DEPTH);
    rest = str_skip(sb_view(&b), 2);
    cr_expect_eq(msgpack_to_json(&rest, &out, a), OK);
    b.n = 0;
    sb_put(&b, "\xdc\x01\x01", 3);
    for (int i = 0; i < 257; i++)
        sb_put(&b, "\xc4\x00", 2);
    rest = sb_view(&b);
    cr_expect_eq(msgpack_to_json(&rest, &out, a), ERR_LIMIT);
    free(a);
    sb_fini(&b);
    sb_fini(&out);
}
