/* What adapter.c and adapter_requests.c share: the adapter itself. Included by these two alone. */
#ifndef ADAPTER_ADAPTER_PRIV_H
#define ADAPTER_ADAPTER_PRIV_H

#include "adapter/adapter.h"
#include "adapter/driver_priv.h"
#include "base/list.h"
#include "base/loop.h"

/* An answer that is due at the end of the turn: nobody is called back from within his own call. */
struct adapter_later {
    struct list node;
    driver_sent_fn *sent;
    driver_eval_fn *done;
    driver_count_fn *counted;
    void *ctx;
    int rc;
};

struct adapter {
    struct loop *loop;
    struct adapter_handler handler;
    void *ctx;
    char id[ADAPTER_NODE_ID_SIZE];
    const struct driver_ops *ops;
    void *driver;
    struct cluster *cluster;
    struct request_table *requests;
    struct due_table *dues; /* NULL: closed */
    bool connected, closed;
    unsigned connects;
    struct list laters;
    struct loop_task answer, free;
    struct sb out;
};

void adapter_answer_later(struct adapter *a, const struct adapter_later *what); /* copied */

/* ---- adapter_requests.c ---- */

void adapter_requests_open(struct adapter *a);

#endif
