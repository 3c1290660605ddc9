/* RFC 6455 frames of a client: the strict, pure decoder. Refuses before anything is allocated. */
#ifndef NODE_EDGE_FRAME_H
#define NODE_EDGE_FRAME_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

enum ws_opcode { WS_CONT = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

enum { /* close codes, RFC 6455 7.4.1 */
       WS_CODE_NORMAL = 1000,
       WS_CODE_GOING_AWAY = 1001,
       WS_CODE_PROTOCOL = 1002,
       WS_CODE_NONE = 1005,
       WS_CODE_ABNORMAL = 1006,
       WS_CODE_BAD_DATA = 1007,
       WS_CODE_POLICY = 1008,
       WS_CODE_TOO_BIG = 1009,
};

struct ws_frame {
    enum ws_opcode opcode;
    bool fin;
    uint64_t length; /* of the payload */
    uint8_t mask[4];
    unsigned head_bytes; /* header with mask */
};

/* Header at the front of bytes. max_bytes: largest payload of a data frame.
 * Errors: ERR_AGAIN incomplete, ERR_PROTO (close 1002), ERR_TOO_BIG (close 1009).
 * Refused: reserved bits, unknown opcodes, unmasked frames, control frames that are fragmented or
 * over 125 bytes, lengths not in their shortest form or over 2^63 - 1. */
MUST_USE int frame_decode(struct str bytes, size_t max_bytes, struct ws_frame *out);

/* Unmasks n bytes in place; at: offset of p within the payload. */
void frame_unmask(char *p, size_t n, const uint8_t mask[4], size_t at);

/* Payload of a close frame: *code is what the peer said, WS_CODE_NONE when empty.
 * Errors: ERR_PROTO one byte or an illegal code, ERR_UTF8 a reason that is not UTF-8. */
MUST_USE int frame_close_decode(struct str payload, int *code);

#endif
