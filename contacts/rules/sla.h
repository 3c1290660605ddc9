/* Promises of time: first response, next response, resolution. Three clocks for each contact, that
 * count working time alone (hours.h) and stop while the visitor is waited for. Pure: the state is a
 * value that is kept with the contact, time comes in.
 *
 *   {"priorities": {"urgent": {"firstMinutes": 15, "nextMinutes": 30, "resolveMinutes": 240},
 *                   "normal": {"firstMinutes": 60}},
 *    "warnPercent": 80, "waitAfterReply": true}
 *
 * A clock without a target still counts, nobody is told. waitAfterReply: what an agent says stops
 * the clock of the resolution until the visitor answers. */
#ifndef CONTACTS_RULES_SLA_H
#define CONTACTS_RULES_SLA_H

#include "contacts/rules/hours.h"

enum sla_priority { SLA_LOW, SLA_NORMAL, SLA_HIGH, SLA_URGENT, SLA_PRIORITIES };
enum sla_clock { SLA_FIRST, SLA_NEXT, SLA_RESOLVE, SLA_CLOCKS };

#define SLA_MINUTES_MAX 525600 /* a year of working time */

struct sla_policy {
    int64_t target_ms[SLA_PRIORITIES][SLA_CLOCKS]; /* 0: none */
    int warn_percent;                              /* 1 … 99 */
    bool is_waiting_after_reply;
};

/* Kept with the contact; zeroed: nothing has begun. */
struct sla_state {
    struct sla_timer {
        int64_t spent_ms;        /* working time before since_ms */
        int64_t since_ms;        /* runs since then; 0: stands */
        int64_t warn_ms, due_ms; /* when it will reach them; 0: not running or no target */
        bool is_done;            /* the promise was kept, or broken and done with */
        bool is_warned, is_breached;
    } timers[SLA_CLOCKS];
};

enum sla_event {
    SLA_SUBMITTED,
    SLA_VISITOR_SPOKE,
    SLA_AGENT_SPOKE,
    SLA_WAITING, /* an agent says that the visitor is waited for */
    SLA_RESOLVED,
    SLA_REOPENED,
    SLA_PRIORITY, /* is another one now */
    SLA_EVENTS
};

/* What goes with a contact: from the settings, and its priority. */
struct sla_terms {
    const struct sla_policy *policy;
    const struct hours *hours; /* NULL: always open */
    enum sla_priority priority;
};

/* What sla_tick found: bit of a clock is 1 << clock. */
struct sla_told {
    unsigned warned, breached;
};

void sla_policy_init(struct sla_policy *p); /* no targets, 80 %, waiting after a reply */

/* Over what sla_policy_init says. Errors: ERR_CONFIG, *why (may be NULL) says where and what; *out
 * stays as it was. */
MUST_USE int sla_policy_decode(struct json v, struct sla_policy *out, struct sb *why);

/* Times at which something was missed are marked first (as sla_tick, without being told): a late
 * answer is a breach, whether or not somebody looked in between. */
void sla_happens(struct sla_state *s, const struct sla_terms *t, enum sla_event event,
                 int64_t now_ms);

/* Marks what is reached; each is told once. */
struct sla_told sla_tick(struct sla_state *s, int64_t now_ms);

/* The next time for sla_tick; HOURS_NEVER: none. */
int64_t sla_next_ms(const struct sla_state *s);

/* Working milliseconds on the clock until now. */
int64_t sla_spent_ms(const struct sla_state *s, const struct sla_terms *t, enum sla_clock clock,
                     int64_t now_ms);

/* The state as text, kept in the record: a list of seven numbers for each clock. Reading: an empty
 * text is a state in which nothing has begun. Errors: ERR_SCHEMA. */
void sla_state_put(const struct sla_state *s, struct sb *out);
MUST_USE int sla_state_read(struct str text, struct sla_state *out);

const char *sla_clock_name(enum sla_clock clock); /* "first", "next", "resolve" */
const char *sla_priority_name(enum sla_priority p);

/* "low", "normal", "high", "urgent"; false: none of them. */
bool sla_priority_of(struct str name, enum sla_priority *out);

#endif
