/* What happens to the three clocks at each event is one table. See sla.h. */
#include "contacts/rules/sla.h"
#include "base/forbid.h"

enum act {
    KEEP,
    START, /* from nothing */
    RUN,   /* go on; nothing when done */
    STOP,  /* stand still */
    DONE,  /* stand still for good */
    AGAIN, /* go on although done */
    WAIT,  /* STOP when the policy says so */
    TARGET /* as it was, with another target */
};

static const enum act acts[SLA_EVENTS][SLA_CLOCKS] = {
    [SLA_SUBMITTED] = {[SLA_FIRST] = START, [SLA_NEXT] = KEEP, [SLA_RESOLVE] = START},
    [SLA_VISITOR_SPOKE] = {[SLA_FIRST] = KEEP, [SLA_NEXT] = START, [SLA_RESOLVE] = RUN},
    [SLA_AGENT_SPOKE] = {[SLA_FIRST] = DONE, [SLA_NEXT] = DONE, [SLA_RESOLVE] = WAIT},
    [SLA_WAITING] = {[SLA_FIRST] = KEEP, [SLA_NEXT] = KEEP, [SLA_RESOLVE] = STOP},
    [SLA_RESOLVED] = {[SLA_FIRST] = DONE, [SLA_NEXT] = DONE, [SLA_RESOLVE] = DONE},
    [SLA_REOPENED] = {[SLA_FIRST] = KEEP, [SLA_NEXT] = KEEP, [SLA_RESOLVE] = AGAIN},
    [SLA_PRIORITY] = {[SLA_FIRST] = TARGET, [SLA_NEXT] = TARGET, [SLA_RESOLVE] = TARGET},
};

static void mark(struct sla_timer *t, int64_t now_ms, unsigned bit, struct sla_told *told)
{
    if (!t->since_ms) return;
    if (t->due_ms && now_ms >= t->due_ms && !t->is_breached) {
        t->is_breached = t->is_warned = true;
        told->breached |= bit;
    } else if (t->warn_ms && now_ms >= t->warn_ms && !t->is_warned) {
        t->is_warned = true;
        told->warned |= bit;
    }
}

struct sla_told sla_tick(struct sla_state *s, int64_t now_ms)
{
    struct sla_told told = {0};

    for (unsigned i = 0; i < SLA_CLOCKS; i++)
        mark(&s->timers[i], now_ms, 1u << i, &told);
    return told;
}

static int64_t when(const struct sla_terms *t, int64_t now_ms, int64_t left_ms)
{
    int64_t at = hours_add_ms(t->hours, now_ms, left_ms > 0 ? left_ms : 0);

    return at == HOURS_NEVER ? 0 : at;
}

static void run(struct sla_timer *x, const struct sla_terms *t, enum sla_clock clock,
                int64_t now_ms)
{
    int64_t target = t->policy->target_ms[t->priority][clock];

    x->since_ms = now_ms;
    x->warn_ms = x->due_ms = 0;
    if (!target) return;
    x->warn_ms = when(t, now_ms, target * t->policy->warn_percent / 100 - x->spent_ms);
    x->due_ms = when(t, now_ms, target - x->spent_ms);
}

static void stop(struct sla_timer *x, const struct sla_terms *t, int64_t now_ms)
{
    if (x->since_ms) x->spent_ms += hours_between_ms(t->hours, x->since_ms, now_ms);
    x->since_ms = x->warn_ms = x->due_ms = 0;
}

static void turn(struct sla_state *s, const struct sla_terms *t, enum sla_clock clock, enum act act,
                 int64_t now_ms)
{
    struct sla_timer *x = &s->timers[clock];

    switch (act) {
    case KEEP:
        break;
    case START:
        if (x->since_ms) break; /* who waits already waits since then */
        *x = (struct sla_timer){0};
        run(x, t, clock, now_ms);
        break;
    case AGAIN:
        x->is_done = false;
        if (!x->since_ms) run(x, t, clock, now_ms);
        break;
    case RUN:
        if (!x->since_ms && !x->is_done) run(x, t, clock, now_ms);
        break;
    case WAIT:
        if (t->policy->is_waiting_after_reply) stop(x, t, now_ms);
        break;
    case STOP:
        stop(x, t, now_ms);
        break;
    case DONE:
        stop(x, t, now_ms);
        x->is_done = true;
        break;
    case TARGET:
        if (!x->since_ms) break;
        stop(x, t, now_ms);
        run(x, t, clock, now_ms);
        break;
    }
}

void sla_happens(struct sla_state *s, const struct sla_terms *t, enum sla_event event,
                 int64_t now_ms)
{
    bool is_first_open = s->timers[SLA_FIRST].since_ms != 0;

    (void)sla_tick(s, now_ms);
    for (unsigned i = 0; i < SLA_CLOCKS; i++) {
        /* until the first answer there is no next one */
        if (event == SLA_VISITOR_SPOKE && i == SLA_NEXT && is_first_open) continue;
        turn(s, t, (enum sla_clock)i, acts[event][i], now_ms);
    }
}

int64_t sla_next_ms(const struct sla_state *s)
{
    int64_t next = HOURS_NEVER;

    for (unsigned i = 0; i < SLA_CLOCKS; i++) {
        const struct sla_timer *t = &s->timers[i];

        if (!t->since_ms) continue;
        if (t->warn_ms && !t->is_warned && t->warn_ms < next) next = t->warn_ms;
        if (t->due_ms && !t->is_breached && t->due_ms < next) next = t->due_ms;
    }
    return next;
}

int64_t sla_spent_ms(const struct sla_state *s, const struct sla_terms *t, enum sla_clock clock,
                     int64_t now_ms)
{
    const struct sla_timer *x = &s->timers[clock];

    if (!x->since_ms) return x->spent_ms;
    return x->spent_ms + hours_between_ms(t->hours, x->since_ms, now_ms);
}
