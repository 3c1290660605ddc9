/* JWKS_URL: the set of public keys that an identity provider publishes, asked for at the start,
 * from time to time, and when a token names a key that nobody knows. */
#ifndef NODE_AUTH_JWKS_H
#define NODE_AUTH_JWKS_H

#include "node/auth/keys.h"

struct auth_jwks;
struct loop;

/* Asks at once. k outlives it. Returns new; NULL without JWKS_URL. */
struct auth_jwks *auth_jwks_new(struct loop *l, const struct conf *c, struct auth_keys *k);
void auth_jwks_free(struct auth_jwks *j);

/* True once the first question was answered or given up; NULL is settled. */
bool auth_jwks_is_settled(const struct auth_jwks *j);

/* A token names a key that is not there: asks, unless that was done within ten seconds. Whoever
 * sends invented names costs the provider no more than that. */
void auth_jwks_want(struct auth_jwks *j);

#endif
