/* MessagePack heads, both ways: the boundary of each form, and what is refused. */
#include <criterion/criterion.h>
#include "adapter/msgpack.h"
#include "tests/unit/support/hex.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

Test(msgpack_put_int, takes_the_shortest_form)
{
    static const struct {
        int64_t v;
        const char *want;
    } rows[] = {
        {0, "00"},
        {127, "7f"},
        {128, "cc80"},
        {255, "ccff"},
        {256, "cd0100"},
        {65535, "cdffff"},
        {65536, "ce00010000"},
        {4294967295, "ceffffffff"},
        {4294967296, "cf0000000100000000"},
        {INT64_MAX, "cf7fffffffffffffff"},
        {-1, "ff"},
        {-32, "e0"},
        {-33, "d0df"},
        {-128, "d080"},
        {-129, "d1ff7f"},
        {-32768, "d18000"},
        {-32769, "d2ffff7fff"},
        {INT32_MIN, "d280000000"},
        {-2147483649, "d3ffffffff7fffffff"},
        {INT64_MIN, "d38000000000000000"},
    };
    struct sb b = {0}, text = {0};
    struct msgpack v;

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct str rest;

        b.n = 0;
        msgpack_put_int(&b, rows[i].v);
        cr_expect_str_eq(to_hex(&text, sb_view(&b)), rows[i].want, "row %zu", i);
        rest = sb_view(&b);
        cr_expect_eq(msgpack_next(&rest, &v), OK);
        cr_expect_eq(v.i, rows[i].v, "row %zu", i);
        cr_expect_eq(v.type, rows[i].v < 0 ? MSGPACK_INT : MSGPACK_UINT, "row %zu", i);
        cr_expect_eq(rest.n, 0);
    }
    sb_fini(&b);
    sb_fini(&text);
}

Test(msgpack_put, lengths_pick_the_form)
{
    static const struct {
        size_t n;
        const char *str, *bin, *array, *map;
    } rows[] = {
        {0, "a0", "c400", "90", "80"},
        {15, "af", "c40f", "9f", "8f"},
        {16, "b0", "c410", "dc0010", "de0010"},
        {31, "bf", "c41f", "dc001f", "de001f"},
        {32, "d920", "c420", "dc0020", "de0020"},
        {255, "d9ff", "c4ff", "dc00ff", "de00ff"},
        {256, "da0100", "c50100", "dc0100", "de0100"},
        {65535, "daffff", "c5ffff", "dcffff", "deffff"},
        {65536, "db00010000", "c600010000", "dd00010000", "df00010000"},
    };
    struct sb b = {0}, text = {0}, bytes = {0};

    for (int i = 0; i < 65536; i++)
        sb_char(&bytes, 'x');
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct str s = str_head(sb_view(&bytes), rows[i].n), rest;
        struct msgpack v;

        b.n = 0;
        msgpack_put_str(&b, s);
        cr_expect_str_eq(to_hex(&text, str_head(sb_view(&b), b.n - s.n)), rows[i].str);
        rest = sb_view(&b);
        cr_expect_eq(msgpack_expect(&rest, MSGPACK_STR, &v), OK);
        cr_expect(str_eq(v.bytes, s), "row %zu", i);
        b.n = 0;
        msgpack_put_bin(&b, s);
        cr_expect_str_eq(to_hex(&text, str_head(sb_view(&b), b.n - s.n)), rows[i].bin);
        rest = sb_view(&b);
        cr_expect_eq(msgpack_expect(&rest, MSGPACK_BIN, &v), OK);
        cr_expect(str_eq(v.bytes, s), "row %zu", i);
        b.n = 0;
        msgpack_put_array(&b, s.n);
        cr_expect_str_eq(to_hex(&text, sb_view(&b)), rows[i].array);
        b.n = 0;
        msgpack_put_map(&b, s.n);
        cr_expect_str_eq(to_hex(&text, sb_view(&b)), rows[i].map);
    }
    sb_fini(&b);
    sb_fini(&text);
    sb_fini(&bytes);
}

Test(msgpack_next, reads_every_form)
{
    static const struct {
        const char *bytes;
        enum msgpack_type type;
        uint64_t value; /* count, u or length */
    } rows[] = {
        {"c0", MSGPACK_NIL, 0},
        {"c3", MSGPACK_BOOL, 1},
        {"c2", MSGPACK_BOOL, 0},
        {"93 000000", MSGPACK_ARRAY, 3},
        {"dc0001 00", MSGPACK_ARRAY, 1},
        {"dd00000001 00", MSGPACK_ARRAY, 1},
        {"81 0000", MSGPACK_MAP, 1},
        {"de0001 0000", MSGPACK_MAP, 1},
        {"df00000001 0000", MSGPACK_MAP, 1},
        {"ccff", MSGPACK_UINT, 255},
        {"d00f", MSGPACK_UINT, 15}, /* wider than needed: the emitters of other languages do it */
        {"d3000000000000000f", MSGPACK_UINT, 15},
        {"d901 61", MSGPACK_STR, 1},
        {"db00000001 61", MSGPACK_STR, 1},
        {"c600000001 61", MSGPACK_BIN, 1},
        {"d4 00 00", MSGPACK_EXT, 1},
        {"d5 01 0000", MSGPACK_EXT, 2},
        {"d6 ff 00000000", MSGPACK_EXT, 4},
        {"d7ff 1d5353006553f100", MSGPACK_EXT, 8},
        {"d8 01 00000000000000000000000000000000", MSGPACK_EXT, 16},
        {"c702 05 6161", MSGPACK_EXT, 2},
        {"c80001 05 61", MSGPACK_EXT, 1},
        {"c900000001 05 61", MSGPACK_EXT, 1},
    };
    struct sb b = {0};

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct str rest = hex(&b, rows[i].bytes);
        struct msgpack v;
        uint64_t got;

        cr_expect_eq(msgpack_next(&rest, &v), OK, "row %zu", i);
        cr_expect_eq(v.type, rows[i].type, "row %zu", i);
        got = v.bytes.p                                          ? v.bytes.n
              : v.type == MSGPACK_ARRAY || v.type == MSGPACK_MAP ? v.count
              : v.type == MSGPACK_BOOL                           ? v.b
                                                                 : v.u;
        cr_expect_eq(got, rows[i].value, "row %zu", i);
    }
    sb_fini(&b);
}

Test(msgpack_next, reads_both_floats)
{
    struct sb b = {0};
    struct msgpack v;
    struct str rest = hex(&b, "ca3fc00000 cb3ff8000000000000 ca7f800000");

    cr_expect_eq(msgpack_expect(&rest, MSGPACK_FLOAT, &v), OK);
    cr_expect(v.f == 1.5);
    cr_expect_eq(msgpack_expect(&rest, MSGPACK_FLOAT, &v), OK);
    cr_expect(v.f == 1.5);
    cr_expect_eq(msgpack_expect(&rest, MSGPACK_FLOAT, &v), OK);
    cr_expect(v.f > 1e308);
    sb_fini(&b);
}

Test(msgpack_next, refuses_what_is_cut_off_or_promises_too_much)
{
    static const struct {
        const char *bytes;
        int want;
    } rows[] = {
        {"", ERR_PROTO},
        {"c1", ERR_PROTO},
        {"cd00", ERR_PROTO},
        {"a261", ERR_PROTO},
        {"d9", ERR_PROTO},
        {"c4ff61", ERR_PROTO},
        {"dbffffffff61", ERR_PROTO},
        {"ddffffffff00", ERR_PROTO},
        {"82000000", ERR_PROTO},
        {"dfffffffff00", ERR_PROTO},
        {"91", ERR_PROTO},
        {"d7ff00", ERR_PROTO},
        {"c70500", ERR_PROTO},
        {"cb00", ERR_PROTO},
        {"a2c328", ERR_UTF8},
        {"a3eda080", ERR_UTF8},
    };
    struct sb b = {0};

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct str rest = hex(&b, rows[i].bytes);
        size_t n = rest.n;
        struct msgpack v;

        cr_expect_eq(msgpack_next(&rest, &v), rows[i].want, "row %zu", i);
        cr_expect_eq(rest.n, n, "row %zu moved on", i);
    }
    sb_fini(&b);
}

Test(msgpack_skip, passes_one_value_and_no_more)
{
    struct sb b = {0};
    struct str rest = hex(&b, "83 a161 90 a162 92 01 81 c0 c0 a163 80 7f");

    cr_expect_eq(msgpack_skip(&rest), OK);
    cr_expect_eq(rest.n, 1);
    cr_expect_eq(msgpack_skip(&rest), OK);
    cr_expect_eq(rest.n, 0);
    cr_expect_eq(msgpack_skip(&rest), ERR_PROTO);
    sb_fini(&b);
}

Test(msgpack_skip, has_a_bottom)
{
    struct sb b = {0};
    struct str rest;

    for (int i = 0; i < 32; i++)
        sb_char(&b, (char)0x91);
    sb_char(&b, 0);
    rest = sb_view(&b);
    cr_expect_eq(msgpack_skip(&rest), OK);
    b.n = 0;
    for (int i = 0; i < 33; i++)
        sb_char(&b, (char)0x91);
    sb_char(&b, 0);
    rest = sb_view(&b);
    cr_expect_eq(msgpack_skip(&rest), ERR_DEPTH);
    sb_fini(&b);
}
