/* The few bytes of RFC 6455 that both ends of the bench need: frame headers, masks and the accept
 * key. Only for the bench: the gateway's strict code is node/edge/ws.c, and none of it is used here
 * on purpose, so that a mistake there cannot hide itself. */
#ifndef BENCH_LIB_WIRE_H
#define BENCH_LIB_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/str.h"

#define WIRE_HEAD_MAX 14
#define WIRE_TEXT 0x81 /* FIN and opcode 1 */
#define WIRE_CLOSE 0x88
#define WIRE_ACCEPT_SIZE 28

struct wire_head {
    uint64_t length; /* payload bytes */
    uint8_t first;   /* FIN, RSV and opcode as on the wire */
    uint8_t bytes;   /* of the header, mask key included */
    bool masked;
    char key[4];
};

/* Reads a frame header. False: more bytes are needed. */
static inline bool wire_head(const char *p, size_t n, struct wire_head *out)
{
    const unsigned char *u = (const unsigned char *)p;
    unsigned extra;

    if (n < 2) return false;
    out->first = u[0];
    out->masked = (u[1] & 0x80) != 0;
    out->length = u[1] & 0x7f;
    extra = out->length == 126 ? 2 : out->length == 127 ? 8 : 0;
    out->bytes = (uint8_t)(2 + extra + (out->masked ? 4 : 0));
    if (n < out->bytes) return false;
    if (extra) {
        out->length = 0;
        for (unsigned i = 0; i < extra; i++)
            out->length = out->length << 8 | u[2 + i];
    }
    if (out->masked) memcpy(out->key, p + 2 + extra, 4);
    return true;
}

/* Unmasked text frame header for length bytes; returns its size. */
size_t wire_server_head(char out[WIRE_HEAD_MAX], size_t length);

/* Masked text frame of a client; out has room for WIRE_HEAD_MAX + payload.n. Returns its size. */
size_t wire_client_frame(char *out, struct str payload);

/* Masks or unmasks in place; offset is the place of p[0] within the payload. */
void wire_mask(char *p, size_t n, const char key[4], size_t offset);

extern const char
    wire_key[4]; /* mask of every client frame: constant, so that frames can be prebuilt */

/* Sec-WebSocket-Accept for a Sec-WebSocket-Key. */
void wire_accept(struct str key, char out[WIRE_ACCEPT_SIZE + 1]);

#endif
