/* Bytes written as hex in tests; blanks are allowed. */
#ifndef TESTS_UNIT_SUPPORT_HEX_H
#define TESTS_UNIT_SUPPORT_HEX_H

#include "base/str.h"

static inline int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static inline struct str hex(struct sb *b,
                             const char *text) /* borrows from b, which is emptied first */
{
    int high = -1;

    b->n = 0;
    sb_reserve(b, 1);
    for (; *text; text++) {
        int d = hex_digit(*text);

        if (d < 0) continue;
        if (high < 0) {
            high = d;
        } else {
            sb_char(b, (char)(high * 16 + d));
            high = -1;
        }
    }
    return sb_view(b);
}

static inline const char *to_hex(struct sb *b, struct str s) /* terminated, lower case */
{
    b->n = 0;
    for (size_t i = 0; i < s.n; i++)
        sb_printf(b, "%02x", (unsigned char)s.p[i]);
    sb_char(b, 0);
    return b->p;
}

static inline const char *to_z(struct sb *b) /* the text so far, terminated */
{
    sb_char(b, 0);
    b->n--;
    return b->p;
}

#endif
