#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include "node/auth/jwk.h"
#include "tests/unit/support/key_pair.h"

/* What OpenSSL says a PEM is, as text of its own; NULL: no key. */
static char *reread(const char *pem, size_t n)
{
    BIO *in = BIO_new_mem_buf(pem, (int)n), *out = BIO_new(BIO_s_mem());
    EVP_PKEY *key = PEM_read_bio_PUBKEY(in, NULL, NULL, NULL);
    char *text = NULL;

    if (key && PEM_write_bio_PUBKEY(out, key) == 1) {
        char *p;
        long size = BIO_get_mem_data(out, &p);

        text = strndup(p, (size_t)size);
    }
    EVP_PKEY_free(key);
    BIO_free(in);
    BIO_free(out);
    return text;
}

Test(jwk_to_pem, makes_the_key_that_openssl_makes)
{
    static const struct {
        bool is_rsa;
        int bits;
        enum jwk_alg alg;
    } rows[] = {{true, 2048, JWK_RS256}, {true, 3072, JWK_RS256}, {false, 0, JWK_ES256}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct key_pair pair = key_pair_new(rows[i].is_rsa, rows[i].bits);
        struct sb pem = {0};
        struct json jwk;
        enum jwk_alg alg = JWK_HS256;
        char *again;

        cr_assert_eq(json_parse(str_z(pair.jwk), &jwk), OK, "%s", pair.jwk);
        cr_assert_eq(jwk_to_pem(jwk, &alg, &pem), OK, "row %zu", i);
        cr_expect_eq(alg, rows[i].alg);
        cr_assert_eq(pem.p[pem.n - 1], 0);
        cr_expect_str_eq(pem.p, pair.public_pem, "row %zu", i);
        again = reread(pem.p, pem.n - 1);
        cr_expect_str_eq(again, pair.public_pem);
        cr_assert_eq(jwk_pem_alg(str_z(pem.p), &alg), OK);
        cr_expect_eq(alg, rows[i].alg, "read from the PEM, row %zu", i);
        free(again);
        sb_fini(&pem);
        key_pair_free(&pair);
    }
}

Test(jwk_to_pem, passes_over_keys_for_other_purposes_and_refuses_bad_ones)
{
    static const struct {
        const char *jwk;
        int want;
    } rows[] = {
        {"{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"AAAA\"}", ERR_NOT_FOUND},
        {"{\"kty\":\"RSA\",\"use\":\"enc\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", ERR_NOT_FOUND},
        {"{\"kty\":\"RSA\",\"alg\":\"RS512\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", ERR_NOT_FOUND},
        {"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AQAB\",\"y\":\"AQAB\"}", ERR_NOT_FOUND},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQAB\"}", ERR_NOT_FOUND},
        {"{}", ERR_NOT_FOUND},
        {"[]", ERR_AUTH},
        {"{\"kty\":\"RSA\"}", ERR_AUTH},
        {"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", ERR_AUTH}, /* 17 bits */
        {"{\"kty\":\"RSA\",\"n\":\"AAAA\",\"e\":\"AQAB\"}", ERR_AUTH}, /* nothing but zeros */
        {"{\"kty\":\"RSA\",\"n\":\"A+A/\",\"e\":\"AQAB\"}", ERR_AUTH}, /* not base64url */
        {"{\"kty\":\"RSA\",\"n\":5,\"e\":\"AQAB\"}", ERR_AUTH},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQAB\",\"y\":\"AQAB\"}", ERR_AUTH},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\"}", ERR_AUTH},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sb pem = {0};
        struct json jwk;
        enum jwk_alg alg;

        cr_assert_eq(json_parse(str_z(rows[i].jwk), &jwk), OK);
        cr_expect_eq(jwk_to_pem(jwk, &alg, &pem), rows[i].want, "row %zu", i);
        sb_fini(&pem);
    }
}

Test(jwk_pem_alg, takes_strong_public_keys_only)
{
    struct key_pair weak = key_pair_new(true, 1024), good = key_pair_new(true, 2048);
    enum jwk_alg alg;
    struct sb crlf = {0};

    cr_expect_eq(jwk_pem_alg(str_z(weak.public_pem), &alg), ERR_AUTH);
    cr_expect_eq(jwk_pem_alg(str_z(good.private_pem), &alg), ERR_AUTH, "a private key");
    cr_expect_eq(jwk_pem_alg(STR(""), &alg), ERR_AUTH);
    cr_expect_eq(jwk_pem_alg(STR("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"), &alg),
                 ERR_AUTH);
    for (size_t n = 0; n + 1 < strlen(good.public_pem); n += 7)
        cr_expect_eq(jwk_pem_alg(str_of(good.public_pem, n), &alg), ERR_AUTH, "%zu bytes", n);
    sb_z(&crlf, "a comment\r\n");
    for (const char *p = good.public_pem; *p; p++) {
        if (*p == '\n') sb_char(&crlf, '\r');
        sb_char(&crlf, *p);
    }
    cr_expect_eq(jwk_pem_alg(sb_view(&crlf), &alg), OK);
    sb_fini(&crlf);
    key_pair_free(&weak);
    key_pair_free(&good);
}

Test(jwk_alg_of, knows_three_names)
{
    static const char *const others[] = {"none",  "None",  "HS384", "hs256",
                                         "RS512", "PS256", "",      "ES256K"};
    enum jwk_alg alg;

    cr_expect(jwk_alg_of(STR("HS256"), &alg) && alg == JWK_HS256);
    cr_expect(jwk_alg_of(STR("RS256"), &alg) && alg == JWK_RS256);
    cr_expect(jwk_alg_of(STR("ES256"), &alg) && alg == JWK_ES256);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        cr_expect_not(jwk_alg_of(str_z(others[i]), &alg), "%s", others[i]);
}
