/* See subs_priv.h. A line is in the list of its state; only move() changes it. */
#include "adapter/redis/subs_priv.h"

#include <hiredis/hiredis.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/forbid.h"

#define MOVES_MAX 4
#define FLYING_MAX                                                                                 \
    512 /* commands without an answer: 100,000 rooms neither fill the queue nor Redis */

struct redis_sub_waiter {
    struct list node;
    void (*done)(void *ctx);
    void *ctx;
};

static void pump(struct redis_subs *s);

void redis_subs_init(struct redis_subs *s, void *ctx)
{
    *s = (struct redis_subs){.ctx = ctx};
    for (int i = 0; i < REDIS_SUB_STATE_COUNT; i++)
        list_init(&s->lists[i]);
}

/* ---- one line ---- */

static bool is_flying(enum redis_sub_state state)
{
    return state == REDIS_SUB_ASKED || state == REDIS_SUB_LEAVING;
}

static void move(struct redis_sub *sub, enum redis_sub_state state)
{
    struct redis_subs *s = sub->subs;

    if (is_flying(sub->state)) s->flying--;
    if (is_flying(state)) s->flying++;
    if (state == REDIS_SUB_DUE || state == REDIS_SUB_REFUSED) sub->link = NULL;
    sub->state = state;
    list_unlink(&sub->node);
    list_push(&s->lists[state], &sub->node);
}

/* Last in a function: whoever is called may leave, and free the line. */
static void answer(struct list *waiters)
{
    struct list *node;

    while ((node = list_shift(waiters))) {
        struct redis_sub_waiter w = *LIST_OWNER(node, struct redis_sub_waiter, node);

        mem_free(LIST_OWNER(node, struct redis_sub_waiter, node));
        w.done(w.ctx);
    }
}

static void set_missed(struct redis_sub *sub, bool is_missed)
{
    struct redis_subs *s = sub->subs;

    if (sub->is_missed == is_missed) return;
    sub->is_missed = is_missed;
    s->missed += is_missed ? 1U : -1U;
    if (s->missed == 0) s->on_settled(s->ctx);
}

/* Where it is looked for there is nobody, or it is refused. */
static void park(struct redis_sub *sub)
{
    struct redis_subs *s = sub->subs;

    move(sub, REDIS_SUB_REFUSED);
    if (!sub->was_heard || sub->is_missed) return;
    set_missed(sub, true);
    s->on_lost(s->ctx);
}

static void free_sub(struct redis_sub *sub)
{
    map_del(&sub->subs->by_name[sub->how], sub->name);
    list_unlink(&sub->node);
    if (is_flying(sub->state)) sub->subs->flying--;
    set_missed(sub, false);
    mem_free(sub);
}

void redis_subs_fini(struct redis_subs *s)
{
    struct list waiters;

    list_init(&waiters);
    for (int i = 0; i < REDIS_SUB_STATE_COUNT; i++)
        LIST_EACH_SAFE(node, after, &s->lists[i])
        {
            struct redis_sub *sub = LIST_OWNER(node, struct redis_sub, node);

            list_splice(&waiters, &sub->waiters);
            mem_free(sub);
        }
    for (int i = 0; i < REDIS_SUB_HOW_COUNT; i++)
        map_fini(&s->by_name[i]);
    answer(&waiters);
}

/* ---- commands and their answers ---- */

/* Where a subscription that was answered stands now. */
static enum redis_sub_state state_after(struct redis_sub *sub, const struct redisReply *r)
{
    struct redis_subs *s = sub->subs;

    if (r->type != REDIS_REPLY_ERROR) return REDIS_SUB_CONFIRMED;
    if (s->on_moved(s->ctx, sub->link, redis_push_text(r)) && sub->moves++ < MOVES_MAX)
        return REDIS_SUB_DUE;
    s->on_refused(s->ctx, redis_push_text(r));
    return REDIS_SUB_REFUSED;
}

/* rc other than OK: the connection ends, redis_subs_down sorts it out. */
static void on_left(void *ctx, int rc, const struct redisReply *r)
{
    struct redis_sub *sub = ctx;
    struct redis_subs *s = sub->subs;

    if (rc != OK) return;
    if (r->type == REDIS_REPLY_ERROR) /* MOVED: Redis had taken it from us before */
        (void)s->on_moved(s->ctx, sub->link, redis_push_text(r));
    if (sub->is_wanted)
        move(sub, REDIS_SUB_DUE);
    else
        free_sub(sub);
    pump(s);
}

static void place(struct redis_sub *sub, enum redis_sub_state state)
{
    if (state == REDIS_SUB_REFUSED) {
        park(sub);
        return;
    }
    move(sub, state);
    if (state != REDIS_SUB_CONFIRMED) return;
    sub->moves = 0;
    sub->was_heard = true;
    set_missed(sub, false);
}

static void on_entered(void *ctx, int rc, const struct redisReply *r)
{
    struct redis_sub *sub = ctx;
    struct redis_subs *s = sub->subs;
    enum redis_sub_state state;
    struct list waiters;

    if (rc != OK) return;
    state = state_after(sub, r);
    list_init(&waiters);
    if (state != REDIS_SUB_DUE) list_splice(&waiters, &sub->waiters);
    if (sub->is_wanted) {
        place(sub, state);
    } else if (state == REDIS_SUB_CONFIRMED) {
        move(sub, REDIS_SUB_SPENT);
    } else {
        free_sub(sub);
    }
    pump(s);
    answer(&waiters);
}

static struct redis_link *link_of(const struct redis_sub *sub)
{
    struct redis_link *k = sub->subs->link_of(sub->subs->ctx, sub);

    return k && redis_link_is_up(k) ? k : NULL;
}

static void enter(struct redis_sub *sub)
{
    static const enum redis_link_sub words[] = {[REDIS_SUB_CHANNEL] = REDIS_SUBSCRIBE,
                                                [REDIS_SUB_PATTERN] = REDIS_PSUBSCRIBE,
                                                [REDIS_SUB_SHARD] = REDIS_SSUBSCRIBE};
    struct redis_link *k = link_of(sub);

    if (!k || redis_link_subscribe(k, words[sub->how], sub->name, on_entered, sub) != OK) {
        park(sub);
        return;
    }
    move(sub, REDIS_SUB_ASKED);
    sub->link = k;
}

static bool leave(struct redis_sub *sub)
{
    if (redis_link_subscribe(sub->link, REDIS_SUNSUBSCRIBE, sub->name, on_left, sub) != OK)
        return false;
    move(sub, REDIS_SUB_LEAVING);
    return true;
}

/* What finds no connection, or its queue full, waits for redis_subs_retry. */
static void pump(struct redis_subs *s)
{
    struct list *due = &s->lists[REDIS_SUB_DUE], *spent = &s->lists[REDIS_SUB_SPENT];

    while (s->flying < FLYING_MAX && !list_is_empty(due))
        enter(LIST_OWNER(due->next, struct redis_sub, node));
    while (s->flying < FLYING_MAX && !list_is_empty(spent))
        if (!leave(LIST_OWNER(spent->next, struct redis_sub, node))) return;
}

/* ---- the list ---- */

struct redis_sub *redis_subs_get(const struct redis_subs *s, enum redis_sub_how how,
                                 struct str name)
{
    return map_get(&s->by_name[how], name);
}

static struct redis_sub *add(struct redis_subs *s, enum redis_sub_how how, enum channel kind,
                             void *owner, struct str name)
{
    struct redis_sub *sub = mem_new(1, sizeof *sub + name.n);

    if (name.n) memcpy(sub + 1, name.p, name.n);
    sub->name = str_of(sub + 1, name.n);
    sub->subs = s;
    sub->how = how;
    sub->kind = kind;
    sub->owner = owner;
    sub->is_wanted = true;
    list_init(&sub->waiters);
    list_push(&s->lists[REDIS_SUB_DUE], &sub->node);
    map_put(&s->by_name[how], sub->name, sub);
    return sub;
}

void redis_subs_enter(struct redis_subs *s, enum channel kind, void *owner, struct str name)
{
    struct redis_sub *sub = redis_subs_get(s, REDIS_SUB_SHARD, name);

    if (sub) {
        sub->is_wanted = true; /* what is under way decides when it is answered */
        if (sub->state == REDIS_SUB_SPENT) move(sub, REDIS_SUB_CONFIRMED);
        return;
    }
    sub = add(s, REDIS_SUB_SHARD, kind, owner, name);
    if (!link_of(sub)) set_missed(sub, true);
    pump(s);
}

void redis_subs_add(struct redis_subs *s, enum redis_sub_how how, enum channel kind, void *owner,
                    struct str name)
{
    struct redis_sub *sub = redis_subs_get(s, how, name);

    if (sub && sub->kind == kind) return;
    if (sub) { /* was a room whose name is now another namespace's: it stays for good */
        redis_subs_enter(s, kind, owner, name);
        sub->kind = kind;
        sub->owner = owner;
        return;
    }
    sub = add(s, how, kind, owner, name);
    set_missed(sub, true);
    pump(s);
}

void redis_subs_leave(struct redis_subs *s, enum channel kind, struct str name)
{
    struct redis_sub *sub = redis_subs_get(s, REDIS_SUB_SHARD, name);
    struct list waiters;

    if (!sub || !sub->is_wanted || sub->kind != kind) return;
    list_init(&waiters);
    list_splice(&waiters, &sub->waiters);
    sub->is_wanted = false;
    if (sub->state == REDIS_SUB_CONFIRMED)
        move(sub, REDIS_SUB_SPENT);
    else if (!is_flying(sub->state))
        free_sub(sub);
    pump(s);
    answer(&waiters);
}

void redis_subs_await(struct redis_sub *sub, void (*done)(void *ctx), void *ctx)
{
    struct redis_sub_waiter *w;

    if (sub->state == REDIS_SUB_CONFIRMED || sub->state == REDIS_SUB_REFUSED || !sub->is_wanted) {
        done(ctx);
        return;
    }
    w = MEM_NEW(struct redis_sub_waiter);
    w->done = done;
    w->ctx = ctx;
    list_push(&sub->waiters, &w->node);
}

/* ---- the connections ---- */

/* Those that were there before come first: their order is the one in which they were wanted. */
void redis_subs_down(struct redis_subs *s, struct redis_link *k)
{
    static const enum redis_sub_state order[] = {REDIS_SUB_CONFIRMED, REDIS_SUB_SPENT,
                                                 REDIS_SUB_LEAVING, REDIS_SUB_ASKED};
    struct list lost, due, waiters;

    list_init(&lost);
    list_init(&due);
    list_init(&waiters);
    list_splice(&due, &s->lists[REDIS_SUB_DUE]);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        LIST_EACH_SAFE(node, after, &s->lists[order[i]])
        {
            if (LIST_OWNER(node, struct redis_sub, node)->link != k) continue;
            list_unlink(node);
            list_push(&lost, node);
        }
    LIST_EACH_SAFE(node, after, &lost)
    {
        struct redis_sub *sub = LIST_OWNER(node, struct redis_sub, node);

        list_splice(&waiters, &sub->waiters);
        move(sub, REDIS_SUB_DUE);
        if (sub->is_wanted)
            set_missed(sub, true);
        else
            free_sub(sub);
    }
    LIST_EACH_SAFE(node, after, &due)
    {
        struct redis_sub *sub = LIST_OWNER(node, struct redis_sub, node);

        list_unlink(node);
        list_push(&s->lists[REDIS_SUB_DUE], node);
        if (link_of(sub)) continue;
        list_splice(&waiters, &sub->waiters);
        set_missed(sub, true);
    }
    pump(s);
    answer(&waiters);
}

void redis_subs_retry(struct redis_subs *s)
{
    while (!list_is_empty(&s->lists[REDIS_SUB_REFUSED]))
        move(LIST_OWNER(s->lists[REDIS_SUB_REFUSED].next, struct redis_sub, node), REDIS_SUB_DUE);
    pump(s);
}

/* Redis says sunsubscribe as well, when it can; the slot of a dead master moves without a word. */
void redis_subs_moved(struct redis_subs *s)
{
    LIST_EACH_SAFE(node, after, &s->lists[REDIS_SUB_CONFIRMED])
    {
        struct redis_sub *sub = LIST_OWNER(node, struct redis_sub, node);

        if (sub->how == REDIS_SUB_SHARD && s->link_of(s->ctx, sub) != sub->link)
            move(sub, REDIS_SUB_DUE);
    }
    redis_subs_retry(s);
}

void redis_subs_close(struct redis_subs *s)
{
    struct list waiters;

    list_init(&waiters);
    for (int i = 0; i < REDIS_SUB_STATE_COUNT; i++)
        LIST_EACH(node, &s->lists[i])
        {
            list_splice(&waiters, &LIST_OWNER(node, struct redis_sub, node)->waiters);
        }
    answer(&waiters);
}

const struct redis_sub *redis_subs_take(struct redis_subs *s, struct redis_link *by,
                                        const struct redis_push *p)
{
    struct redis_sub *sub;

    if (p->kind == REDIS_PUSH_PMESSAGE) return redis_subs_get(s, REDIS_SUB_PATTERN, p->pattern);
    if (p->kind == REDIS_PUSH_MESSAGE) return redis_subs_get(s, REDIS_SUB_CHANNEL, p->channel);
    sub = redis_subs_get(s, REDIS_SUB_SHARD, p->channel);
    if (p->kind == REDIS_PUSH_SMESSAGE || !sub) return sub;
    if (sub->link != by) return NULL; /* it is elsewhere already */
    if (sub->state == REDIS_SUB_SPENT) {
        free_sub(sub);
    } else if (sub->state == REDIS_SUB_CONFIRMED) {
        LOG_INFO("redis.channel_moved", LOG_S("channel", sub->name));
        move(sub, REDIS_SUB_DUE);
        pump(s);
    }
    return NULL;
}
