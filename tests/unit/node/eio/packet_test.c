#include <criterion/criterion.h>
#include "node/eio/eio.h"
#include "node/eio/packet.h"

Test(eio_packet_decode, reads_what_the_protocol_allows)
{
    static const struct {
        int protocol;
        struct str raw;
        bool binary;
        enum eio_packet_type type;
        bool is_bytes;
        struct str data;
    } rows[] = {
        {4, {"0{}", 3}, false, EIO_PACKET_OPEN, false, {"{}", 2}},
        {4, {"4hi", 3}, false, EIO_PACKET_MESSAGE, false, {"hi", 2}},
        {4, {"4", 1}, false, EIO_PACKET_MESSAGE, false, {"", 0}},
        {4, {"2probe", 6}, false, EIO_PACKET_PING, false, {"probe", 5}},
        {3, {"6", 1}, false, EIO_PACKET_NOOP, false, {"", 0}},
        {4, {"bAQID", 5}, false, EIO_PACKET_MESSAGE, true, {"\1\2\3", 3}},
        {4, {"bAQ==", 5}, false, EIO_PACKET_MESSAGE, true, {"\1", 1}},
        {4, {"b", 1}, false, EIO_PACKET_MESSAGE, true, {"", 0}},
        {3, {"b4AQID", 6}, false, EIO_PACKET_MESSAGE, true, {"\1\2\3", 3}},
        {4, {"\1\2", 2}, true, EIO_PACKET_MESSAGE, true, {"\1\2", 2}},
        {4, {"", 0}, true, EIO_PACKET_MESSAGE, true, {"", 0}},
        {3, {"\4\1\2", 3}, true, EIO_PACKET_MESSAGE, true, {"\1\2", 2}},
        {3, {"\4", 1}, true, EIO_PACKET_MESSAGE, true, {"", 0}},
    };
    struct sb scratch = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eio_packet got = {0};

        cr_assert_eq(
            eio_packet_decode(rows[i].protocol, rows[i].raw, rows[i].binary, &scratch, &got), OK,
            "row %zu", i);
        cr_expect_eq(got.type, rows[i].type, "row %zu", i);
        cr_expect_eq(got.binary, rows[i].is_bytes, "row %zu", i);
        cr_expect(str_eq(got.data, rows[i].data), "row %zu: %.*s", i, STR_ARG(got.data));
    }
    sb_fini(&scratch);
}

Test(eio_packet_decode, refuses_everything_else)
{
    static const struct {
        int protocol;
        struct str raw;
        bool binary;
    } rows[] = {
        {4, {"", 0}, false},      {4, {"7", 1}, false},      {4, {"9x", 2}, false},
        {4, {"abc", 3}, false},   {4, {"\xff", 1}, false},   {4, {" 4", 2}, false},
        {4, {"bA", 2}, false},    {4, {"b!!!!", 5}, false},  {4, {"bAQID\n", 6}, false},
        {3, {"bAQID", 5}, false}, {3, {"b2AQID", 6}, false}, {3, {"b", 1}, false},
        {3, {"", 0}, true},       {3, {"\2a", 2}, true},     {3, {"4a", 2}, true},
    };
    struct sb scratch = {0};
    struct eio_packet got;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(
            eio_packet_decode(rows[i].protocol, rows[i].raw, rows[i].binary, &scratch, &got),
            ERR_PROTO, "row %zu", i);
    }
    sb_fini(&scratch);
}

Test(eio_packet_base64, writes_the_text_form_of_bytes)
{
    struct sb out = {0};

    eio_packet_base64(4, STR("\1\2\3\4"), &out);
    cr_expect(str_eq(sb_view(&out), STR("bAQIDBA==")));
    out.n = 0;
    eio_packet_base64(3, STR("\4\1\2\3\4"), &out);
    cr_expect(str_eq(sb_view(&out), STR("b4AQIDBA==")));
    sb_fini(&out);
}

Test(eio_message, has_the_frame_of_its_revision)
{
    struct buf *text = eio_text_message(STR("hi"));
    struct buf *v4 = eio_binary_message(4, STR("\1\2"));
    struct buf *v3 = eio_binary_message(3, STR("\1\2"));

    cr_expect(str_eq(buf_body(text), STR("4hi")));
    cr_expect_eq(text->flags, BUF_COMPRESS);
    cr_expect(str_eq(buf_body(v4), STR("\1\2")));
    cr_expect_eq(v4->flags, BUF_BINARY | BUF_COMPRESS);
    cr_expect(str_eq(buf_body(v3), STR("\4\1\2")));
    buf_unref(text);
    buf_unref(v4);
    buf_unref(v3);
}
