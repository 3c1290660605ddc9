/* See archive.h. Each call goes through a worker and has its deadline on the loop. While the server
 * is away nobody is made to wait for it: calls are refused at once, and one look every half second
 * finds out when it is back. */
#include "node/archive/archive_priv.h"

#include <assert.h>
#include <stdio.h>
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/forbid.h"

#define PROBE_EVERY_MS 500 /* while it is away */

struct archive {
    struct archive_mongo *mongo; /* NULL: off */
    struct loop *loop;
    struct pool *pool;
    uint64_t timeout_ms;
    bool is_up, is_failing, is_closing, is_probing;
    struct timer probe_timer;
    struct list refused; /* answered at the end of the turn */
    struct loop_task refuse;
};

bool archive_is_on(const struct archive *a)
{
    return a && a->mongo;
}

bool archive_is_up(const struct archive *a)
{
    return archive_is_on(a) && a->is_up;
}

/* ---- up and down ---- */

static void set_up(struct archive *a, bool up, const char *why)
{
    if (a->is_up == up) return;
    a->is_up = up;
    metric_set(M_ARCHIVE_UP, up);
    if (up)
        LOG_INFO("archive.state", LOG_Z("state", "up"));
    else
        LOG_WARN("archive.state", LOG_Z("state", "away"), LOG_Z("why", why));
    if (!up) loop_timer(a->loop, &a->probe_timer, PROBE_EVERY_MS);
}

static void warn(const struct archive_call *call)
{
    if (call->warning[0]) LOG_WARN("archive.refused", LOG_Z("why", call->warning));
}

static void call_free(struct archive_call *call)
{
    sb_fini(&call->bytes);
    sb_fini(&call->page);
    mem_free(call->messages);
    mem_free(call);
}

static void run_call(struct pool_job *j, void *worker)
{
    struct archive_call *call = (struct archive_call *)(void *)j;

    if (clock_us() >= call->deadline_us) {
        call->rc = ERR_UNAVAILABLE;
        (void)snprintf(call->why, sizeof call->why, "it waited for a worker until its time was up");
    } else {
        archive_mongo_run(worker, call);
    }
}

static struct archive_call *call_new(struct archive *a, enum archive_op op,
                                     void (*done)(struct pool_job *j))
{
    struct archive_call *call = MEM_NEW(struct archive_call);

    call->archive = a;
    call->op = op;
    call->job = (struct pool_job){.run = run_call, .done = done, .put_us = clock_us()};
    call->deadline_us = clock_us() + a->timeout_ms * 1000;
    list_init(&call->node);
    return call;
}

static void probe_done(struct pool_job *j)
{
    struct archive_call *call = (struct archive_call *)(void *)j;
    struct archive *a = call->archive;
    bool is_well = !j->is_cancelled && call->rc == OK;

    warn(call);
    a->is_probing = false;
    if (is_well)
        set_up(a, true, "");
    else if (!a->is_closing)
        loop_timer(a->loop, &a->probe_timer, PROBE_EVERY_MS);
    call_free(call);
}

static void on_probe_timer(struct timer *t)
{
    struct archive *a = LIST_OWNER(t, struct archive, probe_timer);
    struct archive_call *call;

    if (a->is_probing || a->is_closing) return;
    call = call_new(a, ARCHIVE_PROBE, probe_done);
    a->is_probing = pool_put(a->pool, &call->job) == OK;
    if (a->is_probing) return;
    call_free(call);
    loop_timer(a->loop, &a->probe_timer, PROBE_EVERY_MS);
}

/* ---- a call ---- */

/* Of a row of failures the first one is told. */
static void count(struct archive_call *call, int rc, const char *why)
{
    struct archive *a = call->archive;
    bool is_failure = rc != OK && rc != ERR_CLOSED;

    metric_add_at(M_ARCHIVE_CALLS, call->op, 1);
    metric_observe_us(M_ARCHIVE_SECONDS, clock_us() - call->job.put_us);
    if (is_failure) metric_add_at(M_ARCHIVE_FAILURES, call->op, 1);
    if (is_failure && a->is_up && !a->is_failing)
        LOG_WARN("archive.failed", LOG_Z("code", err_wire(rc)), LOG_Z("why", why));
    if (rc != ERR_CLOSED) a->is_failing = is_failure;
}

static void tell(struct archive_call *call, int rc, const char *why,
                 const struct archive_page *page)
{
    call->is_answered = true;
    count(call, rc, why);
    if (call->done_read)
        call->done_read(call->ctx, rc, page);
    else if (call->done_erased)
        call->done_erased(call->ctx, rc, page->count);
    else
        call->done(call->ctx, rc);
}

static void answer(struct archive_call *call)
{
    const struct archive_page page = {.messages = call->messages,
                                      .count = call->count,
                                      .has_more = call->has_more,
                                      .names = call->op == ARCHIVE_NAMES ? sb_view(&call->page)
                                                                         : STR_NONE};
    const struct archive_page none = {0};

    loop_timer_stop(call->archive->loop, &call->timer);
    metric_add(M_ARCHIVE_FOREIGN, call->foreign);
    tell(call, call->rc, call->why, call->rc == OK ? &page : &none);
}

/* The worker still has the call, and its answer: this one is without them. */
static void on_deadline(struct timer *t)
{
    const struct archive_page none = {0};

    tell(LIST_OWNER(t, struct archive_call, timer), ERR_TIMEOUT, "no answer in time", &none);
}

static void call_done(struct pool_job *j)
{
    struct archive_call *call = (struct archive_call *)(void *)j;
    struct archive *a = call->archive;

    warn(call);
    if (j->is_cancelled) call->rc = ERR_CLOSED;
    if (call->rc == ERR_UNAVAILABLE && call->is_away && !a->is_closing) set_up(a, false, call->why);
    if (!call->is_answered) answer(call);
    call_free(call);
}

/* Those of now: who calls again from within its answer is answered in the next turn. */
static void answer_refused(struct archive *a)
{
    struct list now, *node;

    list_init(&now);
    list_splice(&now, &a->refused);
    while ((node = list_shift(&now))) {
        struct archive_call *call = LIST_OWNER(node, struct archive_call, node);

        answer(call);
        call_free(call);
    }
}

static void on_turn_end(struct loop_task *t)
{
    answer_refused(LIST_OWNER(t, struct archive, refuse));
}

static void send_call(struct archive_call *call)
{
    struct archive *a = call->archive;

    timer_init(&call->timer, on_deadline);
    if (a->is_closing)
        call->rc = ERR_CLOSED;
    else if (!a->is_up || pool_put(a->pool, &call->job) != OK)
        call->rc = ERR_UNAVAILABLE;
    else {
        loop_timer(a->loop, &call->timer, a->timeout_ms);
        return;
    }
    list_push(&a->refused, &call->node);
    loop_at_end(a->loop, &a->refuse);
}

/* ---- what is asked, copied ---- */

static struct str keep(struct sb *b, struct str s)
{
    size_t at = b->n;

    sb_str(b, s);
    return str_of(b->p + at, s.n);
}

static size_t bytes_of(const struct archive_batch *b)
{
    size_t n = b->conversation.n + b->users[0].n + b->users[1].n + 1;

    for (unsigned i = 0; i < b->count; i++)
        n += b->messages[i].from.n + b->messages[i].id.n + b->messages[i].event.n;
    return n;
}

void archive_append(struct archive *a, const struct archive_batch *b, archive_done_fn *done,
                    void *ctx)
{
    struct archive_call *call = call_new(a, ARCHIVE_APPEND, call_done);
    struct sb *to = &call->bytes;

    assert(b->count && b->count <= ARCHIVE_BATCH_MAX);
    sb_reserve(to, bytes_of(b)); /* it does not move any more */
    call->done = done;
    call->ctx = ctx;
    call->batch = *b;
    call->batch.conversation = keep(to, b->conversation);
    for (int i = 0; i < 2; i++)
        call->batch.users[i] = keep(to, b->users[i]);
    call->messages = mem_new(b->count, sizeof *call->messages);
    for (unsigned i = 0; i < b->count; i++) {
        call->messages[i] = b->messages[i];
        call->messages[i].from = keep(to, b->messages[i].from);
        call->messages[i].id = keep(to, b->messages[i].id);
        call->messages[i].event = keep(to, b->messages[i].event);
    }
    call->batch.messages = call->messages;
    send_call(call);
}

static void send_query(struct archive *a, enum archive_op op, const struct archive_query *q,
                       archive_read_fn *done, void *ctx)
{
    struct archive_call *call = call_new(a, op, call_done);
    struct sb *to = &call->bytes;

    sb_reserve(to, q->conversation.n + q->viewer.n + 1);
    call->done_read = done;
    call->ctx = ctx;
    call->query = *q;
    call->query.conversation = keep(to, q->conversation);
    call->query.viewer = keep(to, q->viewer);
    send_call(call);
}

void archive_read(struct archive *a, const struct archive_query *q, archive_read_fn *done,
                  void *ctx)
{
    assert(q->most && q->most <= ARCHIVE_PAGE_MAX);
    send_query(a, ARCHIVE_READ, q, done, ctx);
}

void archive_names(struct archive *a, struct str user, struct str after, archive_read_fn *done,
                   void *ctx)
{
    const struct archive_query q = {.conversation = after, .viewer = user};

    send_query(a, ARCHIVE_NAMES, &q, done, ctx);
}

void archive_erase(struct archive *a, struct str user, archive_erased_fn *done, void *ctx)
{
    struct archive_call *call = call_new(a, ARCHIVE_ERASE, call_done);

    sb_reserve(&call->bytes, user.n + 1);
    call->done_erased = done;
    call->ctx = ctx;
    call->query.viewer = keep(&call->bytes, user);
    send_call(call);
}

/* ---- open and close ---- */

static void label_metrics(void)
{
    static const char *const names[ARCHIVE_OPS] = {[ARCHIVE_APPEND] = "append",
                                                   [ARCHIVE_READ] = "read",
                                                   [ARCHIVE_NAMES] = "names",
                                                   [ARCHIVE_ERASE] = "erase",
                                                   [ARCHIVE_PROBE] = "probe"};

    metric_labels(M_ARCHIVE_CALLS, names, ARCHIVE_OPS);
    metric_labels(M_ARCHIVE_FAILURES, names, ARCHIVE_OPS);
}

int archive_open(struct loop *l, const struct conf *c, enum archive_of who, struct archive **out,
                 char **why)
{
    struct archive *a = MEM_NEW(struct archive);
    struct pool_conf pool = {.name = "archive",
                             .workers = (unsigned)c->store_workers,
                             .queue = (unsigned)c->store_queue,
                             .worker_open = archive_mongo_worker_open,
                             .worker_close = archive_mongo_worker_close};
    struct archive_call first = {0};
    int rc = OK;

    *out = a;
    a->loop = l;
    if (!c->mongodb_uri || !c->mongodb_uri[0]) return OK;
    rc = archive_mongo_open(c, who == ARCHIVE_OF_NODE, &a->mongo, &first, why);
    warn(&first);
    if (rc != OK && rc != ERR_UNAVAILABLE) {
        mem_free(a);
        *out = NULL;
        return ERR_CONFIG;
    }
    a->timeout_ms = c->store_timeout_ms;
    label_metrics();
    timer_init(&a->probe_timer, on_probe_timer);
    list_init(&a->refused);
    loop_task_init(&a->refuse, on_turn_end);
    pool.ctx = a->mongo;
    a->pool = pool_new(l, &pool);
    a->is_up = true;
    metric_set(M_ARCHIVE_UP, 1);
    if (rc == OK) return OK;
    set_up(a, false, *why);
    mem_free(*why);
    *why = NULL;
    return OK;
}

void archive_close(struct archive *a)
{
    if (!a) return;
    if (a->mongo) {
        a->is_closing = true;
        pool_stop(a->pool);
        while (!list_is_empty(&a->refused))
            answer_refused(a);
        loop_timer_stop(a->loop, &a->probe_timer);
        loop_task_cancel(&a->refuse);
        archive_mongo_close(a->mongo);
        metric_set(M_ARCHIVE_UP, 0);
    }
    mem_free(a);
}
