/* What Redis has of when a user was there, as lines of JSON: for an operator's export
 * (tools/export.c). Users of the same text (7 and "7") share it. */
#ifndef NODE_FEATURES_PRESENCE_PRESENCE_EXPORT_H
#define NODE_FEATURES_PRESENCE_PRESENCE_EXPORT_H

#include "adapter/redis/visit.h"

/* user: the id as text. scratch holds what *out borrows; put appends lines, and says how many. */
void presence_export_seen(struct str user, struct redis_visit *out, struct sb *scratch);
unsigned presence_export_put_seen(const struct str *reply, unsigned count, struct sb *out);

void presence_export_row(struct str prefix, struct str user, struct redis_visit *out,
                         struct sb *scratch);
unsigned presence_export_put_row(const struct str *reply, unsigned count, struct sb *out);

#endif
