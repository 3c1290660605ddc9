/* Questions of this node. An ask that has ended is freed at the end of the turn, and not before the
 * driver has said its count: both may still hold it. */
#include "adapter/request.h"

#include "adapter/question.h"
#include "adapter/request_priv.h"
#include "adapter/uid.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/rand.h"
#include "base/forbid.h"

#define ANSWERERS_MAX 4096 /* a peer that invents names cannot fill the memory */
#define UID_MAX 24

struct answerer { /* a server with a name */
    char uid[UID_MAX], node[ADAPTER_NODE_ID_SIZE];
    uint8_t uid_n; /* 0: not known yet; a node of ours that was alive at the question */
    bool is_ours, is_dead, has_answered;
    int64_t owed; /* acks of its clients that are still to come */
};

struct ask {
    struct list node;
    struct request_table *table;
    char id[WIRE_ID_SIZE];
    enum wire_type type;
    struct adapter_ask how;
    struct timer timer;
    struct loop_task free;
    int rc;                           /* not OK: it could not be sent */
    bool counted, is_counting, ended; /* counted: expected is known */
    unsigned expected, answered, dead;
    int64_t owed; /* as answerer.owed, of servers without a name */
    struct answerer *answerers;
    unsigned answerers_count, answerers_cap;
};

/* ---- life ---- */

static void ask_free(struct ask *a)
{
    list_unlink(&a->node);
    loop_task_cancel(&a->free);
    loop_timer_stop(a->table->conf.loop, &a->timer);
    mem_free(a->answerers);
    mem_free(a);
}

static void on_free(struct loop_task *t)
{
    ask_free(LIST_OWNER(t, struct ask, free));
}

static void leave(struct ask *a) /* waits no more */
{
    a->ended = true;
    map_del(&a->table->asks_by_id, str_of(a->id, WIRE_ID_SIZE));
    loop_timer_stop(a->table->conf.loop, &a->timer);
    if (!a->is_counting) loop_free_at_end(a->table->conf.loop, &a->free);
}

static void end(struct ask *a, int rc)
{
    struct adapter_result r = {.rc = rc, .answered = a->answered};
    struct str *missing;

    if (a->ended) return;
    missing = mem_new(a->answerers_count + 1, sizeof *missing);
    r.asked = a->expected > a->dead ? a->expected - a->dead : 0;
    if (r.asked < a->answered) r.asked = a->answered;
    for (unsigned i = 0; rc == ERR_TIMEOUT && i < a->answerers_count; i++) {
        const struct answerer *s = &a->answerers[i];

        if (s->is_ours && !s->is_dead && !s->has_answered)
            missing[r.missing_count++] = str_of(s->node, sizeof s->node);
    }
    r.missing = missing;
    if (rc != OK) metric_add(M_REQUESTS_PARTIAL, 1);
    leave(a);
    a->how.done(a->how.ctx, &r);
    mem_free(missing);
}

static bool all_of_ours_answered(const struct ask *a)
{
    for (unsigned i = 0; i < a->answerers_count; i++) {
        const struct answerer *s = &a->answerers[i];

        if (s->is_ours && !s->is_dead && !s->has_answered) return false;
    }
    return true;
}

/* The count was taken at the question. A node that died may have been in it or not: less than the
 * count is enough only when all living nodes of ours are among those who answered. */
static bool is_complete(const struct ask *a)
{
    if (!a->counted || a->owed > 0) return false;
    for (unsigned i = 0; i < a->answerers_count; i++)
        if (a->answerers[i].owed > 0) return false;
    if (a->answered >= a->expected) return true;
    return a->dead > 0 && a->answered + a->dead >= a->expected && all_of_ours_answered(a);
}

static void settle(struct ask *a)
{
    if (!a->ended && is_complete(a)) end(a, OK);
}

static void on_timeout(struct timer *t)
{
    end(LIST_OWNER(t, struct ask, timer), ERR_TIMEOUT);
}

/* Ends those that were asked until now; what their callers ask meanwhile is none of them. */
static void end_all(struct request_table *t, bool only_unsent)
{
    struct list *at = t->asks.next, *end_of_old = t->asks.prev;

    while (at != &t->asks) { /* freed at the end of the turn: the list stays whole */
        struct ask *a = LIST_OWNER(at, struct ask, node);
        bool is_last = at == end_of_old;

        at = at->next;
        if (!only_unsent || a->rc != OK) end(a, ERR_UNAVAILABLE);
        if (is_last) return;
    }
}

static void on_finish(struct loop_task *task)
{
    end_all(LIST_OWNER(task, struct request_table, finish), true);
}

static void on_count(void *ctx, int rc, unsigned count)
{
    struct ask *a = ctx;

    a->is_counting = false;
    if (a->ended) {
        loop_free_at_end(a->table->conf.loop, &a->free);
        return;
    }
    if (rc != OK) {
        end(a, rc);
        return;
    }
    a->counted = true;
    a->expected = count ? count - 1 : 0;
    settle(a);
}

/* ---- who answers ---- */

static struct answerer *add_answerer(struct ask *a)
{
    if (a->answerers_count == ANSWERERS_MAX) return NULL;
    if (a->answerers_count == a->answerers_cap) {
        a->answerers_cap = a->answerers_cap ? a->answerers_cap * 2 : 8;
        a->answerers = mem_grow(a->answerers, a->answerers_cap * sizeof *a->answerers);
    }
    a->answerers[a->answerers_count] = (struct answerer){0};
    return &a->answerers[a->answerers_count++];
}

static void expect_node(void *ctx, struct str node)
{
    struct answerer *s = add_answerer(ctx);

    if (!s) return;
    s->is_ours = true;
    memcpy(s->node, node.p, sizeof s->node);
}

/* NULL: not heard yet. */
static struct answerer *find_answerer(const struct ask *a, struct str uid)
{
    char node[ADAPTER_NODE_ID_SIZE] = {0};
    bool may_be_ours = uid_node(uid, node);

    for (unsigned i = 0; uid.n && i < a->answerers_count; i++) {
        struct answerer *s = &a->answerers[i];

        if (s->uid_n && str_eq(str_of(s->uid, s->uid_n), uid)) return s;
        if (!s->uid_n && may_be_ours && memcmp(s->node, node, sizeof node) == 0) return s;
    }
    return NULL;
}

/* A server has answered. False: it has before. *out: NULL for one without a name. */
static bool note_answer(struct ask *a, struct str uid, struct answerer **out)
{
    struct answerer *s = find_answerer(a, uid);

    *out = NULL;
    if (s && s->has_answered) return false;
    a->answered++;
    if (uid.n == 0 || uid.n > UID_MAX) return true;
    if (!s) s = add_answerer(a);
    if (!s) return true;
    if (s->is_dead) a->dead--; /* it lives after all */
    s->is_dead = false;
    s->has_answered = true;
    memcpy(s->uid, uid.p, uid.n);
    s->uid_n = (uint8_t)uid.n;
    *out = s;
    return true;
}

/* ---- asking ---- */

static void make_id(char id[WIRE_ID_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[WIRE_ID_SIZE / 2];

    rand_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        id[2 * i] = digits[bytes[i] >> 4];
        id[2 * i + 1] = digits[bytes[i] & 15];
    }
}

static struct ask *ask_new(struct request_table *t, enum wire_type type,
                           const struct adapter_ask *how)
{
    struct ask *a = MEM_NEW(struct ask);

    a->table = t;
    a->type = type;
    a->how = *how;
    if (!a->how.timeout_ms) a->how.timeout_ms = REQUEST_TIMEOUT_MS;
    make_id(a->id);
    timer_init(&a->timer, on_timeout);
    loop_task_init(&a->free, on_free);
    list_init(&a->node);
    list_push(&t->asks, &a->node);
    map_put(&t->asks_by_id, str_of(a->id, WIRE_ID_SIZE), a);
    t->conf.each_node(t->conf.ctx, expect_node, a);
    return a;
}

void request_ask(struct request_table *t, const struct wire *w, const struct adapter_ask *ask)
{
    struct wire out = *w;
    struct ask *a;

    out.request_id = STR_NONE;
    if (!ask) {
        if (!t->closed && t->conf.wire(t->conf.ctx, &out) != OK) metric_add(M_REDIS_DROPPED, 1);
        return;
    }
    metric_add(M_REQUESTS_ASKED, 1);
    a = ask_new(t, w->type, ask);
    out.request_id = str_of(a->id, WIRE_ID_SIZE);
    out.timeout_ms = a->how.timeout_ms;
    a->rc = t->closed ? ERR_UNAVAILABLE : OK;
    if (a->rc == OK) { /* in one write: the count costs no round trip before the question */
        a->is_counting = true;
        a->rc = t->conf.count(t->conf.ctx, w->nsp, on_count, a);
        a->is_counting = a->rc == OK;
    }
    if (a->rc == OK) a->rc = t->conf.wire(t->conf.ctx, &out);
    if (a->rc == OK)
        loop_timer(t->conf.loop, &a->timer, a->how.timeout_ms);
    else
        loop_at_end(t->conf.loop, &t->finish);
}

/* ---- answers ---- */

static void tell(struct ask *a, struct str json, const struct wire *w)
{
    if (!a->how.each) return;
    a->how.each(a->how.ctx, json.n ? json : STR("null"), w->attachments, w->attachments_count);
}

static void tell_each(struct ask *a, const struct wire *w)
{
    struct str rest = json_begin((struct json){JSON_ARRAY, w->json});
    struct json item;

    while (!a->ended && json_next_item(&rest, &item))
        tell(a, item.raw, w);
}

static void take_answer(struct ask *a, const struct wire *w)
{
    struct answerer *s;

    if (!note_answer(a, w->uid, &s)) return;
    if (w->type == WIRE_FETCH_ANSWER)
        tell_each(a, w);
    else
        tell(a, w->json, w);
    settle(a);
}

static void take_count(struct ask *a, const struct wire *w)
{
    struct answerer *s;

    if (!note_answer(a, w->uid, &s)) return;
    if (s)
        s->owed = w->count;
    else
        a->owed += w->count;
    if (a->how.on_count) a->how.on_count(a->how.ctx, w->count);
    settle(a);
}

/* Counts come first on every wire: an ack that nobody announced is none. */
static void take_ack(struct ask *a, const struct wire *w)
{
    struct answerer *s = find_answerer(a, w->uid);
    int64_t *owed = s ? &s->owed : &a->owed;

    if (*owed <= 0) return;
    --*owed;
    tell(a, w->json, w);
    settle(a);
}

static bool fits(enum wire_type question, enum wire_type answer)
{
    if (question == WIRE_CAST) return answer == WIRE_CAST_COUNT || answer == WIRE_CAST_ANSWER;
    return answer == (question == WIRE_FETCH ? WIRE_FETCH_ANSWER : WIRE_EMIT_ANSWER);
}

void request_receive(struct request_table *t, const struct wire *w)
{
    struct ask *a;

    if (t->closed) return;
    switch (w->type) {
    case WIRE_FETCH_ANSWER:
    case WIRE_EMIT_ANSWER:
    case WIRE_CAST_COUNT:
    case WIRE_CAST_ANSWER:
        a = map_get(&t->asks_by_id, w->request_id);
        if (!a || !fits(a->type, w->type)) return; /* of another node's question, or late */
        if (w->type == WIRE_CAST_COUNT)
            take_count(a, w);
        else if (w->type == WIRE_CAST_ANSWER)
            take_ack(a, w);
        else
            take_answer(a, w);
        return;
    case WIRE_ROOMS_ANSWER: /* we never ask these */
    case WIRE_SOCKETS_ANSWER:
    case WIRE_BEAT:
    case WIRE_CLOSE:
        return;
    case WIRE_CAST:
    case WIRE_JOIN:
    case WIRE_LEAVE:
    case WIRE_DISCONNECT:
    case WIRE_FETCH:
    case WIRE_EMIT:
    case WIRE_ROOMS:
    case WIRE_SOCKETS:
    default:
        question_receive(t, w);
    }
}

/* ---- what happens to the others ---- */

static void forget_node(struct ask *a, struct str node)
{
    for (unsigned i = 0; i < a->answerers_count; i++) {
        struct answerer *s = &a->answerers[i];

        if (!s->is_ours || s->is_dead || !str_eq(str_of(s->node, sizeof s->node), node)) continue;
        s->is_dead = true;
        s->owed = 0; /* its clients are gone with it */
        if (!s->has_answered) a->dead++;
    }
    settle(a);
}

void request_node_down(struct request_table *t, struct str node)
{
    LIST_EACH_SAFE(at, after, &t->asks) /* freed at the end of the turn: the list stays whole */
    {
        struct ask *a = LIST_OWNER(at, struct ask, node);

        if (!a->ended) forget_node(a, node);
    }
}

void request_lost(struct request_table *t)
{
    end_all(t, false);
}

/* ---- the table ---- */

struct request_table *request_table_new(const struct request_conf *c)
{
    struct request_table *t = MEM_NEW(struct request_table);

    t->conf = *c;
    list_init(&t->asks);
    list_init(&t->questions);
    loop_task_init(&t->finish, on_finish);
    return t;
}

void request_table_close(struct request_table *t)
{
    t->closed = true;
    request_lost(t); /* again: what was asked since */
    question_detach_all(t);
}

void request_table_free(struct request_table *t)
{
    request_table_close(t);
    loop_task_cancel(&t->finish);
    LIST_EACH_SAFE(at, after, &t->asks)
    {
        ask_free(LIST_OWNER(at, struct ask, node));
    }
    map_fini(&t->asks_by_id);
    sb_fini(&t->out);
    mem_free(t);
}

size_t request_table_size(const struct request_table *t)
{
    return t->asks_by_id.count + t->questions_count;
}
