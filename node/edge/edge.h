/* The border between bytes and meaning. The edge (accept, HTTP, WebSocket) knows pipes and bytes
 * only; everything behind this header runs in tests without a socket.
 *
 * A pipe is one exchange with a peer: one HTTP request and its answer, or one WebSocket. It may
 * belong to a connection of this node or to one of another node (eio/remote.c); the core cannot
 * tell which. */
#ifndef NODE_EDGE_EDGE_H
#define NODE_EDGE_EDGE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/str.h"

enum http_method { HTTP_GET, HTTP_POST, HTTP_OPTIONS, HTTP_HEAD, HTTP_OTHER };

struct http_header {
    struct str name, value; /* name as sent: compare without case */
};

struct http_request { /* borrows: valid during on_request only */
    enum http_method method;
    struct str method_text;
    struct str path;         /* before "?" */
    struct str query;        /* after it */
    struct str address;      /* numeric address of the peer */
    bool is_upgrade;         /* a valid WebSocket handshake (RFC 6455 4.2.1): may be answered with
                                pipe_accept */
    bool has_body;           /* on_body follows, unless the request is answered before */
    uint64_t content_length; /* UINT64_MAX: chunked */
    const struct http_header *headers;
    unsigned headers_count;
};

struct http_reply { /* borrows */
    int status;
    struct str content_type; /* empty: none */
    struct str headers;      /* further complete lines, each with CR LF */
    struct str body;         /* Content-Length is made from it */
    bool close;              /* end the connection after it */
};

struct pipe {
    const struct pipe_ops *ops;
    void *user; /* of the core: free to use from on_request on, NULL at first */
    uint64_t opened_ms;
    bool is_ws;     /* pipe_accept was called */
    bool is_apps;   /* of node/run.c: the program itself answers the present request */
    bool is_closed; /* nothing goes out any more; on_gone has come or will not come */
};

struct pipe_ops {
    void (*reply)(struct pipe *, const struct http_reply *);
    void (*accept)(struct pipe *, struct str headers);
    void (*send)(struct pipe *, struct buf *);
    void (*close)(struct pipe *, int code);
    size_t (*queued)(const struct pipe *);
};

/* Orders to a pipe. After reply or close the pipe is done: do not touch it again (on_gone does not
 * follow). */
static inline void pipe_reply(struct pipe *p, const struct http_reply *r)
{
    p->ops->reply(p, r);
}

/* Answers an upgrade with 101; headers: further complete lines. From now on is_ws. */
static inline void pipe_accept(struct pipe *p, struct str headers)
{
    p->ops->accept(p, headers);
}

/* Queues a frame (takes one reference of b); all that is queued leaves in one write at the end of
 * the turn. */
static inline void pipe_send(struct pipe *p, struct buf *b)
{
    p->ops->send(p, b);
}

/* WebSocket: what is queued is still sent, then the close frame (code 0: without a code) and the
 * end. HTTP: the connection is cut without an answer. */
static inline void pipe_close(struct pipe *p, int code)
{
    p->ops->close(p, code);
}

/* Bytes that the peer has not taken yet: 0 means that a volatile packet may be sent. Not counting
 * this turn's. */
static inline size_t pipe_queued(const struct pipe *p)
{
    return p->ops->queued(p);
}

/* What the core gives to the edge. Callbacks come from the loop, one at a time. */
struct edge_handler {
    /* Head of a request is complete. May answer at once (pipe_reply, pipe_accept, pipe_close) or
     * keep the pipe. */
    void (*on_request)(void *ctx, struct pipe *p, const struct http_request *r);
    /* The whole body; rc ERR_TOO_BIG: it went over max_body_bytes (answer 413). body borrows. */
    void (*on_body)(void *ctx, struct pipe *p, int rc, struct str body);
    /* One message of a WebSocket. data borrows. */
    void (*on_message)(void *ctx, struct pipe *p, struct str data, bool binary);
    /* The peer is gone, or was cut for a breach of the protocol (code: close code sent, 0 = the
     * peer left). The pipe is freed at the end of the turn. */
    void (*on_gone)(void *ctx, struct pipe *p, int code);
};

struct loop;
struct conf;
struct edge; /* one listener */

/* Listens with SO_REUSEPORT. conf is borrowed for the life of the edge. *out: returns new.
 * Errors: ERR_IO (why: one sentence for people, returned new; mem_free). */
MUST_USE int edge_open(struct loop *l, const struct conf *c, const char *host, unsigned port,
                       const struct edge_handler *h, void *ctx, struct edge **out, char **why);
void edge_stop_accepting(struct edge *e); /* drain */
void edge_free(struct edge *e);           /* cuts what is left; no callbacks */
unsigned edge_port(const struct edge *e); /* the real one, when 0 was asked for */
size_t edge_connections(const struct edge *e);

/* Value of a request's header, first one; STR_NONE when absent. */
struct str http_header(const struct http_request *r, struct str name);

#endif
