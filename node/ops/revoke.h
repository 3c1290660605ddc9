/* POST /revoke on the ops port: logs a user, or one token, out on all nodes. On only where
 * REVOKE_TOKEN is set. docs/auth.md tells the rest. */
#ifndef NODE_OPS_REVOKE_H
#define NODE_OPS_REVOKE_H

#include "adapter/adapter.h"
#include "base/conf.h"
#include "node/edge/edge.h"
#include "node/guard/denied.h"

struct ops_revoke;

/* adapter NULL: one node alone. All are borrowed for its life. NULL: REVOKE_TOKEN is empty. */
struct ops_revoke *ops_revoke_new(const struct conf *c, struct denied *d,
                                  const struct adapter *adapter);
void ops_revoke_free(struct ops_revoke *v);

/* As of emit.h. */
void ops_revoke_on_request(struct ops_revoke *v, struct pipe *p, const struct http_request *r);
void ops_revoke_on_body(struct ops_revoke *v, struct pipe *p, int rc, struct str body);

struct ops_revoke_order {
    enum denied_kind kind;
    struct str name;  /* borrows from body or scratch */
    uint64_t until_s; /* 0: not told */
};

/* {"user":"u7"} or {"jti":"…"}, and "until": exp in seconds. Errors: ERR_PROTO, ERR_UTF8, ERR_DEPTH
 * no JSON, ERR_SCHEMA; why: one sentence. */
MUST_USE int ops_revoke_decode(struct str body, struct sb *scratch, struct ops_revoke_order *out,
                               struct sb *why);

#endif
