/* See stats.h. Agents and days are small sorted arrays: a search is cheap, and the result is in
 * order. */
#include "contacts/rules/stats_priv.h"

#include "base/mem.h"
#include "contacts/rules/civil.h"
#include "contacts/rules/zone.h"
#include "base/forbid.h"

struct contact_stats *contact_stats_new(const struct zone *zone)
{
    struct contact_stats *s = MEM_NEW(struct contact_stats);

    s->zone = zone;
    s->agents = mem_new(STATS_AGENTS_MAX, sizeof *s->agents);
    s->days = mem_new(STATS_DAYS_MAX, sizeof *s->days);
    return s;
}

static void agent_fini(struct stats_agent *a)
{
    quantile_fini(&a->first);
    quantile_fini(&a->resolution);
    mem_free(a->id);
    mem_free(a->name);
}

void contact_stats_free(struct contact_stats *s)
{
    if (!s) return;
    for (unsigned i = 0; i < s->agents_count; i++) {
        agent_fini(s->agents[i]);
        mem_free(s->agents[i]);
    }
    agent_fini(&s->others);
    quantile_fini(&s->first);
    quantile_fini(&s->resolution);
    mem_free(s->agents);
    mem_free(s->days);
    mem_free(s);
}

static int by_id(struct str id, const struct stats_agent *a)
{
    struct str other = {a->id, strlen(a->id)};
    int c = memcmp(id.p, other.p, id.n < other.n ? id.n : other.n);

    return c ? c : (id.n > other.n) - (id.n < other.n);
}

/* The agent, put in the right place when new. */
static struct stats_agent *agent_of(struct contact_stats *s, struct str id, struct str name)
{
    unsigned lo = 0, hi = s->agents_count;
    struct stats_agent *a;

    while (lo < hi) {
        unsigned mid = lo + (hi - lo) / 2;
        int c = by_id(id, s->agents[mid]);

        if (c == 0) return s->agents[mid];
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    if (s->agents_count == STATS_AGENTS_MAX) return &s->others;
    a = MEM_NEW(struct stats_agent);
    a->id = str_dup(id);
    a->name = str_dup(name);
    memmove(s->agents + lo + 1, s->agents + lo, (s->agents_count - lo) * sizeof *s->agents);
    s->agents[lo] = a;
    s->agents_count++;
    return a;
}

/* Seconds that the clock of the zone shows. */
static int64_t local_s(const struct contact_stats *s, int64_t at_ms)
{
    int64_t at_s = civil_floor(at_ms, 1000);

    return s->zone ? zone_local_s(s->zone, at_s) : at_s;
}

/* NULL: before the days that are kept. */
static struct stats_day *day_of(struct contact_stats *s, int64_t day)
{
    unsigned at = s->days_count;

    while (at > 0 && s->days[at - 1].day > day)
        at--;
    if (at > 0 && s->days[at - 1].day == day) return &s->days[at - 1];
    if (s->days_count == STATS_DAYS_MAX) {
        if (at == 0) return NULL;
        memmove(s->days, s->days + 1, --at * sizeof *s->days); /* the oldest one goes */
    } else {
        memmove(s->days + at + 1, s->days + at, (s->days_count - at) * sizeof *s->days);
        s->days_count++;
    }
    s->days[at] = (struct stats_day){.day = day};
    return &s->days[at];
}

static void count_submitted(struct contact_stats *s, int64_t at_ms)
{
    int64_t local = local_s(s, at_ms), day = civil_floor(local, CIVIL_DAY_S);
    struct stats_day *d = day_of(s, day);

    if (d) d->submitted++;
    s->by_hour[(local - day * CIVIL_DAY_S) / 3600]++;
    s->by_weekday[civil_weekday(day)]++;
}

static void count_agent(struct contact_stats *s, const struct contact_stats_row *row)
{
    struct stats_agent *a;

    if (!row->agent_id.n) return;
    a = agent_of(s, row->agent_id, row->agent_name);
    a->contacts++;
    a->active += row->state == STATS_ACTIVE;
    a->resolved += row->state == STATS_RESOLVED;
    a->breached += row->is_breached;
    if (row->first_reply_ms) quantile_add(&a->first, row->first_reply_ms - row->submitted_ms);
    if (row->state == STATS_RESOLVED && row->resolved_ms)
        quantile_add(&a->resolution, row->resolved_ms - row->submitted_ms);
    csat_add(&a->csat, row->score);
}

void contact_stats_add(struct contact_stats *s, const struct contact_stats_row *row)
{
    bool is_resolved = row->state == STATS_RESOLVED && row->resolved_ms;
    struct stats_day *d;

    s->states[row->state]++;
    s->reopened += row->was_reopened;
    s->breached += row->is_breached;
    if (row->messages > 0) s->messages += (uint64_t)row->messages;
    csat_add(&s->csat, row->score);
    count_submitted(s, row->submitted_ms);
    if (row->first_reply_ms) quantile_add(&s->first, row->first_reply_ms - row->submitted_ms);
    if (is_resolved) {
        int64_t took = row->resolved_ms - row->submitted_ms;

        quantile_add(&s->resolution, took);
        s->resolution_sum_ms += took > 0 ? (uint64_t)took : 0;
        d = day_of(s, civil_floor(local_s(s, row->resolved_ms), CIVIL_DAY_S));
        if (d) d->resolved++;
    }
    if (row->score) {
        d = day_of(s, civil_floor(local_s(s, row->rated_ms), CIVIL_DAY_S));
        if (d) csat_add(&d->csat, row->score);
    }
    count_agent(s, row);
}

static void merge_agent(struct stats_agent *a, const struct stats_agent *other)
{
    a->contacts += other->contacts;
    a->active += other->active;
    a->resolved += other->resolved;
    a->breached += other->breached;
    quantile_merge(&a->first, &other->first);
    quantile_merge(&a->resolution, &other->resolution);
    csat_merge(&a->csat, &other->csat);
}

static void merge_day(struct contact_stats *s, const struct stats_day *other)
{
    struct stats_day *d = day_of(s, other->day);

    if (!d) return;
    d->submitted += other->submitted;
    d->resolved += other->resolved;
    csat_merge(&d->csat, &other->csat);
}

void contact_stats_merge(struct contact_stats *s, const struct contact_stats *other)
{
    for (unsigned i = 0; i < STATS_STATES; i++)
        s->states[i] += other->states[i];
    for (unsigned i = 0; i < 24; i++)
        s->by_hour[i] += other->by_hour[i];
    for (unsigned i = 0; i < 7; i++)
        s->by_weekday[i] += other->by_weekday[i];
    s->reopened += other->reopened;
    s->breached += other->breached;
    s->messages += other->messages;
    s->resolution_sum_ms += other->resolution_sum_ms;
    quantile_merge(&s->first, &other->first);
    quantile_merge(&s->resolution, &other->resolution);
    csat_merge(&s->csat, &other->csat);
    for (unsigned i = 0; i < other->agents_count; i++)
        merge_agent(agent_of(s, str_z(other->agents[i]->id), str_z(other->agents[i]->name)),
                    other->agents[i]);
    merge_agent(&s->others, &other->others);
    for (unsigned i = 0; i < other->days_count; i++)
        merge_day(s, &other->days[i]);
}

struct contact_stats_sums contact_stats_sums(const struct contact_stats *s)
{
    uint64_t n = s->resolution.count;

    return (struct contact_stats_sums){
        .total = s->states[STATS_PENDING] + s->states[STATS_ACTIVE] + s->states[STATS_RESOLVED],
        .pending = s->states[STATS_PENDING],
        .active = s->states[STATS_ACTIVE],
        .resolved = s->states[STATS_RESOLVED],
        .messages = s->messages,
        .resolution_mean_ms = n ? (s->resolution_sum_ms + n / 2) / n : 0,
    };
}
