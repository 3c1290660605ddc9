/* What travels between the asker and the owner of a forwarded pipe: one table of kinds gives both
 * codec halves. Layout: 'E' 1 kind, pipe u64, seq u32, the kind's numbers as u64, the kind's texts
 * as u32 length + bytes; all little-endian, nothing may follow. Pure. */
#ifndef NODE_EIO_REMOTE_WIRE_H
#define NODE_EIO_REMOTE_WIRE_H

#include <stdint.h>
#include "base/err.h"
#include "base/str.h"

enum remote_kind {
    /* from the asker */
    REMOTE_OPEN,
    REMOTE_BODY,
    REMOTE_MESSAGE,
    REMOTE_GONE,
    REMOTE_WINDOW,
    /* from the owner */
    REMOTE_REPLY,
    REMOTE_ACCEPT,
    REMOTE_SEND,
    REMOTE_CLOSE,
    /* from the asker, too */
    REMOTE_RELEASE, /* answer the parked poll now: the asker drains */
    REMOTE_KIND_COUNT,
};

#define REMOTE_NUMBERS_MAX 3
#define REMOTE_TEXTS_MAX 7

/* Places of a kind's numbers and texts. */
enum { OPEN_METHOD, OPEN_FLAGS, OPEN_LENGTH };
enum {
    OPEN_METHOD_TEXT,
    OPEN_PATH,
    OPEN_QUERY,
    OPEN_ADDRESS,
    OPEN_ORIGIN,
    OPEN_ACCEPT_ENCODING,
    OPEN_CONTENT_TYPE
};
enum { OPEN_IS_UPGRADE = 1, OPEN_HAS_BODY = 2 };
enum { BODY_RC }; /* 0, or an error code without its sign */
enum { BODY_DATA };
enum { MESSAGE_BINARY };
enum { MESSAGE_DATA };
enum { GONE_CODE, GONE_IS_GET };
enum { GONE_SID };
enum {
    WINDOW_QUEUED,
    WINDOW_RECEIVED
}; /* bytes not taken by the client; bytes of SEND that arrived in all */
enum { REPLY_STATUS, REPLY_CLOSE };
enum { REPLY_TYPE, REPLY_HEADERS, REPLY_BODY };
enum { ACCEPT_HEADERS };
enum { SEND_FRAMES };
enum { CLOSE_CODE };

struct remote_message {
    enum remote_kind kind;
    uint64_t pipe; /* number of the asker */
    uint32_t seq;  /* of this pipe and direction, from 0 */
    uint64_t numbers[REMOTE_NUMBERS_MAX];
    struct str texts[REMOTE_TEXTS_MAX]; /* borrow */
};

void remote_wire_encode(const struct remote_message *m, struct sb *out);

/* Errors: ERR_PROTO anything that is not exactly one message, ERR_TOO_BIG over max_bytes. */
MUST_USE int remote_wire_decode(struct str payload, size_t max_bytes, struct remote_message *out);

/* Frames in SEND_FRAMES: opcode (1 text, 2 binary), u32 length, bytes. next: ERR_AGAIN at the end,
 * ERR_PROTO. */
void remote_wire_put_frame(struct sb *out, int opcode, struct str data);
MUST_USE int remote_wire_next_frame(struct str *rest, int *opcode, struct str *data);

/* True for header lines that may go into an answer: each ends with CR LF, none is empty, no control
 * bytes. */
bool remote_wire_are_headers(struct str lines);

#endif
