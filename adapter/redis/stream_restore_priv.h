/* What clients missed, out of one stream. A session is taken first; where the stream ends after
 * that is where the reader of this node has to be before anything is read: orders for the old
 * socket are behind us then. All up to the reader's position is read page by page, what the reader
 * brings meanwhile is handed on beside it, so nothing is between the two and nothing in both. Each
 * page begins with the entry that is known already: while that is there, nothing behind it was
 * trimmed. */
#ifndef ADAPTER_REDIS_STREAM_RESTORE_PRIV_H
#define ADAPTER_REDIS_STREAM_RESTORE_PRIV_H

#include "adapter/redis/hub_priv.h"
#include "adapter/session.h"
#include "adapter/streams.h"

struct stream_restores { /* of one stream */
    struct loop *loop;
    struct redis_hub *hub;
    struct str stream;   /* its name */
    uint64_t timeout_ms; /* of all steps together */
    struct list open;
    struct streams_id position; /* of the reader */
    bool is_ready;
};

void stream_restores_init(struct stream_restores *s);

/* done comes later. Errors: as redis_hub_send; done is not called then. */
MUST_USE int stream_restores_begin(struct stream_restores *s, struct str nsp, struct str pid,
                                   struct str offset, const struct session_restore *to);

/* The reader has given all up to the position. */
void stream_restores_moved(struct stream_restores *s, bool is_ready, struct streams_id position);
/* The reader has just given this. */
void stream_restores_heard(struct stream_restores *s, const struct adapter_cast *c);

/* Before the hub is closed: done is called with ERR_CLOSED. */
void stream_restores_close(struct stream_restores *s);

#endif
