/* Frames of the bench: what one end writes the other end reads, at every size of header. */
#include "bench/lib/wire.h"

#include <criterion/criterion.h>

static char frame[70000 + WIRE_HEAD_MAX], text[70000];

Test(wire, accepts_the_key_of_the_standard) /* RFC 6455 1.3 */
{
    char accept[WIRE_ACCEPT_SIZE + 1];

    wire_accept(STR("dGhlIHNhbXBsZSBub25jZQ=="), accept);
    cr_assert_str_eq(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

Test(wire, a_client_frame_reads_back_at_every_size_of_header)
{
    static const struct {
        size_t length, head;
    } rows[] = {{0, 6}, {1, 6}, {125, 6}, {126, 8}, {65535, 8}, {65536, 14}, {70000, 14}};

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 23);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n = wire_client_frame(frame, str_of(text, rows[i].length));
        struct wire_head h;

        cr_assert_eq(n, rows[i].length + rows[i].head, "row %zu", i);
        cr_assert(wire_head(frame, n, &h));
        cr_assert_eq(h.first, WIRE_TEXT);
        cr_assert(h.masked);
        cr_assert_eq(h.bytes, rows[i].head);
        cr_assert_eq(h.length, rows[i].length);
        if (rows[i].length) cr_assert_arr_neq(frame + h.bytes, text, rows[i].length);
        wire_mask(frame + h.bytes, rows[i].length, h.key, 0);
        if (rows[i].length) cr_assert_arr_eq(frame + h.bytes, text, rows[i].length);
    }
}

Test(wire, a_server_head_carries_no_mask)
{
    static const size_t lengths[] = {0, 125, 126, 65535, 65536}, heads[] = {2, 2, 4, 4, 10};

    for (size_t i = 0; i < 5; i++) {
        struct wire_head h;
        size_t n = wire_server_head(frame, lengths[i]);

        cr_assert_eq(n, heads[i], "row %zu", i);
        cr_assert(wire_head(frame, n, &h));
        cr_assert_not(h.masked);
        cr_assert_eq(h.length, lengths[i]);
    }
}

Test(wire, a_mask_may_be_put_on_in_pieces)
{
    char whole[] = "a message that is longer than the key", pieces[sizeof whole];

    memcpy(pieces, whole, sizeof whole);
    wire_mask(whole, sizeof whole, wire_key, 0);
    wire_mask(pieces, 7, wire_key, 0);
    wire_mask(pieces + 7, sizeof whole - 7, wire_key, 7);
    cr_assert_arr_eq(whole, pieces, sizeof whole);
}

Test(wire, a_head_that_is_not_there_as_a_whole_is_not_read)
{
    static const size_t lengths[] = {5, 200, 70000};

    for (size_t i = 0; i < 3; i++) {
        size_t head = wire_client_frame(frame, str_of(text, lengths[i])) - lengths[i];
        struct wire_head h;

        for (size_t n = 0; n < head; n++)
            cr_assert_not(wire_head(frame, n, &h), "%zu of %zu bytes", n, head);
    }
}
