/* The runtime: a program says what it is, node_run does the rest (options, loop, edge, engine,
 * adapter, features, signals, drain, the order of closing). */
#ifndef NODE_RUN_H
#define NODE_RUN_H

#include "node/eio/eio.h"
#include "node/sio/sio.h"

struct feature;
struct loop;
struct conf;

/* Requests on the clients' port that are the program's own, asked before Engine.IO. app: what its
 * start returned. */
struct node_http {
    /* True: it is this program's, and is answered within the call or later. */
    bool (*on_request)(void *app, struct pipe *p, const struct http_request *r);
    void (*on_body)(void *app, struct pipe *p, int rc, struct str body); /* edge.h */
    void (*on_gone)(void *app, struct pipe *p); /* a kept request has nobody to be answered to */
};

/* What the program leans on beside Redis, for /health and /ready: without it the node is degraded,
 * and goes on. */
struct node_part {
    const char *name;                /* "archive": the member's name */
    const char *(*state)(void *app); /* "up" or "away"; NULL: it is not used */
};

struct node_app {
    const char *name;                      /* "gateway": program is ingoma-<name> */
    const char *port, *ops_port;           /* defaults of PORT and OPS_PORT; NULL: of the table */
    const char *const *namespaces;         /* ends with NULL; the first is the main one */
    const struct feature *const *features; /* ends with NULL; NULL: none */
    /* Programs without features (tests/wire/echo.c) bring a layer of their own instead. */
    const struct sio_app *sio;
    const struct eio_app *eio;
    void *ctx;
    /* What the program has beside its features (a store); they find it by events_app. NULL: it
     * could not start, *why says it in one sentence (returned new). Before the features open. */
    void *(*start)(struct loop *l, const struct conf *c, char **why);
    void (*stop)(void *app);      /* after the features; its pipes are still there */
    const struct node_http *http; /* NULL: none */
    const struct node_part *part; /* NULL: nothing but Redis */
    const char *const
        *defaults; /* pairs ENV, value; ends with NULL: replaces defaults of the table */
};

/* Runs until SIGTERM or SIGINT was served. Returns the exit status: 0 orderly, 1 failed, 2 bad
 * options. */
int node_run(const struct node_app *app, int argc, char **argv);

#endif
