/* queue:update for visitors who wait and are here. A node asks the store when the queue has
 * changed, at most once in ASK_MS, and only if one of its visitors waits; each is told what has
 * changed for him. */
#include "contacts/desk/desk_priv.h"

#include "adapter/adapter.h"
#include "base/mem.h"
#include "contacts/rules/queue.h"

enum { ASK_MS = 500, SHOWN_MAX = 1000 };

struct waiter {
    int64_t position, eta_s; /* as told; -1: not yet */
    uint64_t round;          /* the last question that it was in the answer of, or came during */
    uint16_t n;
    char id[];
};

static void ask(struct desk *d);

/* Place and time until somebody has time; -1: nobody knows. */
static void tell(struct desk *d, struct waiter *w, int64_t position, int64_t eta_s)
{
    struct sb room = {0};
    struct sio_cast to;

    if (w->position == position && w->eta_s == eta_s) return;
    w->position = position;
    w->eta_s = eta_s;
    desk_room(str_of(w->id, w->n), &room);
    to = desk_to_chat(d, sb_view(&room), false);
    to.flags |= SIO_LOCAL; /* the other nodes tell their own */
    emit_queue_update(&to, &(struct out_queue_update){.contact_id = str_of(w->id, w->n),
                                                      .position = position,
                                                      .has_eta_seconds = eta_s >= 0,
                                                      .eta_seconds = eta_s});
    sb_fini(&room);
}

struct queue_question {
    struct str *ids;
    unsigned count;
};

static bool is_here(const struct desk *d, struct str contact_id)
{
    struct sb room = {0};
    bool is_any;

    desk_room(contact_id, &room);
    is_any = sio_room_count(d->nsp, sb_view(&room)) > 0;
    sb_fini(&room);
    return is_any;
}

/* Who does not wait any more, or whose visitor has left, is not watched any more. */
static void sift(struct desk *d, const struct queue_question *q, struct arena *mem)
{
    struct waiter *w, **gone = arena_new(mem, d->queue.waiting.count, sizeof(struct waiter *));
    bool is_all = q->count < SHOWN_MAX; /* else there are some behind those that were read */
    size_t i = 0, n = 0;

    while ((w = map_next(&d->queue.waiting, &i)))
        if ((is_all && w->round != d->queue.round) || !is_here(d, str_of(w->id, w->n)))
            gone[n++] = w;
    while (n) {
        w = gone[--n];
        map_del(&d->queue.waiting, str_of(w->id, w->n));
        mem_free(w);
    }
}

static void on_agents(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct queue_question *q = call->op;
    struct desk *d = call->desk;
    int64_t agents = 0, places = 0;

    if (desk_call_is_over(call)) return;
    if (r->rc == OK) places = assign_free_places(r->agents, r->agents_count, &agents);
    for (unsigned i = 0; i < q->count; i++) {
        struct waiter *w = map_get(&d->queue.waiting, q->ids[i]);

        if (!w) continue;
        w->round = d->queue.round;
        tell(d, w, i + 1, queue_eta_s(i + 1, d->queue.handling_ms, agents, places));
    }
    sift(d, q, &call->mem);
    desk_call_free(call);
    d->queue.is_asking = false;
    if (d->queue.is_dirty) desk_queue_on_message(d, STR_NONE);
}

static void on_queue(void *ctx, const struct store_result *r)
{
    struct desk_call *call = ctx;
    struct queue_question *q = call->op;
    struct desk *d = call->desk;

    if (desk_call_is_over(call)) return;
    if (r->rc != OK) {
        desk_call_free(call);
        d->queue.is_asking = false;
        desk_queue_on_message(d, STR_NONE); /* again in a moment */
        return;
    }
    q->ids = arena_new(&call->mem, r->contacts_count + 1, sizeof *q->ids);
    for (unsigned i = 0; i < r->contacts_count; i++)
        q->ids[q->count++] = arena_str(&call->mem, r->contacts[i].id);
    store_agent_list(d->store, on_agents, call);
}

static void ask(struct desk *d)
{
    struct desk_call *call;

    if (d->queue.is_asking || !d->queue.waiting.count) return;
    d->queue.is_asking = true;
    d->queue.is_dirty = false;
    d->queue.round++;
    call = desk_call_own(d, STR_NONE, sizeof(struct queue_question));
    store_contact_list(
        d->store,
        &(struct store_filter){.status = CONTACT_PENDING, .sort = STORE_QUEUE, .limit = SHOWN_MAX},
        on_queue, call);
}

static void on_timer(struct timer *t)
{
    ask(LIST_OWNER(t, struct desk, queue.timer));
}

void desk_queue_init(struct desk *d)
{
    timer_init(&d->queue.timer, on_timer);
    d->queue.handling_ms = QUEUE_HANDLING_PRESET_MS;
}

void desk_queue_fini(struct desk *d)
{
    size_t i = 0;
    struct waiter *w;

    loop_timer_stop(events_loop(d->events), &d->queue.timer);
    while ((w = map_next(&d->queue.waiting, &i)))
        mem_free(w);
    map_fini(&d->queue.waiting);
}

void desk_queue_watch(struct desk *d, struct str contact_id)
{
    struct waiter *w = map_get(&d->queue.waiting, contact_id);

    if (w || !is_here(d, contact_id)) return;
    w = mem_new(1, sizeof *w + contact_id.n);
    w->position = w->eta_s = -1;
    w->round = d->queue.round; /* is_asking: what is being read may not have it yet */
    w->n = (uint16_t)contact_id.n;
    memcpy(w->id, contact_id.p, contact_id.n);
    map_put(&d->queue.waiting, str_of(w->id, w->n), w);
}

/* payload: milliseconds that a contact took, or nothing. */
void desk_queue_on_message(struct desk *d, struct str payload)
{
    uint64_t handled_ms;

    if (payload.n && str_u64(payload, INT64_MAX, &handled_ms) == OK && handled_ms)
        d->queue.handling_ms = queue_handling_ms(d->queue.handling_ms, (int64_t)handled_ms);
    d->queue.is_dirty = true;
    if (!d->queue.is_asking && !timer_is_set(&d->queue.timer) && d->queue.waiting.count)
        loop_timer(events_loop(d->events), &d->queue.timer, ASK_MS);
}

struct queue_say {
    struct desk *desk;
    struct str payload;
};

static void say_node(void *ctx, struct str node)
{
    struct queue_say *s = ctx;

    if (!str_eq(node, adapter_node_id(events_adapter(s->desk->events))))
        events_send(s->desk->events, feature_desk.name, node, s->payload, NULL, NULL);
}

void desk_queue_changed(struct desk *d, int64_t handled_ms)
{
    struct sb text = {0};
    struct queue_say s = {.desk = d};

    sb_z(&text, "q ");
    if (handled_ms > 0) sb_i64(&text, handled_ms);
    desk_queue_on_message(d, str_skip(sb_view(&text), 2));
    s.payload = sb_view(&text);
    if (events_adapter(d->events)) adapter_each_node(events_adapter(d->events), say_node, &s);
    sb_fini(&text);
}
