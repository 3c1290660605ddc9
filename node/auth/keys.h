/* The keys that tokens are verified with, each for one algorithm, from the options and from files
 * that are read again when they change. */
#ifndef NODE_AUTH_KEYS_H
#define NODE_AUTH_KEYS_H

#include "node/auth/jwk.h"

struct auth_keys;
struct conf;

struct auth_key { /* borrows from the keys until the next auth_keys_refresh */
    enum jwk_alg alg;
    struct str kid;   /* STR_NONE: for tokens with any kid, or none */
    const char *text; /* the secret, or PEM with a NUL behind it */
    int n;            /* bytes, without the NUL */
};

/* JWT_SECRET, JWT_SECRET_PREVIOUS, JWT_PUBLIC_KEY_FILE, JWKS_FILE. A file that cannot be read or
 * understood is logged and counted; the keys it gave before stay. Returns new. */
struct auth_keys *auth_keys_new(const struct conf *c);
void auth_keys_free(struct auth_keys *k);

/* Looks whether the files changed, at most once a second; called before keys are used. Reads files
 * of 64 KB at most, from the local disk. */
void auth_keys_refresh(struct auth_keys *k, uint64_t now_ms);

/* The set that JWKS_URL gave (jwks.h) instead of the one before; that one stays when this cannot be
 * understood or holds no key of ours. Errors: ERR_PROTO, ERR_SCHEMA, ERR_NOT_FOUND. */
MUST_USE int auth_keys_take_set(struct auth_keys *k, struct str text);

/* True when there may be keys: one is there, or a file or a URL is named that can bring some. */
bool auth_keys_any(const struct auth_keys *k);

/* The next key for this algorithm and kid (STR_NONE: the token has none). *i starts at 0; false at
 * the end. */
bool auth_keys_next(const struct auth_keys *k, enum jwk_alg alg, struct str kid, unsigned *i,
                    struct auth_key *out);

#endif
