/* Frames and the accept key. See wire.h. */
#include "bench/lib/wire.h"

#include <string.h>
#include "base/sha1.h"

const char wire_key[4] = {0x37, 0x5a, 0x21, 0x4d};

static size_t put_length(char *out, size_t length, unsigned mask_bit)
{
    out[0] = (char)WIRE_TEXT;
    if (length < 126) {
        out[1] = (char)(mask_bit | length);
        return 2;
    }
    if (length < 65536) {
        out[1] = (char)(mask_bit | 126);
        out[2] = (char)(length >> 8);
        out[3] = (char)length;
        return 4;
    }
    out[1] = (char)(mask_bit | 127);
    for (unsigned i = 0; i < 8; i++)
        out[2 + i] = (char)((uint64_t)length >> (56 - 8 * i));
    return 10;
}

size_t wire_server_head(char out[WIRE_HEAD_MAX], size_t length)
{
    return put_length(out, length, 0);
}

size_t wire_client_frame(char *out, struct str payload)
{
    size_t n = put_length(out, payload.n, 0x80);

    memcpy(out + n, wire_key, 4);
    n += 4;
    memcpy(out + n, payload.p, payload.n);
    wire_mask(out + n, payload.n, wire_key, 0);
    return n + payload.n;
}

void wire_mask(char *p, size_t n, const char key[4], size_t offset)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (char)(p[i] ^ key[(offset + i) & 3]);
}

void wire_accept(struct str key, char out[WIRE_ACCEPT_SIZE + 1])
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455 1.3 */
    char text[64 + sizeof guid];
    unsigned char digest[SHA1_SIZE + 1];
    char *p = out;

    key = str_head(key, 64);
    memcpy(text, key.p, key.n);
    memcpy(text + key.n, guid, sizeof guid - 1);
    sha1(str_of(text, key.n + sizeof guid - 1), digest);
    digest[SHA1_SIZE] = 0;
    for (unsigned i = 0; i < SHA1_SIZE + 1; i += 3) {
        unsigned v = (unsigned)digest[i] << 16 | (unsigned)digest[i + 1] << 8 | digest[i + 2];

        for (unsigned shift = 24; shift > 0; shift -= 6)
            *p++ = alphabet[v >> (shift - 6) & 63];
    }
    out[WIRE_ACCEPT_SIZE - 1] = '='; /* 20 bytes: one of padding */
    out[WIRE_ACCEPT_SIZE] = 0;
}
