/* Signed links of a contact: its chat for a visitor without an account, its rating, answers by
 * mail. A token says for what, for which contact and until when; who has it may do exactly that. It
 * is signed by HMAC-SHA256 with a key derived from JWT_SECRET; those of JWT_SECRET_PREVIOUS stay
 * valid. Pure. Tokens are secrets: never log one.
 *
 *   <purpose>.<expires, s>.<contact id>.<43 of base64url>       "chat.1767139200.contact_…_k3x.…"
 */
#ifndef CONTACTS_RULES_TOKEN_H
#define CONTACTS_RULES_TOKEN_H

#include <stdbool.h>
#include "base/hmac.h"

enum token_purpose { TOKEN_CHAT, TOKEN_RATE, TOKEN_PURPOSES };

#define TOKEN_ID_MAX 64
#define TOKEN_MAIL_MAC                                                                             \
    20 /* of base32: 100 bits; a mail's local part has room for 64 characters                      \
        */

struct token_keys {
    unsigned count; /* 0: no secret, nothing is signed and nothing accepted */
    unsigned char keys[2][HMAC_SHA256_SIZE]; /* the first one signs */
};

/* NULL or empty: there is none. */
void token_keys_init(struct token_keys *k, const char *secret, const char *previous);

/* Appends a token. id: a-z A-Z 0-9 _ -, TOKEN_ID_MAX at most.
 * Errors: ERR_CONFIG no secret, ERR_SCHEMA another id. */
MUST_USE int token_sign(const struct token_keys *k, enum token_purpose purpose, struct str id,
                        uint64_t expires_s, struct sb *out);

/* *id borrows from the token. Errors: ERR_AUTH malformed, for another purpose, or not ours;
 * ERR_EXPIRED it was, until now_s. */
MUST_USE int token_check(const struct token_keys *k, enum token_purpose purpose, struct str token,
                         uint64_t now_s, struct str *id);

/* The address to which an answer by mail goes: "help@x.rw" → "help+contact_…_k3x.<mac>@x.rw". It
 * does not expire, and its case does not matter. Errors: as token_sign; ERR_TOO_BIG the local part
 * would be longer than 64 (RFC 5321 4.5.3.1.1). */
MUST_USE int token_mail_sign(const struct token_keys *k, struct str mailbox, struct str id,
                             struct sb *out);

/* The contact of such an address; *id is lower case, in the caller's bytes. Errors: ERR_AUTH. */
MUST_USE int token_mail_check(const struct token_keys *k, struct str address,
                              char id_bytes[TOKEN_ID_MAX], struct str *id);

#endif
