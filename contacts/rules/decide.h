/* What may happen to a contact: each function is one decision. It looks at the record in memory,
 * changes it there and says what has to be told; the store carries it out if nobody was faster
 * (store_contact_change), else it is decided again. Pure: time, people and settings come in.
 *
 *             submit           claim, auto_assign, transfer
 *                └──▶ pending ──────────────────▶ in_progress ──┐ transfer
 *                      ▲  ▲ │◀─────────────────── │    ▲    ◀───┘
 *                      │  │ │   requeue, gone,    │    │
 *               reopen │  │ │   no first reply    │    │ reopen (its agent has room)
 *                      │  └─│──────────┐          │    │
 *                      └── resolved ◀──┴──────────┘────┘
 *
 * On an error nothing has changed. On OK the deadlines of the record are set anew (next_at,
 * next_kind, sla, …). Texts put into the record borrow from the arguments and the arena. */
#ifndef CONTACTS_RULES_DECIDE_H
#define CONTACTS_RULES_DECIDE_H

#include "contacts/record/record.h"
#include "contacts/rules/sla.h"

#define DECIDE_TAGS_MAX 30 /* of one contact; RECORD_TEXTS_MAX is more */

struct decide_rules {             /* from options and settings */
    const struct sla_policy *sla; /* never NULL; sla_policy_init promises nothing */
    const struct hours *hours;    /* NULL: always open */
    int64_t auto_assign_ms;       /* 0: never */
    int64_t first_reply_ms;       /* working time; 0: for ever */
};

/* What has to be told, and to be done by whoever decides. */
enum {
    TELL_SUBMITTED = 1 << 0,
    TELL_CLAIMED = 1 << 1,  /* by hand */
    TELL_ASSIGNED = 1 << 2, /* by the service */
    TELL_TRANSFERRED = 1 << 3,
    TELL_REQUEUED = 1 << 4,
    TELL_AGENT_GONE = 1 << 5, /* the visitor: adminDisconnected */
    TELL_ESCALATED = 1 << 6,  /* no first reply in time */
    TELL_RESOLVED = 1 << 7,
    TELL_REOPENED = 1 << 8,
    TELL_MESSAGE = 1 << 9,
    TELL_NOTE = 1 << 10,
    TELL_UPDATED = 1 << 11, /* priority or tags */
    TELL_READ = 1 << 12,
    TELL_RATED = 1 << 13,
    TELL_QUEUE = 1 << 14, /* places in the queue have changed */
    TELL_SLA = 1 << 15,   /* decide.sla says which clocks */
    DO_ASSIGN = 1 << 16,  /* look for an agent now: assign_pick, contact_auto_assign */
};

struct decide {
    struct contact *c;
    const struct decide_rules *rules;
    struct arena *mem;
    int64_t now_ms;
    /* filled: */
    unsigned tell; /* 0 after OK: nothing has changed, nothing need be written */
    struct sla_told sla;
    struct str slot_drop; /* key of the agent who does not have it any more: agent_slot_drop */
    int64_t handled_ms;   /* how long that agent had it, when it was resolved; queue_handling_ms */
};

struct decide_who { /* an agent, or the visitor (role empty) */
    struct str id, ref, name, email, role;
    bool is_super; /* may do to contacts of others what their owner may */
};

bool decide_is_agent(const struct decide_who *who);

/* Key of who should not be given it now: who had it when it was put back, for AUTO_ASSIGN_MS from
 * then. Empty: anybody may. */
struct str decide_not_to(const struct contact *c, const struct decide_rules *r, int64_t now_ms);

/* ---- ownership ---- */

/* A new one, filled with what the form says. priority: any text. */
MUST_USE int contact_submit(struct decide *d);

/* Errors: ERR_FORBIDDEN not an agent; ERR_CLAIMED another agent has it (owner_name says who),
 * ERR_EXISTS this one does, ERR_RESOLVED. The agent's slot is taken before. */
MUST_USE int contact_claim(struct decide *d, const struct decide_who *agent);

/* The same by the service. Errors: ERR_CLAIMED, ERR_EXISTS, ERR_RESOLVED. */
MUST_USE int contact_auto_assign(struct decide *d, const struct decide_who *agent);

/* From its owner, or by a superadmin, to another agent, whose slot is taken before; one that waits,
 * by any agent. Errors: ERR_FORBIDDEN, ERR_EXISTS to has it, ERR_RESOLVED. */
MUST_USE int contact_transfer(struct decide *d, const struct decide_who *by,
                              const struct decide_who *to);

/* Back into the queue, in front of its priority. Errors: ERR_FORBIDDEN, ERR_EXISTS it waits
 * already, ERR_RESOLVED. */
MUST_USE int contact_requeue(struct decide *d, const struct decide_who *by);

/* By its owner or a superadmin; one that waits, by any agent. Errors: ERR_FORBIDDEN, ERR_RESOLVED.
 */
MUST_USE int contact_resolve(struct decide *d, const struct decide_who *by);

/* By an agent, or its visitor. to: its last agent, with a slot taken before, or NULL: it waits.
 * Errors: ERR_EXISTS it is open. */
MUST_USE int contact_reopen(struct decide *d, const struct decide_who *by,
                            const struct decide_who *to);

/* ---- talk ---- */

/* bytes: message_bytes of what is appended. Agents: its owner or a superadmin, once somebody has
 * it. Errors: ERR_FORBIDDEN, ERR_RESOLVED, ERR_LIMIT the chat is full. */
MUST_USE int contact_message(struct decide *d, const struct decide_who *by, int64_t bytes);

/* By any agent, at any time. Errors: ERR_FORBIDDEN, ERR_LIMIT. */
MUST_USE int contact_note(struct decide *d, const struct decide_who *by, int64_t bytes);

/* The visitor, or the agents by who has it, have read up to seq. What is behind the newest message
 * is taken as that; nothing goes back. Errors: ERR_FORBIDDEN. */
MUST_USE int contact_read(struct decide *d, const struct decide_who *by, int64_t seq);

/* The visitor's rating; comment is trimmed. Errors: csat_check, csat_may. */
MUST_USE int contact_rate(struct decide *d, int64_t score, struct str comment);

/* By any agent. Errors: ERR_FORBIDDEN, ERR_LIMIT more than DECIDE_TAGS_MAX. */
MUST_USE int contact_tag(struct decide *d, const struct decide_who *by,
                         const struct record_texts *add, const struct record_texts *remove);
MUST_USE int contact_priority(struct decide *d, const struct decide_who *by,
                              enum sla_priority priority);

/* ---- time ---- */

/* Does what is due: marks clocks (TELL_SLA), puts back what was not answered (TELL_ESCALATED), asks
 * for an agent (DO_ASSIGN). The record's next deadline is behind now_ms afterwards, also when no
 * agent is found: it is then tried again after AUTO_ASSIGN_MS. tell 0: it came too early, or
 * somebody was faster; the deadlines are to be written all the same. */
void contact_tick(struct decide *d);

/* Its agent is gone. Errors: ERR_NOT_MEMBER it is not this agent's any more. */
MUST_USE int contact_agent_gone(struct decide *d, struct str agent_id);

#endif
