/* What a driver is, for adapter.c and the drivers' folders only: it carries casts and bytes, and
 * knows nothing of membership. A driver calls up only from the loop, never from within a call of
 * these. */
#ifndef ADAPTER_DRIVER_PRIV_H
#define ADAPTER_DRIVER_PRIV_H

#include "adapter/adapter.h"

struct loop;
struct conf;

struct driver_up { /* calls of the driver into adapter.c */
    void *ctx;
    void (*on_cast)(void *ctx, const struct adapter_cast *c);
    void (*on_bytes)(void *ctx,
                     struct str bytes); /* a node message (message.def) to this node or to all */
    void (*on_state)(void *ctx, bool connected); /* only changes; starts as false */
};

struct driver_conf {
    struct loop *loop;
    const struct conf *conf;
    struct str node_id; /* borrows for as long as the driver lives */
    struct driver_up up;
    void *arg; /* local: the bus to join, or NULL */
};

typedef void driver_sent_fn(void *ctx, int rc);
typedef void driver_eval_fn(void *ctx, int rc, const struct str *reply, unsigned reply_count);

struct driver_eval { /* one run of a script; all borrows */
    struct adapter_script *script;
    const struct str *keys, *args;
    unsigned keys_count, args_count;
    driver_eval_fn *done;
    void *ctx;
};

struct driver_ops {
    const char *name; /* as conf->adapter spells it */
    /* Errors: ERR_CONFIG with *why, returns new. */
    int (*open)(const struct driver_conf *c, void **driver, char **why);
    void (*close)(
        void *driver); /* answers what is open, writes what it can; freed at the end of the turn */
    void (*nsp_open)(void *driver, struct str nsp);
    void (*publish)(void *driver, const struct adapter_cast *c);
    void (*say)(void *driver, struct str bytes); /* to all nodes */
    /* OK: sent is called later. Otherwise it is never called: adapter.c does that. sent may be
     * NULL. */
    int (*send)(void *driver, struct str node, struct str bytes, driver_sent_fn *sent, void *ctx);
    int (*eval)(void *driver, const struct driver_eval *e); /* as send, with e->done */
};

extern const struct driver_ops local_bus_driver, redis_bus_driver;

/* adapter_open with the driver given, and of c: loop, conf, node_id and arg. */
MUST_USE int adapter_open_with(const struct driver_ops *ops, const struct driver_conf *c,
                               const struct adapter_handler *h, void *ctx, struct adapter **out,
                               char **why);

#endif
