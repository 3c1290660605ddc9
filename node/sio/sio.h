/* Socket.IO 5 (and 4 for Engine.IO 3 clients): namespaces, sockets, rooms, casts. Public face of
 * node/sio. Events travel as raw JSON text; nothing here looks into arguments. */
#ifndef NODE_SIO_SIO_H
#define NODE_SIO_SIO_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/str.h"
#include "node/eio/eio.h"

#define SIO_ATTACHMENTS_MAX 10

struct sio;        /* the server of one node */
struct sio_nsp;    /* a namespace */
struct sio_socket; /* one client in one namespace */

/* One event or ack. All borrows. */
struct sio_event {
    struct str name; /* unescaped event name (numbers: their digits) */
    struct str
        args; /* raw JSON of the arguments, without brackets and name: `1,{"a":2}`; empty: none */
    struct str array;              /* the whole raw array `["name",1,{"a":2}]` */
    struct str ack;                /* digits of the ack id as received; empty: none asked for */
    const struct str *attachments; /* binary; placeholders are numbered 0, 1, … as they occur */
    unsigned attachments_count;
};

struct adapter_question;
struct adapter_ask;

/* Decision on a CONNECT. message/data are copied by the caller of the callback before it returns.
 */
struct sio_connect {
    struct str auth;         /* raw JSON object, "{}" when absent */
    struct str who;          /* set by the callback, borrows from it until it returns OK and the
                                socket is connected: whose socket it is. Nobody else recovers it */
    struct sb error_message; /* when refused: text, not yet escaped */
    struct sb error_data;    /* when refused: raw JSON, may stay empty */
};

struct sio_app {
    /* Middleware: OK to let the socket in, anything else refuses with error_message (default
     * "Forbidden"). */
    int (*on_connecting)(void *ctx, struct sio_socket *s, struct sio_connect *c);
    /* CONNECT was sent, own room joined; a recovered socket has another id by now, and is in the
     * rooms that it was in. */
    void (*on_connect)(void *ctx, struct sio_socket *s);
    void (*on_event)(void *ctx, struct sio_socket *s, const struct sio_event *e);
    /* Still in its rooms; freed at the end of the turn. Called once for every on_connecting that
     * returned OK. */
    void (*on_disconnect)(void *ctx, struct sio_socket *s, enum close_reason why);
    /* Another server's serverSideEmit; array: raw JSON `["name",args…]`. q: an answer is wanted
     * (adapter.h: adapter_answer, and adapter_answer_end in any case), else NULL. May be NULL. */
    void (*on_server_emit)(void *ctx, struct sio_nsp *n, struct str array,
                           struct adapter_question *q);
};

struct adapter;
struct sio *sio_new(struct loop *l, const struct conf *c, const struct sio_app *app, void *ctx);
void sio_free(struct sio *s);
void sio_attach(struct sio *s, struct eio *e);             /* sids are made by it */
void sio_attach_adapter(struct sio *s, struct adapter *a); /* NULL: casts stay local */
struct str sio_node(const struct sio *s); /* id of this node; a recovered socket's id has another */
const struct eio_app *sio_eio_app(void);  /* give it to eio_new, with the struct sio as ctx */

/* Declares a namespace ("/", "/contacts"); others answer "Invalid namespace". Returns borrowed. */
struct sio_nsp *sio_nsp_add(struct sio *s, struct str name);
struct sio_nsp *sio_nsp_get(struct sio *s, struct str name); /* NULL */
struct str sio_nsp_name(const struct sio_nsp *n);
size_t sio_nsp_sockets(const struct sio_nsp *n);
/* Rooms with members here, inner ones not: calls fn for some of them, at most `most`, and moves *at
 * on, which starts at 0. False: that was the end. Rooms that come and go between two calls may be
 * told twice or not at all. */
bool sio_nsp_each_room(const struct sio_nsp *n, size_t *at, unsigned most,
                       void (*fn)(void *ctx, struct str room), void *ctx);

/* ---- one socket ---- */
struct str sio_socket_id(const struct sio_socket *s);
struct sio_nsp *sio_socket_nsp(const struct sio_socket *s);
const struct eio_handshake *sio_socket_handshake(const struct sio_socket *s);
struct str sio_socket_auth(const struct sio_socket *s); /* raw JSON object of CONNECT */
uint32_t sio_socket_rtt_ms(const struct sio_socket *s); /* eio.h; 0: not known */
void sio_socket_measure(struct sio_socket *s);
bool sio_socket_is_connected(const struct sio_socket *s);
void *sio_socket_user(const struct sio_socket *s);
void sio_socket_set_user(struct sio_socket *s, void *user);
struct sio_socket *sio_socket_find(struct sio_nsp *n, struct str id); /* NULL */

/* Sends `["name",args…]` to this socket alone. array: raw JSON. Attachments may be NULL. With
 * RECOVERY_MS it goes by way of Redis, as sio_cast_self, and is kept. */
void sio_socket_emit(struct sio_socket *s, struct str array, const struct str *attachments,
                     unsigned n);

/* As emit, and waits for the client's ack. done is called exactly once: OK with the raw array,
 * ERR_TIMEOUT, or ERR_CLOSED when the socket went away. */
void sio_socket_emit_ack(struct sio_socket *s, struct str array, const struct str *attachments,
                         unsigned n, uint64_t timeout_ms,
                         void (*done)(void *ctx, int rc, struct str array,
                                      const struct str *attachments, unsigned n),
                         void *ctx);

/* Answers an event's ack; array is raw JSON `[…]`. An empty id does nothing. */
void sio_socket_ack(struct sio_socket *s, struct str ack, struct str array,
                    const struct str *attachments, unsigned n);

/* Errors: ERR_LIMIT over MAX_ROOMS, ERR_TOO_BIG an empty name or more than 256 bytes, ERR_CLOSED.
 * Joining twice is OK; a socket's own room, named by its id, is neither joined nor left. */
MUST_USE int sio_socket_join(struct sio_socket *s, struct str room);
void sio_socket_leave(struct sio_socket *s, struct str room);
/* Rooms of the core's own have names that begin with this: neither clients nor other servers join
 * or leave them (ERR_FORBIDDEN), and nobody is shown them. */
#define SIO_ROOM_INNER "\x1f"
MUST_USE int sio_socket_join_inner(struct sio_socket *s, struct str room);
bool sio_socket_is_in(const struct sio_socket *s, struct str room);
/* Rooms of a socket: calls fn for each, its own room included and inner ones not. fn may not join
 * or leave. */
void sio_socket_each_room(struct sio_socket *s, void (*fn)(void *ctx, struct str room), void *ctx);

/* DISCONNECT packet, the connection stays; close: ends the connection too. on_disconnect is called
 * before return. */
void sio_socket_disconnect(struct sio_socket *s, bool close);

/* Ends the connection without that packet, after which stock clients come back by themselves. */
void sio_socket_end_transport(struct sio_socket *s, enum close_reason why);

size_t sio_room_count(const struct sio_nsp *n, struct str room); /* members on this node */
/* Calls fn for each member on this node; fn may join, leave and disconnect. False: no such room
 * here. */
bool sio_room_each(struct sio_nsp *n, struct str room, void (*fn)(void *ctx, struct sio_socket *s),
                   void *ctx);

/* ---- to many ---- */
enum {
    SIO_VOLATILE = 1,
    SIO_LOCAL = 2, /* this node only */
    SIO_NO_COMPRESS = 4,
};
#define SIO_CAST_ROOMS 8

struct sio_cast { /* value; strings borrow until sio_cast_emit returns */
    struct sio_nsp *nsp;
    struct str rooms[SIO_CAST_ROOMS]; /* none: the whole namespace */
    unsigned rooms_count;
    struct str except[SIO_CAST_ROOMS]; /* rooms or socket ids */
    unsigned except_count;
    unsigned flags; /* SIO_* */
};

struct sio_cast sio_cast_all(struct sio_nsp *n);
struct sio_cast sio_cast_room(struct sio_nsp *n, struct str room);
struct sio_cast sio_cast_room_but(struct sio_socket *s,
                                  struct str room); /* its namespace, without s */
/* Only s. With RECOVERY_MS kept for it; else SIO_LOCAL. */
struct sio_cast sio_cast_self(struct sio_socket *s);

/* Encodes once, queues for every matching socket here, publishes to the other nodes in the same
 * turn. With RECOVERY_MS what is neither local nor volatile is put in order by Redis first, and is
 * queued here when it comes back. */
void sio_cast_emit(const struct sio_cast *c, struct str array, const struct str *attachments,
                   unsigned n);

/* ---- over all servers of the cluster, Node.js ones included ----
 * to: nsp, rooms and except; of flags SIO_LOCAL counts. This node's sockets are changed at once,
 * the others are told in the order of the calls, without a confirmation. */
void sio_sockets_join(const struct sio_cast *to, const struct str *rooms, unsigned count);
void sio_sockets_leave(const struct sio_cast *to, const struct str *rooms, unsigned count);
void sio_sockets_disconnect(const struct sio_cast *to, bool close);

/* Questions: each and done as adapter.h says, never within the call; this node's part is in it. */
/* each: {id, handshake, rooms, data} of one socket. */
void sio_sockets_fetch(const struct sio_cast *to, const struct adapter_ask *ask);
/* each: first argument of one client's ack. on_count: also for this node, within the call. */
void sio_cast_emit_ack(const struct sio_cast *c, struct str array, const struct str *attachments,
                       unsigned n, const struct adapter_ask *ask);
/* serverSideEmit to the other servers; ask NULL: no answers. */
void sio_server_emit(struct sio_nsp *n, struct str array, const struct adapter_ask *ask);
void sio_server_count(struct sio_nsp *n, void (*done)(void *ctx, int rc, unsigned count),
                      void *ctx);

/* Delivery of another node's cast: rooms and except of any number. Called by the adapter's
 * callback. */
struct adapter_cast;
void sio_cast_deliver(struct sio *s, const struct adapter_cast *c);

#endif
