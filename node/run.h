/* The runtime: a program says what it is, node_run does the rest (options, loop, edge, engine,
 * adapter, features, signals, drain, the order of closing). */
#ifndef NODE_RUN_H
#define NODE_RUN_H

#include "node/eio/eio.h"
#include "node/sio/sio.h"

struct feature;

struct node_app {
    const char *name;                      /* "gateway": program is ingoma-<name> */
    const char *port, *ops_port;           /* defaults of PORT and OPS_PORT; NULL: of the table */
    const char *const *namespaces;         /* ends with NULL */
    const struct feature *const *features; /* ends with NULL; NULL: none */
    /* Programs without features (tests/wire/echo.c) bring a layer of their own instead. */
    const struct sio_app *sio;
    const struct eio_app *eio;
    void *ctx;
    const char *const
        *defaults; /* pairs ENV, value; ends with NULL: replaces defaults of the table */
};

/* Runs until SIGTERM or SIGINT was served. Returns the exit status: 0 orderly, 1 failed, 2 bad
 * options. */
int node_run(const struct node_app *app, int argc, char **argv);

#endif
