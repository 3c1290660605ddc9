/* Who has a contact. The table says what may follow what; decide_move is the only one to change the
 * status. See decide.h. */
#include "contacts/rules/decide_priv.h"

#include "contacts/rules/queue.h"
#include "base/forbid.h"

#define TO(state) (DECIDE_##state + 1) /* more than 0: the next state; less: an error */

static const int moves[ACTIONS][DECIDE_STATES] = {
    [ACTION_CLAIM] = {TO(IN_PROGRESS), ERR_CLAIMED, ERR_RESOLVED},
    [ACTION_TRANSFER] = {TO(IN_PROGRESS), TO(IN_PROGRESS), ERR_RESOLVED},
    [ACTION_REQUEUE] = {ERR_EXISTS, TO(PENDING), ERR_RESOLVED},
    [ACTION_RESOLVE] = {TO(RESOLVED), TO(RESOLVED), ERR_RESOLVED},
    [ACTION_REOPEN] = {ERR_EXISTS, ERR_EXISTS, TO(PENDING)},
    [ACTION_REOPEN_TO] = {ERR_EXISTS, ERR_EXISTS, TO(IN_PROGRESS)},
};

enum decide_state decide_state_of(const struct contact *c)
{
    if (str_eq(c->status, CONTACT_RESOLVED)) return DECIDE_RESOLVED;
    return str_eq(c->status, CONTACT_IN_PROGRESS) ? DECIDE_IN_PROGRESS : DECIDE_PENDING;
}

int decide_may_move(const struct contact *c, enum decide_action action)
{
    int to = moves[action][decide_state_of(c)];

    return to < 0 ? to : OK;
}

int decide_move(struct contact *c, enum decide_action action)
{
    const struct str names[DECIDE_STATES] = {[DECIDE_PENDING] = CONTACT_PENDING,
                                             [DECIDE_IN_PROGRESS] = CONTACT_IN_PROGRESS,
                                             [DECIDE_RESOLVED] = CONTACT_RESOLVED};
    int to = moves[action][decide_state_of(c)];

    if (to < TO(PENDING)) return to;
    c->status = names[to - 1];
    return OK;
}

bool decide_is_agent(const struct decide_who *who)
{
    return who->role.n > 0;
}

bool decide_has_owner(const struct contact *c, struct str agent_id)
{
    return decide_state_of(c) == DECIDE_IN_PROGRESS && agent_id.n && str_eq(c->owner_id, agent_id);
}

bool decide_may(const struct contact *c, const struct decide_who *who)
{
    return decide_is_agent(who) && (who->is_super || decide_has_owner(c, who->id));
}

int64_t decide_waits_since(const struct contact *c)
{
    return c->queue_since ? c->queue_since : c->created_at;
}

struct str decide_not_to(const struct contact *c, const struct decide_rules *r, int64_t now_ms)
{
    bool was_put_back = c->claimed_at && c->claimed_at > c->resolved_at;

    if (decide_state_of(c) != DECIDE_PENDING || !was_put_back) return STR_NONE;
    return now_ms - decide_waits_since(c) < r->auto_assign_ms ? c->owner_id : STR_NONE;
}

void decide_start(struct decide *d)
{
    d->tell = 0;
    d->sla = (struct sla_told){0};
    d->slot_drop = STR_NONE;
    d->handled_ms = 0;
}

/* Whose it is from now on. */
static void give(struct decide *d, const struct decide_who *agent)
{
    struct contact *c = d->c;

    c->owner_id = agent->id;
    c->owner_ref = agent->ref;
    c->owner_name = agent->name;
    c->owner_email = agent->email;
    c->claimed_at = d->now_ms;
    c->assign_count++;
}

int contact_submit(struct decide *d)
{
    struct contact *c = d->c;
    enum sla_priority priority = decide_priority(c);

    decide_start(d);
    c->status = CONTACT_PENDING;
    c->priority = str_z(sla_priority_name(priority));
    c->created_at = c->queue_since = c->visitor_at = c->visitor_seen_at = d->now_ms;
    c->queue_rank = queue_rank((int)priority, false);
    decide_happens(d, SLA_SUBMITTED);
    d->tell = TELL_SUBMITTED | TELL_QUEUE;
    decide_settle(d);
    return OK;
}

static int take(struct decide *d, const struct decide_who *agent, unsigned tell)
{
    int rc;

    decide_start(d);
    if (!decide_is_agent(agent)) return ERR_FORBIDDEN;
    if (decide_has_owner(d->c, agent->id)) return ERR_EXISTS;
    rc = decide_move(d->c, ACTION_CLAIM);
    if (rc != OK) return rc;
    give(d, agent);
    d->tell = tell | TELL_QUEUE;
    decide_settle(d);
    return OK;
}

int contact_claim(struct decide *d, const struct decide_who *agent)
{
    return take(d, agent, TELL_CLAIMED);
}

int contact_auto_assign(struct decide *d, const struct decide_who *agent)
{
    return take(d, agent, TELL_ASSIGNED);
}

int contact_transfer(struct decide *d, const struct decide_who *by, const struct decide_who *to)
{
    bool was_waiting = decide_state_of(d->c) == DECIDE_PENDING;
    int rc;

    decide_start(d);
    if (!decide_is_agent(by) || !decide_is_agent(to)) return ERR_FORBIDDEN;
    rc = decide_may_move(d->c, ACTION_TRANSFER);
    if (rc != OK) return rc;
    if (!was_waiting && !decide_may(d->c, by)) return ERR_FORBIDDEN;
    if (decide_has_owner(d->c, to->id)) return ERR_EXISTS;
    if (!was_waiting) d->slot_drop = d->c->owner_id;
    rc = decide_move(d->c, ACTION_TRANSFER);
    give(d, to);
    d->tell = TELL_TRANSFERRED | (was_waiting ? TELL_QUEUE : 0);
    decide_settle(d);
    return rc;
}

void decide_requeue(struct decide *d)
{
    struct contact *c = d->c;

    d->slot_drop = c->owner_id;
    c->queue_since = d->now_ms;
    c->queue_rank = queue_rank((int)decide_priority(c), true);
    c->requeue_count++;
    d->tell |= TELL_REQUEUED | TELL_QUEUE;
}

int contact_requeue(struct decide *d, const struct decide_who *by)
{
    int rc = decide_may_move(d->c, ACTION_REQUEUE);

    decide_start(d);
    if (!decide_is_agent(by)) return ERR_FORBIDDEN;
    if (rc != OK) return rc;
    if (!decide_may(d->c, by)) return ERR_FORBIDDEN;
    rc = decide_move(d->c, ACTION_REQUEUE);
    decide_requeue(d);
    decide_settle(d);
    return rc;
}

int contact_agent_gone(struct decide *d, struct str agent_id)
{
    int rc;

    decide_start(d);
    if (!decide_has_owner(d->c, agent_id)) return ERR_NOT_MEMBER;
    rc = decide_move(d->c, ACTION_REQUEUE);
    decide_requeue(d);
    d->tell |= TELL_AGENT_GONE | (d->rules->auto_assign_ms ? DO_ASSIGN : 0u);
    decide_settle(d);
    return rc;
}

int contact_resolve(struct decide *d, const struct decide_who *by)
{
    bool was_waiting = decide_state_of(d->c) == DECIDE_PENDING;
    struct contact *c = d->c;
    int rc = decide_may_move(c, ACTION_RESOLVE);

    decide_start(d);
    if (!decide_is_agent(by)) return ERR_FORBIDDEN;
    if (rc != OK) return rc;
    if (!was_waiting && !decide_may(c, by)) return ERR_FORBIDDEN;
    if (!was_waiting) {
        d->slot_drop = c->owner_id;
        d->handled_ms = d->now_ms - c->claimed_at;
    }
    rc = decide_move(c, ACTION_RESOLVE);
    c->resolved_at = d->now_ms;
    c->resolved_by = by->id;
    c->resolved_name = by->name;
    decide_happens(d, SLA_RESOLVED);
    d->tell |= TELL_RESOLVED | (was_waiting ? TELL_QUEUE : 0u);
    decide_settle(d);
    return rc;
}

int contact_reopen(struct decide *d, const struct decide_who *by, const struct decide_who *to)
{
    struct contact *c = d->c;
    int rc;

    decide_start(d);
    rc = decide_move(c, to ? ACTION_REOPEN_TO : ACTION_REOPEN);
    if (rc != OK) return rc;
    c->reopen_count++;
    c->queue_since = d->now_ms;
    c->queue_rank = queue_rank((int)decide_priority(c), true);
    if (to) give(d, to);
    decide_happens(d, SLA_REOPENED);
    if (!decide_is_agent(by)) {
        c->visitor_at = d->now_ms; /* waits for an answer */
        decide_happens(d, SLA_VISITOR_SPOKE);
    }
    d->tell |= TELL_REOPENED | (to ? 0u : TELL_QUEUE);
    decide_settle(d);
    return OK;
}
