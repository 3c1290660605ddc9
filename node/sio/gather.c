/* Joins what this node and the other servers answer to one question. Nobody is called back from
 * within his own call. */
#include "node/sio/sio_priv.h"

#include "adapter/adapter.h"
#include "base/json.h"
#include "base/mem.h"

#define TIMEOUT_MS 5000 /* default, as the adapter's */

struct sio_gather {
    struct sio *sio;
    struct adapter_ask ask, others;
    unsigned parts;
    bool is_open; /* sio_gather_end has not run */
    int rc;       /* of this node */
    struct adapter_result result;
    struct str *missing; /* owned, with its texts */
    struct sb local;
    struct list node; /* of sio->gathers, once it only waits for the end of the turn */
};

static void copy_missing(struct sio_gather *g, const struct adapter_result *r)
{
    size_t bytes = r->missing_count * sizeof(struct str);
    char *at;

    for (unsigned i = 0; i < r->missing_count; i++)
        bytes += r->missing[i].n;
    g->missing = mem_new(1, bytes + 1);
    at = (char *)(g->missing + r->missing_count);
    for (unsigned i = 0; i < r->missing_count; i++) {
        memcpy(at, r->missing[i].p, r->missing[i].n);
        g->missing[i] = str_of(at, r->missing[i].n);
        at += r->missing[i].n;
    }
    g->result.missing = g->missing;
}

static void finish(struct sio_gather *g)
{
    struct str rest;
    struct json item;

    if (g->local.n) {
        rest = json_begin((struct json){JSON_ARRAY, sb_view(&g->local)});
        while (g->ask.each && json_next_item(&rest, &item))
            g->ask.each(g->ask.ctx, item.raw, NULL, 0);
    }
    if (g->result.rc == OK) g->result.rc = g->rc;
    g->ask.done(g->ask.ctx, &g->result);
    sb_fini(&g->local);
    mem_free(g->missing);
    mem_free(g);
}

void sio_gather_finish_all(struct loop_task *t)
{
    struct sio *s = LIST_OWNER(t, struct sio, gather_task);
    struct list now, *node;

    list_init(&now);
    list_splice(&now, &s->gathers); /* what is asked meanwhile has its own turn */
    while ((node = list_shift(&now)))
        finish(LIST_OWNER(node, struct sio_gather, node));
}

static void part_done(struct sio_gather *g)
{
    if (--g->parts == 0 && !g->is_open) finish(g);
}

void sio_gather_each(void *gather, struct str json, const struct str *attachments, unsigned n)
{
    const struct sio_gather *g = gather;

    if (g->ask.each) g->ask.each(g->ask.ctx, json.n ? json : STR("null"), attachments, n);
}

void sio_gather_done(void *gather, int rc)
{
    struct sio_gather *g = gather;

    if (rc != OK) g->rc = ERR_TIMEOUT; /* also of one who went away: his answer is missing */
    part_done(g);
}

static void on_others_count(void *gather, unsigned clients)
{
    const struct sio_gather *g = gather;

    if (g->ask.on_count) g->ask.on_count(g->ask.ctx, clients);
}

static void on_others_done(void *gather, const struct adapter_result *r)
{
    struct sio_gather *g = gather;

    g->result = *r;
    copy_missing(g, r);
    part_done(g);
}

struct sio_gather *sio_gather_begin(struct sio *s, const struct adapter_ask *ask, unsigned parts)
{
    struct sio_gather *g = MEM_NEW(struct sio_gather);

    g->sio = s;
    g->ask = *ask;
    if (!g->ask.timeout_ms) g->ask.timeout_ms = TIMEOUT_MS;
    g->others = (struct adapter_ask){.timeout_ms = g->ask.timeout_ms,
                                     .each = sio_gather_each,
                                     .on_count = on_others_count,
                                     .done = on_others_done,
                                     .ctx = g};
    g->parts = parts;
    g->is_open = true;
    list_init(&g->node);
    return g;
}

void sio_gather_end(struct sio_gather *g)
{
    g->is_open = false;
    if (g->parts != 0) return;
    list_push(&g->sio->gathers, &g->node);
    loop_at_end(g->sio->loop, &g->sio->gather_task);
}

uint64_t sio_gather_timeout(const struct sio_gather *g)
{
    return g->ask.timeout_ms;
}

struct sb *sio_gather_local(struct sio_gather *g)
{
    return &g->local;
}

const struct adapter_ask *sio_gather_ask(struct sio_gather *g)
{
    return &g->others;
}
