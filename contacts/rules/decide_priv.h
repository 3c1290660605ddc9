/* What the files of the decisions share. */
#ifndef CONTACTS_RULES_DECIDE_PRIV_H
#define CONTACTS_RULES_DECIDE_PRIV_H

#include "contacts/record/contact.h"
#include "contacts/rules/decide.h"

enum decide_state { DECIDE_PENDING, DECIDE_IN_PROGRESS, DECIDE_RESOLVED, DECIDE_STATES };

/* Unknown words count as pending: records of the old service have none. */
enum decide_state decide_state_of(const struct contact *c);

/* Its owner, or a superadmin. */
bool decide_may(const struct contact *c, const struct decide_who *who);

bool decide_has_owner(const struct contact *c, struct str agent_id); /* and it is in progress */

/* The only place that changes the status. Errors: those of the table in decide.c. */
enum decide_action {
    ACTION_CLAIM,
    ACTION_TRANSFER,
    ACTION_REQUEUE,
    ACTION_RESOLVE,
    ACTION_REOPEN,
    ACTION_REOPEN_TO,
    ACTIONS
};
MUST_USE int decide_move(struct contact *c, enum decide_action action);

/* The same without moving. */
MUST_USE int decide_may_move(const struct contact *c, enum decide_action action);

void decide_start(struct decide *d);   /* nothing to tell yet */
void decide_requeue(struct decide *d); /* status is pending already */

struct sla_terms decide_terms(const struct decide *d);
enum sla_priority decide_priority(const struct contact *c);
int64_t decide_waits_since(const struct contact *c);

/* The clocks of the record hear of an event, and are put back into it. */
void decide_happens(struct decide *d, enum sla_event event);

/* The end of each decision: the next deadline of the record. */
void decide_settle(struct decide *d);

#endif
