/* Engine.IO 3 and 4: sessions over polling and WebSocket. Public face of node/eio.
 * Source: engine.io-protocol v4 and v3; deviations of the Node.js server are followed where clients
 * see them. */
#ifndef NODE_EIO_EIO_H
#define NODE_EIO_EIO_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/str.h"
#include "node/edge/edge.h"

#define EIO_ID_SIZE 20     /* characters of a session or socket id, no NUL */
#define EIO_NODE_ID_SIZE 4 /* its first characters: the node that owns it */

enum close_reason {
#define CLOSE(id, text, recover) CLOSE_##id,
#include "node/eio/close.def"
#undef CLOSE
    CLOSE_COUNT
};
const char *close_text(enum close_reason r);
bool close_may_recover(enum close_reason r); /* the client may come back as who it was */

struct loop;
struct conf;
struct eio;         /* the engine of one node */
struct eio_session; /* one client */

struct eio_handshake { /* what the client came with; kept for the life of the session */
    struct str query, origin, authorization, user_agent, address, cookie;
    uint64_t wall_ms;
    bool secure;
};

/* The layer above. data borrows. After on_close the session is freed at the end of the turn. */
struct eio_app {
    void (*on_open)(void *ctx, struct eio_session *s);
    void (*on_message)(void *ctx, struct eio_session *s, struct str data, bool binary);
    void (*on_close)(void *ctx, struct eio_session *s, enum close_reason why);
};

/* CORS decisions of auth/origin.c, asked for every request. Appends complete header lines to out.
 * Returns false when the origin is foreign (no allow-origin line then). */
struct eio_cors {
    bool (*headers)(void *ctx, const struct http_request *r, bool preflight, struct sb *out);
    void *ctx;
};

/* node_id: EIO_NODE_ID_SIZE characters. All pointers are borrowed for the life of the engine.
 * Returns new. */
struct eio *eio_new(struct loop *l, const struct conf *c, struct str node_id,
                    const struct eio_app *app, void *app_ctx, const struct eio_cors *cors);
void eio_free(struct eio *e); /* closes what is left without a word to the app */

/* Requests under the socket path, from edge or remote: the same four callbacks as struct
 * edge_handler. */
void eio_on_request(struct eio *e, struct pipe *p, const struct http_request *r);
void eio_on_body(struct eio *e, struct pipe *p, int rc, struct str body);
void eio_on_message(struct eio *e, struct pipe *p, struct str data, bool binary);
void eio_on_gone(struct eio *e, struct pipe *p, int code);

/* Sessions of other nodes: their requests are forwarded to the owner, whose id is in the sid
 * (remote.h). The adapter is borrowed; without one, foreign sids are unknown. Give messages of kind
 * ADAPTER_PIPE and lost nodes to the others. */
struct adapter;
void eio_attach_adapter(struct eio *e, struct adapter *a);
void eio_on_node_message(struct eio *e, struct str from, struct str payload);
void eio_on_node_down(struct eio *e, struct str node);

size_t eio_sessions_count(const struct eio *e);

/* Drain: closes up to count sessions with CLOSE_SERVER_SHUTDOWN (transport close, no packet of
 * Socket.IO), then pipes that are forwarded to other nodes. Returns how many are left of both. */
size_t eio_close_some(struct eio *e, size_t count);

/* Polling sessions that were closed while no poll of theirs waited: the next one fetches the rest
 * and the close, at this node. They have a while for that. */
bool eio_has_closing(const struct eio *e);

/* Sends one message: b holds the frame of an Engine.IO packet ("4…" text, or bare bytes with
 * BUF_BINARY). Takes one reference. Order is kept over upgrades. Nothing happens on a closed
 * session. */
void eio_session_send(struct eio_session *s, struct buf *b);

/* True when a volatile packet may be sent: the transport takes data this instant. */
bool eio_session_is_writable(const struct eio_session *s);

/* Closes after what is queued was sent. on_close is called before this returns. */
void eio_session_close(struct eio_session *s, enum close_reason why);

/* Round trip of the last heartbeat as we measured it, in milliseconds; 0: not known (EIO 3: never,
 * the client pings there). measure: the next heartbeat now. A client can make it look longer. */
uint32_t eio_session_rtt_ms(const struct eio_session *s);
void eio_session_measure(struct eio_session *s);

struct str eio_session_id(const struct eio_session *s);
int eio_session_protocol(const struct eio_session *s); /* 3 or 4 */
bool eio_session_is_websocket(const struct eio_session *s);
const struct eio_handshake *eio_session_handshake(const struct eio_session *s);
void *eio_session_user(const struct eio_session *s); /* of the layer above, NULL at first */
void eio_session_set_user(struct eio_session *s, void *user);

struct str eio_node_id(const struct eio *e); /* EIO_NODE_ID_SIZE characters */

/* New identifier: node id, then 16 random characters (96 bits). */
void eio_new_id(const struct eio *e, char out[EIO_ID_SIZE]);

/* Frames of one message, for this protocol revision: EIO 3 binary has a type byte in front. Returns
 * new. */
struct buf *eio_text_message(struct str data); /* "4" + data; for 3 and 4 */
struct buf *eio_binary_message(int protocol, struct str data);

#endif
