/* See out_priv.h. Lengths stand before the bytes, so payloads may hold anything. */
#include "adapter/redis/out_priv.h"

#include <errno.h>
#include <unistd.h>

#include "base/metric.h"
#include "base/forbid.h"

#define KEEP_BYTES                                                                                 \
    262144 /* a larger buffer is given back when it is empty, moved together when half written */

void redis_out_fini(struct redis_out *o)
{
    sb_fini(&o->bytes);
    *o = (struct redis_out){0};
}

static void put_number(struct sb *b, char mark, size_t n)
{
    sb_char(b, mark);
    sb_u64(b, n);
    sb_put(b, "\r\n", 2);
}

int redis_out_put(struct redis_out *o, const struct str *argv, unsigned argc, size_t max_bytes)
{
    size_t bytes = 0;

    for (unsigned i = 0; i < argc; i++)
        bytes += argv[i].n + 32;
    if (o->bytes.n - o->written + bytes > max_bytes) return ERR_LIMIT;
    put_number(&o->bytes, '*', argc);
    for (unsigned i = 0; i < argc; i++) {
        put_number(&o->bytes, '$', argv[i].n);
        if (argv[i].n) sb_put(&o->bytes, argv[i].p, argv[i].n);
        sb_put(&o->bytes, "\r\n", 2);
    }
    return OK;
}

static void compact(struct redis_out *o)
{
    if (o->written < KEEP_BYTES || o->written < o->bytes.n / 2) return;
    o->bytes.n -= o->written;
    memmove(o->bytes.p, o->bytes.p + o->written, o->bytes.n);
    o->written = 0;
}

int redis_out_write(struct redis_out *o, int fd)
{
    while (o->written < o->bytes.n) {
        ssize_t n = write(fd, o->bytes.p + o->written, o->bytes.n - o->written);

        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno != EAGAIN) return ERR_IO;
        if (n < 0) {
            compact(o);
            return ERR_AGAIN;
        }
        o->written += (size_t)n;
        metric_add(M_REDIS_BYTES_OUT, (uint64_t)n);
    }
    if (o->bytes.cap > KEEP_BYTES) sb_fini(&o->bytes);
    o->bytes.n = o->written = 0;
    return OK;
}
