/* What conf.c and conf_print.c share: the rows of conf.def. Nobody else includes it. */
#ifndef BASE_CONF_PRIV_H
#define BASE_CONF_PRIV_H

#include "base/conf.h"

enum conf_type { CONF_TYPE_U64, CONF_TYPE_BOOL, CONF_TYPE_TEXT };

struct conf_row {
    const char *field, *env; /* the flag is the field with dashes */
    enum conf_type type;
    const char *preset; /* default as text */
    uint64_t min, max;  /* of the number, or of the bytes of the text */
    bool is_secret;
    const char *doc;
    size_t offset; /* in struct conf */
};

enum {
#define OPT(name, env, type, def, min, max, secret, doc) CONF_ROW_##name,
#include "base/conf.def"
#undef OPT
    CONF_ROWS
};

extern const struct conf_row conf_rows[CONF_ROWS];

const char *conf_preset(unsigned row); /* default, as conf_default may have replaced it */
void conf_put_flag(struct sb *out, const struct conf_row *row); /* "--ping-interval-ms" */

#endif
