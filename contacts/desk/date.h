/* Dates as clients write them: 2026-11-23, or 2026-11-23T17:01:55.123Z. Pure. */
#ifndef CONTACTS_DESK_DATE_H
#define CONTACTS_DESK_DATE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

bool date_read(struct str text, int64_t *ms); /* milliseconds since 1970 UTC */

#endif
