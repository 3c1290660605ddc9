/* Who a connection belongs to, as its token says. A value without behaviour: rights are decided by
 * the schema's role and by the features. Guests share one static identity. */
#ifndef NODE_AUTH_IDENTITY_H
#define NODE_AUTH_IDENTITY_H

#include <stdbool.h>
#include "base/json.h"
#include "base/str.h"

/* Ordered: a role may do what the smaller ones may. */
enum role { ROLE_GUEST, ROLE_USER, ROLE_ADMIN, ROLE_SUPERADMIN };

struct identity {
    struct str id; /* raw JSON, a string or a number exactly as in the token; STR_NONE: guest */
    struct str id_text;     /* the same without quotes, for names such as user-<id> */
    struct str name, email; /* STR_NONE: not told */
    struct str jti;         /* of the token, for revocation; STR_NONE: none, or longer than 128 */
    struct str rooms;       /* the claim rooms: raw JSON array of texts; STR_NONE: none */
    enum role role;
    uint64_t expires_s; /* seconds since 1970; 0: never */
    uint64_t issued_s;  /* iat; 0: not told */
    char bytes[];       /* what the slices above point to */
};

/* The one identity of everybody without a valid token. */
const struct identity *identity_guest(void);

/* Reads the claims of a verified token: id, _id or sub (first one that is a text of 1..128 bytes or
 * a number), name, email, role without case, jti, iat, rooms (an array of at most 8192 bytes). exp
 * is read by the caller. *out: returns new; identity_free. Errors: ERR_AUTH no usable id. */
MUST_USE int identity_from_claims(struct json claims, struct identity **out);

void identity_free(const struct identity *who); /* the guest and NULL are left alone */

/* The token names this room as one that its bearer may enter. */
bool identity_opens(const struct identity *who, struct str room);

/* Role without case; an unknown one is ROLE_USER. */
enum role identity_role(struct str text);
const char *identity_role_name(enum role role);

#endif
