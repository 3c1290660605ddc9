/* Socket.IO packets as text: reads and writes `<type>[<attachments>-][<nsp>,][<ack id>][<JSON>]`.
 * Pure: knows no session, no namespace and no clock. What it lets pass is what the rest of node/sio
 * trusts. Source: socket.io-protocol v5 (v4 differs in CONNECT only); stricter than Node.js where
 * that one is lax. */
#ifndef NODE_SIO_PACKET_H
#define NODE_SIO_PACKET_H

#include <stdint.h>
#include "base/str.h"

enum sio_packet_type {
    SIO_PACKET_CONNECT,
    SIO_PACKET_DISCONNECT,
    SIO_PACKET_EVENT,
    SIO_PACKET_ACK,
    SIO_PACKET_CONNECT_ERROR,
    SIO_PACKET_BINARY_EVENT,
    SIO_PACKET_BINARY_ACK,
};

#define SIO_ACK_DIGITS_MAX 20 /* an id is echoed as received; 2^64 has 20 digits */

struct sio_packet {
    enum sio_packet_type type;
    unsigned attachments; /* binary messages that follow; 0 for all but the binary types */
    struct str nsp;       /* "/" when it was left out */
    struct str ack;       /* digits as received; empty: none */
    struct str json;      /* raw payload without blanks around it; empty: none */
    struct str name;      /* events only: name unescaped, a number's digits */
    struct str args;      /* events only: what follows the name, without brackets */
};

/* Reads a packet that a client sent. out borrows from text, and out->name from scratch when the
 * name has escapes. Errors: ERR_PROTO malformed, of a kind that clients may not send or with a
 * reserved event name; ERR_TOO_BIG more than attachments_max; ERR_DEPTH, ERR_UTF8 of the JSON. */
MUST_USE int sio_packet_decode(struct str text, unsigned attachments_max, struct sb *scratch,
                               struct sio_packet *out);

/* Appends the packet's text; name and args are not looked at. */
void sio_packet_encode(struct sb *out, const struct sio_packet *p);

/* Puts the placeholders of a binary packet in order: appends json to out with its placeholders
 * numbered 0, 1, … as they occur; attachment n of the sender becomes number place[n]. Every
 * attachment has to be used exactly once. Errors: ERR_PROTO a number that is no integer in range,
 * used twice or not at all. */
MUST_USE int sio_packet_place(struct str json, unsigned count, uint16_t *place, struct sb *out);

#endif
