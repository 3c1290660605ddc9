/* Feature desk: forms of visitors, agents who answer them, the chat between the two. Namespace
 * /contacts. Decisions are compare-and-swap on records of the store (store.h), so any node may take
 * any of them. Old names and shapes: docs/migration.md. */
#ifndef CONTACTS_DESK_DESK_H
#define CONTACTS_DESK_DESK_H

#include "contacts/record/record.h"
#include "node/event/event.h"

extern const struct feature feature_desk;

struct desk;

/* An entry of the outbox of kind "socket": tells it to the agents of all nodes; told as of
 * adapter_flush. False: Redis is away, nobody was told. */
bool desk_tell_letter(struct desk *d, const struct outbox *o, void (*told)(void *ctx, int rc),
                      void *ctx);

#endif
