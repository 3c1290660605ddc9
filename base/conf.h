/* Options: one table (conf.def) gives the struct, the reading of the environment and of --flags,
 * --help,
 * --print-config and docs/config.md. All mistakes are reported at once. */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

/* conf.def types: U64 (min…max), BOOL (on|off|1|0|true|false), TEXT (min…max bytes). */
struct conf {
#define CONF_FIELD_U64(name) uint64_t name;
#define CONF_FIELD_BOOL(name) bool name;
#define CONF_FIELD_TEXT(name) char *name;
#define OPT(name, env, type, def, min, max, secret, doc) CONF_FIELD_##type(name)
#include "base/conf.def"
#undef OPT
};

/* Reads defaults, then the environment, then argv ("--ping-interval-ms=25000" or "--dev").
 * getenv_fn: getenv, or a table in tests. mistakes: one line each, appended for every mistake
 * found. Errors: ERR_CONFIG when mistakes is not empty afterwards. Free with conf_fini in every
 * case. */
MUST_USE int conf_read(struct conf *c, int argc, char *const *argv,
                       char *(*getenv_fn)(const char *), struct sb *mistakes);
void conf_fini(struct conf *c);

/* Default port etc. of a program, before conf_read: replaces a default of the table. */
void conf_default(const char *env, const char *value);

void conf_print_help(struct sb *out, const char *program); /* --help */
void conf_print(const struct conf *c,
                struct sb *out);          /* --print-config: NAME=value, secrets as *** */
void conf_print_markdown(struct sb *out); /* docs/config.md */

#endif
