/* Error codes: the rows of err.def as a table. Nothing here decides what to do about an error. */
#include "base/err.h"

#include <stddef.h>
#include "base/log.h"
#include "base/forbid.h"

struct row {
    int code;
    int level;
    const char *wire, *text;
};

static const struct row rows[] = {
#define ERR(id, code, wire, level, text) {(code), (level), (wire), (text)},
#include "base/err.def"
#undef ERR
};

static const struct row *find(int code)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].code == code) return &rows[i];
    }
    return NULL;
}

const char *err_wire(int code)
{
    const struct row *row = find(code);

    if (code == OK) return "ok";
    return row ? row->wire : "unknown";
}

const char *err_text(int code)
{
    const struct row *row = find(code);

    if (code == OK) return "no error";
    return row ? row->text : "unknown error";
}

int err_level(int code)
{
    const struct row *row = find(code);

    if (code == OK) return LOG_LEVEL_DEBUG;
    return row ? row->level : LOG_LEVEL_ERROR;
}

int err_row(unsigned i, int *code)
{
    if (i >= sizeof rows / sizeof rows[0]) return 0;
    *code = rows[i].code;
    return 1;
}
