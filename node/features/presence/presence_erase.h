/* What Redis has of when a user was there, and how it is erased: for an operator's walk over all
 * keys (adapter/redis/sweep.h). A user who is there stays in the list of those who are. */
#ifndef NODE_FEATURES_PRESENCE_PRESENCE_ERASE_H
#define NODE_FEATURES_PRESENCE_PRESENCE_ERASE_H

#include "adapter/redis/sweep.h"

#define PRESENCE_ERASE_PATTERN "ingoma:{presence:*}:*" /* of MATCH; the other keys are a user's */

/* user: the id as text. False: nothing of the user is to be erased in this key. The script says how
 * much it erased. scratch holds what *out borrows. */
bool presence_erase_key(struct str user, struct str key, struct redis_visit *out,
                        struct sb *scratch);

#endif
