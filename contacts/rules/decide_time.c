/* Deadlines of a contact: when somebody has to look at it again, and what is to be done then. The
 * clocks of its promises live in the record as text. See decide.h. */
#include "contacts/rules/decide_priv.h"

#include "base/forbid.h"

#define RETRY_MIN_MS 1000

enum sla_priority decide_priority(const struct contact *c)
{
    enum sla_priority p = SLA_NORMAL;

    (void)sla_priority_of(c->priority, &p);
    return p;
}

struct sla_terms decide_terms(const struct decide *d)
{
    return (struct sla_terms){d->rules->sla, d->rules->hours, decide_priority(d->c)};
}

/* What cannot be read has not begun: it was not written by us. */
static struct sla_state read_clocks(const struct contact *c)
{
    struct sla_state s = {0};

    if (sla_state_read(c->sla, &s) != OK) s = (struct sla_state){0};
    return s;
}

static void note_breaches(struct contact *c, const struct sla_state *s)
{
    for (unsigned i = 0; i < SLA_CLOCKS; i++)
        if (s->timers[i].is_breached) c->sla_breached |= 1 << i;
}

static void write_clocks(struct decide *d, const struct sla_state *s)
{
    struct contact *c = d->c;
    struct sb text = {0};

    note_breaches(c, s);
    c->sla_due_at = 0;
    for (unsigned i = 0; i < SLA_CLOCKS; i++) {
        const struct sla_timer *t = &s->timers[i];

        if (t->due_ms && !t->is_breached && (!c->sla_due_at || t->due_ms < c->sla_due_at))
            c->sla_due_at = t->due_ms;
    }
    sla_state_put(s, &text);
    c->sla = arena_str(d->mem, sb_view(&text));
    sb_fini(&text);
}

/* Clocks that were reached before this event are told with it. */
static void mark(struct decide *d, struct sla_state *s)
{
    struct sla_told told = sla_tick(s, d->now_ms);

    d->sla.warned |= told.warned;
    d->sla.breached |= told.breached;
    if (told.warned | told.breached) d->tell |= TELL_SLA;
    note_breaches(d->c, s);
}

void decide_happens(struct decide *d, enum sla_event event)
{
    struct sla_state s = read_clocks(d->c);
    struct sla_terms terms = decide_terms(d);

    mark(d, &s);
    sla_happens(&s, &terms, event, d->now_ms);
    if (event == SLA_RESOLVED) d->c->resolve_ms = sla_spent_ms(&s, &terms, SLA_RESOLVE, d->now_ms);
    write_clocks(d, &s);
}

/* When its agent has to have said something; HOURS_NEVER: has, or need not. */
static int64_t first_reply_due(const struct decide *d)
{
    const struct contact *c = d->c;
    bool is_visitors_turn = c->agent_at && c->agent_at >= c->visitor_at;

    if (!d->rules->first_reply_ms || decide_state_of(c) != DECIDE_IN_PROGRESS) return HOURS_NEVER;
    if (c->agent_at >= c->claimed_at || is_visitors_turn) return HOURS_NEVER;
    return hours_add_ms(d->rules->hours, c->claimed_at, d->rules->first_reply_ms);
}

static int64_t assign_due(const struct decide *d)
{
    if (!d->rules->auto_assign_ms || decide_state_of(d->c) != DECIDE_PENDING) return HOURS_NEVER;
    return decide_waits_since(d->c) + d->rules->auto_assign_ms;
}

static void set_next(struct decide *d, int64_t assign_ms)
{
    struct contact *c = d->c;
    struct sla_state s = read_clocks(c);
    int64_t reply_ms = first_reply_due(d), sla_ms = sla_next_ms(&s), next = assign_ms;

    c->next_kind = STR("auto_assign");
    if (reply_ms < next) {
        next = reply_ms;
        c->next_kind = STR("first_reply");
    }
    if (sla_ms < next) {
        next = sla_ms;
        c->next_kind = STR("sla");
    }
    c->next_at = next == HOURS_NEVER ? 0 : next;
    if (!c->next_at) c->next_kind = STR_NONE;
}

void decide_settle(struct decide *d)
{
    set_next(d, assign_due(d));
}

void contact_tick(struct decide *d)
{
    struct sla_state s = read_clocks(d->c);
    int64_t assign_ms, retry_ms = d->rules->auto_assign_ms;

    decide_start(d);
    mark(d, &s);
    if (d->tell) write_clocks(d, &s);
    if (first_reply_due(d) <= d->now_ms && decide_move(d->c, ACTION_REQUEUE) == OK) {
        decide_requeue(d);
        d->tell |= TELL_ESCALATED | (retry_ms ? DO_ASSIGN : 0u);
    }
    assign_ms = assign_due(d);
    if (assign_ms <= d->now_ms) {
        d->tell |= DO_ASSIGN;
        assign_ms = d->now_ms + (retry_ms > RETRY_MIN_MS ? retry_ms : RETRY_MIN_MS);
    }
    set_next(d, assign_ms);
}
