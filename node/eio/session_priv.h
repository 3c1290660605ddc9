/* A session as node/eio sees it. States and who may follow whom: session.c. */
#ifndef NODE_EIO_SESSION_PRIV_H
#define NODE_EIO_SESSION_PRIV_H

#include "node/eio/eio_priv.h"
#include "node/eio/packet.h"

enum eio_state {
    EIO_STATE_OPENING, /* made, the open packet is not out yet */
    EIO_STATE_OPEN,
    EIO_STATE_PROBING, /* polling, and a WebSocket tries to take over */
    EIO_STATE_CLOSING, /* polling, the app is told: a last poll may fetch the rest */
    EIO_STATE_CLOSED,  /* freed at the end of the turn */
};

/* A polling request that is answered later. */
struct eio_exchange {
    struct eio_owner owner;
    struct eio_session *session;
    struct pipe *pipe;
    enum eio_encoding encoding; /* of the answer to a GET */
    bool is_post, is_octets;
    size_t cors_size;
    char cors[]; /* header lines of the answer */
};

struct eio_probe {
    struct eio_owner owner;
    struct eio_session *session;
    struct pipe *pipe;
    bool is_answered; /* 3probe was sent */
    bool b64;
    struct timer timeout;
    struct timer noop; /* frees a parked GET */
};

struct eio_session {
    struct eio_owner owner;
    uint32_t unchecked_bytes; /* sent since the out queue was looked at */
    struct pipe *fast;        /* the open WebSocket that takes frames as they are, or NULL */
    struct pipe *ws;          /* NULL: polling */
    struct eio *eio;
    void *user;
    enum eio_state state : 8;
    uint8_t protocol;
    bool b64;
    bool awaits_pong, is_prolonged; /* EIO 4 heartbeat */
    uint64_t pinged_us;             /* when the ping left */
    uint32_t rtt_ms;                /* of the last pong; 0: none yet */
    bool is_doomed;                 /* too slow: ends with the turn */
    bool is_told;                   /* on_close was called */
    char id[EIO_ID_SIZE];
    struct list node; /* in eio->open or eio->closing */
    struct eio_exchange *get, *post;
    struct eio_probe *probe;
    struct buf_queue queue; /* polling only */
    struct loop_task
        flush; /* end of turn: queue → parked GET, or the end of a doomed one; at last the free */
    struct timer beat; /* heartbeat; when closing: how long the rest is kept */
    struct timer slow; /* over OUT_SOFT_BYTES */
    struct eio_handshake handshake;
    char *strings; /* of the handshake, one allocation */
};

static inline struct eio_exchange *eio_exchange_of(struct eio_owner *o)
{
    return (struct eio_exchange *)(void *)o;
}

/* ---- session.c ---- */
struct eio_session *eio_session_new(const struct eio_request *q);
void eio_session_free(struct eio_session *s);
void eio_session_open(struct eio_session *s); /* the open packet is out: tells the app */
void eio_session_move(struct eio_session *s, enum eio_state next);
/* Ends at once; a parked GET gets `last` ("1", or "6" when the client asked to close). */
void eio_session_end(struct eio_session *s, enum close_reason why, struct str last);
void eio_session_packet(struct eio_session *s, const struct eio_packet *p);

/* ---- send.c ---- */
void eio_send_flush(struct eio_session *s); /* queue → parked GET, now */
void eio_send_flush_soon(struct eio_session *s);
void eio_send_over_websocket(struct eio_session *s); /* queue → WebSocket, after an upgrade */
void eio_send_end_of_turn(struct loop_task *t);
void eio_send_slow_fired(struct timer *t);

/* ---- heartbeat.c ---- */
void eio_heartbeat_start(struct eio_session *s);
void eio_heartbeat_ping(struct eio_session *s);  /* EIO 3: the client's ping came */
void eio_heartbeat_pong(struct eio_session *s);  /* EIO 4: the client's pong came */
void eio_heartbeat_other(struct eio_session *s); /* any other packet came */
void eio_heartbeat_linger(struct eio_session *s);

/* ---- transport.c ---- */
void eio_transport_answer_get(struct eio_session *s, struct str packet); /* one text packet */
void eio_transport_answer_batch(struct eio_session *s, struct str body, bool is_octets,
                                bool may_compress);
void eio_transport_release(struct pipe *p); /* a parked poll is answered with a noop */
void eio_transport_body(struct eio_exchange *x, int rc, struct str body);
void eio_transport_gone(struct eio_exchange *x);
void eio_transport_message(struct eio_session *s, struct str data, bool binary);

/* ---- probe.c ---- */
void eio_probe_start(const struct eio_request *q, struct eio_session *s);
void eio_probe_message(struct eio_probe *p, struct str data, bool binary);
void eio_probe_fail(struct eio_probe *p, bool is_gone); /* back to polling */
void eio_probe_free(struct eio_probe *p); /* the session goes on without it, pipe untouched */

#endif
