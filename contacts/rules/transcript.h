/* What was said, to keep: as text and as HTML. HTML is inert: everything is escaped, nothing is a
 * link, and the page forbids itself to load or to run anything. Private notes are left out here, so
 * nobody else has to think of it. A message cannot look like another's: its further lines are
 * indented, its characters of direction stay within it. Pure. */
#ifndef CONTACTS_RULES_TRANSCRIPT_H
#define CONTACTS_RULES_TRANSCRIPT_H

#include <stdbool.h>
#include "base/str.h"

struct zone;

enum transcript_form { TRANSCRIPT_TEXT, TRANSCRIPT_HTML };
enum transcript_kind { TRANSCRIPT_VISITOR, TRANSCRIPT_AGENT, TRANSCRIPT_SYSTEM, TRANSCRIPT_NOTE };

#define TRANSCRIPT_BYTES_MAX 4194304 /* what comes after that is left out, and said so */

struct transcript {
    enum transcript_form form;
    const struct zone *zone; /* of the times shown; NULL: UTC */
    struct str zone_name;
    struct sb *out; /* the caller's */
    bool is_cut;
};

struct transcript_head {
    struct str contact_id, name, subject; /* subject may be empty */
    int64_t submitted_ms;
};

struct transcript_line {
    enum transcript_kind kind;
    struct str name, text;
    int64_t at_ms;
};

void transcript_begin(struct transcript *t, const struct transcript_head *head);
void transcript_add(struct transcript *t, const struct transcript_line *line);
void transcript_end(struct transcript *t);

/* Type of its content, for HTTP and mail. */
const char *transcript_type(enum transcript_form form);

#endif
