/* Messages between nodes: bytes, limits, refusals. */
#include <criterion/criterion.h>
#include "adapter/message.h"
#include "tests/unit/support/hex.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

static const struct {
    struct message m;
    const char *hex;
} rows[] = {
    {{.kind = MESSAGE_PIPE, .from = STR("n001"), .pipe = {STR("a\0b")}}, "016e303031610062"},
    {{.kind = MESSAGE_PIPE, .from = STR("n001"), .pipe = {STR("")}}, "016e303031"},
    {{.kind = MESSAGE_FEATURE, .from = STR("n001"), .feature = {STR("a b")}}, "036e303031612062"},
    {{.kind = MESSAGE_DENIED, .from = STR("----")}, "042d2d2d2d"},
    {{.kind = MESSAGE_HELLO, .from = STR("n-_Z"), .hello = {.instance = 258, .name = STR("web-1")}},
     "106e2d5f5a0000000000000102057765622d31"},
    {{.kind = MESSAGE_BEAT, .from = STR("n001"), .beat = {.instance = UINT64_MAX, .name = STR("")}},
     "116e303031ffffffffffffffff00"},
    {{.kind = MESSAGE_BYE, .from = STR("n001"), .bye = {1}}, "126e3030310000000000000001"},
    {{.kind = MESSAGE_LOST, .from = STR("n001"), .lost = {1, 2}},
     "146e30303100000000000000010000000000000002"},
    {{.kind = MESSAGE_PEOPLE, .from = STR("n001"), .people = {STR("hu7")}}, "026e303031687537"},
    {{.kind = MESSAGE_DUE, .from = STR("n001"), .due = {STR("mail"), 3}},
     "156e303031046d61696c0000000000000003"},
    {{.kind = MESSAGE_HEALTH, .from = STR("n001"), .health = {1, 2}},
     "136e30303100000000000000010000000000000002"},
};

Test(message_encode, writes_kind_sender_and_fields)
{
    struct sb out = {0}, text = {0};

    for (size_t i = 0; i < ROWS(rows); i++) {
        out.n = 0;
        message_encode(&rows[i].m, &out);
        cr_expect_str_eq(to_hex(&text, sb_view(&out)), rows[i].hex, "row %zu", i);
    }
    sb_fini(&out);
    sb_fini(&text);
}

Test(message_decode, reads_what_was_written)
{
    struct sb b = {0}, again = {0}, text = {0};

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct message m = {0};

        cr_assert_eq(message_decode(hex(&b, rows[i].hex), &m), OK, "row %zu", i);
        cr_expect_eq(m.kind, rows[i].m.kind, "row %zu", i);
        cr_expect(str_eq(m.from, rows[i].m.from), "row %zu", i);
        again.n = 0;
        message_encode(&m, &again);
        cr_expect_str_eq(to_hex(&text, sb_view(&again)), rows[i].hex, "row %zu", i);
    }
    sb_fini(&b);
    sb_fini(&again);
    sb_fini(&text);
}

Test(message_decode, passes_over_fields_of_a_later_version)
{
    struct sb b = {0};
    struct message m;

    cr_expect_eq(message_decode(hex(&b, "126e3030310000000000000001 ffff"), &m), OK);
    cr_expect_eq(m.bye.instance, 1);
    sb_fini(&b);
}

Test(message_encode, cuts_a_name_at_255_bytes)
{
    char name[300];
    struct sb out = {0};
    struct message m = {
        .kind = MESSAGE_BEAT, .from = STR("n001"), .beat = {1, {name, sizeof name}}};

    memset(name, 'x', sizeof name);
    message_encode(&m, &out);
    cr_assert_eq(message_decode(sb_view(&out), &m), OK);
    cr_expect_eq(m.beat.name.n, 255);
    sb_fini(&out);
}

Test(message_decode, refuses_what_it_cannot_read)
{
    static const struct {
        const char *hex;
        int want;
    } bad[] = {
        {"", ERR_PROTO},
        {"11", ERR_PROTO},
        {"016e3030", ERR_PROTO},
        {"016e303020", ERR_PROTO},
        {"016e3030ff", ERR_PROTO},
        {"126e30303100000000000000", ERR_PROTO},
        {"116e3030310000000000000001", ERR_PROTO},
        {"116e303031000000000000000102", ERR_PROTO},
        {"116e303031000000000000000102c328", ERR_UTF8},
        {"006e303031", ERR_NOT_FOUND},
        {"056e303031", ERR_NOT_FOUND},
        {"ff6e303031", ERR_NOT_FOUND},
    };
    struct sb b = {0};
    struct message m;

    for (size_t i = 0; i < ROWS(bad); i++)
        cr_expect_eq(message_decode(hex(&b, bad[i].hex), &m), bad[i].want, "row %zu", i);
    sb_fini(&b);
}

Test(message_name, knows_the_table)
{
    cr_expect_str_eq(message_name(MESSAGE_HELLO), "HELLO");
    cr_expect_str_eq(message_name((enum message_kind)99), "?");
}
