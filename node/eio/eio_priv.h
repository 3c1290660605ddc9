/* The engine of one node as its own folder sees it: tables, shared packets, who owns a pipe,
 * refusals. Included in node/eio only. */
#ifndef NODE_EIO_EIO_PRIV_H
#define NODE_EIO_EIO_PRIV_H

#include "base/conf.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/metric.h"
#include "node/eio/compress.h"
#include "node/eio/eio.h"

enum eio_error {
#define EIO_ERROR(id, code, status, message) EIO_ERROR_##id,
#include "node/eio/eio_error.def"
#undef EIO_ERROR
};

/* What pipe->user points to: each of these structs starts with one. */
enum eio_owner_kind {
    EIO_OWNER_SESSION,  /* struct eio_session: its WebSocket */
    EIO_OWNER_EXCHANGE, /* struct eio_exchange: a parked GET or a POST being read */
    EIO_OWNER_PROBE,    /* struct eio_probe: a WebSocket that may become the session's */
    EIO_OWNER_ASK,      /* struct remote_ask: forwarded to the node that owns the session */
};
struct eio_owner {
    enum eio_owner_kind kind;
};

struct adapter;
struct eio_remote;

struct eio {
    struct loop *loop;
    const struct conf *conf;
    const struct eio_app *app;
    void *app_ctx;
    const struct eio_cors *cors;
    char node_id[EIO_NODE_ID_SIZE];
    struct map sessions; /* by sid; closing ones too */
    struct list open;    /* sessions the app knows */
    struct list closing; /* polling sessions that wait for a last poll */
    size_t open_count;
    struct buf *ping, *pong, *probe_pong; /* shared by all sessions */
    struct eio_compress *compress;
    struct eio_remote *remote; /* NULL without an adapter */
};

/* One request on its way through the checks. */
struct eio_request {
    struct eio *eio;
    struct pipe *pipe;
    const struct http_request *r;
    struct str cors;   /* header lines of the answer */
    struct str sid;    /* empty: a handshake */
    int protocol;      /* 3 or 4; 0: none that exists */
    bool is_websocket; /* transport=websocket */
    bool b64;
};

/* ---- answer.c: the few answers of Engine.IO over HTTP ---- */
void eio_answer(struct pipe *p, int status, const char *type, struct str cors, struct str body);
void eio_answer_empty(struct pipe *p, int status, struct str cors, bool close);
void eio_refuse(struct pipe *p, bool is_upgrade, struct str cors, enum eio_error error);

/* ---- transport.c: requests and frames of known sessions ---- */
struct eio_session;
void eio_transport_request(const struct eio_request *q, struct eio_session *s);

#endif
