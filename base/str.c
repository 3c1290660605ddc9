/* Borrowed slices: comparing, cutting, checking. Never owns and never writes to what it is given.
 */
#include "base/str.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "base/forbid.h"

static unsigned char lower(char c)
{
    unsigned char u = (unsigned char)c;

    return u >= 'A' && u <= 'Z' ? (unsigned char)(u + 32) : u;
}

bool str_eq_nocase(struct str a, struct str b)
{
    return a.n == b.n && str_starts_nocase(a, b);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool str_starts_nocase(struct str s, struct str prefix)
{
    if (s.n < prefix.n) return false;
    for (size_t i = 0; i < prefix.n; i++) {
        if (lower(s.p[i]) != lower(prefix.p[i])) return false;
    }
    return true;
}

size_t str_find(struct str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

    return at ? (size_t)(at - s.p) : s.n;
}

bool str_contains(struct str s, struct str part)
{
    if (part.n == 0) return true;
    if (s.n < part.n) return false;
    return memmem(s.p, s.n, part.p, part.n) != NULL;
}

struct str str_trim(struct str s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = str_skip(s, 1);
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

bool str_cut(struct str s, char sep, struct str *head, struct str *tail)
{
    size_t at = str_find(s, sep);

    *head = str_head(s, at);
    if (at == s.n) {
        *tail = STR_NONE;
        return false;
    }
    *tail = str_skip(s, at + 1);
    return true;
}

/* The end is rest->p == NULL, so that the last empty piece of "a," is given too. */
bool str_next(struct str *rest, char sep, struct str *piece)
{
    struct str s = *rest;

    if (!s.p) return false;
    str_cut(s, sep, piece, rest);
    return true;
}

int str_u64(struct str s, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    bool is_over = false;

    if (s.n == 0) return ERR_PROTO;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';

        if (digit > 9) return ERR_PROTO;
        if (__builtin_mul_overflow(v, (uint64_t)10, &v)) is_over = true;
        if (__builtin_add_overflow(v, (uint64_t)digit, &v)) is_over = true;
    }
    if (is_over || v > max) return ERR_TOO_BIG;
    *out = v;
    return OK;
}

char *str_dup(struct str s)
{
    return mem_dup(s.p, s.n);
}

int str_hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool str_is_utf8(struct str s)
{
    const char *p = s.p, *end = s.n ? s.p + s.n : s.p;

    while (p != end) {
        size_t n;

        if (end - p >= 8 && !(utf8_load8(p) & UTF8_HIGH_BITS)) {
            p += 8;
            continue;
        }
        n = utf8_step(p, end);
        if (n == 0) return false;
        p += n;
    }
    return true;
}

bool str_query(struct str query, struct str key, struct str *value)
{
    struct str pair, name, rest;

    while (str_next(&query, '&', &pair)) {
        str_cut(pair, '=', &name, &rest);
        if (!str_eq(name, key)) continue;
        *value = rest;
        return true;
    }
    return false;
}
