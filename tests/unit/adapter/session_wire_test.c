/* Sessions as Node has them (reference 6.2), and ours beside it. */
#include "adapter/session_wire.h"

#include <criterion/criterion.h>
#include "base/mem.h"
#include "tests/unit/support/hex.h"

#define SID "S2345678901234567890"
#define PID "P2345678901234567890"
#define TEXT(s) "\xb4" s
#define HEAD "\xa3sid" TEXT(SID) "\xa3pid" TEXT(PID)
#define BYTES(literal) STR(literal)

static struct session_wire w;

static int decode(struct str bytes)
{
    struct sb text = {0};
    int rc;

    sb_base64(&text, bytes);
    rc = session_wire_decode(sb_view(&text), &w);
    sb_fini(&text);
    return rc;
}

Test(session_wire_encode, writes_what_node_writes)
{
    static const struct str rooms[] = {STR(SID), STR("red")};
    struct session s = {.sid = STR(SID), .pid = STR(PID), .rooms = rooms, .rooms_count = 2};
    struct sb got = {0}, want = {0};

    session_wire_encode(&s, &got);
    sb_base64(&want, BYTES("\x84" HEAD "\xa5rooms\x92" TEXT(SID) "\xa3"
                                                                 "red\xa4"
                                                                 "data\x80"));
    cr_expect_str_eq(to_z(&got), to_z(&want));
    sb_fini(&got);
    sb_fini(&want);
}

Test(session_wire_decode, reads_what_it_wrote)
{
    static const struct str rooms[] = {STR(SID), STR("é"), STR("")};
    struct session s = {.sid = STR(SID),
                        .pid = STR(PID),
                        .rooms = rooms,
                        .rooms_count = 3,
                        .data = BYTES("\x81\xa1"
                                      "a\xc4\x01\x00"),
                        .since = STR("1-2"),
                        .who = STR("u7"),
                        .has_who = true,
                        .is_live = true,
                        .generation = 1ULL << 52};
    struct sb text = {0};

    session_wire_encode(&s, &text);
    cr_assert_eq(session_wire_decode(sb_view(&text), &w), OK);
    cr_expect(str_eq(w.session.sid, s.sid));
    cr_expect(str_eq(w.session.pid, s.pid));
    cr_expect(str_eq(w.session.data, s.data));
    cr_expect(str_eq(w.session.since, s.since));
    cr_expect(str_eq(w.session.who, s.who));
    cr_expect(w.session.has_who && w.session.is_live);
    cr_expect_eq(w.session.generation, s.generation);
    cr_assert_eq(w.session.rooms_count, 3);
    for (unsigned i = 0; i < 3; i++)
        cr_expect(str_eq(w.session.rooms[i], rooms[i]));
    sb_fini(&text);
    session_wire_fini(&w);
}

Test(session_wire_decode, passes_over_what_it_does_not_know)
{
    cr_assert_eq(decode(BYTES("\x84\xa1x\x92\x01\x80\xa4"
                              "data\xc0" HEAD)),
                 OK);
    cr_expect(str_eq(w.session.sid, STR(SID)));
    cr_expect(str_eq(w.session.data, STR("\xc0")));
    cr_expect_eq(w.session.rooms_count, 0);
    cr_expect_not(w.session.has_who);
    session_wire_fini(&w);
}

Test(session_wire_decode, refuses_what_is_no_session)
{
    static const struct {
        struct str bytes;
        int want;
    } rows[] = {
        {BYTES(""), ERR_PROTO},
        {BYTES("\x80"), ERR_PROTO}, /* no sid */
        {BYTES("\x81\xa3sid" TEXT(SID)), ERR_PROTO},
        {BYTES("\x82" HEAD "\xc0"), ERR_PROTO}, /* more behind it */
        {BYTES("\x83" HEAD), ERR_PROTO},
        {BYTES("\x90"), ERR_PROTO},
        {BYTES("\x83" HEAD "\xa5rooms\x07"), ERR_PROTO},
        {BYTES("\x83" HEAD "\xa5rooms\x91\x07"), ERR_PROTO},
        {BYTES("\x83" HEAD "\xa5rooms\x91\xa1\xff"), ERR_UTF8},
        {BYTES("\x83" HEAD "\xa4live\x01"), ERR_PROTO},
        {BYTES("\x83" HEAD "\xa3who\xc0"), ERR_PROTO},
        {BYTES("\x83" HEAD "\x07\x07"), ERR_PROTO},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(decode(rows[i].bytes), rows[i].want, "row %zu", i);
    cr_expect_eq(session_wire_decode(STR("no base64"), &w), ERR_PROTO);
    session_wire_fini(&w);
}

Test(session_wire_decode, has_limits)
{
    struct sb b = {0};
    char *big = mem_new(1, SESSION_BYTES_MAX + 4);

    sb_str(&b, BYTES("\x83" HEAD "\xa5rooms\xdc\x10\x01")); /* 4,097 */
    for (unsigned i = 0; i <= SESSION_ROOMS_MAX; i++)
        sb_str(&b, STR("\xa1r"));
    cr_expect_eq(decode(sb_view(&b)), ERR_LIMIT);
    memset(big, 'A', SESSION_BYTES_MAX + 4);
    cr_expect_eq(session_wire_decode(str_of(big, SESSION_BYTES_MAX + 4), &w), ERR_LIMIT);
    mem_free(big);
    sb_fini(&b);
    session_wire_fini(&w);
}
