/* See due.h. One timer a kind: for the first job known, for the lease of what runs here, and for
 * what Redis has still to be told. Redis says with every answer which job is first; what this node
 * believes meanwhile may be wrong and costs a look, never a job. */
#include "adapter/due_priv.h"

#include <assert.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/forbid.h"

enum {
    CONNECT_SPREAD_MS = 250, /* nodes that hear Redis again do not all look at once */
    RETRY_MS = 1000,
    RETRY_MAX_MS = 60000,
    SLEEP_MAX_MS = 24 * 3600 * 1000,
};
#define NEVER UINT64_MAX

struct due_table {
    struct due_table_conf conf;
    char *prefix;
    struct list kinds;
    bool is_connected;
};

struct call { /* a put or a cancel */
    struct list node;
    struct due *due;
    due_told_fn *told;
    void *ctx;
    uint64_t delay_ms;
    bool is_put;
};

static void on_timer(struct timer *t);

/* ---- the timer ---- */

static bool may_take(const struct due *d)
{
    if (!d->conf.on_due || d->is_taking || d->unheard_count) return false;
    return d->running_count <= DUE_RUNNING_MAX / 2;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void due_arm(struct due *d)
{
    uint64_t now = clock_ms(), at = d->retry_at;

    if (d->is_closed || !d->table) return;
    if (!d->table->is_connected) {
        loop_timer_stop(d->loop, &d->timer);
        return;
    }
    if (may_take(d)) at = earlier(at, earlier(d->own_at, d->next_at));
    if (!list_is_empty(&d->running))
        at = earlier(at, LIST_OWNER(d->running.next, struct due_job, node)->renew_at);
    if (at == NEVER)
        loop_timer_stop(d->loop, &d->timer);
    else
        loop_timer(d->loop, &d->timer, at > now ? earlier(at - now, SLEEP_MAX_MS) : 0);
}

static uint64_t others_wait(void)
{
    return DUE_WAIT_MS + rand_below(DUE_WAIT_MS);
}

/* Looks by then, whatever is believed. */
static void look_in(struct due *d, uint64_t ms)
{
    d->head_n = 0;
    d->next_at = earlier(d->next_at, clock_ms() + ms);
    due_arm(d);
}

/* The same first job as before changes nothing: else every answer would put off the turn of the
 * others, and a dead node's job could wait for ever. */
void due_learn(struct due *d, const struct due_reply *r)
{
    uint64_t wait;

    if (r->head.n > DUE_HEAD_BYTES || str_eq(r->head, str_of(d->head, d->head_n))) {
        if (!r->head.n) d->next_at = NEVER;
        return;
    }
    memcpy(d->head, r->head.p, r->head.n);
    d->head_n = r->head.n;
    if (str_starts(r->holder, d->store.node_id))
        wait = 0;
    else
        wait = r->holder.n ? others_wait() : rand_below(DUE_WAIT_MS);
    d->next_at = clock_ms() + r->delay_ms + wait;
}

void due_announce(struct due *d, uint64_t in_ms)
{
    struct message m = {.kind = MESSAGE_DUE,
                        .from = d->store.node_id,
                        .due = {.kind = d->kind_name, .in_ms = in_ms}};
    struct sb out = {0};

    if (!d->table) return;
    message_encode(&m, &out);
    d->table->conf.say(d->table->conf.adapter, sb_view(&out));
    sb_fini(&out);
}

/* ---- life ---- */

void due_free_if_done(struct due *d)
{
    if (!d->is_closed || d->holds || !list_is_empty(&d->running) || !list_is_empty(&d->ending))
        return;
    due_store_fini(&d->store);
    mem_free(d);
}

struct due *due_open(struct adapter *a, const struct due_conf *c)
{
    struct due_table *t = adapter_due_table(a);
    struct due *d = MEM_NEW(struct due);
    struct sb name = {0};

    assert(c->kind.n && c->kind.n <= sizeof d->kind);
    memcpy(d->kind, c->kind.p, c->kind.n);
    d->kind_name = str_of(d->kind, c->kind.n);
    d->conf = *c;
    if (!d->conf.lease_ms) d->conf.lease_ms = DUE_LEASE_MS;
    assert(d->conf.lease_ms >= DUE_LEASE_MIN_MS);
    d->table = t;
    d->loop = t->conf.loop;
    sb_z(&name, t->prefix);
    sb_char(&name, ':');
    sb_str(&name, d->kind_name);
    due_store_init(&d->store, a, t->conf.node_id, sb_view(&name));
    sb_fini(&name);
    d->own_at = d->next_at = d->retry_at = NEVER;
    d->retry_ms = RETRY_MS;
    list_init(&d->node);
    list_init(&d->running);
    list_init(&d->ending);
    list_init(&d->calls);
    timer_init(&d->timer, on_timer);
    list_push(&t->kinds, &d->node);
    if (t->is_connected) look_in(d, rand_below(CONNECT_SPREAD_MS));
    return d;
}

void due_close(struct due *d)
{
    struct list *node;

    if (!d || d->is_closed) return;
    d->holds++;
    d->is_closed = true;
    list_unlink(&d->node);
    if (d->table) loop_timer_stop(d->loop, &d->timer);
    while ((node = list_shift(&d->calls))) {
        struct call *c = LIST_OWNER(node, struct call, node);
        due_told_fn *told = c->told;

        c->told = NULL; /* freed by its answer */
        if (told) told(c->ctx, ERR_CLOSED);
    }
    due_job_drop_unsent(d);
    d->holds--;
    due_free_if_done(d);
}

/* ---- put and cancel ---- */

static void on_called(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct call *c = ctx;
    struct due *d = c->due;
    struct due_reply r = {0};

    list_unlink(&c->node);
    if (rc == OK) rc = due_store_read(reply, count, &r);
    if (rc == OK) {
        due_learn(d, &r);
        if (r.status == DUE_STATUS_FULL) rc = ERR_LIMIT;
        if (r.status == DUE_STATUS_NONE) rc = ERR_NOT_FOUND;
    }
    if (rc == OK && c->is_put) {
        d->own_at = earlier(d->own_at, clock_ms() + c->delay_ms);
        if (r.is_first) due_announce(d, c->delay_ms);
    }
    due_arm(d);
    if (c->told) c->told(c->ctx, rc);
    mem_free(c);
    d->holds--;
    due_free_if_done(d);
}

static int check_id(struct str id)
{
    if (!id.n) return ERR_PROTO;
    return id.n > DUE_ID_BYTES ? ERR_TOO_BIG : OK;
}

static struct call *call_new(struct due *d, due_told_fn *told, void *ctx)
{
    struct call *c = MEM_NEW(struct call);

    list_init(&c->node);
    list_push(&d->calls, &c->node);
    c->due = d;
    c->told = told;
    c->ctx = ctx;
    d->holds++;
    return c;
}

int due_put(struct due *d, const struct due_entry *e, due_told_fn *told, void *ctx)
{
    struct call *c;
    int rc = check_id(e->id);

    if (rc != OK) return rc;
    if (e->payload.n > DUE_PAYLOAD_BYTES || e->delay_ms > DUE_DELAY_MAX_MS) return ERR_TOO_BIG;
    if (!d->table || d->is_closed) return ERR_UNAVAILABLE;
    c = call_new(d, told, ctx);
    c->is_put = true;
    c->delay_ms = e->delay_ms;
    due_store_put(&d->store, e, d->conf.on_due != NULL, on_called, c);
    return OK;
}

int due_cancel(struct due *d, struct str id, due_told_fn *told, void *ctx)
{
    int rc = check_id(id);

    if (rc != OK) return rc;
    if (!d->table || d->is_closed) return ERR_UNAVAILABLE;
    due_store_cancel(&d->store, id, on_called, call_new(d, told, ctx));
    return OK;
}

/* ---- how many ---- */

struct counting {
    struct due *due;
    due_counted_fn *counted;
    void *ctx;
};

static void on_counted(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct counting *c = ctx;
    struct due *d = c->due;
    uint64_t jobs = 0;

    if (rc == OK && (count != 1 || str_u64(reply[0], UINT64_MAX, &jobs) != OK)) rc = ERR_PROTO;
    if (d->is_closed) rc = ERR_CLOSED;
    c->counted(c->ctx, rc, jobs);
    mem_free(c);
    d->holds--;
    due_free_if_done(d);
}

int due_count(struct due *d, due_counted_fn *counted, void *ctx)
{
    struct counting *c;

    if (!d->table || d->is_closed) return ERR_UNAVAILABLE;
    c = MEM_NEW(struct counting);
    *c = (struct counting){.due = d, .counted = counted, .ctx = ctx};
    d->holds++;
    due_store_count(&d->store, on_counted, c);
    return OK;
}

/* ---- taking ---- */

struct taking {
    struct due *due;
    char token[DUE_TOKEN_BYTES];
};

static void run_jobs(struct due *d, const struct taking *k, const struct due_reply *r)
{
    struct str token = str_of(k->token, sizeof k->token);

    for (unsigned i = 0; i < r->jobs_count; i++) {
        const struct str *fields = r->jobs + (size_t)i * DUE_REPLY_FIELDS;
        struct due_job *j = due_job_new(d, token, fields);

        if (d->is_closed)
            due_again(j, 0);
        else
            d->conf.on_due(d->conf.ctx, fields[DUE_REPLY_ID], fields[DUE_REPLY_PAYLOAD], j);
    }
}

static void on_taken(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct taking *k = ctx;
    struct due *d = k->due;
    struct due_reply r = {0};

    d->is_taking = false;
    if (rc == OK) rc = due_store_read(reply, count, &r);
    if (rc == OK) {
        d->retry_ms = RETRY_MS;
        due_learn(d, &r);
        if (r.head.n && !r.delay_ms) d->next_at = clock_ms(); /* more than it could take */
        run_jobs(d, k, &r);
    } else {
        look_in(d, d->retry_ms);
        d->retry_ms = earlier(2 * d->retry_ms, RETRY_MAX_MS);
    }
    mem_free(k);
    due_arm(d);
    d->holds--;
    due_free_if_done(d);
}

static void take(struct due *d)
{
    struct taking *k = MEM_NEW(struct taking);
    struct due_take t = {.token = str_of(k->token, sizeof k->token),
                         .lease_ms = d->conf.lease_ms,
                         .most = DUE_RUNNING_MAX - d->running_count};

    k->due = d;
    memcpy(k->token, d->store.node_id.p, ADAPTER_NODE_ID_SIZE);
    rand_id(k->token + ADAPTER_NODE_ID_SIZE, sizeof k->token - ADAPTER_NODE_ID_SIZE);
    if (d->own_at <= clock_ms()) d->own_at = NEVER;
    d->next_at = NEVER;
    d->head_n = 0;
    d->is_taking = true;
    d->holds++;
    due_store_take(&d->store, &t, on_taken, k);
}

static void on_timer(struct timer *t)
{
    struct due *d = LIST_OWNER(t, struct due, timer);
    uint64_t now = clock_ms();

    due_job_on_time(d, now);
    if (may_take(d) && earlier(d->own_at, d->next_at) <= now) take(d);
    due_arm(d);
}

/* ---- all kinds of an adapter ---- */

struct due_table *due_table_new(const struct due_table_conf *c)
{
    struct due_table *t = MEM_NEW(struct due_table);

    t->conf = *c;
    t->prefix = str_dup(c->prefix);
    list_init(&t->kinds);
    return t;
}

void due_table_free(struct due_table *t)
{
    struct list *node;

    while ((node = list_shift(&t->kinds))) {
        struct due *d = LIST_OWNER(node, struct due, node);

        d->table = NULL;
        loop_timer_stop(d->loop, &d->timer);
        due_job_drop_unsent(d);
    }
    mem_free(t->prefix);
    mem_free(t);
}

void due_table_connected(struct due_table *t, bool connected)
{
    t->is_connected = connected;
    LIST_EACH(node, &t->kinds)
    {
        struct due *d = LIST_OWNER(node, struct due, node);

        if (!connected) {
            due_arm(d);
            continue;
        }
        d->retry_ms = RETRY_MS;
        if (!list_is_empty(&d->ending)) d->retry_at = clock_ms();
        look_in(d, rand_below(CONNECT_SPREAD_MS));
    }
}

void due_table_receive(struct due_table *t, const struct message *m)
{
    if (str_eq(m->from, t->conf.node_id)) return;
    LIST_EACH(node, &t->kinds)
    {
        struct due *d = LIST_OWNER(node, struct due, node);

        if (str_eq(d->kind_name, m->due.kind))
            look_in(d, earlier(m->due.in_ms, DUE_DELAY_MAX_MS) + others_wait());
    }
}

/* It may have held what was first, or put it: then this node's turn comes sooner than it thinks. */
void due_table_node_down(struct due_table *t)
{
    LIST_EACH(node, &t->kinds)
    {
        look_in(LIST_OWNER(node, struct due, node), others_wait());
    }
}
