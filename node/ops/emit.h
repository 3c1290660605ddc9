/* POST /emit on the ops port: back ends without a Socket.IO library emit an event to all nodes. On
 * only where EMIT_TOKEN is set. docs/emit.md tells the rest. */
#ifndef NODE_OPS_EMIT_H
#define NODE_OPS_EMIT_H

#include "adapter/adapter.h"
#include "base/conf.h"
#include "node/edge/edge.h"
#include "node/sio/sio.h"

struct ops_emit;

/* adapter NULL: one node alone. All are borrowed for its life. NULL: EMIT_TOKEN is empty. */
struct ops_emit *ops_emit_new(const struct conf *c, struct sio *sio, const struct adapter *adapter);
void ops_emit_free(struct ops_emit *e);

/* A request for /emit. What is refused by its head is answered at once; otherwise the pipe is kept
 * until ops_emit_on_body. Nothing is held for a pipe: on_gone needs no call. */
void ops_emit_on_request(struct ops_emit *e, struct pipe *p, const struct http_request *r);

/* Body of a pipe that ops_emit_on_request kept: answers it. Other pipes: does nothing. */
void ops_emit_on_body(struct ops_emit *e, struct pipe *p, int rc, struct str body);

#endif
