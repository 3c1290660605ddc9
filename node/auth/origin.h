/* Which web pages may talk to us: the list of origins and the CORS lines made from it.
 * Source: Fetch standard "CORS protocol"; the header set follows the Node.js server (npm "cors").
 */
#ifndef NODE_AUTH_ORIGIN_H
#define NODE_AUTH_ORIGIN_H

#include <stdbool.h>
#include "base/str.h"

struct auth_origins;
struct conf;
struct http_request;

/* From CORS_ORIGINS, CLIENT_URL and FRONTEND_URL. Returns new; auth_origins_free. */
struct auth_origins *auth_origins_new(const struct conf *c);
void auth_origins_free(struct auth_origins *o);

/* Scheme, host and port are compared as a whole, without case. "null" is never allowed by a list.
 */
bool auth_origin_is_allowed(const struct auth_origins *o, struct str origin);

/* The function of struct eio_cors; ctx is the struct auth_origins. Appends header lines.
 * False when the request has an Origin that is not allowed; a request without one is no matter of
 * CORS: true. */
bool auth_origin_headers(void *ctx, const struct http_request *r, bool preflight, struct sb *out);

#endif
