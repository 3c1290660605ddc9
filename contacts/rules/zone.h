/* Time zones: what the clock on the wall shows in Africa/Kigali or Europe/Berlin. Read from the
 * tz database of the system (TZif, RFC 8536) by ourselves: the zone of the C library is one for the
 * whole process (TZ), and a service may know several. Immutable once read, so threads may share
 * one. Seconds since 1970 UTC; "local" is what a clock there shows, counted the same way. */
#ifndef CONTACTS_RULES_ZONE_H
#define CONTACTS_RULES_ZONE_H

#include <stdbool.h>
#include "base/str.h"

struct zone;

#define ZONE_NAME_MAX 64
#define ZONE_FILE_MAX 65536 /* the largest of the database has 4 KB */

/* The bytes of a TZif file. *out: returns new; zone_free.
 * Errors: ERR_PROTO malformed, ERR_CONFIG it counts leap seconds (the zones under right/). */
MUST_USE int zone_decode(struct str bytes, struct zone **out);
void zone_free(struct zone *z);

/* A zone without changes: offset seconds east of UTC. Returns new. */
struct zone *zone_fixed(int32_t offset_s);

/* Seconds that local time is ahead of UTC. */
int32_t zone_offset_s(const struct zone *z, int64_t utc_s);

static inline int64_t zone_local_s(const struct zone *z, int64_t utc_s)
{
    return utc_s + zone_offset_s(z, utc_s);
}

/* When the clock shows this. In the hour that happens twice: is_later chooses. In the hour that
 * does not happen: the moment at which the clock jumps over it. */
int64_t zone_utc_s(const struct zone *z, int64_t local_s, bool is_later);

/* The zone of this name from the system's database; reads one small file, so at start or when
 * settings change, not on a hot path. "UTC" needs no database. *out: returns new.
 * Errors, with *why (may be NULL) saying what was missing: ERR_NOT_FOUND no such name, or no
 * database (package tzdata), ERR_CONFIG the file is not a time zone. */
MUST_USE int zone_open(struct str name, struct zone **out, struct sb *why);

/* The same from another folder than /usr/share/zoneinfo. */
MUST_USE int zone_open_in(const char *folder, struct str name, struct zone **out, struct sb *why);

#endif
