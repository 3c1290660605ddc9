/* JSON as the wire needs it: a strict scanner over borrowed text (RFC 8259), no tree and no
 * allocation. Events travel as raw text; a schema'd event is read by walking its members once.
 * Depth and size are bounded by the caller. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include "base/str.h"

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

#define JSON_DEPTH_MAX 32

struct json {
    enum json_type type;
    struct str raw; /* exact text of the value, blanks around it left off; borrows */
};

/* Whole text is one value, blanks around it allowed. Errors: ERR_PROTO, ERR_DEPTH, ERR_UTF8. */
MUST_USE int json_parse(struct str text, struct json *out);

/* As json_parse with another depth limit. */
MUST_USE int json_parse_deep(struct str text, int depth_max, struct json *out);

/* Walks a parsed array or object: *rest starts as json_begin(v); false at the end.
 * For objects *key is the raw quoted key (compare with json_key_is). No re-validation: v came from
 * json_parse. */
struct str json_begin(struct json v);
bool json_next_item(struct str *rest, struct json *item);
bool json_next_member(struct str *rest, struct str *key, struct json *value);
bool json_key_is(struct str raw_key, struct str name); /* unescapes when it has to */

/* Member of an object; the last of duplicate keys wins, as in JavaScript. */
bool json_member(struct json object, struct str name, struct json *value);

size_t json_count(struct json v); /* items of an array, members of an object */

/* Unescaped text of a string. Borrows from the raw text when there is no escape, else from the
 * scratch builder. Text is appended to scratch, and growing moves what earlier calls gave out: who
 * reads several strings with one scratch reserves the length of the whole JSON text first (what is
 * unescaped is never longer). A lone surrogate becomes U+FFFD. Errors: ERR_SCHEMA not a string. */
MUST_USE int json_text(struct json v, struct sb *scratch, struct str *out);

bool json_bool(struct json v, bool *out);
bool json_i64(struct json v, int64_t *out); /* integers only, also 1.0 and 1e3; no rounding */
bool json_f64(struct json v, double *out);

/* Characters (code points) of a valid UTF-8 text. */
size_t json_length(struct str text);

#endif
