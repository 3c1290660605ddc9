/* The local driver. Messages are copied (casts in their classic form) and delivered from a timer,
 * so nobody is called back from within his own call, exactly as with a real connection. */
#include "adapter/local/bus.h"

#include <assert.h>

#include "adapter/classic.h"
#include "adapter/classic_request.h"
#include "adapter/driver_priv.h"
#include "adapter/uid.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/forbid.h"

struct member {
    struct list node; /* in bus->members */
    struct local_bus *bus;
    struct driver_up up;
    struct str id;
    struct list nsps;         /* struct nsp */
    char uid[UID_SHORT_SIZE]; /* in all its namespaces */
    struct classic classic;
    struct classic_request request;
    struct loop_task free;
    bool owns_bus, closed, connected;
};

struct nsp {
    struct list node;
    struct str name;
};

struct cut {
    struct list node;
    char a[ADAPTER_NODE_ID_SIZE], b[ADAPTER_NODE_ID_SIZE];
};

struct local_bus {
    struct loop *loop;
    struct list members, parcels, cuts;
    struct timer timer;
    struct loop_task at_end;
    struct local_bus_knobs knobs;
    unsigned passed; /* messages seen by the knobs */
    bool broken;
};

enum parcel_kind { PARCEL_CAST, PARCEL_REQUEST, PARCEL_RESPONSE, PARCEL_BYTES, PARCEL_SENT };

struct parcel { /* something on its way */
    struct list node;
    enum parcel_kind kind;
    uint64_t due_ms;
    struct member *to;
    char *bytes;             /* owned */
    struct str nsp, payload; /* within bytes */
    driver_sent_fn *sent;    /* SENT: one of the two */
    driver_count_fn *counted;
    void *ctx;
    int rc;
    unsigned count;
};

static void on_timer(struct timer *t);
static void on_end(struct loop_task *t);

struct local_bus *local_bus_new(struct loop *l)
{
    struct local_bus *b = MEM_NEW(struct local_bus);

    b->loop = l;
    list_init(&b->members);
    list_init(&b->parcels);
    list_init(&b->cuts);
    timer_init(&b->timer, on_timer);
    loop_task_init(&b->at_end, on_end);
    return b;
}

static void parcel_free(struct parcel *p)
{
    list_unlink(&p->node);
    mem_free(p->bytes);
    mem_free(p);
}

void local_bus_free(struct local_bus *b)
{
    assert(list_is_empty(&b->members));
    loop_timer_stop(b->loop, &b->timer);
    loop_task_cancel(&b->at_end);
    LIST_EACH_SAFE(node, after, &b->parcels)
    {
        parcel_free(LIST_OWNER(node, struct parcel, node));
    }
    local_bus_heal(b);
    mem_free(b);
}

/* ---- on its way ---- */

static bool is_nsp_open(const struct member *m, struct str name)
{
    LIST_EACH(node, &m->nsps)
    {
        if (str_eq(LIST_OWNER(node, struct nsp, node)->name, name)) return true;
    }
    return false;
}

static struct str uid_of(const struct member *m)
{
    return str_of(m->uid, sizeof m->uid);
}

static void deliver_wire(struct member *m, const struct parcel *p)
{
    struct classic_request *r = &m->request;
    int rc;

    if (!is_nsp_open(m, p->nsp)) return;
    rc = p->kind == PARCEL_RESPONSE ? classic_response_decode(p->payload, p->nsp, r)
                                    : classic_request_decode(p->payload, p->nsp, r);
    if (rc == OK) m->up.on_wire(m->up.ctx, &r->wire);
}

static void answer(const struct parcel *p, int rc)
{
    if (p->sent) p->sent(p->ctx, rc);
    if (p->counted) p->counted(p->ctx, rc, rc == OK ? p->count : 0);
}

static void deliver(struct parcel *p)
{
    struct member *m = p->to;

    switch (p->kind) {
    case PARCEL_CAST:
        if (!is_nsp_open(m, p->nsp)) break;
        if (classic_decode(p->payload, uid_of(m), p->nsp, &m->classic) != OK) break;
        m->up.on_cast(m->up.ctx, &m->classic.cast);
        break;
    case PARCEL_REQUEST:
    case PARCEL_RESPONSE:
        deliver_wire(m, p);
        break;
    case PARCEL_BYTES:
        m->up.on_bytes(m->up.ctx, p->payload);
        break;
    case PARCEL_SENT:
        answer(p, p->rc);
        break;
    }
}

static void set_timer(struct local_bus *b)
{
    const struct parcel *first = LIST_OWNER(b->parcels.next, struct parcel, node);
    uint64_t now = clock_ms();

    if (list_is_empty(&b->parcels)) return;
    loop_timer(b->loop, &b->timer, first->due_ms > now ? first->due_ms - now : 0);
}

static void settle_states(struct local_bus *b)
{
    LIST_EACH_SAFE(node, after, &b->members)
    {
        struct member *m = LIST_OWNER(node, struct member, node);

        if (m->connected == !b->broken) continue;
        m->connected = !b->broken;
        m->up.on_state(m->up.ctx, m->connected);
    }
}

static void run(struct local_bus *b)
{
    struct list due, *node;

    list_init(&due);
    while (!list_is_empty(&b->parcels)) {
        struct parcel *p = LIST_OWNER(b->parcels.next, struct parcel, node);

        if (p->due_ms > clock_ms()) break;
        list_unlink(&p->node);
        list_push(&due, &p->node);
    }
    while ((node = list_shift(&due))) {
        struct parcel *p = LIST_OWNER(node, struct parcel, node);

        if (!p->to->closed || p->kind == PARCEL_SENT) deliver(p);
        parcel_free(p);
    }
    set_timer(b);
}

static void on_timer(struct timer *t)
{
    run(LIST_OWNER(t, struct local_bus, timer));
}

static void on_end(struct loop_task *t)
{
    struct local_bus *b = LIST_OWNER(t, struct local_bus, at_end);

    settle_states(b);
    run(b);
}

static bool is_cut(const struct local_bus *b, struct str x, struct str y)
{
    LIST_EACH(node, &b->cuts)
    {
        const struct cut *c = LIST_OWNER(node, struct cut, node);
        struct str one = str_of(c->a, sizeof c->a), two = str_of(c->b, sizeof c->b);

        if (str_eq(one, x) && str_eq(two, y)) return true;
        if (str_eq(one, y) && str_eq(two, x)) return true;
    }
    return false;
}

static struct parcel *post_one(struct member *to, enum parcel_kind kind, struct str nsp,
                               struct str payload)
{
    struct local_bus *b = to->bus;
    struct parcel *p = MEM_NEW(struct parcel);
    struct list *after = b->parcels.prev;

    p->kind = kind;
    p->to = to;
    p->due_ms = clock_ms() + b->knobs.delay_ms;
    p->bytes = mem_new(1, nsp.n + payload.n + 1);
    if (nsp.n) memcpy(p->bytes, nsp.p, nsp.n);
    if (payload.n) memcpy(p->bytes + nsp.n, payload.p, payload.n);
    p->nsp = str_of(p->bytes, nsp.n);
    p->payload = str_of(p->bytes + nsp.n, payload.n);
    while (after != &b->parcels && LIST_OWNER(after, struct parcel, node)->due_ms > p->due_ms)
        after = after->prev; /* the delay was turned down: still by time */
    list_push(after->next, &p->node);
    if (b->knobs.delay_ms)
        set_timer(b);
    else
        loop_at_end(b->loop, &b->at_end);
    return p;
}

static void post(struct member *to, enum parcel_kind kind, struct str nsp, struct str payload)
{
    const struct local_bus_knobs *k = &to->bus->knobs;
    unsigned n = ++to->bus->passed;

    if (k->drop_each && n % k->drop_each == 0) return;
    post_one(to, kind, nsp, payload);
    if (k->duplicate_each && n % k->duplicate_each == 0) post_one(to, kind, nsp, payload);
}

static void post_all(struct member *from, enum parcel_kind kind, struct str nsp, struct str payload)
{
    if (from->bus->broken) return;
    LIST_EACH(node, &from->bus->members)
    {
        struct member *to = LIST_OWNER(node, struct member, node);

        if (to != from && !is_cut(from->bus, from->id, to->id)) post(to, kind, nsp, payload);
    }
}

/* ---- the driver ---- */

static void member_free(struct loop_task *t)
{
    struct member *m = LIST_OWNER(t, struct member, free);

    LIST_EACH_SAFE(node, after, &m->nsps)
    {
        mem_free(LIST_OWNER(node, struct nsp, node));
    }
    classic_fini(&m->classic);
    classic_request_fini(&m->request);
    if (m->owns_bus) local_bus_free(m->bus);
    mem_free(m);
}

static int bus_open(const struct driver_conf *c, void **driver, char **why)
{
    struct member *m = MEM_NEW(struct member);

    (void)why;
    m->owns_bus = c->arg == NULL;
    m->bus = c->arg ? c->arg : local_bus_new(c->loop);
    m->up = c->up;
    m->id = c->node_id;
    uid_make_short(c->node_id, m->uid);
    list_init(&m->nsps);
    loop_task_init(&m->free, member_free);
    list_push(&m->bus->members, &m->node);
    loop_at_end(m->bus->loop, &m->bus->at_end); /* tells the state */
    *driver = m;
    return OK;
}

static void bus_close(void *driver)
{
    struct member *m = driver;

    m->closed = true;
    list_unlink(&m->node);
    LIST_EACH_SAFE(node, after, &m->bus->parcels)
    {
        struct parcel *p = LIST_OWNER(node, struct parcel, node);

        if (p->to != m) continue;
        if (p->kind == PARCEL_SENT) answer(p, ERR_UNAVAILABLE);
        parcel_free(p);
    }
    loop_free_at_end(m->bus->loop, &m->free);
}

static void bus_nsp_open(void *driver, struct str name)
{
    struct member *m = driver;
    struct nsp *n;

    if (is_nsp_open(m, name)) return;
    n = mem_new(1, sizeof *n + name.n + 1);
    n->name = str_of(n + 1, name.n);
    memcpy(n + 1, name.p, name.n);
    list_push(&m->nsps, &n->node);
}

static void bus_publish(void *driver, const struct adapter_cast *c)
{
    struct member *m = driver;
    struct sb out = {0};

    if (classic_encode(uid_of(m), c, &out) == OK)
        post_all(m, PARCEL_CAST, c->nsp, sb_view(&out));
    else
        LOG_ERROR("adapter.cast_not_json");
    sb_fini(&out);
}

static void bus_say(void *driver, struct str bytes)
{
    post_all(driver, PARCEL_BYTES, STR_NONE, bytes);
}

/* Behind all that was posted before. */
static void post_sent(struct member *m, int rc, driver_sent_fn *sent, void *ctx)
{
    struct parcel *p = post_one(m, PARCEL_SENT, STR_NONE, STR_NONE);

    p->sent = sent;
    p->ctx = ctx;
    p->rc = rc;
}

static int bus_flush(void *driver, driver_sent_fn *sent, void *ctx)
{
    struct member *m = driver;

    if (m->bus->broken) return ERR_UNAVAILABLE;
    post_sent(m, OK, sent, ctx);
    return OK;
}

static int bus_send(void *driver, struct str node_id, struct str bytes, driver_sent_fn *sent,
                    void *ctx)
{
    struct member *m = driver;
    int rc = ERR_NOT_FOUND;

    if (m->bus->broken) return ERR_UNAVAILABLE;
    LIST_EACH(node, &m->bus->members)
    {
        struct member *to = LIST_OWNER(node, struct member, node);

        if (!str_eq(to->id, node_id) || is_cut(m->bus, m->id, to->id)) continue;
        rc = OK;
        post(to, PARCEL_BYTES, STR_NONE, bytes);
    }
    post_sent(m, rc, sent, ctx);
    return OK;
}

static int bus_wire(void *driver, const struct wire *w)
{
    struct member *m = driver;
    struct wire out = *w;
    struct sb bytes = {0};
    int rc = ERR_UNAVAILABLE;

    out.uid = uid_of(m);
    if (!m->bus->broken) rc = classic_request_encode(&out, &bytes);
    if (rc == OK)
        post_all(m, classic_request_is_answer(w->type) ? PARCEL_RESPONSE : PARCEL_REQUEST, w->nsp,
                 sb_view(&bytes));
    sb_fini(&bytes);
    return rc;
}

static int bus_count(void *driver, struct str nsp, driver_count_fn *done, void *ctx)
{
    struct member *m = driver;
    struct parcel *p;
    unsigned count = 0;

    if (m->bus->broken) return ERR_UNAVAILABLE;
    LIST_EACH(node, &m->bus->members)
    {
        if (is_nsp_open(LIST_OWNER(node, struct member, node), nsp)) count++;
    }
    p = post_one(m, PARCEL_SENT, STR_NONE, STR_NONE);
    p->counted = done;
    p->ctx = ctx;
    p->count = count;
    return OK;
}

static int bus_eval(void *driver, const struct driver_eval *e)
{
    (void)driver, (void)e;
    return ERR_UNAVAILABLE; /* no scripts without Redis */
}

const struct driver_ops local_bus_driver = {
    .name = "local",
    .open = bus_open,
    .close = bus_close,
    .nsp_open = bus_nsp_open,
    .publish = bus_publish,
    .say = bus_say,
    .send = bus_send,
    .flush = bus_flush,
    .eval = bus_eval,
    .wire = bus_wire,
    .count = bus_count,
};

/* ---- tests ---- */

struct adapter *local_bus_join(struct local_bus *b, const struct conf *c, struct str node_id,
                               const struct adapter_handler *h, void *ctx)
{
    struct driver_conf dc = {.loop = b->loop, .conf = c, .node_id = node_id, .arg = b};
    struct adapter *a = NULL;
    char *why = NULL;
    int rc = adapter_open_with(&local_bus_driver, &dc, h, ctx, &a, &why);

    assert(rc == OK);
    (void)rc;
    return a;
}

void local_bus_knobs(struct local_bus *b, const struct local_bus_knobs *k)
{
    b->knobs = *k;
}

void local_bus_cut(struct local_bus *b, struct str node_a, struct str node_b)
{
    struct cut *c = MEM_NEW(struct cut);

    memcpy(c->a, node_a.p, sizeof c->a);
    memcpy(c->b, node_b.p, sizeof c->b);
    list_push(&b->cuts, &c->node);
}

void local_bus_heal(struct local_bus *b)
{
    struct list *node;

    while ((node = list_shift(&b->cuts)))
        mem_free(LIST_OWNER(node, struct cut, node));
}

void local_bus_break(struct local_bus *b, bool is_broken)
{
    b->broken = is_broken;
    LIST_EACH_SAFE(node, after, &b->parcels)
    {
        struct parcel *p = LIST_OWNER(node, struct parcel, node);

        if (p->kind == PARCEL_SENT)
            p->rc = ERR_UNAVAILABLE;
        else if (is_broken)
            parcel_free(p);
    }
    loop_at_end(b->loop, &b->at_end);
}
