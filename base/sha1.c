/* SHA-1 (FIPS 180-4). The WebSocket handshake asks for it; no library of the house exports it. */
#include "base/sha1.h"

static uint32_t rotate(uint32_t v, int by)
{
    return (v << by) | (v >> (32 - by));
}

static void mix(uint32_t h[5], const unsigned char block[64])
{
    uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[i * 4] << 24 | (uint32_t)block[i * 4 + 1] << 16 |
               (uint32_t)block[i * 4 + 2] << 8 | block[i * 4 + 3];
    for (int i = 16; i < 80; i++)
        w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20   ? ((b & c) | (~b & d)) + 0x5A827999
                     : i < 40 ? (b ^ c ^ d) + 0x6ED9EBA1
                     : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDC
                              : (b ^ c ^ d) + 0xCA62C1D6;
        uint32_t t = rotate(a, 5) + f + e + w[i];

        e = d, d = c, c = rotate(b, 30), b = a, a = t;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

void sha1(struct str bytes, unsigned char out[SHA1_SIZE])
{
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    unsigned char block[64];
    struct str rest = bytes;
    uint64_t bits = (uint64_t)bytes.n * 8;

    for (; rest.n >= 64; rest = str_skip(rest, 64))
        mix(h, (const unsigned char *)rest.p);
    memset(block, 0, sizeof block);
    if (rest.n) memcpy(block, rest.p, rest.n);
    block[rest.n] = 0x80;
    if (rest.n >= 56) {
        mix(h, block);
        memset(block, 0, sizeof block);
    }
    for (int i = 0; i < 8; i++)
        block[56 + i] = (unsigned char)(bits >> (56 - 8 * i));
    mix(h, block);
    for (int i = 0; i < 20; i++)
        out[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
}
