#include "base/hmac.h"

#include <criterion/criterion.h>

static void hex(const unsigned char *p, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        out[i * 2] = digits[p[i] >> 4];
        out[i * 2 + 1] = digits[p[i] & 15];
    }
    out[n * 2] = 0;
}

Test(hmac, gives_the_sums_of_rfc_4231)
{
    static char aa[131];
    static const struct {
        const char *key;
        size_t key_n;
        const char *bytes, *want;
    } rows[] = {
        {"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b", 20,
         "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe", 4, "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {aa, 131, "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {"", 0, "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };

    memset(aa, 0xaa, sizeof aa);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned char sum[HMAC_SHA256_SIZE];
        char text[2 * HMAC_SHA256_SIZE + 1];

        hmac_sha256(str_of(rows[i].key, rows[i].key_n), str_z(rows[i].bytes), sum);
        hex(sum, sizeof sum, text);
        cr_expect_str_eq(text, rows[i].want, "row %zu", i);
    }
}

Test(hmac, takes_slices_without_a_place)
{
    unsigned char a[HMAC_SHA256_SIZE], b[HMAC_SHA256_SIZE];

    hmac_sha256(STR_NONE, STR_NONE, a);
    hmac_sha256(STR(""), STR(""), b);
    cr_expect_arr_eq(a, b, sizeof a);
}

Test(hmac, compares_all_of_both)
{
    cr_expect(hmac_is_same(STR("abc"), STR("abc")));
    cr_expect(hmac_is_same(STR(""), STR_NONE));
    cr_expect_not(hmac_is_same(STR("abc"), STR("abd")));
    cr_expect_not(hmac_is_same(STR("abc"), STR("ab")));
}
