/* Between archive.c, which has the calls on the loop, and archive_mongo.c, which carries them out
 * in workers. Included only in node/archive and by its tests. */
#ifndef NODE_ARCHIVE_ARCHIVE_PRIV_H
#define NODE_ARCHIVE_ARCHIVE_PRIV_H

#include "base/backend.h"
#include "node/archive/archive.h"

enum archive_op {
    ARCHIVE_APPEND,
    ARCHIVE_READ,
    ARCHIVE_NAMES,
    ARCHIVE_ERASE,
    ARCHIVE_PROBE,
    ARCHIVE_OPS
};

struct archive_call {
    struct backend_call base; /* first; base.rc and base.why are of the answer, too */
    enum archive_op op;
    /* What was asked, which borrows from bytes. */
    struct archive_batch batch;
    struct archive_query query; /* of an erasure the viewer alone; of names the one before, too */
    struct sb bytes;
    /* What was asked to be appended; or the answer, which borrows from page, where names are. */
    struct archive_message *messages;
    struct sb page;
    unsigned count; /* of messages, or erased ones */
    bool has_more;
    unsigned foreign;            /* documents that were passed over */
    char why[256], warning[256]; /* warning: for the log */
    /* Of the loop alone: */
    archive_done_fn *done;
    archive_read_fn *done_read;
    archive_erased_fn *done_erased;
    void *ctx;
};

/* ---- archive_mongo.c ---- */

struct archive_mongo;

/* first: zeroed, tells how the first look went. Errors: ERR_CONFIG, ERR_UNAVAILABLE (*out is set,
 * too); *why returned new. Blocks. */
MUST_USE int archive_mongo_open(const struct conf *c, bool is_a_node, struct archive_mongo **out,
                                struct archive_call *first, char **why);
void archive_mongo_close(struct archive_mongo *m);
void *archive_mongo_worker_open(void *mongo); /* as of struct pool_conf */
void archive_mongo_worker_close(void *worker);
/* Fills the answer of a call. Blocks. */
void archive_mongo_run(void *worker, struct archive_call *call);

#endif
