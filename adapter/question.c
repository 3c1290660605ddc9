/* Taking questions of other servers to the handler, and the answers back. A question that came with
 * nonsense was refused by the codec; here only sizes and numbers are bounded. */
#include "adapter/question.h"

#include "adapter/fetched.h"
#include "adapter/request_priv.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/forbid.h"

#define ID_MAX 64 /* bytes of a uid or request id of a peer */

struct adapter_question {
    struct list node;
    struct request_table *table; /* NULL: closed, or its deadline has passed */
    struct timer timer;
    enum wire_type type;
    struct str nsp, uid, request_id; /* texts follow the struct */
    bool counted, answered;
};

/* ---- life ---- */

static void detach(struct adapter_question *q)
{
    if (!q->table) return;
    loop_timer_stop(q->table->conf.loop, &q->timer);
    list_unlink(&q->node);
    q->table->questions_count--;
    q->table = NULL;
}

static void on_deadline(struct timer *t)
{
    detach(LIST_OWNER(t, struct adapter_question, timer));
}

static struct str keep(char **at, struct str s)
{
    struct str kept = str_of(*at, s.n);

    if (s.n) memcpy(*at, s.p, s.n);
    *at += s.n;
    return kept;
}

static struct adapter_question *question_new(struct request_table *t, const struct wire *w,
                                             uint64_t timeout_ms)
{
    struct adapter_question *q = mem_new(1, sizeof *q + w->nsp.n + w->uid.n + w->request_id.n + 1);
    char *at = (char *)(q + 1);

    q->table = t;
    q->type = w->type;
    q->nsp = keep(&at, w->nsp);
    q->uid = keep(&at, w->uid);
    q->request_id = keep(&at, w->request_id);
    timer_init(&q->timer, on_deadline);
    list_init(&q->node);
    list_push(&t->questions, &q->node);
    t->questions_count++;
    loop_timer(t->conf.loop, &q->timer, timeout_ms);
    metric_add(M_REQUESTS_SERVED, 1);
    return q;
}

void question_detach_all(struct request_table *t)
{
    LIST_EACH_SAFE(at, after, &t->questions)
    {
        detach(LIST_OWNER(at, struct adapter_question, node));
    }
}

/* ---- answers ---- */

static void send(struct request_table *t, const struct wire *w)
{
    if (t->conf.wire(t->conf.ctx, w) != OK) metric_add(M_REDIS_DROPPED, 1);
}

static struct wire answer_to(const struct adapter_question *q, enum wire_type type)
{
    return (struct wire){.type = type, .to = q->uid, .nsp = q->nsp, .request_id = q->request_id};
}

void adapter_answer(struct adapter_question *q, struct str json, const struct str *attachments,
                    unsigned attachments_count)
{
    struct wire w = answer_to(q, q->type == WIRE_CAST ? WIRE_CAST_ANSWER : WIRE_EMIT_ANSWER);

    if (!q->table || (q->type == WIRE_EMIT && q->answered)) return;
    q->answered = true;
    w.json = json;
    w.attachments = attachments;
    w.attachments_count = attachments_count;
    send(q->table, &w);
}

void adapter_answer_count(struct adapter_question *q, unsigned count)
{
    struct wire w = answer_to(q, WIRE_CAST_COUNT);

    if (!q->table || q->type != WIRE_CAST || q->counted) return;
    q->counted = true;
    w.count = count;
    send(q->table, &w);
}

void adapter_answer_end(struct adapter_question *q)
{
    detach(q);
    mem_free(q);
}

/* ---- questions ---- */

static bool is_full(const struct request_table *t)
{
    if (t->questions_count < REQUEST_QUESTIONS_MAX) return false;
    LOG_WARN("adapter.too_many_questions");
    return true;
}

static uint64_t deadline_of(const struct wire *w)
{
    if (!w->timeout_ms) return REQUEST_TIMEOUT_MS;
    return w->timeout_ms < REQUEST_TIMEOUT_MAX_MS ? w->timeout_ms : REQUEST_TIMEOUT_MAX_MS;
}

static void take_cast(struct request_table *t, const struct wire *w)
{
    uint64_t timeout_ms = deadline_of(w);
    struct adapter_question *q;

    if (is_full(t)) return;
    q = question_new(t, w, timeout_ms);
    if (t->conf.handler.on_cast_ack) {
        t->conf.handler.on_cast_ack(t->conf.handler_ctx, &w->cast, timeout_ms, q);
        return;
    }
    adapter_answer_count(q, 0);
    adapter_answer_end(q);
}

static void take_emit(struct request_table *t, const struct wire *w)
{
    struct adapter_question *q = NULL;

    if (!t->conf.handler.on_server_emit || (w->request_id.n && is_full(t))) return;
    if (w->request_id.n) q = question_new(t, w, REQUEST_TIMEOUT_MS);
    t->conf.handler.on_server_emit(t->conf.handler_ctx, w->nsp, w->json, q);
}

static struct str fetch(struct request_table *t, const struct adapter_target *target)
{
    t->out.n = 0;
    if (t->conf.handler.on_fetch) t->conf.handler.on_fetch(t->conf.handler_ctx, target, &t->out);
    if (t->out.n == 0) sb_z(&t->out, "[]");
    return sb_view(&t->out);
}

static void take_fetch(struct request_table *t, const struct wire *w)
{
    struct wire answer = {
        .type = WIRE_FETCH_ANSWER, .to = w->uid, .nsp = w->nsp, .request_id = w->request_id};
    struct adapter_target all = {.nsp = w->nsp};
    struct str sockets = fetch(t, w->type == WIRE_ROOMS ? &all : &w->target);
    struct sb list = {0};

    metric_add(M_REQUESTS_SERVED, 1);
    answer.json = sockets;
    if (w->type == WIRE_ROOMS) {
        fetched_rooms(sockets, &list);
        answer.type = WIRE_ROOMS_ANSWER;
        answer.json = sb_view(&list);
    } else if (w->type == WIRE_SOCKETS) {
        fetched_ids(sockets, &list);
        answer.type = WIRE_SOCKETS_ANSWER;
        answer.json = sb_view(&list);
    }
    send(t, &answer);
    sb_fini(&list);
}

/* The old forms of join, leave and disconnect name one socket and want to hear from its node. */
static bool is_here(struct request_table *t, const struct wire *w)
{
    return w->request_id.n && fetch(t, &w->target).n > 2; /* more than [] */
}

static void take_order(struct request_table *t, const struct wire *w)
{
    const struct adapter_handler *h = &t->conf.handler;
    struct wire done = {
        .type = WIRE_SOCKETS_ANSWER, .to = w->uid, .nsp = w->nsp, .request_id = w->request_id};
    bool wants_word = is_here(t, w);

    if (w->type == WIRE_JOIN && h->on_join)
        h->on_join(t->conf.handler_ctx, &w->target, w->rooms, w->rooms_count);
    else if (w->type == WIRE_LEAVE && h->on_leave)
        h->on_leave(t->conf.handler_ctx, &w->target, w->rooms, w->rooms_count);
    else if (w->type == WIRE_DISCONNECT && h->on_disconnect)
        h->on_disconnect(t->conf.handler_ctx, &w->target, w->close);
    if (wants_word && !t->closed) send(t, &done);
}

void question_receive(struct request_table *t, const struct wire *w)
{
    if (w->uid.n > ID_MAX || w->request_id.n > ID_MAX) {
        metric_add(M_REDIS_GARBAGE, 1);
        return;
    }
    if (w->type == WIRE_CAST)
        take_cast(t, w);
    else if (w->type == WIRE_EMIT)
        take_emit(t, w);
    else if (w->type == WIRE_FETCH || w->type == WIRE_ROOMS || w->type == WIRE_SOCKETS)
        take_fetch(t, w);
    else
        take_order(t, w);
}
