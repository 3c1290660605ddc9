/* Error codes of the house: negative ints out of one table (err.def). OK is 0.
 * Functions return them; only event/dispatch.c and eio/transport.c turn one into a wire error. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

enum err {
    OK = 0,
#define ERR(id, code, wire, level, text) ERR_##id = (code),
#include "base/err.def"
#undef ERR
};

/* Name of a code as the wire and the metrics spell it ("too_big"); "ok" for 0, "unknown" otherwise.
 */
const char *err_wire(int code);

/* Sentence for people. Never NULL. */
const char *err_text(int code);

/* Log level at which an error of this kind is reported (enum log_level). */
int err_level(int code);

/* Walks the table: fills *code with the code of row i; false when i is past the end. */
int err_row(unsigned i, int *code);

#endif
