/* Business hours: when somebody is there to answer. Several periods a day, a time zone, holidays.
 * Pure: time comes in as milliseconds since 1970 UTC. Immutable once read; threads may share it.
 *
 *   {"zone": "Africa/Kigali",
 *    "week": {"mon": ["08:00-12:00", "13:00-17:00"], "fri": ["22:00-06:00"]},
 *    "holidays": ["12-25", "2027-04-02", {"date": "12-24", "open": ["08:00-12:00"]}]}
 *
 * A period belongs to the day on which it begins, also where it ends on the next one; "00:00-24:00"
 * is a whole day. A holiday takes the periods of its day away, or puts others in their place;
 * "MM-DD" is one of every year. Where the clock is put back a period goes from the first time its
 * beginning is shown to the last time its end is; where it is put forward, what does not happen is
 * not open. Periods that touch or overlap are one. */
#ifndef CONTACTS_RULES_HOURS_H
#define CONTACTS_RULES_HOURS_H

#include <stdbool.h>
#include "base/json.h"

struct hours;
struct zone;

#define HOURS_NEVER INT64_MAX
#define HOURS_PERIODS_MAX 12   /* a day */
#define HOURS_HOLIDAYS_MAX 400 /* in all */
#define HOURS_AHEAD_DAYS 800   /* what is not open for longer is never open again */

/* Reads settings. The zone is found by open_zone (zone_open, or a table in tests). *out: returns
 * new; hours_free. Errors: ERR_CONFIG, *why says where and what: "week.mon[1]: …". */
typedef int hours_open_zone(struct str name, struct zone **out, struct sb *why);
MUST_USE int hours_decode(struct json v, hours_open_zone *open_zone, struct hours **out,
                          struct sb *why);
void hours_free(struct hours *h);

/* NULL for h is "always open" in all that follows. */
bool hours_is_open(const struct hours *h, int64_t at_ms);
int64_t hours_next_open_ms(const struct hours *h, int64_t at_ms);  /* at_ms itself when open */
int64_t hours_next_close_ms(const struct hours *h, int64_t at_ms); /* at_ms itself when closed */

/* The time at which so many working milliseconds have passed since start_ms. 0 ms: the next working
 * moment. HOURS_NEVER when that is more than ten years ahead. */
int64_t hours_add_ms(const struct hours *h, int64_t start_ms, int64_t working_ms);

/* Working milliseconds from a to b; 0 when b is not after a. */
int64_t hours_between_ms(const struct hours *h, int64_t a_ms, int64_t b_ms);

/* The zone of the settings; NULL for h NULL. Borrows. */
const struct zone *hours_zone(const struct hours *h);

#endif
