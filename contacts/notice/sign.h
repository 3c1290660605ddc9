/* How a webhook proves that it comes from here: the headers of Standard Webhooks 1.0
 * (webhook-id, webhook-timestamp, webhook-signature: v1,<base64 of HMAC-SHA256>), which receivers
 * check with a library or with five lines. Pure. */
#ifndef CONTACTS_NOTICE_SIGN_H
#define CONTACTS_NOTICE_SIGN_H

#include <stdint.h>
#include "base/str.h"

/* secrets: one, or several between blanks while they are being changed; "whsec_" and base64, or any
 * text, taken as it is. Appends one signature for each, between blanks, over "id.timestamp.body".
 * Errors: ERR_CONFIG no secret, or a whsec_ that is no base64. */
MUST_USE int notice_sign(struct str secrets, struct str id, uint64_t timestamp_s, struct str body,
                         struct sb *out);

#endif
