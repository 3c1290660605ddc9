/* Counted bytes and queues of them: the hottest code of the house. A push in steady state is a few
 * instructions and allocates nothing. One thread owns all counts, chunks and statistics. */
#include "base/buf.h"

#include <assert.h>
#include "base/mem.h"
#include "base/forbid.h"

#define CHUNK_BUFS 14    /* with next 120 bytes: 128 with what the allocator puts in front */
#define POOL_CHUNKS 8192 /* unused chunks that are kept: 1 MB */

struct buf_chunk {
    struct buf_chunk *next;
    struct buf *at[CHUNK_BUFS];
};

static struct buf_chunk *pool;
static size_t pool_count;
static uint64_t live_count, live_bytes;

/* Header of a server's frame: FIN, not masked (RFC 6455 5.2). Returns its length. */
static unsigned frame_head(char head[BUF_HEAD_MAX], int opcode, uint64_t n)
{
    head[0] = (char)(0x80 | opcode);
    if (n < 126) {
        head[1] = (char)n;
        return 2;
    }
    if (n <= 0xFFFF) {
        head[1] = 126;
        head[2] = (char)(n >> 8);
        head[3] = (char)(n & 0xFF);
        return 4;
    }
    head[1] = 127;
    for (unsigned i = 0; i < 8; i++)
        head[2 + i] = (char)(n >> (56 - 8 * i) & 0xFF);
    return 10;
}

/* A new buf of the head and the joined parts. */
static struct buf *join(struct str head, const struct str *parts, int parts_count)
{
    size_t n = head.n;
    struct buf *b;
    char *at;

    for (int i = 0; i < parts_count; i++)
        n += parts[i].n;
    assert(n <= UINT32_MAX);
    b = mem_grow(NULL, offsetof(struct buf, bytes) + n);
    b->refs = 1;
    b->len = (uint32_t)n;
    b->head = (uint8_t)head.n;
    b->flags = 0;
    if (head.n) memcpy(b->bytes, head.p, head.n);
    at = b->bytes + head.n;
    for (int i = 0; i < parts_count; i++) {
        if (parts[i].n) memcpy(at, parts[i].p, parts[i].n);
        at += parts[i].n;
    }
    live_count++;
    live_bytes += b->len;
    return b;
}

struct buf *buf_frame(int opcode, const struct str *parts, int parts_count)
{
    char head[BUF_HEAD_MAX];
    size_t n = 0;
    struct buf *b;

    for (int i = 0; i < parts_count; i++)
        n += parts[i].n;
    b = join(str_of(head, frame_head(head, opcode, n)), parts, parts_count);
    b->flags = opcode >= 8 ? BUF_RAW : opcode == 2 ? BUF_BINARY : 0;
    return b;
}

struct buf *buf_raw(const struct str *parts, int parts_count)
{
    struct buf *b = join(STR_NONE, parts, parts_count);

    b->flags = BUF_RAW;
    return b;
}

struct buf *buf_text(struct str packet)
{
    struct buf *b = buf_frame(1, &packet, 1);

    b->flags = BUF_COMPRESS;
    return b;
}

struct buf *buf_binary(struct str packet)
{
    struct buf *b = buf_frame(2, &packet, 1);

    b->flags = BUF_BINARY | BUF_COMPRESS;
    return b;
}

void buf_free(struct buf *b)
{
    live_count--;
    live_bytes -= b->len;
    mem_free(b);
}

void buf_stats(uint64_t *count, uint64_t *bytes)
{
    *count = live_count;
    *bytes = live_bytes;
}

static struct buf_chunk *chunk_take(void)
{
    struct buf_chunk *c = pool;

    if (!c) return mem_grow(NULL, sizeof *c);
    pool = c->next;
    pool_count--;
    return c;
}

static void chunk_give(struct buf_chunk *c)
{
    if (pool_count >= POOL_CHUNKS) {
        mem_free(c);
        return;
    }
    c->next = pool;
    pool = c;
    pool_count++;
}

void buf_pool_trim(void)
{
    while (pool) {
        struct buf_chunk *c = pool;

        pool = c->next;
        mem_free(c);
    }
    pool_count = 0;
}

static void queue_grow(struct buf_queue *q)
{
    struct buf_chunk *c = chunk_take();

    c->next = NULL;
    if (q->last) {
        q->last->next = c;
    } else {
        q->first = c;
        q->first_i = 0;
    }
    q->last = c;
    q->last_i = 0;
}

void buf_queue_push(struct buf_queue *q, struct buf *b)
{
    if (!q->last || q->last_i == CHUNK_BUFS) queue_grow(q);
    q->last->at[q->last_i++] = b;
    q->count++;
    q->bytes += b->len;
}

struct buf *buf_queue_peek(const struct buf_queue *q)
{
    return q->count ? q->first->at[q->first_i] : NULL;
}

struct buf *buf_queue_shift(struct buf_queue *q)
{
    struct buf_chunk *c = q->first;
    struct buf *b;

    if (q->count == 0) return NULL;
    b = c->at[q->first_i++];
    q->bytes -= b->len;
    if (--q->count == 0) {
        *q = (struct buf_queue){0};
        chunk_give(c);
    } else if (q->first_i == CHUNK_BUFS) {
        q->first = c->next;
        q->first_i = 0;
        chunk_give(c);
    }
    return b;
}

void buf_queue_clear(struct buf_queue *q)
{
    for (struct buf *b = buf_queue_shift(q); b; b = buf_queue_shift(q))
        buf_unref(b);
}

void buf_queue_move(struct buf_queue *to, struct buf_queue *from)
{
    if (to->count == 0) {
        *to = *from;
        *from = (struct buf_queue){0};
        return;
    }
    for (struct buf *b = buf_queue_shift(from); b; b = buf_queue_shift(from)) {
        buf_queue_push(to, b);
    }
}

void buf_walk_start(const struct buf_queue *q, struct buf_walk *w)
{
    *w = (struct buf_walk){.chunk = q->first, .i = q->first_i};
}

struct buf *buf_walk_next(const struct buf_queue *q, struct buf_walk *w)
{
    if (!w->chunk) return NULL;
    if (w->i == CHUNK_BUFS) {
        w->chunk = w->chunk->next;
        w->i = 0;
        if (!w->chunk) return NULL;
    }
    if (w->chunk == q->last && w->i == q->last_i) return NULL;
    return w->chunk->at[w->i++];
}
