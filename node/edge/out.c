/* Output: what is due to a connection in a turn leaves in one write. Frames are shared; the only
 * copy is the gathering into one scratch buffer, and connections with the same queue (members of
 * one room) share even that. Must never allocate per recipient and never wait. */
#include "node/edge/edge_priv.h"

#include <errno.h>
#include <sys/socket.h>
#include "base/mem.h"
#include "base/metric.h"

#define FLUSH_SLICE 512 /* connections written before the loop looks at its events again */

static void same_forget(struct edge *e)
{
    for (unsigned i = 0; i < e->same_count; i++)
        buf_unref(e->same[i]);
    e->same_count = 0;
    e->same_bytes = 0;
}

/* The scratch holds exactly this queue already. */
static bool same_holds(const struct edge *e, const struct conn *c)
{
    struct buf_walk w;

    if (e->same_count == 0 || c->out_sent || c->out.count != e->same_count) return false;
    buf_walk_start(&c->out, &w);
    for (unsigned i = 0; i < e->same_count; i++)
        if (buf_walk_next(&c->out, &w) != e->same[i]) return false;
    return true;
}

/* Fills the scratch from the front of the queue; remembers a whole queue for the next connection.
 */
static size_t gather(struct edge *e, const struct conn *c)
{
    bool whole = c->out_sent == 0 && c->out.count <= OUT_SAME_MAX;
    size_t n = 0, skip = c->out_sent;
    struct buf_walk w;
    struct buf *b;

    same_forget(e);
    buf_walk_start(&c->out, &w);
    while ((b = buf_walk_next(&c->out, &w))) {
        size_t take = b->len - skip;

        if (take > OUT_SCRATCH_BYTES - n) take = OUT_SCRATCH_BYTES - n;
        memcpy(e->out_scratch + n, b->bytes + skip, take);
        n += take;
        if (skip + take < b->len) return n; /* full */
        skip = 0;
    }
    if (!whole) return n;
    buf_walk_start(&c->out, &w);
    while ((b = buf_walk_next(&c->out, &w)))
        e->same[e->same_count++] = buf_ref(b);
    e->same_bytes = n;
    return n;
}

static size_t left(const struct conn *c)
{
    return c->out.bytes - c->out_sent;
}

static void took(struct conn *c, size_t n)
{
    struct buf *b;

    metric_add(M_BYTES_OUT, n);
    if (c->is_blocked) metric_shift(M_OUT_QUEUE_BYTES, -(int64_t)n);
    n += c->out_sent;
    while ((b = buf_queue_peek(&c->out)) && n >= b->len) {
        n -= b->len;
        buf_unref(buf_queue_shift(&c->out));
    }
    c->out_sent = (uint32_t)n;
}

static void set_blocked(struct conn *c, bool blocked)
{
    if (c->is_blocked == blocked) return;
    c->is_blocked = blocked;
    if (blocked) metric_shift(M_OUT_QUEUE_BYTES, (int64_t)left(c)); /* not blocked: it is empty */
    conn_want(c);
}

void out_flush(struct conn *c)
{
    struct edge *e = c->edge;

    while (c->out.count) {
        size_t n = same_holds(e, c) ? e->same_bytes : gather(e, c);
        ssize_t sent = send(c->fd, e->out_scratch, n, MSG_NOSIGNAL);

        metric_add(M_WRITES, 1);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) sent = 0;
        if (sent < 0) {
            conn_lose(c, 0);
            return;
        }
        took(c, (size_t)sent);
        if ((size_t)sent < n) {
            set_blocked(c, true);
            return;
        }
    }
    set_blocked(c, false);
    conn_flushed(c);
}

void out_push(struct conn *c, struct buf *b)
{
    buf_queue_push(&c->out, b);
    if (c->is_blocked) metric_shift(M_OUT_QUEUE_BYTES, (int64_t)b->len);
    if (list_is_linked(&c->dirty) || c->is_blocked) return;
    list_push(&c->edge->dirty, &c->dirty);
    loop_at_end(c->edge->loop, &c->edge->flush);
}

void out_drop(struct conn *c)
{
    if (c->is_blocked) metric_shift(M_OUT_QUEUE_BYTES, -(int64_t)left(c));
    c->is_blocked = false;
    buf_queue_clear(&c->out);
}

static void flush_all(struct loop_task *t)
{
    struct edge *e = LIST_OWNER(t, struct edge, flush);
    struct list *node;

    for (int i = 0; i < FLUSH_SLICE && (node = list_shift(&e->dirty)); i++)
        out_flush(LIST_OWNER(node, struct conn, dirty));
    if (!list_is_empty(&e->dirty))
        loop_at_end(e->loop, t);
    else
        same_forget(e);
}

void out_init(struct edge *e)
{
    list_init(&e->dirty);
    loop_task_init(&e->flush, flush_all);
    e->out_scratch = mem_new(1, OUT_SCRATCH_BYTES);
}

void out_fini(struct edge *e)
{
    same_forget(e);
    loop_task_cancel(&e->flush);
    mem_free(e->out_scratch);
}
