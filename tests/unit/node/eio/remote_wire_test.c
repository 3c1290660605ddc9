#include <criterion/criterion.h>
#include "node/eio/remote_wire.h"

static struct remote_message sample(enum remote_kind kind)
{
    struct remote_message m = {.kind = kind, .pipe = 0x1122334455667788, .seq = 0xaabbccdd};

    m.numbers[0] = 1;
    m.numbers[1] = 1;
    for (unsigned i = 0; i < REMOTE_TEXTS_MAX; i++) {
        m.texts[i] = i % 2 ? STR("") : STR("text");
    }
    return m;
}

Test(remote_wire, reads_back_every_kind)
{
    for (int kind = 0; kind < REMOTE_KIND_COUNT; kind++) {
        struct remote_message m = sample((enum remote_kind)kind), got;
        struct sb one = {0}, two = {0};

        remote_wire_encode(&m, &one);
        cr_assert_eq(remote_wire_decode(sb_view(&one), 1000, &got), OK, "kind %d", kind);
        cr_expect_eq(got.kind, m.kind);
        cr_expect_eq(got.pipe, m.pipe);
        cr_expect_eq(got.seq, m.seq);
        remote_wire_encode(&got, &two);
        cr_expect(str_eq(sb_view(&one), sb_view(&two)), "kind %d", kind);
        sb_fini(&one);
        sb_fini(&two);
    }
}

Test(remote_wire, refuses_every_piece_and_every_surplus)
{
    for (int kind = 0; kind < REMOTE_KIND_COUNT; kind++) {
        struct remote_message m = sample((enum remote_kind)kind), got;
        struct sb b = {0};

        remote_wire_encode(&m, &b);
        for (size_t n = 0; n < b.n; n++) {
            cr_expect_eq(remote_wire_decode(str_of(b.p, n), 1000, &got), ERR_PROTO, "kind %d %zu",
                         kind, n);
        }
        cr_expect_eq(remote_wire_decode(sb_view(&b), b.n - 1, &got), ERR_TOO_BIG);
        sb_char(&b, 0);
        cr_expect_eq(remote_wire_decode(sb_view(&b), 1000, &got), ERR_PROTO, "kind %d", kind);
        sb_fini(&b);
    }
}

Test(remote_wire, refuses_numbers_out_of_range)
{
    struct remote_message m, got;
    struct sb b = {0};

    m = sample(REMOTE_MESSAGE);
    m.numbers[MESSAGE_BINARY] = 2;
    remote_wire_encode(&m, &b);
    cr_expect_eq(remote_wire_decode(sb_view(&b), 1000, &got), ERR_PROTO);
    b.n = 0;
    m = sample(REMOTE_OPEN);
    m.numbers[OPEN_METHOD] = 5;
    remote_wire_encode(&m, &b);
    cr_expect_eq(remote_wire_decode(sb_view(&b), 1000, &got), ERR_PROTO);
    b.n = 0;
    m = sample(REMOTE_GONE);
    remote_wire_encode(&m, &b);
    b.p[2] = REMOTE_KIND_COUNT;
    cr_expect_eq(remote_wire_decode(sb_view(&b), 1000, &got), ERR_PROTO);
    b.p[2] = REMOTE_GONE;
    b.p[0] = 'e';
    cr_expect_eq(remote_wire_decode(sb_view(&b), 1000, &got), ERR_PROTO);
    b.p[0] = 'E';
    b.p[1] = 2;
    cr_expect_eq(remote_wire_decode(sb_view(&b), 1000, &got), ERR_PROTO);
    sb_fini(&b);
}

Test(remote_wire, walks_frames)
{
    struct sb b = {0};
    struct str rest, data;
    int opcode;

    remote_wire_put_frame(&b, 1, STR("4a"));
    remote_wire_put_frame(&b, 2, STR(""));
    rest = sb_view(&b);
    cr_expect_eq(remote_wire_next_frame(&rest, &opcode, &data), OK);
    cr_expect(opcode == 1 && str_eq(data, STR("4a")));
    cr_expect_eq(remote_wire_next_frame(&rest, &opcode, &data), OK);
    cr_expect(opcode == 2 && data.n == 0);
    cr_expect_eq(remote_wire_next_frame(&rest, &opcode, &data), ERR_AGAIN);
    rest = str_head(sb_view(&b), 6);
    cr_expect_eq(remote_wire_next_frame(&rest, &opcode, &data), ERR_PROTO);
    b.p[0] = 8; /* control frames are the edge's */
    rest = sb_view(&b);
    cr_expect_eq(remote_wire_next_frame(&rest, &opcode, &data), ERR_PROTO);
    sb_fini(&b);
}

Test(remote_wire, lets_only_header_lines_into_an_answer)
{
    static const struct {
        struct str lines;
        bool want;
    } rows[] = {
        {{"", 0}, true},
        {{"A: b\r\n", 6}, true},
        {{"A: b\r\nC: d\r\n", 12}, true},
        {{"A: b", 4}, false},
        {{"A: b\r", 5}, false},
        {{"A: b\n", 5}, false},
        {{"\r\n", 2}, false},
        {{"A: b\r\n\r\n", 8}, false},
        {{"A: \0\r\n", 6}, false},
        {{"A\r: b\r\n", 7}, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(remote_wire_are_headers(rows[i].lines), rows[i].want, "row %zu", i);
    }
}
