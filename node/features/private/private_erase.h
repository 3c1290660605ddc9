/* What Redis has of a user's private messages, and how each part of it is erased: for an operator's
 * walk over all keys (adapter/redis/sweep.h). Conversations go whole, with what the other ones have
 * of them; and so do the user's block list, and that others block the user. */
#ifndef NODE_FEATURES_PRIVATE_PRIVATE_ERASE_H
#define NODE_FEATURES_PRIVATE_PRIVATE_ERASE_H

#include "adapter/redis/sweep.h"
#include "node/features/private/private_id.h"

enum { PRIVATE_ERASE_PATTERNS = 2 };

struct private_erase {
    struct private_id id;
    struct sb pattern, names;
    struct str patterns[PRIVATE_ERASE_PATTERNS]; /* of Redis' MATCH: where anything may be */
};

/* raw: the user's id, JSON. private_erase_fini always. Errors: ERR_SCHEMA. */
MUST_USE int private_erase_init(struct private_erase *e, struct str raw);
void private_erase_fini(struct private_erase *e);

/* False: nothing of the user can be in this key. The script says how much it erased; what *out
 * borrows lives until the next call. */
bool private_erase_key(struct private_erase *e, struct str key, struct redis_visit *out);

#endif
