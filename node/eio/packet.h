/* Engine.IO packets, revisions 3 and 4: one frame or one piece of a polling body, read strictly.
 * Pure: knows no session and no pipe. */
#ifndef NODE_EIO_PACKET_H
#define NODE_EIO_PACKET_H

#include <stdbool.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum eio_packet_type {
    EIO_PACKET_OPEN,
    EIO_PACKET_CLOSE,
    EIO_PACKET_PING,
    EIO_PACKET_PONG,
    EIO_PACKET_MESSAGE,
    EIO_PACKET_UPGRADE,
    EIO_PACKET_NOOP,
};

struct eio_packet {
    enum eio_packet_type type;
    bool binary;     /* a message of bytes */
    struct str data; /* borrows from the frame, or from the scratch builder for base64 */
};

/* Reads one packet. binary: it came as bytes (frame, or entry of an EIO 3 binary body). scratch is
 * overwritten. Errors: ERR_PROTO. Source: engine.io-protocol v4 "Packet encoding", v3 "Encoding".
 */
MUST_USE int eio_packet_decode(int protocol, struct str raw, bool binary, struct sb *scratch,
                               struct eio_packet *out);

/* Text form of a binary message: "b" + base64 (EIO 4), "b4" + base64 (EIO 3). body: buf_body of
 * eio_binary_message. Appends to out. */
void eio_packet_base64(int protocol, struct str body, struct sb *out);

#endif
