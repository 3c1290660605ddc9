/* RFC 6455 headers: what is read, what a strict server refuses. */
#include <criterion/criterion.h>
#include "node/edge/frame.h"

Test(frame_decode, reads_all_three_lengths)
{
    static const struct {
        struct str bytes;
        uint64_t length;
        unsigned head;
    } rows[] = {
        {STR("\x81\x85"
             "abcd"),
         5, 6},
        {STR("\x82\xfe\x01\x00"
             "abcd"),
         256, 8},
        {STR("\x81\xff\x00\x00\x00\x00\x00\x01\x00\x00"
             "abcd"),
         65536, 14},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ws_frame f;

        for (size_t n = 0; n < rows[i].bytes.n; n++)
            cr_expect_eq(frame_decode(str_head(rows[i].bytes, n), 100000, &f), ERR_AGAIN,
                         "row %zu %zu", i, n);
        cr_assert_eq(frame_decode(rows[i].bytes, 100000, &f), OK, "row %zu", i);
        cr_expect_eq(f.length, rows[i].length);
        cr_expect_eq(f.head_bytes, rows[i].head);
        cr_expect(f.fin);
    }
}

Test(frame_decode, refuses_before_anything_is_allocated)
{
    static const struct {
        struct str bytes;
        int want;
    } rows[] = {
        {STR("\xc1\x80"), ERR_PROTO},         /* RSV1 */
        {STR("\xa1\x80"), ERR_PROTO},         /* RSV2 */
        {STR("\x91\x80"), ERR_PROTO},         /* RSV3 */
        {STR("\x83\x80"), ERR_PROTO},         /* reserved data opcode */
        {STR("\x8b\x80"), ERR_PROTO},         /* reserved control opcode */
        {STR("\x81\x05hello"), ERR_PROTO},    /* not masked */
        {STR("\x09\x80"), ERR_PROTO},         /* fragmented ping */
        {STR("\x89\xfe\x00\x7e"), ERR_PROTO}, /* ping of 126 */
        {STR("\x81\xfe\x00\x7d"), ERR_PROTO}, /* 125 in the long form */
        {STR("\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff"), ERR_PROTO},
        {STR("\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00"), ERR_PROTO}, /* 2^63 */
        {STR("\x81\xff\x7f\x00\x00\x00\x00\x00\x00\x00"), ERR_TOO_BIG},
        {STR("\x81\xff\x00\x00\x00\x01\x00\x00\x00\x00"), ERR_TOO_BIG},
        {STR("\x81\xfe\x04\x00"), ERR_TOO_BIG},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ws_frame f;

        cr_expect_eq(frame_decode(rows[i].bytes, 1000, &f), rows[i].want, "row %zu", i);
    }
}

Test(frame_unmask, is_the_same_for_every_offset)
{
    const uint8_t mask[4] = {1, 2, 3, 4};
    char plain[40], got[40];

    for (size_t at = 0; at < 8; at++) {
        for (size_t i = 0; i < sizeof plain; i++) {
            plain[i] = (char)i;
            got[i] = (char)(i ^ mask[(i + at) & 3]);
        }
        frame_unmask(got, sizeof got, mask, at);
        cr_expect_arr_eq(got, plain, sizeof plain, "offset %zu", at);
    }
}

Test(frame_close_decode, knows_legal_codes)
{
    static const struct {
        struct str payload;
        int want, code;
    } rows[] = {
        {STR(""), OK, WS_CODE_NONE},
        {STR("\x03\xe8"), OK, 1000},
        {STR("\x03\xf3"
             "bye"),
         OK, 1011},
        {STR("\x0b\xb8"), OK, 3000},
        {STR("\x03"), ERR_PROTO, 0},
        {STR("\x00\x00"), ERR_PROTO, 0},
        {STR("\x03\xe7"), ERR_PROTO, 0}, /* 999 */
        {STR("\x03\xed"), ERR_PROTO, 0}, /* 1005 */
        {STR("\x03\xee"), ERR_PROTO, 0}, /* 1006 */
        {STR("\x03\xf7"), ERR_PROTO, 0}, /* 1015 */
        {STR("\x03\xe8\xff"), ERR_UTF8, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int code, rc = frame_close_decode(rows[i].payload, &code);

        cr_expect_eq(rc, rows[i].want, "row %zu: %d", i, rc);
        if (rc == OK) cr_expect_eq(code, rows[i].code, "row %zu: %d", i, code);
    }
}
