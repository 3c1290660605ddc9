/* Settings of business hours. Strict: what is not understood is refused with its place, so that a
 * slip of the pen does not close the desk. */
#include "contacts/rules/hours_priv.h"

#include <stdio.h>
#include "base/mem.h"
#include "base/forbid.h"

static const char *const day_names[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

struct reader {
    struct sb *why;
    char at[64]; /* where in the settings: "week.mon[1]" */
    hours_open_zone *open_zone;
    struct hours *h;
};

static int refuse(const struct reader *r, const char *text)
{
    if (r->why) sb_printf(r->why, "%s%s%s", r->at, r->at[0] ? ": " : "", text);
    return ERR_CONFIG;
}

/* The same for something that is unknown there. */
static int refuse_name(const struct reader *r, struct str raw_key, const char *text)
{
    if (r->why)
        sb_printf(r->why, "%s%s" STR_FMT " %s", r->at, r->at[0] ? ": " : "",
                  STR_ARG(str_head(raw_key, 40)), text);
    return ERR_CONFIG;
}

static bool read_two(const char *p, int max, int *out)
{
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9') return false;
    *out = (p[0] - '0') * 10 + (p[1] - '0');
    return *out <= max;
}

static bool read_clock(const char *p, int *minutes)
{
    int h, m;

    if (p[2] != ':' || !read_two(p, 24, &h) || !read_two(p + 3, 59, &m)) return false;
    *minutes = h * 60 + m;
    return *minutes <= 1440;
}

/* "08:00-12:00"; an end that is not after the start is one of the next day. */
static bool read_period(struct str s, struct hours_period *out)
{
    int start, end;

    if (s.n != 11 || s.p[5] != '-') return false;
    if (!read_clock(s.p, &start) || !read_clock(s.p + 6, &end) || start == 1440) return false;
    if (end == start) return false;
    *out = (struct hours_period){(int16_t)start, (int16_t)(end > start ? end : end + 1440)};
    return true;
}

/* A list of periods; r->at names it. */
static int read_day(struct reader *r, struct json v, struct hours_day *out)
{
    struct str rest;
    struct json item;
    size_t n = strlen(r->at);

    if (v.type != JSON_ARRAY) return refuse(r, "a list of periods is wanted, [] for a closed day");
    rest = json_begin(v);
    *out = (struct hours_day){0};
    while (json_next_item(&rest, &item)) {
        struct hours_period *p = &out->periods[out->count];

        if (out->count == HOURS_PERIODS_MAX) return refuse(r, "more than 12 periods");
        (void)snprintf(r->at + n, sizeof r->at - n, "[%u]", out->count);
        if (item.type != JSON_STRING || !read_period(str_of(item.raw.p + 1, item.raw.n - 2), p))
            return refuse(r, "a period is wanted, as in \"08:00-12:30\"");
        if (out->count && p->start < p[-1].end)
            return refuse(r, "begins before the end of the period before it");
        out->count++;
    }
    r->at[n] = 0;
    return OK;
}

static int read_week(struct reader *r, struct json v)
{
    struct str rest, key;
    struct json day;
    unsigned seen = 0;

    (void)snprintf(r->at, sizeof r->at, "week");
    if (v.type != JSON_OBJECT) return refuse(r, "an object of mon … sun is wanted");
    rest = json_begin(v);
    while (json_next_member(&rest, &key, &day)) {
        unsigned i = 0;
        int rc;

        (void)snprintf(r->at, sizeof r->at, "week");
        while (i < 7 && !json_key_is(key, str_z(day_names[i])))
            i++;
        if (i == 7)
            return refuse_name(r, key, "is no day; they are mon, tue, wed, thu, fri, sat, sun");
        if (seen & 1u << i) return refuse_name(r, key, "stands there twice");
        seen |= 1u << i;
        (void)snprintf(r->at, sizeof r->at, "week.%s", day_names[i]);
        rc = read_day(r, day, &r->h->week[i]);
        if (rc != OK) return rc;
    }
    return OK;
}

/* "12-25" or "2027-04-02". */
static bool read_date(struct json v, struct hours_holiday *out)
{
    struct str s;
    int hundreds = 0, year = 0, month, day;

    if (v.type != JSON_STRING) return false;
    s = str_of(v.raw.p + 1, v.raw.n - 2);
    if (s.n == 10) {
        if (!read_two(s.p, 99, &hundreds) || !read_two(s.p + 2, 99, &year) || s.p[4] != '-')
            return false;
        year += hundreds * 100;
        if (year < 1970) return false;
        s = str_skip(s, 5);
    }
    if (s.n != 5 || s.p[2] != '-') return false;
    if (!read_two(s.p, 12, &month) || !read_two(s.p + 3, 31, &day) || !month || !day) return false;
    if (day > civil_month_days(year ? year : 2000, month)) return false;
    *out = (struct hours_holiday){.year = year, .month = month, .day = day};
    return true;
}

static int read_holiday(struct reader *r, struct json v, struct hours_holiday *out)
{
    static const char wanted[] = "a date is wanted, \"12-25\" of every year or \"2027-04-02\"";
    struct str rest, key;
    struct json member;
    bool has_date = false;
    size_t n = strlen(r->at);

    *out = (struct hours_holiday){0};
    if (v.type != JSON_OBJECT) return read_date(v, out) ? OK : refuse(r, wanted);
    rest = json_begin(v);
    while (json_next_member(&rest, &key, &member)) {
        struct hours_day open = out->open;

        if (json_key_is(key, STR("date"))) {
            (void)snprintf(r->at + n, sizeof r->at - n, ".date");
            if (has_date || !read_date(member, out)) return refuse(r, wanted);
            out->open = open;
            has_date = true;
        } else if (json_key_is(key, STR("open"))) {
            (void)snprintf(r->at + n, sizeof r->at - n, ".open");
            if (read_day(r, member, &out->open) != OK) return ERR_CONFIG;
        } else {
            return refuse_name(r, key, "is unknown; date and open are not");
        }
        r->at[n] = 0;
    }
    return has_date ? OK : refuse(r, "date is missing");
}

static int read_holidays(struct reader *r, struct json v)
{
    struct hours *h = r->h;
    struct str rest;
    struct json item;

    (void)snprintf(r->at, sizeof r->at, "holidays");
    if (v.type != JSON_ARRAY) return refuse(r, "a list is wanted");
    if (json_count(v) > HOURS_HOLIDAYS_MAX) return refuse(r, "more than 400");
    mem_free(h->holidays);
    h->holidays = mem_new(json_count(v) + 1, sizeof *h->holidays);
    h->holidays_count = 0;
    rest = json_begin(v);
    while (json_next_item(&rest, &item)) {
        (void)snprintf(r->at, sizeof r->at, "holidays[%u]", h->holidays_count);
        if (read_holiday(r, item, &h->holidays[h->holidays_count]) != OK) return ERR_CONFIG;
        h->holidays_count++;
    }
    return OK;
}

static int read_zone(struct reader *r, struct json v)
{
    struct sb scratch = {0}, reason = {0};
    struct str name;
    int rc;

    (void)snprintf(r->at, sizeof r->at, "zone");
    if (json_text(v, &scratch, &name) != OK)
        rc = refuse(r, "the name of a time zone is wanted, as in \"Africa/Kigali\"");
    else if (r->h->zone)
        rc = refuse(r, "stands there twice");
    else
        rc = r->open_zone(name, &r->h->zone, &reason);
    if (rc != OK && reason.n) {
        sb_char(&reason, 0);
        rc = refuse(r, reason.p);
    }
    sb_fini(&scratch);
    sb_fini(&reason);
    return rc == OK ? OK : ERR_CONFIG;
}

static int read_member(struct reader *r, struct str key, struct json v)
{
    r->at[0] = 0;
    if (json_key_is(key, STR("zone"))) return read_zone(r, v);
    if (json_key_is(key, STR("week"))) return read_week(r, v);
    if (json_key_is(key, STR("holidays"))) return read_holidays(r, v);
    return refuse_name(r, key, "is unknown; zone, week and holidays are not");
}

int hours_decode(struct json v, hours_open_zone *open_zone, struct hours **out, struct sb *why)
{
    struct reader r = {.why = why, .open_zone = open_zone, .h = MEM_NEW(struct hours)};
    struct str rest, key;
    struct json member;
    int rc = OK;

    if (v.type != JSON_OBJECT) rc = refuse(&r, "an object with zone and week is wanted");
    rest = rc == OK ? json_begin(v) : STR_NONE;
    while (rc == OK && json_next_member(&rest, &key, &member))
        rc = read_member(&r, key, member);
    r.at[0] = 0;
    if (rc == OK && !r.h->zone) rc = refuse(&r, "zone is missing");
    if (rc == OK)
        *out = r.h;
    else
        hours_free(r.h);
    return rc;
}
