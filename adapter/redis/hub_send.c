/* Commands under way to a Redis Cluster. A slot that moves keeps its order: what the old master
 * refused goes to the new one first, what came later waits until the old one has answered all of
 * it. A command without a cluster is not even copied. */
#include "adapter/redis/hub_priv.h"

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/forbid.h"

enum {
    AGAIN_MS = 20,
    REDIRECTS_MAX = 4, /* in a row; two masters that do not agree are asked again in a moment */
};

struct redis_job {
    struct list node; /* of moved, held or later */
    struct redis_hub *hub;
    struct redis_server *server; /* that has it now */
    redis_link_reply_fn *done;   /* may be NULL */
    void *ctx;
    uint64_t deadline_ms;
    size_t bytes;
    uint16_t slot;
    unsigned redirects;
    unsigned argc;
    struct str argv[]; /* the bytes follow */
};

static struct redis_job *job_new(struct redis_hub *h, uint16_t slot, const struct str *argv,
                                 unsigned argc)
{
    struct redis_job *j;
    size_t bytes = 0;
    char *at;

    for (unsigned i = 0; i < argc; i++)
        bytes += argv[i].n;
    j = mem_new(1, sizeof *j + argc * sizeof *argv + bytes);
    at = (char *)(j->argv + argc);
    for (unsigned i = 0; i < argc; i++) {
        if (argv[i].n) memcpy(at, argv[i].p, argv[i].n);
        j->argv[i] = str_of(at, argv[i].n);
        at += argv[i].n;
    }
    list_init(&j->node);
    j->hub = h;
    j->slot = slot;
    j->argc = argc;
    j->bytes = bytes;
    j->deadline_ms = clock_ms() + h->conf.timeout_ms;
    return j;
}

/* Last in a function: whoever is called may close the hub. */
static void finish(struct redis_job *j, int rc, const struct redisReply *r)
{
    redis_link_reply_fn *done = j->done;
    void *ctx = j->ctx;

    mem_free(j);
    if (done) done(ctx, rc, r);
}

/* ---- waiting ---- */

static struct redis_slot_wait *find_wait(const struct redis_cluster *c, uint16_t slot)
{
    LIST_EACH(node, &c->waits)
    {
        struct redis_slot_wait *w = LIST_OWNER(node, struct redis_slot_wait, node);

        if (w->slot == slot) return w;
    }
    return NULL;
}

static struct redis_slot_wait *wait_for(struct redis_cluster *c, uint16_t slot)
{
    struct redis_slot_wait *w = find_wait(c, slot);

    if (w) return w;
    w = MEM_NEW(struct redis_slot_wait);
    w->slot = slot;
    list_init(&w->moved);
    list_init(&w->held);
    list_push(&c->waits, &w->node);
    return w;
}

static void put_by(struct redis_cluster *c, struct list *where, struct redis_job *j)
{
    c->waiting_bytes += j->bytes;
    list_push(where, &j->node);
    if (!list_is_linked(&c->again.node)) loop_timer(c->hub->conf.loop, &c->again, AGAIN_MS);
}

static struct redis_job *take_first(struct redis_cluster *c, struct list *where)
{
    struct list *node = list_shift(where);
    struct redis_job *j;

    if (!node) return NULL;
    j = LIST_OWNER(node, struct redis_job, node);
    c->waiting_bytes -= j->bytes;
    return j;
}

/* ---- sending ---- */

static void on_reply(void *ctx, int rc, const struct redisReply *r);

static int send_to(struct redis_job *j, struct redis_server *s)
{
    int rc = redis_link_send(s->commands, j->argv, j->argc, on_reply, j);

    if (rc != OK) return rc;
    j->server = s;
    j->hub->cluster->flying[j->slot]++;
    return OK;
}

/* In order, once the old master has nothing of the slot any more and the new one is there. */
static void release(struct redis_hub *h, struct redis_slot_wait *w)
{
    struct redis_cluster *c = h->cluster;
    struct redis_server *s = redis_hub_owner(h, w->slot);
    struct list failed;
    struct redis_job *j;

    if (c->flying[w->slot] || !s || !redis_link_is_up(s->commands)) return;
    list_unlink(&w->node);
    list_splice(&w->moved, &w->held);
    list_init(&failed);
    while ((j = take_first(c, &w->moved)))
        if (send_to(j, s) != OK) list_push(&failed, &j->node);
    mem_free(w);
    for (struct list *node; (node = list_shift(&failed));)
        finish(LIST_OWNER(node, struct redis_job, node), ERR_UNAVAILABLE, NULL);
}

static void settle(struct redis_hub *h, uint16_t slot)
{
    struct redis_slot_wait *w = find_wait(h->cluster, slot);

    if (w && !h->is_closed) release(h, w);
}

/* ---- replies ---- */

/* The importing master takes this one command; the slot is not its own yet. */
static void send_asking(struct redis_job *j, const struct redis_moved *m)
{
    static const struct str asking = STR("ASKING");
    struct redis_hub *h = j->hub;
    struct redis_server *s =
        redis_hub_server_at(h, m->host.n ? m->host : str_z(j->server->url.host), m->port);

    metric_add(M_REDIS_REDIRECTS, 1);
    if (redis_link_send(s->commands, &asking, 1, NULL, NULL) == OK && send_to(j, s) == OK) return;
    put_by(h->cluster, &h->cluster->later, j);
}

/* False: the reply is for the caller. */
static bool is_redirected(struct redis_job *j, const struct redisReply *r)
{
    struct redis_cluster *c = j->hub->cluster;
    struct redis_moved m;

    if (r->type != REDIS_REPLY_ERROR || clock_ms() >= j->deadline_ms) return false;
    if (str_starts(redis_push_text(r), STR("TRYAGAIN"))) {
        put_by(c, &c->later, j);
        return true;
    }
    if (!redis_moved_read(redis_push_text(r), &m)) return false;
    if (m.slot != j->slot) return false;
    if (m.is_ask) {
        send_asking(j, &m);
        return true;
    }
    redis_hub_follow(j->hub, j->server, &m);
    if (++j->redirects > REDIRECTS_MAX)
        put_by(c, &c->later, j);
    else
        put_by(c, &wait_for(c, j->slot)->moved, j);
    return true;
}

static void on_reply(void *ctx, int rc, const struct redisReply *r)
{
    struct redis_job *j = ctx;
    struct redis_hub *h = j->hub;
    uint16_t slot = j->slot;
    bool is_over;

    h->cluster->flying[slot]--;
    is_over = rc != OK || h->is_closed || !is_redirected(j, r);
    settle(h, slot);
    if (is_over) finish(j, rc, r);
}

/* ---- again ---- */

static void send_later(struct redis_hub *h)
{
    struct redis_cluster *c = h->cluster;
    uint64_t now = clock_ms();
    struct list jobs, late;

    list_init(&jobs);
    list_init(&late);
    list_splice(&jobs, &c->later);
    LIST_EACH_SAFE(node, after, &jobs)
    {
        struct redis_job *j = LIST_OWNER(node, struct redis_job, node);
        struct redis_server *s = redis_hub_owner(h, j->slot);

        list_unlink(node);
        if (now < j->deadline_ms && (!s || send_to(j, s) != OK)) {
            list_push(&c->later, node);
            continue;
        }
        c->waiting_bytes -= j->bytes;
        if (now >= j->deadline_ms) list_push(&late, node);
    }
    for (struct list *node; (node = list_shift(&late));)
        finish(LIST_OWNER(node, struct redis_job, node), ERR_TIMEOUT, NULL);
}

static void take_late(struct redis_cluster *c, struct list *from, struct list *late)
{
    uint64_t now = clock_ms();

    LIST_EACH_SAFE(node, after, from)
    {
        struct redis_job *j = LIST_OWNER(node, struct redis_job, node);

        if (now < j->deadline_ms) continue;
        list_unlink(node);
        list_push(late, node);
        c->waiting_bytes -= j->bytes;
    }
}

static void expire_waits(struct redis_hub *h)
{
    struct redis_cluster *c = h->cluster;
    struct list late;

    list_init(&late);
    LIST_EACH_SAFE(node, after, &c->waits)
    {
        struct redis_slot_wait *w = LIST_OWNER(node, struct redis_slot_wait, node);

        take_late(c, &w->moved, &late);
        take_late(c, &w->held, &late);
        if (!list_is_empty(&w->moved) || !list_is_empty(&w->held)) continue;
        list_unlink(node);
        mem_free(w);
    }
    for (struct list *node; (node = list_shift(&late));)
        finish(LIST_OWNER(node, struct redis_job, node), ERR_TIMEOUT, NULL);
}

void redis_hub_retry(struct redis_hub *h)
{
    if (!h->cluster) return;
    LIST_EACH_SAFE(node, after, &h->cluster->waits)
    {
        release(h, LIST_OWNER(node, struct redis_slot_wait, node));
        if (h->is_closed) return;
    }
}

void redis_hub_again(struct timer *t)
{
    struct redis_cluster *c = LIST_OWNER(t, struct redis_cluster, again);
    struct redis_hub *h = c->hub;

    redis_hub_retry(h);
    if (!h->is_closed) send_later(h);
    if (!h->is_closed) expire_waits(h);
    if (!h->is_closed && (!list_is_empty(&c->later) || !list_is_empty(&c->waits)))
        loop_timer(h->conf.loop, &c->again, AGAIN_MS);
}

void redis_hub_give_up(struct redis_hub *h)
{
    struct redis_cluster *c = h->cluster;
    struct list gone, *node;

    list_init(&gone);
    list_splice(&gone, &c->later);
    while ((node = list_shift(&c->waits))) {
        struct redis_slot_wait *w = LIST_OWNER(node, struct redis_slot_wait, node);

        list_splice(&gone, &w->moved);
        list_splice(&gone, &w->held);
        mem_free(w);
    }
    c->waiting_bytes = 0;
    while ((node = list_shift(&gone)))
        finish(LIST_OWNER(node, struct redis_job, node), ERR_UNAVAILABLE, NULL);
}

/* ---- the face ---- */

int redis_hub_send(struct redis_hub *h, struct str key, const struct str *argv, unsigned argc,
                   redis_link_reply_fn *done, void *ctx)
{
    uint16_t slot = h->cluster ? redis_slot(key) : 0;
    struct redis_server *s = redis_hub_owner(h, slot);
    struct redis_slot_wait *w;
    struct redis_job *j;
    int rc = OK;

    if (h->is_closed || !s) return ERR_UNAVAILABLE;
    if (!h->cluster) return redis_link_send(s->commands, argv, argc, done, ctx);
    w = find_wait(h->cluster, slot);
    if (!w && !redis_link_is_up(s->commands)) return ERR_UNAVAILABLE;
    j = job_new(h, slot, argv, argc);
    if (w && h->cluster->waiting_bytes + j->bytes > h->conf.queue_bytes)
        rc = ERR_LIMIT;
    else if (w)
        put_by(h->cluster, &w->held, j);
    else
        rc = send_to(j, s);
    if (rc != OK) {
        mem_free(j);
        return rc;
    }
    j->done = done;
    j->ctx = ctx;
    return OK;
}

unsigned redis_hub_send_all(struct redis_hub *h, const struct str *argv, unsigned argc,
                            redis_link_reply_fn *done, void *ctx)
{
    unsigned sent = 0;

    LIST_EACH(node, &h->servers)
    {
        struct redis_server *s = LIST_OWNER(node, struct redis_server, node);

        if (s->is_owner) sent += redis_link_send(s->commands, argv, argc, done, ctx) == OK;
    }
    return sent;
}
