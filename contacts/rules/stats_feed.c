/* From the record of a contact to its row of the figures. */
#include "contacts/record/contact.h"
#include "contacts/rules/stats.h"
#include "base/forbid.h"

static enum contact_stats_state state_of(const struct contact *c)
{
    if (str_eq(c->status, CONTACT_RESOLVED)) return STATS_RESOLVED;
    return str_eq(c->status, CONTACT_IN_PROGRESS) ? STATS_ACTIVE : STATS_PENDING;
}

void contact_stats_feed(struct contact_stats *s, const struct contact *c)
{
    struct contact_stats_row row = {
        .state = state_of(c),
        .agent_id = c->owner_id,
        .agent_name = c->owner_name,
        .submitted_ms = c->created_at,
        .first_reply_ms = c->first_reply_at,
        .resolved_ms = c->resolved_at,
        .messages = c->visitor_messages + c->agent_messages,
        .score = c->rate_score,
        .rated_ms = c->rated_at,
        .was_reopened = c->reopen_count > 0,
        .is_breached = c->sla_breached != 0,
    };

    if (!row.agent_id.n) { /* resolved without being claimed */
        row.agent_id = c->resolved_by;
        row.agent_name = c->resolved_name;
    }
    contact_stats_add(s, &row);
}
