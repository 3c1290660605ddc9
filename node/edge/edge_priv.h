/* Inside of the edge: one connection, from accept to close. Included only in node/edge/.
 *
 *   HEAD ──► BODY ──► WAIT ──reply──► HEAD …           (HTTP, kept alive)
 *     │                 │──accept──► WS                 (WebSocket)
 *     └─────────────────┴──────────► FLUSH ─► LINGER ─► CLOSED (freed at the end of the turn) */
#ifndef NODE_EDGE_EDGE_PRIV_H
#define NODE_EDGE_EDGE_PRIV_H

#include <netinet/in.h>
#include <sys/socket.h>
#include "base/cidr.h"
#include "base/conf.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/trim.h"
#include "node/edge/edge.h"
#include "node/edge/frame.h"
#include "node/edge/http.h"

enum conn_state {
    CONN_HEAD,   /* reading a request's head, or idle between two */
    CONN_BODY,   /* the core has the head, the body is arriving */
    CONN_WAIT,   /* the core has the whole request and owes the answer */
    CONN_WS,     /* WebSocket */
    CONN_FLUSH,  /* only what is queued is still sent */
    CONN_LINGER, /* our side is shut; input is thrown away until the peer closes */
    CONN_CLOSED, /* descriptor closed, memory lives to the end of the turn */
};

struct conn_ws { /* a message that arrives in fragments; control frame counting */
    struct sb message;
    enum ws_opcode opcode;
    unsigned fragments;
    uint32_t controls; /* in the present window */
    uint64_t window_ms;
};

struct conn_body {
    struct http_chunks chunks;
    struct sb data;
};

struct conn {
    struct pipe pipe; /* first: the core knows the connection by it */
    struct edge *edge;
    struct loop_fd *watch;
    struct list node;  /* in edge->conns */
    struct list dirty; /* in edge->dirty while something is to be written */
    struct timer deadline;
    struct loop_task end; /* frees, or goes on with pipelined input */
    struct buf_queue out;
    struct sb in;           /* unread input; empty while idle */
    char *upgrade_lines;    /* answer's headers of a valid upgrade, until accepted */
    struct conn_ws *ws;     /* made for the first fragment or control frame */
    struct conn_body *body; /* of a chunked request */
    uint64_t content_length;
    uint32_t out_sent; /* bytes of the first queued buf that are gone */
    uint32_t lingered; /* bytes thrown away */
    int fd;
    uint8_t state;
    bool keep_alive, head_only;
    bool is_blocked;  /* the peer does not take more now */
    bool is_reading;  /* first bytes of a request are here: its deadline runs */
    bool is_answered; /* reply went out before the body was read: the body is thrown away */
    struct sockaddr_in6 *address_v6; /* NULL: address_v4 */
    uint32_t address_v4;             /* network order */
};

#define OUT_SCRATCH_BYTES (256 * 1024)
#define OUT_SAME_MAX 64
#define READ_BYTES (64 * 1024)

struct edge {
    struct loop *loop;
    const struct conf *conf;
    const struct edge_handler *handler;
    struct cidr_list *trusted; /* TRUSTED_PROXIES */
    void *ctx;
    int listen_fd, spare_fd;
    struct loop_fd *listen_watch;
    struct timer accept_pause;
    struct list conns, closing, dirty; /* closing: cut, waiting for the end of the turn */
    size_t count;
    struct trim trim; /* of closed connections */
    struct loop_task flush;
    struct http_header *headers;
    char *read_scratch;
    /* out.c: what the last gathered write consisted of, so that members of one room share the
     * copying too */
    char *out_scratch;
    struct buf *same[OUT_SAME_MAX];
    unsigned same_count;
    size_t same_bytes;
};

/* conn.c */
void conn_open(struct edge *e, int fd, const struct sockaddr_storage *from);
void conn_cut(
    struct conn *c); /* descriptor closed now, freed at the end of the turn; no callback */
void conn_lose(struct conn *c,
               int code);              /* as conn_cut, and the core is told if it holds the pipe */
void conn_free(struct loop_task *end); /* end of the turn after conn_cut */
void conn_finish(struct conn *c);      /* sends what is queued, then shuts and lingers */
void conn_set_deadline(struct conn *c, uint64_t ms); /* 0: none */
void conn_want(struct conn *c);                      /* sets the wanted events by state */
void conn_flushed(struct conn *c);                   /* out.c: the queue is empty */
extern const struct pipe_ops conn_pipe_ops;

/* request.c */
void request_input(struct conn *c, struct str bytes); /* HEAD, BODY and WAIT */
void request_refuse(struct conn *c, int status);      /* answer of the edge itself, then the end */
void request_next(struct conn *c);                    /* the answer is out: ready for another */
void request_free(struct conn *c);

/* ws.c */
void ws_input(struct conn *c, char *bytes, size_t n);
void ws_close(struct conn *c, int code); /* queues the close frame, then conn_finish */
void ws_free(struct conn *c);
void ws_metrics_init(void);

/* out.c */
void out_init(struct edge *e);
void out_fini(struct edge *e);
void out_push(struct conn *c, struct buf *b); /* takes one reference */
void out_flush(struct conn *c);               /* writes what the peer takes */
void out_drop(struct conn *c);                /* forgets what is queued: the connection is gone */

#endif
