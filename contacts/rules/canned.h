/* Canned replies: {{name}}, {{agent}}, {{contactId}}, each with a default where there is nothing:
 * {{name|friend}}. What is put in is never looked at again. Pure. */
#ifndef CONTACTS_RULES_CANNED_H
#define CONTACTS_RULES_CANNED_H

#include <stdbool.h>
#include "base/str.h"

#define CANNED_TEXT_MAX 10000 /* bytes of a text, and of what is made of it */
#define CANNED_CODE_MAX 32    /* bytes of the word by which it is called */

struct canned_values {
    struct str name, agent, contact_id; /* STR_NONE: unknown */
};

/* When a reply is saved: a code of a-z, 0-9, _ and -, and a text whose placeholders are all known.
 * Errors: ERR_SCHEMA, *why (may be NULL) says what. */
MUST_USE int canned_check(struct str code, struct str text, struct sb *why);

/* Appends the text with its placeholders filled; what is not known stays as it stands there.
 * Errors: ERR_TOO_BIG, nothing is appended then. */
MUST_USE int canned_fill(struct str text, const struct canned_values *v, struct sb *out);

#endif
