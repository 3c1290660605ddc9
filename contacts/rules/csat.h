/* How content a visitor was: 1 to 5 and a comment, once for each time that the contact was
 * resolved. Pure. */
#ifndef CONTACTS_RULES_CSAT_H
#define CONTACTS_RULES_CSAT_H

#include <stdbool.h>
#include "base/str.h"

#define CSAT_SCORES 5
#define CSAT_COMMENT_MAX 1000 /* characters */

struct csat_sum {
    uint64_t scores[CSAT_SCORES]; /* how many gave 1 … 5 */
};

/* comment: in/out, is trimmed; may be empty. Errors: ERR_SCHEMA another score, or control
 * characters; ERR_TOO_BIG, ERR_UTF8. */
MUST_USE int csat_check(int64_t score, struct str *comment);

/* May a rating be given? resolved_ms, rated_ms: the last time of each, 0 never. Errors: ERR_CLOSED
 * not resolved now, ERR_EXISTS rated already since it was resolved. */
MUST_USE int csat_may(bool is_resolved, int64_t resolved_ms, int64_t rated_ms);

void csat_add(struct csat_sum *s, int64_t score); /* another score than 1 … 5 is not counted */
void csat_merge(struct csat_sum *s, const struct csat_sum *other);
uint64_t csat_count(const struct csat_sum *s);
uint64_t csat_average_100(const struct csat_sum *s); /* hundredths, rounded; 0: no rating */

/* {"count":3,"average":4.33,"scores":[0,0,0,2,1]}; average is null without ratings. */
void csat_put(const struct csat_sum *s, struct sb *out);

#endif
