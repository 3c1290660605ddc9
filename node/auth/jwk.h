/* Public keys: what a JSON Web Key Set or a PEM file says becomes a key that libjwt can use. Pure.
 * Source: RFC 7517 (JWK), RFC 7518 6.2 and 6.3 (its members), RFC 5280 4.1 and RFC 5480 2.1.1 (the
 * bytes of a SubjectPublicKeyInfo). */
#ifndef NODE_AUTH_JWK_H
#define NODE_AUTH_JWK_H

#include "base/json.h"

/* The algorithms that are understood; a key has exactly one of them. */
enum jwk_alg { JWK_HS256, JWK_RS256, JWK_ES256, JWK_ALG_COUNT };

/* By its name in a token's header ("RS256"); false: not one of ours ("none", "HS512", …). */
bool jwk_alg_of(struct str name, enum jwk_alg *out);

/* One key of a set as PEM, appended with a NUL behind it. Keys that we do not verify with (a use
 * other than sig, another curve or algorithm, a symmetric one) are ERR_NOT_FOUND: a set may hold
 * them. Errors: ERR_AUTH malformed or too weak (RSA below 2048 bits). */
MUST_USE int jwk_to_pem(struct json jwk, enum jwk_alg *alg, struct sb *pem);

/* Which algorithm a PEM public key is for: RSA of 2048 bits or more, or P-256.
 * Errors: ERR_AUTH anything else, private keys and certificates too. */
MUST_USE int jwk_pem_alg(struct str pem, enum jwk_alg *out);

/* base64url without padding (RFC 7515 2). Errors: ERR_PROTO. */
MUST_USE int jwk_base64url(struct str text, struct sb *out);

#endif
