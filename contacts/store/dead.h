/* Notices that were given up: listed, and tried again.
 * Blocks: for programs of their own (ingoma contacts notices|retry), never in a node. A service
 * over the same store may run meanwhile; what is due again it finds within five seconds.
 *
 * Errors of all calls: those of store_open and of the store; *why returns new. */
#ifndef CONTACTS_STORE_DEAD_H
#define CONTACTS_STORE_DEAD_H

#include "contacts/store/store.h"

/* The oldest first. each borrows; another result than OK ends the list with it. */
MUST_USE int dead_list(const struct conf *c,
                       int (*each)(void *ctx, const struct store_letter *letter), void *ctx,
                       char **why);

/* Errors: ERR_NOT_FOUND nothing of this name was given up. */
MUST_USE int dead_retry(const struct conf *c, struct str contact_id, struct str id, char **why);

/* All that were given up until now, each once. *count: those that are due again, also when it
 * fails. */
MUST_USE int dead_retry_all(const struct conf *c, uint64_t *count, char **why);

#endif
