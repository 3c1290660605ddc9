/* SHA-1, where a protocol or a name asks for it: the WebSocket handshake (RFC 6455 4.2.2), names of
 * Redis scripts, ETags. Never for secrets. */
#ifndef BASE_SHA1_H
#define BASE_SHA1_H

#include "base/str.h"

#define SHA1_SIZE 20

void sha1(struct str bytes, unsigned char out[SHA1_SIZE]);

#endif
