/* The store on the loop: calls go to workers and come back, each with a deadline; when the store is
 * away, nobody waits for it, and one look after the other finds out when it is back.
 * Must not know a database: drivers do (sqlite.c, mongo.c). */
#include "contacts/store/store_priv.h"

#include <assert.h>
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/forbid.h"

#define WRITE_BATCH 64     /* in one transaction */
#define PROBE_EVERY_MS 500 /* while it is away */

struct store {
    const struct store_driver *driver;
    void *state; /* the driver's */
    struct loop *loop;
    struct pool *readers, *writers; /* may be the same */
    uint64_t timeout_ms;
    bool is_up, is_closing, is_probing;
    void (*on_state)(void *ctx, bool up);
    void *on_state_ctx;
    struct timer probe_timer;
    struct list refused; /* answered at the end of the turn */
    struct loop_task refuse;
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
    return s->is_up;
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

/* ---- up and down ---- */

static void set_up(struct store *s, bool up, const char *why)
{
    if (s->is_up == up) return;
    s->is_up = up;
    metric_set(M_STORE_UP, up);
    if (up)
        LOG_INFO("store.state", LOG_Z("store", s->driver->kind), LOG_Z("state", "up"));
    else
        LOG_WARN("store.state", LOG_Z("store", s->driver->kind), LOG_Z("state", "away"),
                 LOG_Z("why", why ? why : ""));
    if (!up) loop_timer(s->loop, &s->probe_timer, PROBE_EVERY_MS);
    if (s->on_state && !s->is_closing) s->on_state(s->on_state_ctx, up);
}

static void run_probe(struct pool_job *j, void *worker)
{
    struct store_call *call = (struct store_call *)(void *)j;
    const struct store_driver *d = call->store->driver;

    call->result.rc = d->probe(worker);
    if (call->result.rc != OK) store_fail(call, call->result.rc, d->why(worker));
}

static void call_free(struct store_call *call)
{
    arena_fini(&call->mem);
    mem_free(call);
}

static void probe_done(struct pool_job *j)
{
    struct store_call *call = (struct store_call *)(void *)j;
    struct store *s = call->store;
    bool is_well = !j->is_cancelled && call->result.rc == OK;

    s->is_probing = false;
    if (is_well)
        set_up(s, true, NULL);
    else if (!s->is_closing)
        loop_timer(s->loop, &s->probe_timer, PROBE_EVERY_MS);
    call_free(call);
}

static void on_probe_timer(struct timer *t)
{
    struct store *s = LIST_OWNER(t, struct store, probe_timer);
    struct store_call *call;

    if (s->is_probing || s->is_closing) return;
    call = MEM_NEW(struct store_call);
    call->store = s;
    call->job = (struct pool_job){.run = run_probe, .done = probe_done};
    s->is_probing = pool_put(s->writers, &call->job) == OK;
    if (s->is_probing) return;
    call_free(call);
    loop_timer(s->loop, &s->probe_timer, PROBE_EVERY_MS);
}

/* ---- a call ---- */

static bool is_failure(int rc)
{
    return rc == ERR_UNAVAILABLE || rc == ERR_TIMEOUT || rc == ERR_INTERNAL || rc == ERR_MEMORY;
}

static void count(const struct store_call *call, int rc)
{
    metric_add_at(M_STORE_CALLS, call->op, 1);
    metric_observe_us(M_STORE_SECONDS, clock_us() - call->job.put_us);
    if (is_failure(rc)) metric_add_at(M_STORE_FAILURES, call->op, 1);
    if (rc == ERR_CONFLICT) metric_add_at(M_STORE_CONFLICTS, call->op, 1);
    if (rc == ERR_INTERNAL || rc == ERR_MEMORY)
        LOG_ERROR("store.failed", LOG_Z("operation", ops[call->op].name),
                  LOG_Z("why", call->result.why ? call->result.why : ""));
}

static void answer(struct store_call *call)
{
    struct store *s = call->store;

    call->is_answered = true;
    loop_timer_stop(s->loop, &call->timer);
    count(call, call->result.rc);
    metric_set(M_STORE_OPEN, --s->open_count);
    call->done(call->ctx, &call->result);
}

/* The worker still has the call: the answer is one without it. */
static void on_deadline(struct timer *t)
{
    struct store_call *call = LIST_OWNER(t, struct store_call, timer);
    const struct store_result late = {.rc = ERR_TIMEOUT, .why = "no answer in time"};

    call->is_answered = true;
    count(call, ERR_TIMEOUT);
    metric_set(M_STORE_OPEN, --call->store->open_count);
    call->done(call->ctx, &late);
}

static void call_end(struct store_call *call)
{
    if (call->ask.scan.fold) call->ask.scan.free(call->ask.scan.fold);
    call_free(call);
}

static void run_call(struct pool_job *j, void *worker)
{
    struct store_call *call = (struct store_call *)(void *)j;

    if (clock_us() >= call->deadline_us)
        store_fail(call, ERR_UNAVAILABLE, "it waited for a worker until its time was up");
    else
        call->store->driver->run(worker, call);
}

static unsigned waiting(const struct store *s)
{
    return pool_waiting(s->writers) + (s->readers == s->writers ? 0 : pool_waiting(s->readers));
}

static void call_done(struct pool_job *j)
{
    struct store_call *call = (struct store_call *)(void *)j;
    struct store *s = call->store;

    if (!s->is_closing) metric_set(M_STORE_WAITING, waiting(s));
    if (j->is_cancelled) store_fail(call, ERR_CLOSED, NULL);
    if (call->result.rc == ERR_UNAVAILABLE && call->is_away) set_up(s, false, call->result.why);
    if (call->result.rc == OK && call->op == STORE_OP_CONTACT_SCAN)
        call->result.fold = call->ask.scan.fold;
    if (!call->is_answered) answer(call);
    call_end(call);
}

struct store_call *store_call_new(struct store *s, enum store_op op, store_done_fn *done, void *ctx)
{
    struct store_call *call = MEM_NEW(struct store_call);

    call->store = s;
    call->op = op;
    call->done = done;
    call->ctx = ctx;
    call->result.arena = &call->mem;
    call->job = (struct pool_job){.run = run_call, .done = call_done, .put_us = clock_us()};
    timer_init(&call->timer, on_deadline);
    list_init(&call->node);
    metric_set(M_STORE_OPEN, ++s->open_count);
    return call;
}

/* ---- answers without a worker ---- */

/* Those of now: who calls again from within its answer is answered in the next turn. */
static void answer_refused(struct store *s)
{
    struct list now, *node;

    list_init(&now);
    list_splice(&now, &s->refused);
    while ((node = list_shift(&now))) {
        struct store_call *call = LIST_OWNER(node, struct store_call, node);

        answer(call);
        call_end(call);
    }
}

static void on_turn_end(struct loop_task *t)
{
    answer_refused(LIST_OWNER(t, struct store, refuse));
}

void store_call_refuse(struct store_call *call, int rc, const char *why)
{
    struct store *s = call->store;

    store_fail(call, rc, why);
    list_push(&s->refused, &call->node);
    loop_at_end(s->loop, &s->refuse);
}

void store_call_send(struct store_call *call, uint64_t timeout_ms)
{
    struct store *s = call->store;
    uint64_t ms = timeout_ms ? timeout_ms : s->timeout_ms;

    if (s->is_closing) {
        store_call_refuse(call, ERR_CLOSED, NULL);
    } else if (!s->is_up && s->driver->refuses_when_down) {
        store_call_refuse(call, ERR_UNAVAILABLE, "the store is away");
    } else {
        call->deadline_us = clock_us() + ms * 1000;
        if (pool_put(ops[call->op].is_write ? s->writers : s->readers, &call->job) == OK)
            loop_timer(s->loop, &call->timer, ms);
        else
            store_call_refuse(call, ERR_UNAVAILABLE, "too many calls wait for the store");
    }
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

static void start_pools(struct store *s, const struct conf *c)
{
    const struct store_driver *d = s->driver;
    struct pool_conf conf = {.name = "store",
                             .workers = (unsigned)c->store_workers,
                             .queue = (unsigned)c->store_queue,
                             .worker_open = d->worker_open,
                             .worker_close = d->worker_close,
                             .ctx = s->state};

    s->readers = s->writers = pool_new(s->loop, &conf);
    if (!d->has_one_writer) return;
    conf.name = "writer";
    conf.workers = 1;
    conf.batch = WRITE_BATCH;
    conf.batch_begin = d->batch_begin;
    conf.batch_end = d->batch_end;
    s->writers = pool_new(s->loop, &conf);
}

int store_open(struct loop *l, const struct conf *c, struct store **out, char **why)
{
    struct store *s = MEM_NEW(struct store);
    int rc;

    s->driver = store_driver_of(c);
    s->loop = l;
    s->timeout_ms = c->store_timeout_ms;
    rc = s->driver->open(c, &s->state, why);
    if (rc != OK && rc != ERR_UNAVAILABLE) {
        mem_free(s);
        return ERR_CONFIG;
    }
    label_metrics();
    timer_init(&s->probe_timer, on_probe_timer);
    list_init(&s->refused);
    loop_task_init(&s->refuse, on_turn_end);
    start_pools(s, c);
    s->is_up = true;
    metric_set(M_STORE_UP, 1);
    if (rc == ERR_UNAVAILABLE) set_up(s, false, *why);
    if (rc == ERR_UNAVAILABLE) mem_free(*why), *why = NULL;
    *out = s;
    return OK;
}

void store_close(struct store *s)
{
    s->is_closing = true;
    if (s->readers != s->writers) pool_stop(s->readers);
    pool_stop(s->writers);
    while (!list_is_empty(&s->refused)) /* nobody calls again for ever when he hears ERR_CLOSED */
        answer_refused(s);
    loop_timer_stop(s->loop, &s->probe_timer);
    loop_task_cancel(&s->refuse);
    s->driver->close(s->state);
    metric_set(M_STORE_UP, 0);
    mem_free(s);
}
