/* Bearer tokens of the ops port, for emit.c and revoke.c. Source: RFC 6750 2.1. */
#ifndef NODE_OPS_BEARER_H
#define NODE_OPS_BEARER_H

#include "node/edge/edge.h"

/* What stands behind "Bearer "; empty: nothing. Borrows. */
struct str ops_bearer_of(const struct http_request *r);

/* Takes as long for a wrong token as for a good one; the length of ours is no secret. */
bool ops_bearer_fits(struct str token, struct str given);

/* A JSON answer that nobody stores. headers: further lines, complete. */
void ops_bearer_answer(struct pipe *p, int status, const char *headers, const struct sb *body);

#endif
