/* See hmac.h. */
#include "base/hmac.h"

#include <limits.h>
#include <stdlib.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include "base/log.h"
#include "base/forbid.h"

void hmac_sha256(struct str key, struct str bytes, unsigned char out[HMAC_SHA256_SIZE])
{
    static const char none[1];
    unsigned n = HMAC_SHA256_SIZE;

    if (key.n <= INT_MAX &&
        HMAC(EVP_sha256(), key.p ? key.p : none, (int)key.n,
             (const unsigned char *)(bytes.p ? bytes.p : none), bytes.n, out, &n))
        return;
    LOG_ERROR("hmac.failed"); /* out of memory: no signature is better than a wrong one */
    abort();
}

bool hmac_is_same(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}
