/* HMAC-SHA256 (RFC 2104, FIPS 180-4): signatures of links and of webhooks. By libcrypto; hmac.c is
 * the only file that knows it. */
#ifndef BASE_HMAC_H
#define BASE_HMAC_H

#include <stdbool.h>
#include "base/str.h"

#define HMAC_SHA256_SIZE 32

void hmac_sha256(struct str key, struct str bytes, unsigned char out[HMAC_SHA256_SIZE]);

/* Takes the same time whatever the bytes are; different lengths are different at once. */
bool hmac_is_same(struct str a, struct str b);

#endif
