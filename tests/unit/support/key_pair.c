#include "tests/unit/support/key_pair.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include "base/str.h"

static char *text_of(BIO *b)
{
    char *p;
    long n = BIO_get_mem_data(b, &p);
    char *text = strndup(p, (size_t)n);

    BIO_free(b);
    return text;
}

static void put_number(struct sb *out, const char *name, const BIGNUM *n, int bytes)
{
    unsigned char raw[1024];
    struct sb text = {0};

    assert(BN_bn2binpad(n, raw, bytes) == bytes);
    sb_base64(&text, str_of(raw, (size_t)bytes));
    sb_printf(out, ",\"%s\":\"", name);
    for (size_t i = 0; i < text.n && text.p[i] != '='; i++)
        sb_char(out, text.p[i] == '+' ? '-' : text.p[i] == '/' ? '_' : text.p[i]);
    sb_char(out, '"');
    sb_fini(&text);
}

static void put_param(struct sb *out, const EVP_PKEY *key, const char *param, const char *name,
                      int bytes)
{
    BIGNUM *n = NULL;

    assert(EVP_PKEY_get_bn_param(key, param, &n) == 1);
    put_number(out, name, n, bytes ? bytes : BN_num_bytes(n));
    BN_free(n);
}

struct key_pair key_pair_new(bool is_rsa, int bits)
{
    EVP_PKEY *key = is_rsa ? EVP_RSA_gen((unsigned)bits) : EVP_EC_gen("P-256");
    BIO *public = BIO_new(BIO_s_mem()), *private = BIO_new(BIO_s_mem());
    struct sb jwk = {0};
    struct key_pair pair;

    assert(key);
    assert(PEM_write_bio_PUBKEY(public, key) == 1);
    assert(PEM_write_bio_PrivateKey(private, key, NULL, NULL, 0, NULL, NULL) == 1);
    sb_z(&jwk, is_rsa ? "{\"kty\":\"RSA\"" : "{\"kty\":\"EC\",\"crv\":\"P-256\"");
    if (is_rsa) {
        put_param(&jwk, key, OSSL_PKEY_PARAM_RSA_N, "n", 0);
        put_param(&jwk, key, OSSL_PKEY_PARAM_RSA_E, "e", 0);
    } else {
        put_param(&jwk, key, OSSL_PKEY_PARAM_EC_PUB_X, "x", 32);
        put_param(&jwk, key, OSSL_PKEY_PARAM_EC_PUB_Y, "y", 32);
    }
    sb_char(&jwk, '}');
    pair = (struct key_pair){text_of(public), text_of(private), strndup(jwk.p, jwk.n)};
    sb_fini(&jwk);
    EVP_PKEY_free(key);
    return pair;
}

void key_pair_free(struct key_pair *p)
{
    free(p->public_pem);
    free(p->private_pem);
    free(p->jwk);
}
