/* The builder of text (struct sb of str.h): growing, numbers, escapes, base64. Never reads past
 * what it is given. */
#include "base/str.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include "base/mem.h"
#include "base/utf8.h"
#include "base/forbid.h"

void sb_fini(struct sb *b)
{
    mem_free(b->p);
    *b = (struct sb){0};
}

void sb_reserve(struct sb *b, size_t more)
{
    size_t cap = b->cap ? b->cap : 64;

    if (b->cap - b->n >= more) return;
    assert(more < SIZE_MAX / 4);
    while (cap - b->n < more)
        cap *= 2;
    b->p = mem_grow(b->p, cap);
    b->cap = cap;
}

void sb_put(struct sb *b, const void *p, size_t n)
{
    if (n == 0) return;
    sb_reserve(b, n);
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

void sb_str(struct sb *b, struct str s)
{
    sb_put(b, s.p, s.n);
}

void sb_z(struct sb *b, const char *z)
{
    if (z) sb_put(b, z, strlen(z));
}

void sb_char(struct sb *b, char c)
{
    sb_reserve(b, 1);
    b->p[b->n++] = c;
}

void sb_u64(struct sb *b, uint64_t v)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    sb_put(b, digits + at, sizeof digits - at);
}

void sb_i64(struct sb *b, int64_t v)
{
    uint64_t magnitude = (uint64_t)v;

    if (v < 0) {
        sb_char(b, '-');
        magnitude = 0 - magnitude;
    }
    sb_u64(b, magnitude);
}

void sb_printf(struct sb *b, const char *fmt, ...)
{
    va_list args, again;
    int n;

    va_start(args, fmt);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, fmt, args);
    if (n > 0) {
        sb_reserve(b, (size_t)n + 1);
        vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

static const char hex_digits[] = "0123456789abcdef";

/* Escape of one byte below 0x20, '"' or '\\', as JSON.stringify spells it. */
static void put_json_escape(struct sb *b, unsigned char c)
{
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    char text[6] = {'\\', 'u', '0', '0', hex_digits[c >> 4], hex_digits[c & 15]};

    for (size_t i = 0; i + 1 < sizeof shorts; i += 2) {
        if ((unsigned char)shorts[i] != c) continue;
        text[1] = shorts[i + 1];
        sb_put(b, text, 2);
        return;
    }
    sb_put(b, text, sizeof text);
}

void sb_json(struct sb *b, struct str s)
{
    size_t from = 0, i = 0;

    sb_reserve(b, s.n + 2);
    sb_char(b, '"');
    while (i < s.n) {
        unsigned char c = (unsigned char)s.p[i];
        size_t n = c < 0x80 ? 1 : utf8_step(s.p + i, s.p + s.n);

        if (n > 0 && c >= 0x20 && c != '"' && c != '\\') {
            i += n;
            continue;
        }
        sb_put(b, s.p + from, i - from);
        if (n == 0) {
            sb_put(b, "\xEF\xBF\xBD", 3);
        } else {
            put_json_escape(b, c);
        }
        from = ++i;
    }
    if (s.n > from) sb_put(b, s.p + from, s.n - from);
    sb_char(b, '"');
}

void sb_percent_decode(struct sb *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        int hi = -1, lo = -1;

        if (s.p[i] == '%' && s.n - i > 2) {
            hi = str_hex_digit(s.p[i + 1]);
            lo = str_hex_digit(s.p[i + 2]);
        }
        if (hi >= 0 && lo >= 0) {
            sb_char(b, (char)(hi * 16 + lo));
            i += 2;
        } else {
            sb_char(b, s.p[i] == '+' ? ' ' : s.p[i]);
        }
    }
}

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void sb_base64(struct sb *b, struct str bytes)
{
    const unsigned char *u = (const unsigned char *)bytes.p;
    size_t i = 0, left;
    char *at;

    sb_reserve(b, bytes.n / 3 * 4 + 4);
    at = b->p + b->n;
    for (; bytes.n - i >= 3; i += 3) {
        unsigned v = (unsigned)u[i] << 16 | (unsigned)u[i + 1] << 8 | u[i + 2];

        *at++ = base64_alphabet[v >> 18];
        *at++ = base64_alphabet[v >> 12 & 63];
        *at++ = base64_alphabet[v >> 6 & 63];
        *at++ = base64_alphabet[v & 63];
    }
    left = bytes.n - i;
    if (left > 0) {
        unsigned v = (unsigned)u[i] << 16 | (left > 1 ? (unsigned)u[i + 1] << 8 : 0);

        *at++ = base64_alphabet[v >> 18];
        *at++ = base64_alphabet[v >> 12 & 63];
        *at++ = left > 1 ? base64_alphabet[v >> 6 & 63] : '=';
        *at++ = '=';
    }
    b->n = (size_t)(at - b->p);
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    if (c == '/') return 63;
    return -1;
}

/* Bits that padding leaves over must be zero: one text for one value (RFC 4648 3.5). */
int sb_base64_decode(struct sb *b, struct str text)
{
    size_t start = b->n, pad = 0;

    if (text.n % 4 != 0) return ERR_PROTO;
    if (text.n > 0 && text.p[text.n - 1] == '=') pad = text.p[text.n - 2] == '=' ? 2 : 1;
    sb_reserve(b, text.n / 4 * 3);
    for (size_t i = 0; i < text.n; i += 4) {
        size_t skip = i + 4 == text.n ? pad : 0;
        unsigned v = 0;

        for (size_t k = 0; k < 4; k++) {
            int digit = k < 4 - skip ? base64_value(text.p[i + k]) : 0;

            if (digit < 0) goto bad;
            v = v << 6 | (unsigned)digit;
        }
        if ((skip == 1 && (v & 0xFF)) || (skip == 2 && (v & 0xFFFF))) goto bad;
        b->p[b->n++] = (char)(v >> 16);
        if (skip < 2) b->p[b->n++] = (char)(v >> 8 & 0xFF);
        if (skip < 1) b->p[b->n++] = (char)(v & 0xFF);
    }
    return OK;
bad:
    b->n = start;
    return ERR_PROTO;
}
