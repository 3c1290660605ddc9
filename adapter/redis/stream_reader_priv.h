/* Reads one stream to its end and waits there, on a connection of its own: a blocked one would hold
 * up every other command (reference 10.22). The position is ours: `$` is resolved once, so nothing
 * is missed between two XREADs (10.19), and it outlives the connection. It knows nothing of what
 * the entries mean. */
#ifndef ADAPTER_REDIS_STREAM_READER_PRIV_H
#define ADAPTER_REDIS_STREAM_READER_PRIV_H

#include "adapter/redis/link.h"
#include "adapter/streams.h"

struct redis_stream_reader;

struct redis_stream_reader_conf {
    struct loop *loop;
    const struct redis_url *url; /* lives longer than the reader */
    struct str stream;           /* its name; copied */
    const char *link_name;       /* copied */
    uint64_t timeout_ms;         /* as of other links: XREAD blocks for less than that */
    uint64_t queue_bytes;
    void *ctx;
    /* fields: names and values in turn; borrows */
    void (*on_entry)(void *ctx, const struct str *fields, unsigned count);
    void (*on_moved)(void *ctx); /* the position, or whether it is ready, has changed */
};

/* Begins behind what is in the stream when it first gets there. Callbacks may close it. */
struct redis_stream_reader *redis_stream_reader_open(const struct redis_stream_reader_conf *c);
void redis_stream_reader_close(struct redis_stream_reader *r); /* freed at the end of the turn */

/* Connected, and it knows where to go on: what is added from now on comes. */
bool redis_stream_reader_is_ready(const struct redis_stream_reader *r);

/* All up to this entry was given to on_entry, or is lost for good. */
struct streams_id redis_stream_reader_position(const struct redis_stream_reader *r);

#endif
