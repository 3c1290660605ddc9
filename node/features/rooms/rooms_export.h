/* Where a user is muted or was kicked out, as lines of JSON: for an operator's export
 * (tools/export.c), which walks over all keys (adapter/redis/sweep.h). */
#ifndef NODE_FEATURES_ROOMS_ROOMS_EXPORT_H
#define NODE_FEATURES_ROOMS_ROOMS_EXPORT_H

#include "adapter/redis/visit.h"

#define ROOMS_EXPORT_PATTERN "ingoma:{room:*}:bars" /* of MATCH */

/* member: as of rooms_key_user. False: not such a key. scratch holds what *out borrows. */
bool rooms_export_key(struct str member, struct str key, struct redis_visit *out,
                      struct sb *scratch);
/* Of a reply that is no number. Appends lines, and says how many. */
unsigned rooms_export_put(const struct str *reply, unsigned count, struct sb *out);

#endif
