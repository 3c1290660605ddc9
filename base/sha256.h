/* SHA-256, for digests of what is handed out (RFC 9530). Never for secrets. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include "base/str.h"

#define SHA256_SIZE 32

void sha256(struct str bytes, unsigned char out[SHA256_SIZE]);

#endif
