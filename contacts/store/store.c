/* The store on the loop: what base/backend.h carries to workers and back is counted, logged and
 * told. Must not know a database: drivers do (sqlite.c, mongo.c). */
#include "contacts/store/store_priv.h"

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/forbid.h"

#define WRITE_BATCH 64 /* in one transaction */

struct store {
    const struct store_driver *driver;
    void *state; /* the driver's */
    struct backend *backend;
    uint64_t timeout_ms;
    void (*on_state)(void *ctx, bool up);
    void *on_state_ctx;
    unsigned open_count;
};

static const struct {
    const char *name;
    bool is_write;
} ops[] = {
#define OP(id, name, is_write) [STORE_OP_##id] = {#name, is_write},
#include "contacts/store/op.def"
#undef OP
};

uint64_t store_timeout_ms(const struct store *s)
{
    return s->timeout_ms;
}

bool store_is_up(const struct store *s)
{
    return backend_is_up(s->backend);
}

const char *store_kind(const struct store *s)
{
    return s->driver->kind;
}

void store_watch(struct store *s, void (*on_state)(void *ctx, bool up), void *ctx)
{
    s->on_state = on_state;
    s->on_state_ctx = ctx;
}

/* ---- what the backend asks ---- */

static void on_state(void *ctx, bool up, const char *why)
{
    const struct store *s = ctx;

    metric_set(M_STORE_UP, up);
    if (up)
        LOG_INFO("store.state", LOG_Z("store", s->driver->kind), LOG_Z("state", "up"));
    else
        LOG_WARN("store.state", LOG_Z("store", s->driver->kind), LOG_Z("state", "away"),
                 LOG_Z("why", why));
    if (s->on_state) s->on_state(s->on_state_ctx, up);
}

static void run(void *ctx, struct backend_call *c, void *worker)
{
    const struct store_driver *d = ((const struct store *)ctx)->driver;
    struct store_call *call = LIST_OWNER(c, struct store_call, base);

    if (!c->is_probe)
        d->run(worker, call);
    else if ((c->rc = d->probe(worker)) != OK)
        (void)store_fail(call, c->rc, d->why(worker));
}

static void on_returned(void *ctx)
{
    metric_set(M_STORE_WAITING, backend_waiting(((const struct store *)ctx)->backend));
}

static bool is_failure(int rc)
{
    return rc == ERR_UNAVAILABLE || rc == ERR_TIMEOUT || rc == ERR_INTERNAL || rc == ERR_MEMORY;
}

static void count(const struct store_call *call, int rc, const char *why)
{
    metric_add_at(M_STORE_CALLS, call->op, 1);
    metric_observe_us(M_STORE_SECONDS, clock_us() - call->base.job.put_us);
    if (is_failure(rc)) metric_add_at(M_STORE_FAILURES, call->op, 1);
    if (rc == ERR_CONFLICT) metric_add_at(M_STORE_CONFLICTS, call->op, 1);
    if (rc == ERR_INTERNAL || rc == ERR_MEMORY)
        LOG_ERROR("store.failed", LOG_Z("operation", ops[call->op].name),
                  LOG_Z("why", why ? why : ""));
}

static void answer(void *ctx, struct backend_call *c, int rc, const char *why, bool is_late)
{
    struct store *s = ctx;
    struct store_call *call = LIST_OWNER(c, struct store_call, base);
    struct store_result late = {0};
    struct store_result *r = is_late ? &late : &call->result;

    r->rc = rc;
    r->why = why;
    if (rc == OK && call->op == STORE_OP_CONTACT_SCAN) r->fold = call->ask.scan.fold;
    count(call, rc, why);
    metric_set(M_STORE_OPEN, --s->open_count);
    call->done(call->ctx, r);
}

static void call_fini(struct backend_call *c)
{
    struct store_call *call = LIST_OWNER(c, struct store_call, base);

    if (call->ask.scan.fold) call->ask.scan.free(call->ask.scan.fold);
    arena_fini(&call->mem);
}

/* ---- a call ---- */

struct store_call *store_call_new(struct store *s, enum store_op op, store_done_fn *done, void *ctx)
{
    struct store_call *call = backend_call_new(s->backend);

    call->store = s;
    call->op = op;
    call->done = done;
    call->ctx = ctx;
    call->result.arena = &call->mem;
    metric_set(M_STORE_OPEN, ++s->open_count);
    return call;
}

void store_call_refuse(struct store_call *call, int rc, const char *why)
{
    (void)store_fail(call, rc, why);
    backend_refuse(&call->base);
}

void store_call_send(struct store_call *call, uint64_t timeout_ms)
{
    backend_send(&call->base, ops[call->op].is_write,
                 timeout_ms ? timeout_ms : call->store->timeout_ms);
}

/* ---- open and close ---- */

const struct store_driver *store_driver_of(const struct conf *c)
{
    return c->mongodb_uri[0] ? &store_mongo : &store_sqlite;
}

static void label_metrics(void)
{
    static const char *names[STORE_OPS];

    for (unsigned i = 0; i < STORE_OPS; i++)
        names[i] = ops[i].name;
    metric_labels(M_STORE_CALLS, names, STORE_OPS);
    metric_labels(M_STORE_FAILURES, names, STORE_OPS);
    metric_labels(M_STORE_CONFLICTS, names, STORE_OPS);
}

static struct backend *new_backend(struct store *s, struct loop *l, const struct conf *c)
{
    const struct store_driver *d = s->driver;
    struct pool_conf pool = {.name = "store",
                             .workers = (unsigned)c->store_workers,
                             .queue = (unsigned)c->store_queue,
                             .worker_open = d->worker_open,
                             .worker_close = d->worker_close,
                             .ctx = s->state};
    struct backend_conf conf = {.loop = l,
                                .serves_when_away = !d->refuses_when_down,
                                .call_size = sizeof(struct store_call),
                                .ctx = s,
                                .run = run,
                                .answer = answer,
                                .fini = call_fini,
                                .returned = on_returned,
                                .state = on_state};

    conf.readers = conf.writers = pool_new(l, &pool);
    if (d->has_one_writer) {
        pool.name = "writer";
        pool.workers = 1;
        pool.batch = WRITE_BATCH;
        pool.batch_begin = d->batch_begin;
        pool.batch_end = d->batch_end;
        conf.writers = pool_new(l, &pool);
    }
    return backend_new(&conf);
}

int store_open(struct loop *l, const struct conf *c, struct store **out, char **why)
{
    struct store *s = MEM_NEW(struct store);
    int rc;

    s->driver = store_driver_of(c);
    s->timeout_ms = c->store_timeout_ms;
    rc = s->driver->open(c, &s->state, why);
    if (rc != OK && rc != ERR_UNAVAILABLE) {
        mem_free(s);
        return ERR_CONFIG;
    }
    label_metrics();
    s->backend = new_backend(s, l, c);
    metric_set(M_STORE_UP, 1);
    if (rc == ERR_UNAVAILABLE) backend_set_away(s->backend, *why);
    if (rc == ERR_UNAVAILABLE) mem_free(*why), *why = NULL;
    *out = s;
    return OK;
}

void store_close(struct store *s)
{
    backend_close(s->backend);
    s->driver->close(s->state);
    metric_set(M_STORE_UP, 0);
    mem_free(s);
}
