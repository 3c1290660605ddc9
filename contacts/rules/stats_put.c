/* Figures as JSON. See stats.h. */
#include "contacts/rules/stats_priv.h"

#include "contacts/rules/civil.h"
#include "base/forbid.h"

static void put_number(struct sb *out, const char *name, uint64_t v)
{
    sb_printf(out, "\"%s\":%llu,", name, (unsigned long long)v);
}

static void put_times(struct sb *out, const char *name, const struct quantile *q)
{
    sb_printf(out, "\"%s\":{\"count\":%llu", name, (unsigned long long)q->count);
    for (int percent = 50; percent <= 90; percent += 40) {
        if (q->count)
            sb_printf(out, ",\"p%dMs\":%lld", percent, (long long)quantile_at(q, percent));
        else
            sb_printf(out, ",\"p%dMs\":null", percent);
    }
    sb_z(out, "},");
}

/* id NULL: those for whom there was no place. */
static void put_agent(struct sb *out, const struct stats_agent *a)
{
    sb_z(out, "{\"id\":");
    sb_json(out, str_z(a->id ? a->id : "others"));
    sb_z(out, ",\"name\":");
    sb_json(out, str_z(a->id ? a->name : "others"));
    sb_char(out, ',');
    put_number(out, "contacts", a->contacts);
    put_number(out, "active", a->active);
    put_number(out, "resolved", a->resolved);
    put_number(out, "breached", a->breached);
    put_times(out, "firstResponse", &a->first);
    put_times(out, "resolution", &a->resolution);
    sb_z(out, "\"csat\":");
    csat_put(&a->csat, out);
    sb_char(out, '}');
}

static void put_agents(struct sb *out, const struct contact_stats *s)
{
    sb_z(out, "\"agents\":[");
    for (unsigned i = 0; i < s->agents_count; i++) {
        if (i) sb_char(out, ',');
        put_agent(out, s->agents[i]);
    }
    if (s->others.contacts) {
        sb_char(out, ',');
        put_agent(out, &s->others);
    }
    sb_z(out, "],");
}

static void put_counts(struct sb *out, const char *name, const uint64_t *counts, unsigned n)
{
    sb_printf(out, "\"%s\":[", name);
    for (unsigned i = 0; i < n; i++)
        sb_printf(out, "%s%llu", i ? "," : "", (unsigned long long)counts[i]);
    sb_z(out, "],");
}

static void put_days(struct sb *out, const struct contact_stats *s)
{
    sb_z(out, "\"byDay\":[");
    for (unsigned i = 0; i < s->days_count; i++) {
        const struct stats_day *d = &s->days[i];
        struct civil c = civil_of(d->day);

        sb_printf(out, "%s{\"date\":\"%04d-%02d-%02d\",", i ? "," : "", c.year, c.month, c.day);
        put_number(out, "submitted", d->submitted);
        put_number(out, "resolved", d->resolved);
        sb_z(out, "\"csat\":");
        csat_put(&d->csat, out);
        sb_char(out, '}');
    }
    sb_z(out, "],");
}

void contact_stats_put(const struct contact_stats *s, struct str zone_name, struct sb *out)
{
    struct contact_stats_sums sums = contact_stats_sums(s);
    uint64_t rate = sums.total ? (sums.resolved * 1000 + sums.total / 2) / sums.total : 0;

    sb_char(out, '{');
    put_number(out, "total", sums.total);
    put_number(out, "pending", sums.pending);
    put_number(out, "active", sums.active);
    put_number(out, "resolved", sums.resolved);
    put_number(out, "backlog", sums.pending + sums.active);
    put_number(out, "reopened", s->reopened);
    put_number(out, "breached", s->breached);
    put_number(out, "messages", s->messages);
    sb_printf(out, "\"resolutionRate\":%llu.%03llu,", (unsigned long long)rate / 1000,
              (unsigned long long)rate % 1000);
    put_times(out, "firstResponse", &s->first);
    put_times(out, "resolution", &s->resolution);
    sb_z(out, "\"csat\":");
    csat_put(&s->csat, out);
    sb_char(out, ',');
    put_agents(out, s);
    put_counts(out, "byHour", s->by_hour, 24);
    put_counts(out, "byWeekday", s->by_weekday, 7);
    put_days(out, s);
    sb_z(out, "\"timeZone\":");
    sb_json(out, zone_name.n ? zone_name : STR("UTC"));
    sb_char(out, '}');
}
