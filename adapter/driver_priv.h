/* What a driver is, for adapter.c and the drivers' folders only: it carries casts and bytes, and
 * knows nothing of membership. A driver calls up only from the loop, never from within a call of
 * these. */
#ifndef ADAPTER_DRIVER_PRIV_H
#define ADAPTER_DRIVER_PRIV_H

#include "adapter/adapter.h"
#include "adapter/session.h"
#include "adapter/wire.h"

struct loop;
struct conf;

struct driver_up { /* calls of the driver into adapter.c */
    void *ctx;
    void (*on_cast)(void *ctx, const struct adapter_cast *c);
    void (*on_bytes)(void *ctx,
                     struct str bytes); /* a node message (message.def) to this node or to all */
    void (*on_state)(void *ctx, bool connected); /* only changes; starts as false */
    /* Everything but plain casts: a cast with request_id, the other kinds of wire.h. Own messages
     * and those for another uid are left out by the driver; w->uid is the sender's as the wire has
     * it (empty: unknown, or an emitter). Borrows. */
    void (*on_wire)(void *ctx, const struct wire *w);
};

struct driver_conf {
    struct loop *loop;
    const struct conf *conf;
    struct str node_id; /* borrows for as long as the driver lives */
    struct driver_up up;
    void *arg; /* local: the bus to join, or NULL */
};

typedef void driver_sent_fn(void *ctx, int rc);
typedef void driver_count_fn(void *ctx, int rc, unsigned count);
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
    int (*flush)(void *driver, driver_sent_fn *sent, void *ctx); /* see adapter_flush; as send */
    int (*eval)(void *driver, const struct driver_eval *e);      /* as send, with e->done */
    /* To all servers of w->nsp, or to the one whose uid is w->to; w->uid is the driver's to fill
     * in. In the order of publish. Errors: ERR_UNAVAILABLE not connected, ERR_NOT_FOUND the
     * namespace is not open, ERR_PROTO json that is none. */
    int (*wire)(void *driver, const struct wire *w);
    /* Servers of the namespace as Redis counts subscribers, this one included. As send: OK, done is
     * called later with OK or ERR_UNAVAILABLE; otherwise never. */
    int (*count)(void *driver, struct str nsp, driver_count_fn *done, void *ctx);
    /* A room got its first member here, or lost its last. NULL: no channels per room. */
    void (*room)(void *driver, struct str nsp, struct str room, bool open);
    /* See adapter_room_ready. NULL when room is. */
    void (*room_ready)(void *driver, struct str nsp, struct str room, void (*done)(void *ctx),
                       void *ctx);
    /* See adapter_keep, adapter_offset and session_restore. NULL: casts are never kept. */
    bool (*keep)(void *driver, const struct adapter_cast *c);
    struct str (*offset)(void *driver, struct str nsp);
    /* OK: done is called later. Otherwise it is never called. */
    int (*restore)(void *driver, struct str nsp, struct str pid, struct str offset,
                   const struct session_restore *r);
};

extern const struct driver_ops local_bus_driver, redis_bus_driver, redis_sharded_bus_driver,
    redis_streams_bus_driver;

/* adapter_open with the driver given, and of c: loop, conf, node_id and arg. */
MUST_USE int adapter_open_with(const struct driver_ops *ops, const struct driver_conf *c,
                               const struct adapter_handler *h, void *ctx, struct adapter **out,
                               char **why);

#endif
