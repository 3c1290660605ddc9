/* Requests for another node's session. The sid carries its node; the request travels there as
 * messages of a pipe, the answer comes back the same way: one round trip, nothing is asked first.
 *
 *     client ── pipe ── asker (remote_ask.c) ══ adapter ══ owner (remote_serve.c) ── pipe ── the
 * owner's own engine
 *
 * Every message of a pipe has a number; a gap or a repetition ends the pipe on both sides, so
 * frames are in order or the client reconnects. Messages: remote_wire.h. */
#ifndef NODE_EIO_REMOTE_H
#define NODE_EIO_REMOTE_H

#include "node/eio/eio_priv.h"

struct remote_ask;

struct eio_remote *remote_new(struct eio *e, struct adapter *a);
void remote_free(struct eio_remote *r); /* local pipes are not touched */

/* Forwards a request whose sid is of another node; q->pipe is answered later. */
void remote_ask(struct eio_remote *r, const struct eio_request *q);
void remote_ask_body(struct remote_ask *k, int rc, struct str body);
void remote_ask_message(struct remote_ask *k, struct str data, bool binary);
void remote_ask_gone(struct remote_ask *k, int code);

/* Drain: ends forwarded pipes, *count at most, and lowers it by as many. WebSockets are closed;
 * polls are answered by their owner, so that nothing is lost and the client goes on elsewhere.
 * Returns how many are left. */
size_t remote_close_some(struct eio_remote *r, size_t *count);

bool remote_is_served(const struct pipe *p); /* this pipe came from another node already */

#endif
