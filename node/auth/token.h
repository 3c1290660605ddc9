/* Tokens: a JSON Web Token (HS256, RS256, ES256) becomes an identity. The only file that knows
 * libjwt. */
#ifndef NODE_AUTH_TOKEN_H
#define NODE_AUTH_TOKEN_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"
#include "node/auth/identity.h"

#define AUTH_TOKEN_MAX 4096 /* bytes; refused above it before any cryptography */

struct auth;
struct conf;
struct loop;

/* Keeps its own copies of the secrets; c stays for its life. Without any key (keys.h) every token
 * is ignored. Returns new; auth_free. */
struct auth *auth_new(const struct conf *c);
void auth_free(struct auth *a);
bool auth_has_keys(const struct auth *a);   /* there are some, or a file or a URL may bring them */
bool auth_has_secret(const struct auth *a); /* JWT_SECRET: the demo can sign */

/* From now on JWKS_URL, where there is one, is asked for keys. Settled: it has answered once, or
 * was given up for the time being, within five seconds. */
void auth_watch(struct auth *a, struct loop *l);
bool auth_is_settled(const struct auth *a);

/* Where a client may put its token, in this order: auth.token of CONNECT, ?token= of the handshake,
 * Authorization with or without "Bearer ". False when there is none (or an empty one).
 * *token borrows from the arguments or from scratch. */
bool auth_token_find(struct str auth_json, struct str query, struct str authorization,
                     struct sb *scratch, struct str *token);

/* Signature by a key of the token's algorithm and kid, iss, aud, exp (to the second), nbf (30 s of
 * leeway). *out: returns new; identity_free. Errors: ERR_AUTH, ERR_EXPIRED; ERR_UNAVAILABLE without
 * any key. */
MUST_USE int auth_token_check(const struct auth *a, struct str token, uint64_t wall_ms,
                              struct identity **out);

/* Signs a token for a visitor of the demo page: an invented id, the given name, role user, half a
 * day. Appends to out. Errors: ERR_UNAVAILABLE without a secret or when the library fails. */
MUST_USE int auth_token_sign_guest(const struct auth *a, struct str name, uint64_t wall_ms,
                                   struct sb *out);

/* The same for a user whom the name alone tells: equal names (without case, ASCII) are one id, so
 * anybody can be anybody: for developers. */
MUST_USE int auth_token_sign_named(const struct auth *a, struct str name, uint64_t wall_ms,
                                   struct sb *out);

#endif
