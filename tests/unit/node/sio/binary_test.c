#include <criterion/criterion.h>
#include "node/sio/binary.h"

static int start(const char *text, size_t max, struct sio_binary **b)
{
    struct sb scratch = {0};
    struct sio_packet p;

    cr_assert_eq(sio_packet_decode(str_z(text), 10, &scratch, &p), OK);
    sb_fini(&scratch);
    return sio_binary_new(&p, max, b);
}

#define HOLE(n) "{\"_placeholder\":true,\"num\":" #n "}"

Test(sio_binary, collects_attachments_and_puts_them_in_order)
{
    struct sio_binary *b;
    const struct str *parts;
    unsigned n;

    cr_assert_eq(start("52-/n,7[\"e\"," HOLE(1) "," HOLE(0) "]", 1000, &b), OK);
    cr_expect_eq(sio_binary_add(b, STR("first")), ERR_AGAIN);
    cr_expect_eq(sio_binary_add(b, STR("second")), OK);
    cr_expect(str_eq(sio_binary_text(b), STR("52-/n,7[\"e\"," HOLE(0) "," HOLE(1) "]")));
    parts = sio_binary_attachments(b, &n);
    cr_assert_eq(n, 2);
    cr_expect(str_eq(parts[0], STR("second")));
    cr_expect(str_eq(parts[1], STR("first")));
    sio_binary_free(b);
}

Test(sio_binary, takes_empty_attachments)
{
    struct sio_binary *b;
    unsigned n;

    cr_assert_eq(start("51-[\"e\"," HOLE(0) "]", 1000, &b), OK);
    cr_expect_eq(sio_binary_add(b, STR("")), OK);
    cr_expect_eq(sio_binary_attachments(b, &n)[0].n, 0);
    cr_expect_eq(n, 1);
    sio_binary_free(b);
}

Test(sio_binary, holds_no_more_than_allowed)
{
    struct sio_binary *b;
    size_t text = strlen("52-[\"e\"," HOLE(0) "," HOLE(1) "]");

    cr_assert_eq(start("52-[\"e\"," HOLE(0) "," HOLE(1) "]", text + 6, &b), OK);
    cr_expect_eq(sio_binary_add(b, STR("123456")), ERR_AGAIN);
    cr_expect_eq(sio_binary_add(b, STR("7")), ERR_TOO_BIG);
    cr_expect_eq(sio_binary_add(b, STR("")), OK);
    sio_binary_free(b);
    cr_expect_eq(start("52-[\"e\"," HOLE(0) "," HOLE(1) "]", text - 1, &b), ERR_TOO_BIG);
    cr_expect_eq(start("51-[\"e\"," HOLE(1) "]", 1000, &b), ERR_PROTO);
    sio_binary_free(NULL);
}
