/* Two things that a developer wants and nobody else may have, on the clients' port: POST /dev/token
 * signs a token for any name, POST /dev/kill ends the node as kill -9 would. There with DEV=on and
 * DEMO=on alone; otherwise their paths are not found. */
#ifndef NODE_OPS_DEV_H
#define NODE_OPS_DEV_H

#include <stdbool.h>
#include "base/conf.h"
#include "node/edge/edge.h"

struct ops_dev;

struct ops_dev_hands { /* what a program can do; NULL: refused as unavailable */
    /* The same name is the same user, on every node. False: no token. */
    bool (*token)(void *ctx, struct str name, struct sb *out);
    void (*die)(void *ctx); /* soon: the answer still leaves */
    void *ctx;
};

/* NULL unless both options are on. Says so in the log, as a warning. Returns new. */
struct ops_dev *ops_dev_new(const struct conf *c, struct str node_id,
                            const struct ops_dev_hands *hands);
void ops_dev_free(struct ops_dev *d);

/* False: not a path of ours. What is refused by its head is answered at once; otherwise the pipe is
 * kept until ops_dev_on_body. Nothing is held for a pipe that is gone before. */
bool ops_dev_on_request(struct ops_dev *d, struct pipe *p, const struct http_request *r);

/* Is a pipe kept by ops_dev_on_request? d may be NULL. */
bool ops_dev_owns(const struct ops_dev *d, const struct pipe *p);

/* Body of a pipe that ops_dev_on_request kept: answers it. False: another pipe. */
bool ops_dev_on_body(struct ops_dev *d, struct pipe *p, int rc, struct str body);

#endif
