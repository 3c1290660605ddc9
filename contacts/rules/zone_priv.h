/* The rule behind the last change that a zone file lists: "CET-1CEST,M3.5.0,M10.5.0/3".
 * Source: RFC 8536 3.3 (footer), POSIX 1-2017 8.3 (TZ). */
#ifndef CONTACTS_RULES_ZONE_PRIV_H
#define CONTACTS_RULES_ZONE_PRIV_H

#include "contacts/rules/zone.h"

enum zone_day_kind {
    ZONE_DAY_MONTH,  /* Mm.w.d: the w-th weekday d of month m, 5 is the last */
    ZONE_DAY_JULIAN, /* Jn: 1 … 365, 29 February is never counted */
    ZONE_DAY_ZERO,   /* n: 0 … 365 */
};

struct zone_day {
    enum zone_day_kind kind;
    int month, week, day; /* day: of the week (0 is Sunday), or of the year */
    int32_t time_s;       /* of the wall clock before the change; may be negative or over a day */
};

struct zone_tail {
    bool is_set, has_summer;
    int32_t standard_s, summer_s; /* ahead of UTC */
    struct zone_day begin, end;   /* of summer time */
};

/* Errors: ERR_PROTO. An empty text is no rule: out->is_set is false. */
MUST_USE int zone_tail_decode(struct str text, struct zone_tail *out);
int32_t zone_tail_offset_s(const struct zone_tail *t, int64_t utc_s);

#endif
