#include "contacts/rules/stats.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include "base/json.h"
#include "contacts/rules/zone.h"

#define T0 1795392000000LL /* 2026-11-23 00:00 UTC, a Monday */
#define DAY 86400000LL
#define MIN 60000LL

static const struct contact_stats_row rows[] = {
    {STATS_RESOLVED, STR("a1"), STR("Ann"), T0 + 8 * 60 * MIN, T0 + 485 * MIN, T0 + 500 * MIN, 4, 5,
     T0 + DAY, false, false},
    {STATS_RESOLVED, STR("a2"), STR("Bob"), T0 + 9 * 60 * MIN, T0 + 545 * MIN, T0 + DAY + 540 * MIN,
     6, 3, T0 + 2 * DAY, true, true},
    {STATS_ACTIVE, STR("a1"), STR("Ann"), T0 + 23 * 60 * MIN, T0 + 1381 * MIN, 0, 2, 0, 0, false,
     false},
    {STATS_PENDING, STR_NONE, STR_NONE, T0 + DAY, 0, 0, 1, 0, 0, false, false},
};
#define ROWS (sizeof rows / sizeof rows[0])

static struct sb *shown(const struct contact_stats *s, const char *zone)
{
    static struct sb out;
    struct json v;

    out.n = 0;
    contact_stats_put(s, str_z(zone), &out);
    cr_assert_eq(json_parse(sb_view(&out), &v), OK, STR_FMT, STR_ARG(out));
    return &out;
}

static bool has(const struct sb *b, const char *part)
{
    bool found = str_contains(sb_view(b), str_z(part));

    cr_expect(found, "%s in " STR_FMT, part, STR_ARG(*b));
    return found;
}

Test(stats, are_counted_from_the_contacts)
{
    struct contact_stats *s = contact_stats_new(NULL);
    struct contact_stats_sums sums;
    struct sb *b;

    for (size_t i = 0; i < ROWS; i++)
        contact_stats_add(s, &rows[i]);
    b = shown(s, NULL);
    has(b, "\"total\":4,\"pending\":1,\"active\":1,\"resolved\":2,\"backlog\":2,\"reopened\":1,"
           "\"breached\":1,"
           "\"messages\":13,\"resolutionRate\":0.500,");
    has(b, "\"firstResponse\":{\"count\":3,\"p50Ms\":300000,\"p90Ms\":300000},");
    has(b, "\"resolution\":{\"count\":2,\"p50Ms\":1200000,\"p90Ms\":86400000},");
    has(b, "\"csat\":{\"count\":2,\"average\":4.00,\"scores\":[0,0,1,0,1]},\"agents\"");
    has(b,
        "{\"id\":\"a1\",\"name\":\"Ann\",\"contacts\":2,\"active\":1,\"resolved\":1,\"breached\":0,"
        "\"firstResponse\":{\"count\":2,\"p50Ms\":60000,\"p90Ms\":300000},");
    has(b, "\"byHour\":[1,0,0,0,0,0,0,0,1,1,0,0,0,0,0,0,0,0,0,0,0,0,0,1]");
    has(b, "\"byWeekday\":[3,1,0,0,0,0,0]");
    has(b,
        "\"byDay\":[{\"date\":\"2026-11-23\",\"submitted\":3,\"resolved\":1,\"csat\":{\"count\":0");
    has(b, "{\"date\":\"2026-11-24\",\"submitted\":1,\"resolved\":1,\"csat\":{\"count\":1,"
           "\"average\":5.00");
    has(b, "\"timeZone\":\"UTC\"}");
    sums = contact_stats_sums(s);
    cr_expect_eq(sums.total, 4);
    cr_expect_eq(sums.resolution_mean_ms, (1200000 + 86400000) / 2);
    contact_stats_free(s);
}

Test(stats, days_and_hours_are_those_of_the_zone)
{
    struct zone *z = NULL;
    struct contact_stats *s;
    struct sb *b;

    cr_assert_eq(zone_open(STR("Africa/Kigali"), &z, NULL), OK);
    s = contact_stats_new(z);
    contact_stats_add(s, &rows[2]); /* 23:00 in UTC */
    b = shown(s, "Africa/Kigali");
    has(b, "\"byHour\":[0,1,0");
    has(b, "\"byDay\":[{\"date\":\"2026-11-24\"");
    has(b, "\"timeZone\":\"Africa/Kigali\"}");
    contact_stats_free(s);
    zone_free(z);
}

static uint64_t state = 5;

static int64_t below(int64_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((state >> 33) % (uint64_t)n);
}

/* Split in any way, in any order: the same text. */
Test(stats, parts_merge_to_the_whole_in_any_order)
{
    enum { N = 3000 };
    static struct contact_stats_row many[N];
    static char ids[40][16];
    struct contact_stats *whole = contact_stats_new(NULL), *parts[3];
    struct sb want = {0};

    for (int i = 0; i < N; i++) {
        struct contact_stats_row *r = &many[i];
        int64_t who = below(40);

        snprintf(ids[who], sizeof ids[who], "a%d", (int)who);
        *r = (struct contact_stats_row){.state = (enum contact_stats_state)below(3),
                                        .submitted_ms = T0 + below(500) * DAY + below(DAY),
                                        .messages = below(9)};
        if (below(4)) r->agent_id = r->agent_name = str_z(ids[who]);
        if (below(2)) r->first_reply_ms = r->submitted_ms + below(3600000);
        if (r->state == STATS_RESOLVED) r->resolved_ms = r->submitted_ms + below(DAY);
        if (r->resolved_ms && below(2)) r->score = 1 + below(5), r->rated_ms = r->resolved_ms + 5;
        contact_stats_add(whole, r);
    }
    sb_str(&want, sb_view(shown(whole, NULL)));
    for (int i = 0; i < 3; i++)
        parts[i] = contact_stats_new(NULL);
    for (int i = N - 1; i >= 0; i--)
        contact_stats_add(parts[below(3)], &many[i]);
    contact_stats_merge(parts[0], parts[2]);
    contact_stats_merge(parts[0], parts[1]);
    cr_expect(str_eq(sb_view(shown(parts[0], NULL)), sb_view(&want)));
    for (int i = 0; i < 3; i++)
        contact_stats_free(parts[i]);
    contact_stats_free(whole);
    sb_fini(&want);
}

Test(stats, are_bounded)
{
    struct contact_stats *s = contact_stats_new(NULL);
    struct sb *b;
    char id[24];

    for (int i = 0; i < STATS_AGENTS_MAX + 20; i++) {
        struct contact_stats_row r = {.state = STATS_ACTIVE, .submitted_ms = T0 + i * DAY};

        snprintf(id, sizeof id, "agent%d", i);
        r.agent_id = r.agent_name = str_z(id);
        contact_stats_add(s, &r);
    }
    b = shown(s, NULL);
    has(b, "{\"id\":\"others\",\"name\":\"others\",\"contacts\":20,\"active\":20,");
    has(b, "\"total\":520,");
    has(b, "\"byDay\":[{\"date\":\"2027-03-23\"");
    contact_stats_free(s);
}
