#include <criterion/criterion.h>
#include <zlib.h> /* the second opinion */
#include "node/eio/compress.h"

Test(eio_compress_choose, follows_the_client)
{
    static const struct {
        struct str accept;
        enum eio_encoding want;
    } rows[] = {
        {{"gzip, deflate, br", 17}, EIO_ENCODING_GZIP},
        {{"deflate", 7}, EIO_ENCODING_DEFLATE},
        {{"GZIP;q=0.5", 10}, EIO_ENCODING_GZIP},
        {{"gzip;q=0, deflate", 17}, EIO_ENCODING_DEFLATE},
        {{"gzip; q=0.000", 13}, EIO_ENCODING_NONE},
        {{"gzip; q=0.001", 13}, EIO_ENCODING_GZIP},
        {{"*", 1}, EIO_ENCODING_GZIP},
        {{"br", 2}, EIO_ENCODING_NONE},
        {{"", 0}, EIO_ENCODING_NONE},
        {{",,;q=,", 6}, EIO_ENCODING_NONE},
        {{"gzippo", 6}, EIO_ENCODING_NONE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(eio_compress_choose(rows[i].accept), rows[i].want, "row %zu", i);
    }
}

static void inflates_to(struct str packed, struct str want)
{
    z_stream z = {0};
    static char out[100000];

    cr_assert_eq(inflateInit2(&z, 15 + 32), Z_OK); /* finds out gzip or zlib */
    z.next_in = (Bytef *)(uintptr_t)packed.p;
    z.avail_in = (uInt)packed.n;
    z.next_out = (Bytef *)out;
    z.avail_out = sizeof out;
    cr_expect_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
    cr_expect(str_eq(str_of(out, z.total_out), want));
    (void)inflateEnd(&z);
}

Test(eio_compress_body, can_be_read_by_anybody_again_and_again)
{
    struct eio_compress *c = NULL;
    static char text[50000];

    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)('a' + i * i % 23);
    }
    for (int round = 0; round < 6; round++) {
        struct sb out = {0};
        enum eio_encoding how = round % 2 ? EIO_ENCODING_DEFLATE : EIO_ENCODING_GZIP;
        struct str body = str_of(text, sizeof text - (size_t)round * 9000);

        cr_assert_eq(eio_compress_body(&c, how, body, &out), OK);
        cr_expect(out.n < body.n);
        cr_expect_eq((unsigned char)out.p[0], how == EIO_ENCODING_GZIP ? 0x1f : 0x78);
        inflates_to(sb_view(&out), body);
        sb_fini(&out);
    }
    eio_compress_free(c);
    eio_compress_free(NULL);
}

Test(eio_compress_body, takes_an_empty_body)
{
    struct eio_compress *c = NULL;
    struct sb out = {0};

    cr_assert_eq(eio_compress_body(&c, EIO_ENCODING_GZIP, STR(""), &out), OK);
    inflates_to(sb_view(&out), STR(""));
    sb_fini(&out);
    eio_compress_free(c);
}
