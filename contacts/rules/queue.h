/* The queue of those who wait, as each of them is told: place and time. Pure. */
#ifndef CONTACTS_RULES_QUEUE_H
#define CONTACTS_RULES_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#define QUEUE_HANDLING_PRESET_MS 300000 /* before anything is known */
#define QUEUE_ETA_MAX_S 86400           /* nobody is told of more than a day */

/* How long an agent is busy with a contact, as it has been lately: a moving average that forgets
 * half in about three contacts. 0: nothing is known. */
int64_t queue_handling_ms(int64_t before_ms, int64_t handled_ms);

/* Seconds until the one at this place (1 is next) is answered: place × handling / free places of
 * agents, rounded up, 1 to QUEUE_ETA_MAX_S. Whoever stands before somebody is never told more.
 * Without a free place one is taken. -1: nobody is there, so nothing can be promised (agents 0). */
int64_t queue_eta_s(int64_t position, int64_t handling_ms, int64_t agents, int64_t free_places);

/* The order of those who wait: smaller goes first, then who came first. Higher priority (sla.h)
 * before lower, within one those that were given back or left alone before new ones. */
int64_t queue_rank(int priority, bool is_requeued);

#endif
