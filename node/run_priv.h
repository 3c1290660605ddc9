/* A node: what node_run has put together. For run*.c alone. */
#ifndef NODE_RUN_PRIV_H
#define NODE_RUN_PRIV_H

#include "adapter/adapter.h"
#include "base/conf.h"
#include "base/timer.h"
#include "node/ops/drain.h"
#include "node/run.h"

struct node {
    const struct node_app *app;
    struct conf conf;
    char id[EIO_NODE_ID_SIZE];
    struct loop *loop;
    struct edge *edge, *ops_edge;
    struct auth *auth;
    struct auth_origins *origins;
    struct eio_cors cors;
    struct eio *eio;
    struct sio *sio;
    struct events *events;
    void *own; /* the program's, from its start */
    struct adapter *adapter;
    struct ops *ops;
    struct ops_drain drain;
    struct timer death; /* of dev.h */
    bool is_draining;
};

/* ctx: struct node */
extern const struct adapter_handler run_cluster_handler;

#endif
