/* Agents and the contacts in their hands (struct agent of record.h): changed in memory, then
 * store_agent_update. Who compares the version takes no more slots than there are. */
#ifndef CONTACTS_RECORD_AGENT_H
#define CONTACTS_RECORD_AGENT_H

#include "contacts/record/record.h"

bool agent_has_slot(const struct agent *a, struct str contact_id);

/* Adds a slot, or refreshes the time of one that is there. The list is new, in the arena.
 * Errors: ERR_LIMIT the agent has as many as capacity allows. */
MUST_USE int agent_slot_take(struct agent *a, struct str contact_id, int64_t now_ms,
                             struct arena *mem);

/* False: there was none. */
bool agent_slot_drop(struct agent *a, struct str contact_id, struct arena *mem);

#endif
