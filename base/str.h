/* Borrowed slices of bytes, and a builder of text.
 * A struct str never owns; "borrows" in this house means: valid until the call returns. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "base/err.h"

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_NONE ((struct str){NULL, 0})
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : ""

static inline struct str str_of(const void *p, size_t n)
{
    return (struct str){(const char *)p, n};
}

static inline struct str str_z(const char *z) /* NULL gives STR_NONE */
{
    return z ? (struct str){z, strlen(z)} : STR_NONE;
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline struct str str_skip(struct str s, size_t n) /* without the first n bytes */
{
    if (n > s.n) n = s.n;
    return (struct str){s.p ? s.p + n : NULL, s.n - n};
}

static inline struct str str_head(struct str s, size_t n) /* the first n bytes at most */
{
    return (struct str){s.p, n < s.n ? n : s.n};
}

bool str_eq_nocase(struct str a, struct str b); /* ASCII only */
bool str_starts(struct str s, struct str prefix);
bool str_starts_nocase(struct str s, struct str prefix);
size_t str_find(struct str s, char c); /* index, or s.n */
bool str_contains(struct str s, struct str part);
struct str str_trim(struct str s); /* blanks and tabs of both ends */

/* Cuts s at the first sep: *head before it, *tail after it. Without sep: head = s, tail = STR_NONE,
 * false. */
bool str_cut(struct str s, char sep, struct str *head, struct str *tail);

/* Next piece of a list: advances *rest past it. False at the end. Empty pieces are given too. */
bool str_next(struct str *rest, char sep, struct str *piece);

/* Decimal digits only, the whole slice. Errors: ERR_PROTO empty or not a digit, ERR_TOO_BIG above
 * max. */
MUST_USE int str_u64(struct str s, uint64_t max, uint64_t *out);

char *str_dup(struct str s); /* returns new, NUL-terminated; free with mem_free */

int str_hex_digit(char c); /* its value, or -1 */

bool str_is_utf8(struct str s); /* strict: no overlong forms, no surrogates */

/* Value of one key of a URL query ("a=1&b=2"), still percent-encoded. The first one wins.
 * Returns false when the key is absent. */
bool str_query(struct str query, struct str key, struct str *value);

/* Builder. Grows; zero-initialise or sb_init. */
struct sb {
    char *p;
    size_t n, cap;
};

void sb_fini(struct sb *b);
void sb_reserve(struct sb *b, size_t more);
void sb_put(struct sb *b, const void *p, size_t n);
void sb_str(struct sb *b, struct str s);
void sb_z(struct sb *b, const char *z);
void sb_char(struct sb *b, char c);
void sb_u64(struct sb *b, uint64_t v);
void sb_i64(struct sb *b, int64_t v);
void sb_printf(struct sb *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void sb_json(struct sb *b, struct str s); /* "quoted and escaped"; bad UTF-8 becomes U+FFFD */
void sb_percent_decode(struct sb *b,
                       struct str s); /* %41 and + ; malformed escapes stay as they are */

static inline struct str sb_view(const struct sb *b) /* borrows until the next change */
{
    return (struct str){b->p, b->n};
}

/* Standard base64 with padding. decode: ERR_PROTO for anything that is not exact. */
void sb_base64(struct sb *b, struct str bytes);
MUST_USE int sb_base64_decode(struct sb *b, struct str text);

#endif
