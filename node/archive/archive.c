/* See archive.h. What is asked is copied and sent to base/backend.h; what comes back is counted and
 * told. */
#include "node/archive/archive_priv.h"

#include <assert.h>
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/forbid.h"

struct archive {
    struct archive_mongo *mongo; /* NULL: off */
    struct backend *backend;
    uint64_t timeout_ms;
    bool is_failing;
};

bool archive_is_on(const struct archive *a)
{
    return a && a->mongo;
}

bool archive_is_up(const struct archive *a)
{
    return archive_is_on(a) && backend_is_up(a->backend);
}

/* ---- what the backend asks ---- */

static void on_state(void *ctx, bool up, const char *why)
{
    (void)ctx;
    metric_set(M_ARCHIVE_UP, up);
    if (up)
        LOG_INFO("archive.state", LOG_Z("state", "up"));
    else
        LOG_WARN("archive.state", LOG_Z("state", "away"), LOG_Z("why", why));
}

/* What a worker found out; who has the call at last says it. */
static void warn(const struct archive_call *call)
{
    if (call->warning[0]) LOG_WARN("archive.refused", LOG_Z("why", call->warning));
}

static void run(void *ctx, struct backend_call *c, void *worker)
{
    struct archive_call *call = LIST_OWNER(c, struct archive_call, base);

    (void)ctx;
    if (c->is_probe) call->op = ARCHIVE_PROBE;
    archive_mongo_run(worker, call);
}

/* Of a row of failures the first one is told. */
static void count(struct archive *a, const struct archive_call *call, int rc, const char *why)
{
    bool is_failure = rc != OK && rc != ERR_CLOSED;

    metric_add_at(M_ARCHIVE_CALLS, call->op, 1);
    metric_observe_us(M_ARCHIVE_SECONDS, clock_us() - call->base.job.put_us);
    if (is_failure) metric_add_at(M_ARCHIVE_FAILURES, call->op, 1);
    if (is_failure && archive_is_up(a) && !a->is_failing)
        LOG_WARN("archive.failed", LOG_Z("code", err_wire(rc)), LOG_Z("why", why));
    if (rc != ERR_CLOSED) a->is_failing = is_failure;
}

static void answer(void *ctx, struct backend_call *c, int rc, const char *why, bool is_late)
{
    struct archive_call *call = LIST_OWNER(c, struct archive_call, base);
    struct archive_page page = {0};

    if (!is_late) metric_add(M_ARCHIVE_FOREIGN, call->foreign);
    if (rc == OK)
        page = (struct archive_page){.messages = call->messages,
                                     .count = call->count,
                                     .has_more = call->has_more,
                                     .names = call->op == ARCHIVE_NAMES ? sb_view(&call->page)
                                                                        : STR_NONE};
    count(ctx, call, rc, why ? why : "");
    if (call->done_read)
        call->done_read(call->ctx, rc, &page);
    else if (call->done_erased)
        call->done_erased(call->ctx, rc, page.count);
    else
        call->done(call->ctx, rc);
}

static void call_fini(struct backend_call *c)
{
    struct archive_call *call = LIST_OWNER(c, struct archive_call, base);

    warn(call);
    sb_fini(&call->bytes);
    sb_fini(&call->page);
    mem_free(call->messages);
}

/* ---- what is asked, copied ---- */

static struct archive_call *call_new(struct archive *a, enum archive_op op)
{
    struct archive_call *call = backend_call_new(a->backend);

    call->op = op;
    return call;
}

static void send_call(struct archive *a, struct archive_call *call)
{
    backend_send(&call->base, true, a->timeout_ms); /* one pool for all */
}

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
    struct archive_call *call = call_new(a, ARCHIVE_APPEND);
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
    send_call(a, call);
}

static void send_query(struct archive *a, enum archive_op op, const struct archive_query *q,
                       archive_read_fn *done, void *ctx)
{
    struct archive_call *call = call_new(a, op);
    struct sb *to = &call->bytes;

    sb_reserve(to, q->conversation.n + q->viewer.n + 1);
    call->done_read = done;
    call->ctx = ctx;
    call->query = *q;
    call->query.conversation = keep(to, q->conversation);
    call->query.viewer = keep(to, q->viewer);
    send_call(a, call);
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
    struct archive_call *call = call_new(a, ARCHIVE_ERASE);

    sb_reserve(&call->bytes, user.n + 1);
    call->done_erased = done;
    call->ctx = ctx;
    call->query.viewer = keep(&call->bytes, user);
    send_call(a, call);
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

static struct backend *new_backend(struct archive *a, struct loop *l, const struct conf *c)
{
    const struct pool_conf pool = {.name = "archive",
                                   .workers = (unsigned)c->store_workers,
                                   .queue = (unsigned)c->store_queue,
                                   .worker_open = archive_mongo_worker_open,
                                   .worker_close = archive_mongo_worker_close,
                                   .ctx = a->mongo};
    struct pool *workers = pool_new(l, &pool);

    return backend_new(&(struct backend_conf){.loop = l,
                                              .readers = workers,
                                              .writers = workers,
                                              .call_size = sizeof(struct archive_call),
                                              .ctx = a,
                                              .run = run,
                                              .answer = answer,
                                              .fini = call_fini,
                                              .state = on_state});
}

int archive_open(struct loop *l, const struct conf *c, enum archive_of who, struct archive **out,
                 char **why)
{
    struct archive *a = MEM_NEW(struct archive);
    struct archive_call first = {0};
    int rc = OK;

    *out = a;
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
    a->backend = new_backend(a, l, c);
    metric_set(M_ARCHIVE_UP, 1);
    if (rc == OK) return OK;
    backend_set_away(a->backend, *why);
    mem_free(*why);
    *why = NULL;
    return OK;
}

void archive_close(struct archive *a)
{
    if (!a) return;
    if (a->mongo) {
        backend_close(a->backend);
        archive_mongo_close(a->mongo);
        metric_set(M_ARCHIVE_UP, 0);
    }
    mem_free(a);
}
