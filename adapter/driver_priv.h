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
    int (*eval)(void *driver, struct adapter_script *s, const struct str *keys, unsigned keys_count,
                const struct str *args, unsigned args_count, driver_eval_fn *done, void *ctx);
};

extern const struct driver_ops local_bus_driver, redis_bus_driver;

/* adapter_open with a driver and its argument given. */
MUST_USE int adapter_open_with(const struct driver_ops *ops, void *arg, struct loop *l,
                               const struct conf *c, struct str node_id,
                               const struct adapter_handler *h, void *ctx, struct adapter **out,
                               char **why);

#endif
