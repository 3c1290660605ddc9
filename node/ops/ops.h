/* What people and machines ask a node besides Socket.IO: health, readiness, metrics, static files,
 * a back end emitting (emit.h), revoking, or giving orders to a feature (orders.h), a developer's
 * orders (dev.h). All but those to a feature are answered at once, nothing is held for their pipes.
 */
#ifndef NODE_OPS_OPS_H
#define NODE_OPS_OPS_H

#include <stdbool.h>
#include "adapter/adapter.h"
#include "base/conf.h"
#include "base/order.h"
#include "node/edge/edge.h"
#include "node/eio/eio.h"
#include "node/ops/dev.h"
#include "node/sio/sio.h"

struct ops;
struct denied;

struct ops_sources { /* borrowed for the life of the ops; may be NULL where a program has none */
    const char *program;
    struct eio *eio;
    struct sio *sio;
    struct adapter *adapter;
    struct denied *denied;
    /* Signs a guest token for the demo page; false: not available. */
    bool (*demo_token)(void *ctx, struct str name, struct sb *out);
    struct ops_dev_hands dev; /* its ctx is this one */
    /* Carries an order of a back end out, and answers it; NULL: the program has no features. */
    void (*order)(void *ctx, const struct order *o);
    /* What the program leans on beside Redis: its name, and "up", "away", or NULL when it is not
     * used. */
    const char *part;
    const char *(*part_state)(void *ctx);
    void *ctx;
};

/* Loads the files of STATIC_DIR when DEMO is on. Returns new. */
struct ops *ops_new(const struct conf *c, struct str node_id, const struct ops_sources *from);
void ops_free(struct ops *o);

void ops_set_draining(struct ops *o);
void ops_set_connected(struct ops *o); /* the adapter has reached the cluster */
bool ops_is_ready(const struct ops *o);

/* Requests on the clients' port: /health, /api/health, the demo page, the client bundle under
 * the socket path, /dev/token and /dev/kill. False: not one of these. */
bool ops_public(struct ops *o, struct pipe *p, const struct http_request *r);
/* A pipe that waits for its body for one of these; nothing is to be done when it is gone. */
bool ops_public_owns(const struct ops *o, const struct pipe *p);
bool ops_public_body(struct ops *o, struct pipe *p, int rc, struct str body); /* False: not ours */

/* Requests on the ops port: /health, /livez, /ready, /readyz, /metrics, /emit where EMIT_TOKEN is
 * set, /revoke where REVOKE_TOKEN is, /quiz where QUIZ_TOKEN is; anything else is a 404. */
void ops_private(struct ops *o, struct pipe *p, const struct http_request *r);
void ops_private_body(struct ops *o, struct pipe *p, int rc, struct str body); /* edge.h, on_body */
void ops_private_gone(struct ops *o, struct pipe *p);                          /* on_gone */
void ops_private_cut(struct ops *o); /* the ops port is being closed */

#endif
