/* Counted, immutable bytes: what is sent to many is built once and shared.
 *
 *     bytes:  [ head: WebSocket frame header | body: Engine.IO packet ]
 *             0                              head                     len
 *
 * A WebSocket gets the whole, a polling transport the body alone. One loop thread owns all counts.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

enum {
    BUF_BINARY = 1,   /* the body is a binary message, not text */
    BUF_COMPRESS = 2, /* a polling answer that holds it may be compressed */
    BUF_RAW = 4,      /* a control frame of the WebSocket: no packet in it, never for polling */
};

struct buf {
    uint32_t refs;
    uint32_t len;  /* head + body, bytes */
    uint8_t head;  /* bytes of the frame header */
    uint8_t flags; /* BUF_* */
    char bytes[];
};

#define BUF_HEAD_MAX 10 /* longest header of an unmasked frame, RFC 6455 5.2 */

/* Frame with opcode (1 text, 2 binary, 8.. control) around the joined parts. Returns new (one
 * reference). Parts are borrowed and copied. */
struct buf *buf_frame(int opcode, const struct str *parts, int parts_count);

/* The joined parts without a frame header (BUF_RAW): HTTP answers, frames built elsewhere. Returns
 * new. */
struct buf *buf_raw(const struct str *parts, int parts_count);

struct buf *buf_text(struct str packet);   /* text frame; BUF_COMPRESS is set */
struct buf *buf_binary(struct str packet); /* binary frame; BUF_BINARY|BUF_COMPRESS */

static inline struct buf *buf_ref(struct buf *b)
{
    b->refs++;
    return b;
}

void buf_free(struct buf *b); /* through buf_unref only */

static inline void buf_unref(struct buf *b)
{
    if (--b->refs == 0) buf_free(b);
}

static inline struct str buf_body(const struct buf *b)
{
    return (struct str){b->bytes + b->head, b->len - b->head};
}

/* First in, first out queue of shared bufs. An empty one owns nothing. Chunks come from a common
 * pool, so a push in steady state allocates nothing. */
struct buf_chunk;

struct buf_queue {
    struct buf_chunk *first, *last;
    uint32_t count;
    uint16_t first_i, last_i; /* next to take in first, next free place in last */
    size_t bytes;             /* sum of len */
};

void buf_queue_push(struct buf_queue *q, struct buf *b); /* takes one reference */
struct buf *buf_queue_peek(const struct buf_queue *q);   /* borrows; NULL when empty */
struct buf *buf_queue_shift(struct buf_queue *q); /* the reference goes to the caller; NULL */
void buf_queue_clear(struct buf_queue *q);
void buf_queue_move(struct buf_queue *to, struct buf_queue *from); /* appends all of from */

/* Walk without taking: i from 0 to count - 1; *cursor starts as NULL. */
struct buf_walk {
    const struct buf_chunk *chunk;
    uint32_t i;
};
void buf_walk_start(const struct buf_queue *q, struct buf_walk *w);
struct buf *buf_walk_next(const struct buf_queue *q,
                          struct buf_walk *w); /* borrows; NULL at the end */

/* Live bufs and their bytes, for metrics and leak tests. */
void buf_stats(uint64_t *count, uint64_t *bytes);
void buf_pool_trim(void); /* gives unused chunks back to the system */

#endif
