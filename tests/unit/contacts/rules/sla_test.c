#include "contacts/rules/sla.h"

#include <criterion/criterion.h>
#include "contacts/rules/zone.h"

#define MIN 60000LL
#define HOUR (60 * MIN)
#define T0 1795392000000LL /* 2026-11-23 00:00 UTC, a Monday */

static struct sla_policy policy(void)
{
    struct sla_policy p;

    sla_policy_init(&p);
    p.target_ms[SLA_NORMAL][SLA_FIRST] = 10 * MIN;
    p.target_ms[SLA_NORMAL][SLA_NEXT] = 20 * MIN;
    p.target_ms[SLA_NORMAL][SLA_RESOLVE] = 100 * MIN;
    p.target_ms[SLA_URGENT][SLA_RESOLVE] = 50 * MIN;
    return p;
}

static struct hours *
office(void) /* 08:00-12:00 and 13:00-17:00 UTC, each day of the week but two */
{
    static const char text[] = "{\"zone\":\"UTC\",\"week\":{\"mon\":[\"08:00-12:00\",\"13:00-17:"
                               "00\"],\"tue\":[\"08:00-12:00\"]}}";
    struct json v;
    struct hours *h = NULL;

    cr_assert_eq(json_parse(str_z(text), &v), OK);
    cr_assert_eq(hours_decode(v, zone_open, &h, NULL), OK);
    return h;
}

Test(sla, each_event_moves_the_clocks)
{
    struct sla_policy p = policy();
    struct sla_terms t = {&p, NULL, SLA_NORMAL};
    /* minute, event, which run after it, and their sums (minutes) */
    static const struct {
        int minute;
        enum sla_event event;
        bool runs[3];
        int spent[3];
    } rows[] = {
        {0, SLA_SUBMITTED, {true, false, true}, {0, 0, 0}},
        {1, SLA_VISITOR_SPOKE, {true, false, true}, {1, 0, 1}}, /* still the first answer */
        {5, SLA_AGENT_SPOKE, {false, false, false}, {5, 0, 5}},
        {7, SLA_AGENT_SPOKE, {false, false, false}, {5, 0, 5}},
        {20, SLA_VISITOR_SPOKE, {false, true, true}, {5, 0, 5}},
        {22, SLA_VISITOR_SPOKE, {false, true, true}, {5, 2, 7}}, /* waits since the first of them */
        {25, SLA_WAITING, {false, true, false}, {5, 5, 10}},
        {30, SLA_AGENT_SPOKE, {false, false, false}, {5, 10, 10}},
        {40, SLA_VISITOR_SPOKE, {false, true, true}, {5, 0, 10}},
        {42, SLA_RESOLVED, {false, false, false}, {5, 2, 12}},
        {43, SLA_VISITOR_SPOKE, {false, true, false}, {5, 0, 12}}, /* thanks */
        {44, SLA_REOPENED, {false, true, true}, {5, 1, 12}},
        {48, SLA_RESOLVED, {false, false, false}, {5, 5, 16}},
    };
    struct sla_state s = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t now = T0 + rows[i].minute * MIN;

        sla_happens(&s, &t, rows[i].event, now);
        for (int c = 0; c < SLA_CLOCKS; c++) {
            cr_expect_eq(s.timers[c].since_ms != 0, rows[i].runs[c], "row %zu clock %d", i, c);
            cr_expect_eq(sla_spent_ms(&s, &t, (enum sla_clock)c, now), rows[i].spent[c] * MIN,
                         "row %zu clock %d: %lld", i, c,
                         (long long)sla_spent_ms(&s, &t, (enum sla_clock)c, now) / MIN);
        }
    }
}

Test(sla, warns_at_80_percent_and_tells_each_once)
{
    struct sla_policy p = policy();
    struct sla_terms t = {&p, NULL, SLA_NORMAL};
    struct sla_state s = {0};
    struct sla_told told;

    sla_happens(&s, &t, SLA_SUBMITTED, T0);
    cr_expect_eq(sla_next_ms(&s), T0 + 8 * MIN);
    told = sla_tick(&s, T0 + 8 * MIN - 1);
    cr_expect_eq(told.warned | told.breached, 0);
    told = sla_tick(&s, T0 + 8 * MIN);
    cr_expect_eq(told.warned, 1u << SLA_FIRST);
    told = sla_tick(&s, T0 + 9 * MIN);
    cr_expect_eq(told.warned | told.breached, 0, "once");
    cr_expect_eq(sla_next_ms(&s), T0 + 10 * MIN);
    told = sla_tick(&s, T0 + 10 * MIN);
    cr_expect_eq(told.breached, 1u << SLA_FIRST);
    cr_expect_eq(told.warned, 0);
    cr_expect_eq(sla_next_ms(&s), T0 + 80 * MIN);
    told = sla_tick(&s, T0 + 500 * MIN); /* a node that was away: the breach alone is told */
    cr_expect_eq(told.breached, 1u << SLA_RESOLVE);
    cr_expect_eq(told.warned, 0);
    cr_expect_eq(sla_next_ms(&s), HOURS_NEVER);
}

Test(sla, a_late_answer_is_a_breach_also_when_nobody_looked)
{
    struct sla_policy p = policy();
    struct sla_terms t = {&p, NULL, SLA_NORMAL};
    struct sla_state s = {0};

    sla_happens(&s, &t, SLA_SUBMITTED, T0);
    sla_happens(&s, &t, SLA_AGENT_SPOKE, T0 + 11 * MIN);
    cr_expect(s.timers[SLA_FIRST].is_breached);
    s = (struct sla_state){0};
    sla_happens(&s, &t, SLA_SUBMITTED, T0);
    sla_happens(&s, &t, SLA_AGENT_SPOKE, T0 + 9 * MIN);
    cr_expect_not(s.timers[SLA_FIRST].is_breached);
    cr_expect_eq(sla_next_ms(&s), HOURS_NEVER, "nothing runs while the visitor is waited for");
}

Test(sla, stands_still_outside_business_hours)
{
    struct sla_policy p = policy();
    struct hours *h = office();
    struct sla_terms t = {&p, h, SLA_NORMAL};
    struct sla_state s = {0};

    sla_happens(&s, &t, SLA_SUBMITTED, T0 + 11 * HOUR + 55 * MIN);
    cr_expect_eq(s.timers[SLA_FIRST].due_ms, T0 + 13 * HOUR + 5 * MIN);
    cr_expect_eq(s.timers[SLA_FIRST].warn_ms, T0 + 13 * HOUR + 3 * MIN);
    cr_expect_eq(sla_spent_ms(&s, &t, SLA_FIRST, T0 + 12 * HOUR + 30 * MIN), 5 * MIN);
    sla_happens(&s, &t, SLA_AGENT_SPOKE, T0 + 13 * HOUR + 4 * MIN);
    cr_expect_not(s.timers[SLA_FIRST].is_breached);
    cr_expect_eq(s.timers[SLA_RESOLVE].spent_ms, 9 * MIN);
    /* the visitor answers in the evening: what is left begins on Tuesday */
    sla_happens(&s, &t, SLA_VISITOR_SPOKE, T0 + 20 * HOUR);
    cr_expect_eq(s.timers[SLA_RESOLVE].due_ms, T0 + 32 * HOUR + 91 * MIN);
    hours_free(h);
}

Test(sla, another_priority_has_other_targets_for_the_same_time)
{
    struct sla_policy p = policy();
    struct sla_terms t = {&p, NULL, SLA_NORMAL};
    struct sla_state s = {0};

    sla_happens(&s, &t, SLA_SUBMITTED, T0);
    t.priority = SLA_URGENT;
    sla_happens(&s, &t, SLA_PRIORITY, T0 + 5 * MIN);
    cr_expect_eq(s.timers[SLA_RESOLVE].due_ms, T0 + 50 * MIN);
    cr_expect_eq(s.timers[SLA_FIRST].due_ms, 0, "no target there");
    cr_expect_neq(s.timers[SLA_FIRST].since_ms, 0);
    t.priority = SLA_LOW;
    sla_happens(&s, &t, SLA_PRIORITY, T0 + 60 * MIN);
    cr_expect(s.timers[SLA_RESOLVE].is_breached, "what is broken stays so");
    cr_expect_eq(sla_next_ms(&s), HOURS_NEVER);
}

Test(sla, may_go_on_while_the_visitor_is_waited_for)
{
    struct sla_policy p = policy();
    struct sla_terms t = {&p, NULL, SLA_NORMAL};
    struct sla_state s = {0};

    p.is_waiting_after_reply = false;
    sla_happens(&s, &t, SLA_SUBMITTED, T0);
    sla_happens(&s, &t, SLA_AGENT_SPOKE, T0 + MIN);
    cr_expect_neq(s.timers[SLA_RESOLVE].since_ms, 0);
    sla_happens(&s, &t, SLA_WAITING, T0 + 2 * MIN);
    cr_expect_eq(s.timers[SLA_RESOLVE].since_ms, 0);
}

/* By chance: sums never shrink but at a new start, nothing runs after the end, deadlines are ahead.
 */
Test(sla, holds_for_any_order_of_events)
{
    uint64_t seed = 11;
    struct sla_policy p = policy();
    struct hours *h = office();

    for (int round = 0; round < 300; round++) {
        struct sla_terms t = {&p, round % 2 ? h : NULL, SLA_NORMAL};
        struct sla_state s = {0};
        int64_t now = T0, resolve = 0;

        for (int step = 0; step < 40; step++) {
            enum sla_event e;

            seed = seed * 6364136223846793005u + 1442695040888963407u;
            e = (enum sla_event)(seed >> 33) % SLA_EVENTS;
            now += (int64_t)(seed >> 40) % (3 * HOUR);
            t.priority = (enum sla_priority)((seed >> 50) % SLA_PRIORITIES);
            sla_happens(&s, &t, e, now);
            if (e != SLA_SUBMITTED) cr_assert_geq(sla_spent_ms(&s, &t, SLA_RESOLVE, now), resolve);
            resolve = sla_spent_ms(&s, &t, SLA_RESOLVE, now);
            if (e == SLA_RESOLVED) cr_assert_eq(sla_next_ms(&s), HOURS_NEVER);
            for (int c = 0; c < SLA_CLOCKS; c++) {
                const struct sla_timer *x = &s.timers[c];

                cr_assert(x->since_ms || (!x->due_ms && !x->warn_ms));
                cr_assert(!x->due_ms || x->warn_ms <= x->due_ms);
                cr_assert(!x->is_breached || x->is_warned);
            }
        }
    }
    hours_free(h);
}
