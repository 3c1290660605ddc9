/* What a JSON value means: text without its escapes, numbers without rounding. Works on values that
 * json_parse has passed; never validates again, never reads past the raw text. */
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include "base/mem.h"
#include "base/utf8.h"
#include "base/forbid.h"

static uint32_t hex4(const char *p)
{
    uint32_t v = 0;

    for (int i = 0; i < 4; i++) {
        unsigned char c = (unsigned char)p[i];

        v = v << 4 | (c <= '9' ? c - (uint32_t)'0' : (c | 0x20u) - 'a' + 10u);
    }
    return v;
}

/* The code point of the \u escape at *p, a pair of surrogates taken together; moves *p behind it.
 */
static uint32_t take_unicode(const char **p, const char *end)
{
    uint32_t cp = hex4(*p + 2), low;

    *p += 6;
    if (cp < 0xD800 || cp > 0xDBFF || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u') return cp;
    low = hex4(*p + 2);
    if (low < 0xDC00 || low > 0xDFFF) return cp;
    *p += 6;
    return 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
}

/* Takes the escape at *p; returns the bytes it stands for. */
static size_t take_escape(const char **p, const char *end, char out[4])
{
    char c = (*p)[1];

    if (c == 'u') return utf8_put(take_unicode(p, end), out);
    *p += 2;
    switch (c) {
    case 'b':
        out[0] = '\b';
        break;
    case 'f':
        out[0] = '\f';
        break;
    case 'n':
        out[0] = '\n';
        break;
    case 'r':
        out[0] = '\r';
        break;
    case 't':
        out[0] = '\t';
        break;
    default:
        out[0] = c;
    }
    return 1;
}

static struct str unquote(struct str raw)
{
    return str_of(raw.p + 1, raw.n - 2);
}

bool json_key_is(struct str raw_key, struct str name)
{
    struct str inner = unquote(raw_key);
    const char *p = inner.p, *end = inner.p + inner.n;
    size_t at = 0;

    if (inner.n < name.n) return false; /* escapes are never shorter than what they stand for */
    if (str_eq(inner, name)) return str_find(inner, '\\') == inner.n;
    if (str_find(inner, '\\') == inner.n) return false;
    while (p < end) {
        char text[4];
        size_t n = 1;

        if (*p == '\\') {
            n = take_escape(&p, end, text);
        } else {
            text[0] = *p++;
        }
        if (name.n - at < n || memcmp(name.p + at, text, n) != 0) return false;
        at += n;
    }
    return at == name.n;
}

int json_text(struct json v, struct sb *scratch, struct str *out)
{
    struct str inner;
    const char *p, *end, *mark;
    size_t start = scratch->n;

    if (v.type != JSON_STRING) return ERR_SCHEMA;
    inner = unquote(v.raw);
    p = inner.p;
    end = inner.p + inner.n;
    mark = memchr(p, '\\', inner.n);
    if (!mark) {
        *out = inner;
        return OK;
    }
    sb_reserve(scratch, inner.n); /* once, so that *out stays where it is */
    while (mark) {
        char text[4];

        sb_put(scratch, p, (size_t)(mark - p));
        p = mark;
        sb_put(scratch, text, take_escape(&p, end, text));
        mark = memchr(p, '\\', (size_t)(end - p));
    }
    sb_put(scratch, p, (size_t)(end - p));
    *out = str_of(scratch->p + start, scratch->n - start);
    return OK;
}

bool json_bool(struct json v, bool *out)
{
    if (v.type != JSON_BOOL) return false;
    *out = v.raw.p[0] == 't';
    return true;
}

/* Number as digits × 10^exponent, without zeros at either end of the digits. */
struct decimal {
    const char *p, *end; /* digits, perhaps with a point among them */
    size_t digits;
    int64_t exponent;
    bool is_negative;
};

#define EXPONENT_FAR 100000000 /* beyond any length of text that gets here */

static int64_t read_exponent(const char *p, const char *end)
{
    bool is_negative = *p == '-';
    int64_t v = 0;

    if (*p == '-' || *p == '+') p++;
    for (; p < end; p++) {
        if (v < EXPONENT_FAR) v = v * 10 + (*p - '0');
    }
    return is_negative ? -v : v;
}

static struct decimal read_decimal(struct str raw)
{
    struct decimal d = {.p = raw.p, .end = raw.p + raw.n};
    const char *end = d.end, *point = NULL;

    if (*d.p == '-') {
        d.is_negative = true;
        d.p++;
    }
    for (const char *p = d.p; p < end; p++) {
        if (*p == '.') point = p;
        if (*p != 'e' && *p != 'E') continue;
        d.exponent = read_exponent(p + 1, end);
        d.end = p;
        break;
    }
    if (point) d.exponent -= d.end - point - 1;
    for (; d.end > d.p && (d.end[-1] == '0' || d.end[-1] == '.'); d.end--) {
        if (d.end[-1] == '0') d.exponent++;
    }
    while (d.p < d.end && (*d.p == '0' || *d.p == '.'))
        d.p++;
    d.digits = (size_t)(d.end - d.p) - (point && point >= d.p && point < d.end);
    return d;
}

bool json_i64(struct json v, int64_t *out)
{
    struct decimal d;
    uint64_t sum = 0;

    if (v.type != JSON_NUMBER) return false;
    d = read_decimal(v.raw);
    if (d.digits == 0) {
        *out = 0;
        return true;
    }
    if (d.exponent < 0 || d.exponent > 19 || d.digits + (uint64_t)d.exponent > 19) return false;
    for (const char *p = d.p; p < d.end; p++) {
        if (*p != '.') sum = sum * 10 + (uint64_t)(*p - '0');
    }
    for (; d.exponent > 0; d.exponent--)
        sum *= 10; /* 19 digits at most: fits */
    if (sum > (uint64_t)INT64_MAX + (d.is_negative ? 1 : 0)) return false;
    *out = d.is_negative ? (int64_t)(0 - sum) : (int64_t)sum;
    return true;
}

bool json_f64(struct json v, double *out)
{
    char small[64], *z = small;
    double d;

    if (v.type != JSON_NUMBER) return false;
    if (v.raw.n < sizeof small) {
        memcpy(small, v.raw.p, v.raw.n);
        small[v.raw.n] = 0;
    } else {
        z = str_dup(v.raw);
    }
    d = strtod(z, NULL);
    if (z != small) mem_free(z);
    if (!isfinite(d)) return false;
    *out = d;
    return true;
}

size_t json_length(struct str text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += (text.p[i] & 0xC0) != 0x80;
    return n;
}
