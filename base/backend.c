/* See backend.h. A call is the worker's from pool_put until it comes back; a deadline that passes
 * in between answers without it, and it is freed when it is back.
 * Must not know what is asked: its owner does. */
#include "base/backend.h"

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/forbid.h"

#define PROBE_EVERY_MS 500 /* while it is away */

struct backend {
    struct backend_conf conf;
    bool is_up, is_closing;
    struct timer probe_timer; /* set while it is away, unless a probe is under way */
    struct list refused;      /* answered at the end of the turn */
    struct loop_task refuse;
};

bool backend_is_up(const struct backend *b)
{
    return b->is_up;
}

unsigned backend_waiting(const struct backend *b)
{
    const struct backend_conf *c = &b->conf;

    return pool_waiting(c->writers) + (c->readers == c->writers ? 0 : pool_waiting(c->readers));
}

static void call_free(struct backend_call *c)
{
    c->backend->conf.fini(c);
    mem_free(c);
}

/* ---- up and away ---- */

static void probe_later(struct backend *b)
{
    loop_timer(b->conf.loop, &b->probe_timer, PROBE_EVERY_MS);
}

static void set_up(struct backend *b, bool up, const char *why)
{
    if (b->is_up == up || b->is_closing) return;
    b->is_up = up;
    if (!up) probe_later(b);
    b->conf.state(b->conf.ctx, up, why ? why : "");
}

void backend_set_away(struct backend *b, const char *why)
{
    set_up(b, false, why);
}

static void probe_done(struct pool_job *j)
{
    struct backend_call *c = LIST_OWNER(j, struct backend_call, job);
    struct backend *b = c->backend;
    bool is_well = !j->is_cancelled && c->rc == OK;

    call_free(c);
    if (is_well)
        set_up(b, true, NULL);
    else
        probe_later(b);
}

static void on_probe_timer(struct timer *t)
{
    struct backend *b = LIST_OWNER(t, struct backend, probe_timer);
    struct backend_call *c = backend_call_new(b);

    c->is_probe = true;
    c->deadline_us = UINT64_MAX;
    c->job.done = probe_done;
    if (pool_put(b->conf.writers, &c->job) == OK) return;
    call_free(c);
    probe_later(b);
}

/* ---- a call ---- */

static void answer(struct backend_call *c, int rc, const char *why, bool is_late)
{
    const struct backend_conf *conf = &c->backend->conf;

    c->is_answered = true;
    loop_timer_stop(conf->loop, &c->timer);
    conf->answer(conf->ctx, c, rc, why, is_late);
}

static void on_deadline(struct timer *t)
{
    answer(LIST_OWNER(t, struct backend_call, timer), ERR_TIMEOUT, "no answer in time", true);
}

static void fail(struct backend_call *c, int rc, const char *why)
{
    c->rc = rc;
    c->why = why;
}

static void run_call(struct pool_job *j, void *worker)
{
    struct backend_call *c = LIST_OWNER(j, struct backend_call, job);

    if (clock_us() >= c->deadline_us)
        fail(c, ERR_UNAVAILABLE, "it waited for a worker until its time was up");
    else
        c->backend->conf.run(c->backend->conf.ctx, c, worker);
}

static void call_done(struct pool_job *j)
{
    struct backend_call *c = LIST_OWNER(j, struct backend_call, job);
    struct backend *b = c->backend;

    if (b->conf.returned && !b->is_closing) b->conf.returned(b->conf.ctx);
    if (j->is_cancelled) fail(c, ERR_CLOSED, NULL);
    if (c->rc == ERR_UNAVAILABLE && c->is_away) set_up(b, false, c->why);
    if (!c->is_answered) answer(c, c->rc, c->why, false);
    call_free(c);
}

void *backend_call_new(struct backend *b)
{
    struct backend_call *c = mem_new(1, b->conf.call_size);

    c->backend = b;
    c->job = (struct pool_job){.run = run_call, .done = call_done, .put_us = clock_us()};
    timer_init(&c->timer, on_deadline);
    list_init(&c->node);
    return c;
}

/* ---- answers without a worker ---- */

/* Those of now: who calls again from within its answer is answered in the next turn. */
static void answer_refused(struct backend *b)
{
    struct list now, *node;

    list_init(&now);
    list_splice(&now, &b->refused);
    while ((node = list_shift(&now))) {
        struct backend_call *c = LIST_OWNER(node, struct backend_call, node);

        answer(c, c->rc, c->why, false);
        call_free(c);
    }
}

static void on_turn_end(struct loop_task *t)
{
    answer_refused(LIST_OWNER(t, struct backend, refuse));
}

void backend_refuse(struct backend_call *c)
{
    list_push(&c->backend->refused, &c->node);
    loop_at_end(c->backend->conf.loop, &c->backend->refuse);
}

void backend_send(struct backend_call *c, bool is_write, uint64_t timeout_ms)
{
    struct backend *b = c->backend;

    c->deadline_us = clock_us() + timeout_ms * 1000;
    if (b->is_closing) {
        fail(c, ERR_CLOSED, NULL);
    } else if (!b->is_up && !b->conf.serves_when_away) {
        fail(c, ERR_UNAVAILABLE, "the store is away");
    } else if (pool_put(is_write ? b->conf.writers : b->conf.readers, &c->job) != OK) {
        fail(c, ERR_UNAVAILABLE, "too many calls wait for the store");
    } else {
        loop_timer(b->conf.loop, &c->timer, timeout_ms);
        return;
    }
    backend_refuse(c);
}

/* ---- open and close ---- */

struct backend *backend_new(const struct backend_conf *c)
{
    struct backend *b = MEM_NEW(struct backend);

    b->conf = *c;
    b->is_up = true;
    timer_init(&b->probe_timer, on_probe_timer);
    list_init(&b->refused);
    loop_task_init(&b->refuse, on_turn_end);
    return b;
}

void backend_close(struct backend *b)
{
    b->is_closing = true;
    if (b->conf.readers != b->conf.writers) pool_stop(b->conf.readers);
    pool_stop(b->conf.writers);
    while (!list_is_empty(&b->refused)) /* nobody calls again for ever when he hears ERR_CLOSED */
        answer_refused(b);
    loop_timer_stop(b->conf.loop, &b->probe_timer);
    loop_task_cancel(&b->refuse);
    mem_free(b);
}
