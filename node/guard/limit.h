/* How often a user, or an address, may send and connect, over all nodes. Far from the limit a node
 * decides alone, without a command to Redis; nearer to it it leases tokens by the chunk, ahead of
 * their use, so that no event ever waits for Redis. */
#ifndef NODE_GUARD_LIMIT_H
#define NODE_GUARD_LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

enum limit_kind { LIMIT_USER, LIMIT_IP, LIMIT_KIND_COUNT };

struct loop;
struct conf;
struct adapter;
struct limits;
struct limit_share; /* one user or address, on this node */

/* scope: in front of the names in Redis, where two programs share one; empty for the gateway.
 * Returns new; limits_free. */
struct limits *limits_new(struct loop *l, const struct conf *c, struct str scope);
void limits_free(struct limits *l);                      /* after limits_attach(l, NULL) */
void limits_attach(struct limits *l, struct adapter *a); /* NULL: none any more */

/* Whether an address is in LIMITS_EXEMPT: no limits, no bans. */
bool limits_is_exempt(const struct limits *l, struct str address);

/* One more socket of this user or address. OK: *out is given back with limit_leave (NULL: exempt,
 * nothing to give back). ERR_LIMIT: it has as many as it may have here (MAX_CONNECTIONS_PER_…). */
MUST_USE int limit_join(struct limits *l, enum limit_kind kind, struct str name,
                        struct limit_share **out);
void limit_leave(struct limits *l, struct limit_share *s); /* NULL is allowed */

/* One event. Returns 0, or the milliseconds after which there is a token. s NULL: 0. */
uint64_t limit_take(struct limits *l, struct limit_share *s);

/* One handshake from this address: 0, or the milliseconds after which it may try again. */
uint64_t limit_handshake(struct limits *l, struct str address);

size_t limits_count(const struct limits *l); /* shares that are kept, for tests */

#endif
