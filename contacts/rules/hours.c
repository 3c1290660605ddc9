/* All answers come from one walk: the open spans of time, one after the other, each as long as it
 * can be. See hours.h. */
#include "contacts/rules/hours_priv.h"

#include "base/mem.h"
#include "base/forbid.h"

enum { ADD_DAYS_MAX = 3653, MINUTE_S = 60 };

struct walk {
    const struct hours *h;
    int64_t day; /* next day to look at */
    unsigned i;  /* its next period */
    const struct hours_day *open;
    int64_t from_ms, to_ms; /* a period that was read already, when from_ms < to_ms */
};

/* A date alone counts more than one of every year. */
static const struct hours_day *day_open(const struct hours *h, int64_t day)
{
    struct civil c = civil_of(day);
    const struct hours_day *found = &h->week[civil_weekday(day)];

    for (unsigned i = 0; i < h->holidays_count; i++) {
        const struct hours_holiday *x = &h->holidays[i];

        if (x->month != c.month || x->day != c.day) continue;
        if (x->year == c.year) return &x->open;
        if (!x->year) found = &x->open;
    }
    return found;
}

/* Starts two days before: periods reach into the next day, and zones differ by a day at most. */
static void walk_start(struct walk *w, const struct hours *h, int64_t at_ms)
{
    int64_t day = civil_floor(zone_local_s(h->zone, civil_floor(at_ms, 1000)), CIVIL_DAY_S) - 2;

    *w = (struct walk){.h = h, .day = day + 1, .open = day_open(h, day)};
    w->from_ms = w->to_ms = INT64_MIN;
}

/* The next period that is not empty, not after day_max. Their starts ascend. */
static bool next_period(struct walk *w, int64_t day_max, int64_t *from_ms, int64_t *to_ms)
{
    for (;;) {
        const struct zone *zone = w->h->zone;
        int64_t midnight = (w->day - 1) * CIVIL_DAY_S;

        while (w->i < w->open->count) {
            const struct hours_period *p = &w->open->periods[w->i++];

            *from_ms = zone_utc_s(zone, midnight + p->start * MINUTE_S, false) * 1000;
            *to_ms = zone_utc_s(zone, midnight + p->end * MINUTE_S, true) * 1000;
            if (*from_ms < *to_ms) return true;
        }
        if (w->day > day_max) return false;
        w->open = day_open(w->h, w->day++);
        w->i = 0;
    }
}

/* The next open span that ends after at_ms. It may be given in pieces: it is not followed further
 * once it has want_ms from at_ms on, which spares a desk that is always open the look at years.
 * *to_ms is HOURS_NEVER when it does not end in the days that are looked at. */
static bool next_span(struct walk *w, int64_t at_ms, int64_t want_ms, int64_t *from_ms,
                      int64_t *to_ms)
{
    int64_t day_max = w->day + HOURS_AHEAD_DAYS;
    int64_t from = w->from_ms, to = w->to_ms;

    while (to <= at_ms)
        if (!next_period(w, day_max, &from, &to)) return false;
    *from_ms = from;
    if (from < at_ms) from = at_ms;
    day_max = w->day + HOURS_AHEAD_DAYS;
    while (to - from < want_ms && next_period(w, day_max, &w->from_ms, &w->to_ms)) {
        if (w->from_ms > to) {
            *to_ms = to;
            return true;
        }
        if (w->to_ms > to) to = w->to_ms;
    }
    w->from_ms = w->to_ms = INT64_MIN;
    *to_ms = to / 1000 > (day_max - 2) * CIVIL_DAY_S ? HOURS_NEVER : to;
    return true;
}

static bool span_at(const struct hours *h, int64_t at_ms, int64_t want_ms, int64_t *from_ms,
                    int64_t *to_ms)
{
    struct walk w;

    walk_start(&w, h, at_ms);
    return next_span(&w, at_ms, want_ms, from_ms, to_ms);
}

bool hours_is_open(const struct hours *h, int64_t at_ms)
{
    int64_t from, to;

    return !h || (span_at(h, at_ms, 0, &from, &to) && from <= at_ms);
}

int64_t hours_next_open_ms(const struct hours *h, int64_t at_ms)
{
    int64_t from, to;

    if (!h) return at_ms;
    if (!span_at(h, at_ms, 0, &from, &to)) return HOURS_NEVER;
    return from > at_ms ? from : at_ms;
}

int64_t hours_next_close_ms(const struct hours *h, int64_t at_ms)
{
    int64_t from, to;

    if (!h) return HOURS_NEVER;
    if (!span_at(h, at_ms, INT64_MAX, &from, &to) || from > at_ms) return at_ms;
    return to;
}

int64_t hours_add_ms(const struct hours *h, int64_t start_ms, int64_t working_ms)
{
    int64_t limit = start_ms + (int64_t)ADD_DAYS_MAX * CIVIL_DAY_S * 1000;
    int64_t at = start_ms, from, to;
    struct walk w;

    if (working_ms < 0) working_ms = 0;
    if (!h) return working_ms > limit - start_ms ? HOURS_NEVER : start_ms + working_ms;
    walk_start(&w, h, start_ms);
    while (at <= limit && next_span(&w, at, working_ms, &from, &to)) {
        if (from < at) from = at;
        /* what ends with the span is due at its end, not at the beginning of the next */
        if (working_ms <= to - from)
            return from + working_ms > limit ? HOURS_NEVER : from + working_ms;
        working_ms -= to - from;
        at = to;
    }
    return HOURS_NEVER;
}

int64_t hours_between_ms(const struct hours *h, int64_t a_ms, int64_t b_ms)
{
    int64_t sum = 0, at = a_ms, from, to;
    struct walk w;

    if (b_ms <= a_ms) return 0;
    if (!h) return b_ms - a_ms;
    walk_start(&w, h, a_ms);
    while (at < b_ms && next_span(&w, at, b_ms - at, &from, &to) && from < b_ms) {
        if (from < at) from = at;
        if (to > b_ms) to = b_ms;
        sum += to - from;
        at = to;
    }
    return sum;
}

const struct zone *hours_zone(const struct hours *h)
{
    return h ? h->zone : NULL;
}

void hours_free(struct hours *h)
{
    if (!h) return;
    zone_free(h->zone);
    mem_free(h->holidays);
    mem_free(h);
}
