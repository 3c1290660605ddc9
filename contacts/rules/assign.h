/* Who gets a contact. Only those who are online and available and have room; never the one who did
 * not answer. Pure: it picks, the store carries out (a slot of the agent first, then the contact).
 *
 *   round robin  who was given something the longest time ago
 *   least busy   the smallest part of the capacity in use
 *   skill        the most of the contact's tags among the agent's skills, then the least busy; who
 *                has none of them is asked when nobody else can
 *
 * The same agents give the same choice, in whatever order they come. */
#ifndef CONTACTS_RULES_ASSIGN_H
#define CONTACTS_RULES_ASSIGN_H

#include "contacts/record/record.h"

enum assign_policy { ASSIGN_ROUND_ROBIN, ASSIGN_LEAST_BUSY, ASSIGN_SKILL, ASSIGN_POLICIES };

#define ASSIGN_NOBODY SIZE_MAX

/* Index of the one who gets the contact (its category counts as a tag), or ASSIGN_NOBODY. not_to:
 * key of who is left out; empty: nobody is. */
size_t assign_pick(enum assign_policy policy, const struct agent *agents, size_t count,
                   const struct contact *c, struct str not_to);

/* May this one be given a contact now? */
bool assign_has_room(const struct agent *a);

/* Free places of all who may be given contacts, and how many they are (queue_eta_s asks). */
int64_t assign_free_places(const struct agent *agents, size_t count, int64_t *who_count);

/* The time to write down as last_assigned_at of who was picked: after that of everybody, also when
 * two are picked in one millisecond. */
int64_t assign_stamp_ms(const struct agent *agents, size_t count, int64_t now_ms);

/* "round_robin", "least_busy", "skill"; false: none of them. */
bool assign_policy_of(struct str name, enum assign_policy *out);

#endif
