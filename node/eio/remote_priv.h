/* Both ends of forwarded pipes, as the remote_*.c files see them. */
#ifndef NODE_EIO_REMOTE_PRIV_H
#define NODE_EIO_REMOTE_PRIV_H

#include "adapter/adapter.h"
#include "node/eio/remote.h"
#include "node/eio/remote_wire.h"

struct remote_peer { /* another node that we talked with; until it is down */
    char id[EIO_NODE_ID_SIZE];
    struct list asks;   /* ours, to it */
    struct list serves; /* its, to us */
    size_t asks_count, serves_count;
    uint64_t last_opened; /* highest pipe number it opened: they only grow */
    bool is_ending;       /* eio_on_node_down works on it and frees it */
};

struct eio_remote {
    struct eio *eio;
    struct adapter *adapter;
    struct map peers;  /* by node id */
    struct map asks;   /* by pipe number */
    struct map serves; /* by node id and pipe number */
    struct list ended; /* serves with messages still on their way */
    struct list due;   /* ended asks whose owner has still to be told */
    size_t due_count;
    uint64_t next_number;
};

/* A request of a client here, answered elsewhere. */
struct remote_ask {
    struct eio_owner owner;
    struct eio_remote *remote;
    struct remote_peer *peer;
    struct list node;  /* in peer->asks, then perhaps in remote->due */
    struct pipe *pipe; /* of the client; NULL: ended */
    uint64_t number;
    uint32_t seq_in, seq_out;
    unsigned refs; /* alive: 1; each message on its way: 1 */
    bool is_get, is_upgrade;
    bool may_be_open; /* at the owner: the opening was handed to a Redis that was there */
    bool is_due;
    uint64_t due_until_ms;
    bool is_released;        /* a poll that has to end here, so that the client asks another node */
    uint64_t received_bytes; /* of SEND */
    uint64_t reported_bytes; /* queue as last told in WINDOW */
    struct timer deadline;
    struct timer window;
    char sid[EIO_ID_SIZE];
    size_t cors_size;
    char cors[]; /* for an answer of our own when the owner has none */
};

/* A pipe of another node's client, whose session is here. */
struct remote_serve {
    struct pipe pipe;
    struct eio_remote *remote;      /* NULL: the engine is gone */
    struct remote_peer *peer;       /* NULL: ended */
    struct list node;               /* in peer->serves, then in remote->ended */
    char key[EIO_NODE_ID_SIZE + 8]; /* node id, pipe number */
    uint64_t number;
    uint32_t seq_in, seq_out;
    unsigned refs;
    bool is_get, awaits_body;
    bool is_lost; /* a message to the asker did not arrive */
    uint64_t sent_bytes;
    uint64_t window_queued, window_received; /* last WINDOW */
    struct sb frames;                        /* of this turn */
    struct loop_task flush;
    struct loop_task lost;
    char sid[EIO_ID_SIZE];
};

struct remote_peer *remote_peer_get(struct eio_remote *r, struct str node);  /* NULL */
struct remote_peer *remote_peer_make(struct eio_remote *r, struct str node); /* NULL: too many */
void remote_peer_unused(struct eio_remote *r,
                        struct remote_peer *peer); /* forgets one that was only asked */

/* ---- remote_ask.c ---- */
void remote_ask_answer(struct eio_remote *r, struct str from, const struct remote_message *m);
void remote_ask_node_down(struct eio_remote *r, struct remote_peer *peer);
void remote_ask_forget(struct remote_ask *k); /* the engine goes away */

/* ---- remote_serve.c ---- */
void remote_serve_message(struct eio_remote *r, struct str from, const struct remote_message *m);
void remote_serve_node_down(struct eio_remote *r, struct remote_peer *peer);
void remote_serve_forget(struct remote_serve *v);

#endif
