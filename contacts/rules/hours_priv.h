/* What hours.c (time) and hours_read.c (settings) share. */
#ifndef CONTACTS_RULES_HOURS_PRIV_H
#define CONTACTS_RULES_HOURS_PRIV_H

#include "contacts/rules/civil.h"
#include "contacts/rules/hours.h"
#include "contacts/rules/zone.h"

struct hours_period { /* minutes of the day; end may be on the next day, 2880 at most */
    int16_t start, end;
};

struct hours_day { /* ascending, apart from each other */
    unsigned count;
    struct hours_period periods[HOURS_PERIODS_MAX];
};

struct hours_holiday {
    int year; /* 0: every year */
    int month, day;
    struct hours_day open;
};

struct hours {
    struct zone *zone;
    struct hours_day week[7]; /* Monday first */
    struct hours_holiday *holidays;
    unsigned holidays_count;
};

#endif
