/* HTTP/1.1 request heads and chunked bodies: pure decoders, strict against request smuggling (RFC
 * 9112). No sockets, no state beyond what is passed in. */
#ifndef NODE_EDGE_HTTP_H
#define NODE_EDGE_HTTP_H

#include "node/edge/edge.h"

struct http_head { /* of one request; borrows from the bytes given to http_head_decode */
    struct http_request request;
    bool keep_alive;
    bool wants_continue; /* Expect: 100-continue */
    bool wants_ws; /* Upgrade: websocket with Connection: upgrade; request.is_upgrade says whether
                      it is valid */
    struct str ws_key, ws_protocol; /* of a valid upgrade; ws_protocol: first offered or empty */
    int status; /* on ERR_PROTO and ERR_TOO_BIG: what to answer, 400 426 431 501 505 … */
};

struct http_limits {
    size_t head_bytes;
    unsigned headers;
};

/* Reads one head from the front of bytes. headers: room for limits->headers entries.
 * *used: bytes of the head, only on OK.
 * Errors: ERR_AGAIN incomplete, ERR_PROTO malformed, ERR_TOO_BIG over a limit (head->status says
 * what to answer). */
MUST_USE int http_head_decode(struct str bytes, const struct http_limits *limits,
                              struct http_header *headers, struct http_head *head, size_t *used);

/* Chunked transfer coding, fed with what has arrived; zero-initialise. */
struct http_chunks {
    uint64_t left; /* of the present chunk's data */
    uint32_t line_bytes;
    uint8_t state;
};

/* Consumes from *in, appends data to out (at most max bytes in all).
 * Errors: ERR_AGAIN all consumed and more is to come, OK body complete, ERR_PROTO, ERR_TOO_BIG. */
MUST_USE int http_chunks_decode(struct http_chunks *c, struct str *in, size_t max, struct sb *out);

/* Complete answer as one buf (BUF_RAW), Content-Length included. Returns new. */
struct buf *http_reply_encode(const struct http_reply *r, bool keep_alive, bool head_only);

const char *http_status_text(int status);

/* Labels of M_HTTP_RESPONSES and the label of a status. */
void http_metrics_init(void);
unsigned http_status_label(int status);

#endif
