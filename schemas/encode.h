/* What the generated encoders are made of. A member without a value is left out, never null. */
#ifndef SCHEMAS_ENCODE_H
#define SCHEMAS_ENCODE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

struct encode {
    struct sb *out;
    char separator; /* '{' before the first member, then ',' */
};

static inline struct encode encode_open(struct sb *out, struct str head) /* head: ["name", */
{
    sb_str(out, head);
    return (struct encode){out, '{'};
}

static inline void encode_key(struct encode *e, struct str key) /* key: quoted, with the colon */
{
    sb_char(e->out, e->separator);
    e->separator = ',';
    sb_str(e->out, key);
}

static inline void encode_text(struct encode *e, struct str key, struct str text)
{
    if (!text.p) return;
    encode_key(e, key);
    sb_json(e->out, text);
}

static inline void encode_raw(struct encode *e, struct str key, struct str raw)
{
    if (!raw.n) return;
    encode_key(e, key);
    sb_str(e->out, raw);
}

static inline void encode_integer(struct encode *e, struct str key, int64_t n)
{
    encode_key(e, key);
    sb_i64(e->out, n);
}

static inline void encode_number(struct encode *e, struct str key, double n)
{
    encode_key(e, key);
    sb_printf(e->out, "%.17g", n);
}

static inline void encode_bool(struct encode *e, struct str key, bool b)
{
    encode_key(e, key);
    sb_z(e->out, b ? "true" : "false");
}

/* Members of a raw object, in front of our own: a double name is then ours (the last one wins in
 * JavaScript). */
static inline void encode_splice(struct encode *e, struct str object)
{
    struct str members;

    if (object.n < 2 || object.p[0] != '{') return;
    members = str_of(object.p + 1, object.n - 2);
    while (members.n && (unsigned char)members.p[0] <= ' ')
        members = str_skip(members, 1);
    while (members.n && (unsigned char)members.p[members.n - 1] <= ' ')
        members.n--;
    if (!members.n) return;
    encode_key(e, members);
}

static inline void encode_close(struct encode *e)
{
    if (e->separator == '{') sb_char(e->out, '{');
    sb_z(e->out, "}]");
}

#endif
