/* SHA-1 against the vectors of FIPS 180 and RFC 6455. */
#include <criterion/criterion.h>
#include "base/sha1.h"

Test(sha1, gives_the_published_digests)
{
    static const struct {
        struct str text;
        const char *hex;
    } rows[] = {
        {STR(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {STR("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
         "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
        {STR("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"),
         "b37a4f2cc0624f1690f64606cf385945b2bec4ea"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned char digest[SHA1_SIZE];
        struct sb hex = {0};

        sha1(rows[i].text, digest);
        for (int k = 0; k < SHA1_SIZE; k++)
            sb_printf(&hex, "%02x", digest[k]);
        cr_expect(str_eq(sb_view(&hex), str_z(rows[i].hex)), "row %zu: " STR_FMT, i,
                  STR_ARG(sb_view(&hex)));
        sb_fini(&hex);
    }
}
