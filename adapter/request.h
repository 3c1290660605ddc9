/* What is waited for between nodes, whatever the wire: questions of this node with their deadlines,
 * and questions of others that this node still has to answer. No Redis and no bytes: messages of
 * wire.h go out and come in.
 *
 * A question is complete when as many servers have answered as the driver counted besides this one.
 * A node of ours that dies meanwhile is no longer waited for; peers of other makes are known by
 * their count alone. */
#ifndef ADAPTER_REQUEST_H
#define ADAPTER_REQUEST_H

#include "adapter/wire.h"

struct loop;
struct request_table;

#define REQUEST_TIMEOUT_MS 5000       /* default, as requestsTimeout of Node.js */
#define REQUEST_TIMEOUT_MAX_MS 600000 /* of a question of another node */
#define REQUEST_QUESTIONS_MAX 65536   /* of others, open at one time; more are not taken */

struct request_conf {
    struct loop *loop;
    void *ctx;                                    /* of the calls below */
    int (*wire)(void *ctx, const struct wire *w); /* as driver_ops */
    int (*count)(void *ctx, struct str nsp, void (*done)(void *ctx, int rc, unsigned count),
                 void *done_ctx);
    void (*each_node)(void *ctx, void (*fn)(void *ctx, struct str node), void *fn_ctx);
    struct adapter_handler handler; /* gets the questions of others, with handler_ctx */
    void *handler_ctx;
};

struct request_table *request_table_new(const struct request_conf *c);
/* May be called again. Everything that is open ends with ERR_UNAVAILABLE; questions of others lead
 * nowhere from now on (their holders still end them). The driver is closed between this and the
 * free. */
void request_table_close(struct request_table *t);
void request_table_free(struct request_table *t);
size_t request_table_size(const struct request_table *t); /* of both kinds, for tests */

/* Sends w (FETCH, EMIT or CAST) with an id of our own and waits. ask NULL: an EMIT that wants no
 * answers. w->timeout_ms is taken from ask. */
void request_ask(struct request_table *t, const struct wire *w, const struct adapter_ask *ask);

void request_receive(struct request_table *t, const struct wire *w); /* of another server */
void request_node_down(struct request_table *t, struct str node);
void request_lost(struct request_table *t); /* the cluster cannot be heard: nothing will come */

#endif
