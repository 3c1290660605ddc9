/* One cast to a cluster by a program that is no node of it: connect, publish, done. For the command
 * line. */
#ifndef ADAPTER_REDIS_EMIT_H
#define ADAPTER_REDIS_EMIT_H

#include "adapter/adapter.h"

struct loop;
struct conf;

/* OK: servers is how many servers Redis handed it to, Node's ones too: all of the namespace, or, on
 * a sharded channel of a room, those with members in it; with a stream, how many were counted just
 * before. ERR_UNAVAILABLE: not reached within
 * REDIS_TIMEOUT_MS; ERR_TIMEOUT: no reply, it may have gone out; ERR_FORBIDDEN: refused by Redis.
 * why: one sentence, borrows. */
typedef void redis_emit_done_fn(void *ctx, int rc, unsigned servers, struct str why);

/* Of conf: redis_url, adapter, adapter_prefix, adapter_subscription_mode, adapter_stream_*,
 * redis_timeout_ms, redis_queue_bytes; borrowed until done, which comes once and never within the
 * call. cast is copied. Errors: ERR_CONFIG (a bad URL, or an ADAPTER whose wire is not spoken
 * here), ERR_PROTO cast->array is none; *why one sentence, returns new (mem_free). */
MUST_USE int redis_emit_once(struct loop *l, const struct conf *c, const struct adapter_cast *cast,
                             redis_emit_done_fn *done, void *ctx, char **why);

#endif
