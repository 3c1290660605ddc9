/* See stream_gate_priv.h. */
#include "adapter/redis/stream_gate_priv.h"

#include <hiredis/hiredis.h>

#include "base/mem.h"
#include "base/forbid.h"

struct waiter {
    struct list node;
    struct stream_gate *gate;
    const void *owner;
    struct streams_id until;
    bool is_answered, is_gone; /* gone: it has passed while Redis was still asked */
    struct str payload;        /* follows the struct */
};

static void pass_first(struct stream_gate *g)
{
    struct waiter *w = LIST_OWNER(g->waiting.next, struct waiter, node);

    list_unlink(&w->node);
    g->count--;
    g->on_passed(g->ctx, w->owner, w->payload); /* within it the answer may come */
    w->is_gone = true;
    if (w->is_answered) mem_free(w);
}

static bool may_pass(const struct stream_gate *g)
{
    const struct waiter *w = LIST_OWNER(g->waiting.next, struct waiter, node);

    if (!g->is_ready || g->count > STREAM_GATE_MAX) return true;
    return w->is_answered && streams_id_compare(w->until, g->position) <= 0;
}

static void pass(struct stream_gate *g)
{
    if (g->is_passing) return; /* called from within on_passed: the loop below goes on */
    g->is_passing = true;
    while (!list_is_empty(&g->waiting) && may_pass(g))
        pass_first(g);
    g->is_passing = false;
}

/* [[id, …]], or nothing: then nothing is before it. */
static void on_end(void *ctx, int rc, const struct redisReply *r)
{
    struct waiter *w = ctx;
    struct stream_gate *g = w->gate;

    w->is_answered = true;
    if (w->is_gone) {
        mem_free(w);
        return;
    }
    if (rc == OK && r->type == REDIS_REPLY_ARRAY && r->elements == 1 &&
        r->element[0]->type == REDIS_REPLY_ARRAY && r->element[0]->elements > 0 &&
        streams_id_read(redis_push_text(r->element[0]->element[0]), &w->until) != OK)
        w->until = (struct streams_id){0};
    pass(g);
}

void stream_gate_put(struct stream_gate *g, const void *owner, struct str payload)
{
    struct waiter *w = mem_new(1, sizeof *w + payload.n + 1);

    if (payload.n) memcpy(w + 1, payload.p, payload.n);
    w->payload = str_of(w + 1, payload.n);
    w->gate = g;
    w->owner = owner;
    list_push(&g->waiting, &w->node);
    g->count++;
    if (!g->is_ready || g->ask_end(g->ctx, on_end, w) != OK) w->is_answered = true;
    pass(g);
}

void stream_gate_open(struct stream_gate *g, bool is_ready, struct streams_id position)
{
    g->is_ready = is_ready;
    g->position = position;
    pass(g);
}

void stream_gate_init(struct stream_gate *g)
{
    list_init(&g->waiting);
}

void stream_gate_fini(struct stream_gate *g)
{
    LIST_EACH_SAFE(node, after, &g->waiting)
    {
        mem_free(LIST_OWNER(node, struct waiter, node));
    }
}
