/* SHA-256 against the vectors of FIPS 180, and at the edges of its blocks. */
#include <criterion/criterion.h>
#include "base/sha256.h"

Test(sha256, gives_the_published_digests)
{
    static const struct {
        struct str text;
        const char *hex;
    } rows[] = {
        {STR(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {STR("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
         "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
        {STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
         "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned char digest[SHA256_SIZE];
        struct sb hex = {0};

        sha256(rows[i].text, digest);
        for (int k = 0; k < SHA256_SIZE; k++)
            sb_printf(&hex, "%02x", digest[k]);
        cr_expect(str_eq(sb_view(&hex), str_z(rows[i].hex)), "row %zu: " STR_FMT, i,
                  STR_ARG(sb_view(&hex)));
        sb_fini(&hex);
    }
}
