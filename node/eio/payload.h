/* Polling bodies: many packets in one body, in the three forms of the two revisions. Pure.
 * Source: engine.io-protocol v4 "HTTP long-polling" (separator U+001E), v3 "Payload". */
#ifndef NODE_EIO_PAYLOAD_H
#define NODE_EIO_PAYLOAD_H

#include "node/eio/packet.h"

enum eio_payload_form {
    EIO_PAYLOAD_V4,        /* packets joined with 0x1e */
    EIO_PAYLOAD_V3_TEXT,   /* <length in UTF-16 units>:<packet>… */
    EIO_PAYLOAD_V3_BINARY, /* 0 or 1, digits as bytes, 0xff, packet… */
};

struct eio_payload { /* a body being read */
    enum eio_payload_form form;
    struct str rest;
    uint64_t packets_left; /* limit of packets */
    bool is_done;
};

/* Starts to read a body. Errors: ERR_UTF8 text that is not UTF-8. */
MUST_USE int eio_payload_start(struct eio_payload *p, enum eio_payload_form form, struct str body,
                               uint64_t max_packets);

/* Next packet; out->data borrows from the body or from scratch.
 * Errors: ERR_AGAIN at the end, ERR_PROTO malformed (an empty body too), ERR_LIMIT too many
 * packets. */
MUST_USE int eio_payload_next(struct eio_payload *p, struct sb *scratch, struct eio_packet *out);

struct eio_batch { /* an answer to a poll; body is the caller's (sb_fini) */
    struct sb body;
    bool is_octets;    /* EIO 3 binary form */
    bool may_compress; /* a packet of it allows compression */
};

/* Takes packets off the queue, at least one, until the body holds max_bytes, and writes them in the
 * form of the revision. b64: the client takes no binary. */
void eio_payload_take(struct buf_queue *q, int protocol, bool b64, size_t max_bytes,
                      struct eio_batch *out);

/* Appends one text packet to a body of text form. */
void eio_payload_put_text(struct sb *out, int protocol, struct str packet);

#endif
