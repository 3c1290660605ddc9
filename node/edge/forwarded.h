/* Whose request it is when proxies stand in front: X-Forwarded-For, as far as it can be believed.
 * Pure. */
#ifndef NODE_EDGE_FORWARDED_H
#define NODE_EDGE_FORWARDED_H

#include "base/cidr.h"
#include "node/edge/edge.h"

/* The right-most address that is no trusted proxy, going from the peer through X-Forwarded-For
 * from its end; garbage ends the walk at the last address that was believed. trusted NULL or empty:
 * the peer, whatever the header says. The result is in out, or peer itself. */
struct str forwarded_client(const struct cidr_list *trusted, struct str peer,
                            const struct http_request *r, char out[CIDR_TEXT_MAX]);

#endif
