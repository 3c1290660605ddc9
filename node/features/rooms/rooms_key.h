/* What a member of a room is called in Redis and between nodes: u and the id as JSON for users, so
 * that 7 is not "7", g and a sum of the socket id for guests, whose socket ids are nobody's
 * business. Pure. */
#ifndef NODE_FEATURES_ROOMS_ROOMS_KEY_H
#define NODE_FEATURES_ROOMS_ROOMS_KEY_H

#include <stdbool.h>
#include "base/str.h"

struct identity;

enum { ROOMS_GUEST_KEY = 25 };

/* Appends. Errors: ERR_SCHEMA raw is neither a text nor a number. */
MUST_USE int rooms_key_user(struct str raw_id, struct sb *out);
void rooms_key_put(const struct identity *who, struct str socket_id, struct sb *out);
bool rooms_key_is_guest(struct str key); /* of that shape */

#endif
