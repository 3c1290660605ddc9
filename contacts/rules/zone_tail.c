/* See zone_priv.h. */
#include "contacts/rules/zone_priv.h"
#include "contacts/rules/civil.h"
#include "base/forbid.h"

/* A number of 1 to max_digits digits; advances *s past it. */
static bool take_number(struct str *s, int max_digits, int max, int *out)
{
    int v = 0, n = 0;

    while (n < max_digits && s->n && s->p[0] >= '0' && s->p[0] <= '9') {
        v = v * 10 + (s->p[0] - '0');
        *s = str_skip(*s, 1);
        n++;
    }
    if (n == 0 || v > max) return false;
    *out = v;
    return true;
}

static bool take_char(struct str *s, char c)
{
    if (!s->n || s->p[0] != c) return false;
    *s = str_skip(*s, 1);
    return true;
}

/* CET, or <+0330>. What it says does not matter. */
static bool take_name(struct str *s)
{
    size_t n = 0;
    bool is_quoted = take_char(s, '<');

    for (; n < s->n; n++) {
        char c = s->p[n];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

        if (!is_letter && !(is_quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-'))) break;
    }
    *s = str_skip(*s, n);
    return n >= 3 && (!is_quoted || take_char(s, '>'));
}

/* [+|-]hh[:mm[:ss]], seconds. */
static bool take_time(struct str *s, int max_hours, int32_t *out)
{
    bool is_negative = take_char(s, '-');
    int h = 0, m = 0, sec = 0;

    if (!is_negative) (void)take_char(s, '+');
    if (!take_number(s, 3, max_hours, &h)) return false;
    if (take_char(s, ':') && !take_number(s, 2, 59, &m)) return false;
    if (take_char(s, ':') && !take_number(s, 2, 59, &sec)) return false;
    *out = (h * 60 + m) * 60 + sec;
    if (is_negative) *out = -*out;
    return true;
}

static bool take_day(struct str *s, struct zone_day *out)
{
    *out = (struct zone_day){.kind = ZONE_DAY_ZERO, .time_s = 2 * 3600};
    if (take_char(s, 'M')) {
        out->kind = ZONE_DAY_MONTH;
        if (!take_number(s, 2, 12, &out->month) || out->month < 1 || !take_char(s, '.'))
            return false;
        if (!take_number(s, 1, 5, &out->week) || out->week < 1 || !take_char(s, '.')) return false;
        if (!take_number(s, 1, 6, &out->day)) return false;
    } else {
        if (take_char(s, 'J')) out->kind = ZONE_DAY_JULIAN;
        if (!take_number(s, 3, 365, &out->day)) return false;
        if (out->kind == ZONE_DAY_JULIAN && out->day < 1) return false;
    }
    return !take_char(s, '/') || take_time(s, 167, &out->time_s);
}

int zone_tail_decode(struct str text, struct zone_tail *out)
{
    struct zone_tail t = {.is_set = text.n > 0};
    int32_t west;

    if (!text.n) goto done;
    if (!take_name(&text) || !take_time(&text, 24, &west)) return ERR_PROTO;
    t.standard_s = -west; /* POSIX counts westward */
    if (!text.n) goto done;
    t.has_summer = true;
    t.summer_s = t.standard_s + 3600;
    if (!take_name(&text)) return ERR_PROTO;
    if (text.n && text.p[0] != ',') {
        if (!take_time(&text, 24, &west)) return ERR_PROTO;
        t.summer_s = -west;
    }
    if (!take_char(&text, ',') || !take_day(&text, &t.begin)) return ERR_PROTO;
    if (!take_char(&text, ',') || !take_day(&text, &t.end) || text.n) return ERR_PROTO;
done:
    *out = t;
    return OK;
}

/* Day number of the change in that year. */
static int64_t day_in_year(const struct zone_day *d, int year)
{
    int64_t first = civil_days((struct civil){year, 1, 1});

    if (d->kind == ZONE_DAY_ZERO) return first + d->day;
    if (d->kind == ZONE_DAY_JULIAN)
        return first + d->day - 1 + (d->day >= 60 && civil_is_leap(year));
    first = civil_days((struct civil){year, d->month, 1});
    int sunday_first = (civil_weekday(first) + 1) % 7;
    int at = (d->day - sunday_first + 7) % 7 + (d->week - 1) * 7;

    while (at >= civil_month_days(year, d->month))
        at -= 7;
    return first + at;
}

int32_t zone_tail_offset_s(const struct zone_tail *t, int64_t utc_s)
{
    int year;
    int64_t begin, end;
    bool is_summer;

    if (!t->has_summer) return t->standard_s;
    year = civil_of(civil_floor(utc_s + t->standard_s, CIVIL_DAY_S)).year;
    begin = day_in_year(&t->begin, year) * CIVIL_DAY_S + t->begin.time_s - t->standard_s;
    end = day_in_year(&t->end, year) * CIVIL_DAY_S + t->end.time_s - t->summer_s;
    if (begin < end)
        is_summer = utc_s >= begin && utc_s < end;
    else /* south of the equator summer lasts over the new year */
        is_summer = utc_s >= begin || utc_s < end;
    return is_summer ? t->summer_s : t->standard_s;
}
