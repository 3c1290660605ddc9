/* SHA-1, for the WebSocket handshake only (RFC 6455 4.2.2): never for secrets. */
#ifndef BASE_SHA1_H
#define BASE_SHA1_H

#include "base/str.h"

#define SHA1_SIZE 20

void sha1(struct str bytes, unsigned char out[SHA1_SIZE]);

#endif
