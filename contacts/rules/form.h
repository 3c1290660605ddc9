/* The form that a visitor sends: what it may hold, and the ids of contacts. Whatever else a client
 * puts into it is not looked at. Pure, but for the randomness of an id. */
#ifndef CONTACTS_RULES_FORM_H
#define CONTACTS_RULES_FORM_H

#include <stdbool.h>
#include "contacts/rules/sla.h"

/* Characters (code points). */
#define FORM_LINE_MAX 200 /* name, subject */
#define FORM_WORD_MAX 40  /* category, phone */
#define FORM_MESSAGE_MAX 10000
#define FORM_EMAIL_MAX 254 /* RFC 5321 4.5.3.1.3, without its brackets */

struct form {           /* borrows */
    struct str message; /* must be there */
    struct str name, email, subject, category, phone;
    struct str priority_name;
    struct str website;         /* the trap: hidden from people, programs fill it in */
    enum sla_priority priority; /* set by form_check; normal when it is not known */
};

struct form_fault {
    const char *field, *text; /* for people: "email", "is no address" */
};

/* Trims each field and says the first that is wrong. What fell into the trap is a form as any other
 * (form_is_trap says so): a program is not told. Errors: ERR_SCHEMA, ERR_TOO_BIG a field is too
 * long, ERR_UTF8. */
MUST_USE int form_check(struct form *f, struct form_fault *fault);
bool form_is_trap(const struct form *f);

/* A text of a chat, trimmed: 1 … FORM_MESSAGE_MAX characters, no control characters but tab and
 * line ends. Errors as form_check. */
MUST_USE int form_text(struct str *text, struct form_fault *fault);

/* The same for one that may be empty, of another length. */
MUST_USE int form_optional(struct str *text, size_t max_characters, struct form_fault *fault);

/* local@domain in ASCII, unquoted, with a point in the domain; never with blanks or line ends, so
 * it may stand in a header of a mail. */
bool form_is_email(struct str s);

#define FORM_ID_SIZE 40 /* "contact_<ms>_<12 of a-z0-9>" and NUL */
void form_id_make(uint64_t now_ms, char out[FORM_ID_SIZE]);
bool form_id_is(struct str id); /* also those of the old service: contact_<digits>_<a-z0-9> */

#endif
