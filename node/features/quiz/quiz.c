/* The feature's table, and what a node remembers of quizzes (quiz_priv.h). */
#include "node/features/quiz/quiz.h"

#include "base/clock.h"
#include "base/conf.h"
#include "node/features/quiz/quiz_priv.h"
#include "base/forbid.h"

/* In a big game the others are told five times a second, by all nodes together; in one of thousands
 * not more often than makes TELLS_A_SECOND messages to clients. */
enum { BIG = 200, BIG_TELL_MS = 200, TELLS_A_SECOND = 10000 };

/* ---- games and members ---- */

static struct quiz_game *game_of(struct quiz *q, struct str id)
{
    struct quiz_game *g = map_get(&q->games, id);

    if (g) return g;
    g = mem_new(1, sizeof *g + id.n);
    g->quiz = q;
    list_init(&g->members);
    memcpy(g->bytes, id.p, id.n);
    g->id = str_of(g->bytes, id.n);
    map_put(&q->games, g->id, g);
    return g;
}

static void game_rest(struct quiz_game *g) /* forgets it when nothing holds it */
{
    if (g->members_count || g->steps) return;
    map_del(&g->quiz->games, g->id);
    questions_free(g->questions);
    mem_free(g);
}

static struct quiz_player *player_of(struct quiz *q, struct str id)
{
    struct quiz_player *p = map_get(&q->players, id);

    if (p) return p;
    p = mem_new(1, sizeof *p + id.n);
    list_init(&p->members);
    memcpy(p->bytes, id.p, id.n);
    p->id = str_of(p->bytes, id.n);
    map_put(&q->players, p->id, p);
    return p;
}

struct quiz_member *quiz_member_find(struct quiz *q, struct str socket, struct str quiz_id)
{
    struct quiz_player *p = map_get(&q->players, socket);

    if (!p) return NULL;
    LIST_EACH(node, &p->members)
    {
        struct quiz_member *m = LIST_OWNER(node, struct quiz_member, of_player);

        if (str_eq(m->game->id, quiz_id)) return m;
    }
    return NULL;
}

void quiz_member_add(struct quiz_game *g, struct str socket, struct str key, int64_t seat)
{
    struct quiz_member *m = quiz_member_find(g->quiz, socket, g->id);

    if (!m) {
        m = MEM_NEW(struct quiz_member);
        m->game = g;
        m->player = player_of(g->quiz, socket);
        list_init(&m->of_game);
        list_init(&m->of_player);
        list_push(&g->members, &m->of_game);
        list_push(&player_of(g->quiz, socket)->members, &m->of_player);
        g->members_count++;
    }
    m->seat = seat;
    if (key.n == sizeof m->key) memcpy(m->key, key.p, key.n);
}

static void member_free(struct quiz_member *m)
{
    list_unlink(&m->of_game);
    list_unlink(&m->of_player);
    m->game->members_count--;
    mem_free(m);
}

void quiz_room(struct str quiz_id, struct sb *out)
{
    sb_z(out, "quiz-");
    sb_str(out, quiz_id);
}

struct sio_nsp *quiz_nsp(const struct quiz *q)
{
    return sio_nsp_get(events_sio(q->events), STR("/"));
}

void quiz_emit(const struct sio_cast *to, const char *event, struct str members)
{
    struct sb b = {0};

    sb_printf(&b, "[\"%s\",{", event);
    sb_str(&b, members);
    sb_z(&b, "}]");
    sio_cast_emit(to, sb_view(&b), NULL, 0);
    sb_fini(&b);
}

bool quiz_may_tell(struct quiz_game *g, int64_t others)
{
    const struct adapter *a = g->quiz->adapter;
    uint64_t wait_ms = others > 0 ? (uint64_t)others * 1000 / TELLS_A_SECOND : 0;

    if (wait_ms < BIG_TELL_MS) wait_ms = BIG_TELL_MS;
    if (others > BIG && clock_ms() - g->told_ms < wait_ms * (a ? adapter_nodes(a) : 1))
        return false;
    g->told_ms = clock_ms();
    return true;
}

/* ---- steps ---- */

struct quiz_op *quiz_op_new(struct quiz *q, struct str quiz_id, struct event_ctx *c)
{
    struct quiz_op *op = MEM_NEW(struct quiz_op);

    op->quiz = q;
    op->game = game_of(q, quiz_id);
    op->game->steps++;
    q->steps++;
    if (c) {
        op->later = event_defer(c);
        memcpy(q->node, sio_socket_id(c->socket).p, sizeof q->node);
    }
    return op;
}

static void quiz_rest(struct quiz *q)
{
    if (!q->is_closed || q->steps) return;
    map_fini(&q->games);
    map_fini(&q->players);
    mem_free(q);
}

void quiz_step_done(struct quiz *q)
{
    q->steps--;
    quiz_rest(q);
}

void quiz_op_free(struct quiz_op *op)
{
    struct quiz *q = op->quiz;

    if (op->later) event_later_drop(op->later);
    quiz_order_end(&op->ticket, ERR_UNAVAILABLE, STR_NONE);
    sb_fini(&op->a);
    sb_fini(&op->b);
    sb_fini(&op->c);
    op->game->steps--;
    game_rest(op->game);
    mem_free(op);
    quiz_step_done(q);
}

void quiz_op_end(struct quiz_op *op, struct str reply)
{
    if (op->later) event_later_end(op->later, OK, reply);
    quiz_order_end(&op->ticket, OK, reply);
    op->later = NULL;
    quiz_op_free(op);
}

void quiz_op_refuse(struct quiz_op *op, int rc, struct str why)
{
    if (op->later) event_later_refuse(op->later, rc, why);
    quiz_order_end(&op->ticket, rc, why);
    op->later = NULL;
    quiz_op_free(op);
}

bool quiz_op_failed(struct quiz_op *op, const struct quiz_reply *r)
{
    if (op->quiz->is_closed)
        quiz_op_free(op);
    else if (r->rc != OK)
        quiz_op_refuse(op, r->rc, r->why);
    else
        return false;
    return true;
}

void quiz_run(struct quiz_op *op, enum quiz_step step, const struct str *args, unsigned count,
              quiz_told *told)
{
    quiz_state_run(op->quiz->adapter, step, op->game->id, args, count, (struct quiz_ask){told, op});
}

static void on_loaded(void *ctx, const struct quiz_reply *r)
{
    struct quiz_op *op = ctx;
    struct sb why = {0};
    int rc = r->rc;

    if (op->quiz->is_closed) rc = ERR_CLOSED;
    if (rc == OK && op->game->is_stale) {
        questions_free(op->game->questions);
        op->game->questions = NULL;
        op->game->is_stale = false;
    }
    if (rc == OK && r->words[0].n && !op->game->questions)
        rc = questions_read(r->words[0], &op->game->questions, &why);
    sb_fini(&why);
    op->loaded(op, rc);
}

void quiz_load(struct quiz_op *op, void (*loaded)(struct quiz_op *op, int rc))
{
    op->loaded = loaded;
    if (op->game->questions && !op->game->is_stale)
        loaded(op, OK);
    else
        quiz_run(op, QUIZ_LOAD, NULL, 0, on_loaded);
}

struct nodes {
    struct str *args;
    unsigned count, max;
};

static void add_node(void *ctx, struct str node)
{
    struct nodes *n = ctx;

    if (n->count < n->max) n->args[n->count++] = node;
}

unsigned quiz_present_args(struct quiz_game *g, unsigned more, struct sb *text, struct str *args,
                           unsigned count)
{
    struct nodes n = {args, count + 3, count + QUIZ_PRESENT_ARGS};
    size_t mid;

    sb_u64(text, g->members_count + more);
    mid = text->n;
    sb_u64(text, events_conf(g->quiz->events)->dead_ms / 1000);
    args[count] = str_of(g->quiz->node, sizeof g->quiz->node);
    args[count + 1] = str_head(sb_view(text), mid);
    args[count + 2] = str_skip(sb_view(text), mid);
    if (g->quiz->adapter) adapter_each_node(g->quiz->adapter, add_node, &n);
    return n.count;
}

/* ---- leaving ---- */

static void on_left(void *ctx, const struct quiz_reply *r)
{
    struct quiz_op *op = ctx;
    bool is_known = r->rc == OK && quiz_state_i64(r->words[0]) > 0; /* else it is long over */

    if (is_known && !op->quiz->is_closed && op->game->members_count) quiz_count(op->game);
    quiz_op_free(op);
}

static void write_present(struct quiz_game *g)
{
    struct quiz_op *op = quiz_op_new(g->quiz, g->id, NULL);
    struct str args[QUIZ_PRESENT_ARGS];
    unsigned count = quiz_present_args(g, 0, &op->a, args, 0);

    quiz_run(op, QUIZ_LEAVE, args, count, on_left);
}

static void on_counted_left(void *ctx, const struct quiz_reply *r)
{
    struct quiz_op *op = ctx;
    struct sb b = {0}, room = {0};

    if (!op->quiz->is_closed && r->rc == OK) {
        struct sio_cast to;
        int64_t count = quiz_state_i64(r->words[0]);

        quiz_room(op->game->id, &room);
        to = sio_cast_room(quiz_nsp(op->quiz), sb_view(&room));
        sb_z(&b, "[\"participantLeft\",{\"quizId\":");
        sb_json(&b, op->game->id);
        sb_str(&b, sb_view(&op->b));
        sb_printf(&b, ",\"participantCount\":%lld}]", (long long)count);
        if (quiz_may_tell(op->game, count)) sio_cast_emit(&to, sb_view(&b), NULL, 0);
    }
    sb_fini(&b);
    sb_fini(&room);
    quiz_op_free(op);
}

static void tell_left(struct quiz_game *g, const struct identity *who, int64_t seat)
{
    struct quiz_op *op = quiz_op_new(g->quiz, g->id, NULL);
    struct str args[QUIZ_PRESENT_ARGS];
    unsigned count = quiz_present_args(g, 0, &op->a, args, 0);

    if (who->id.n) sb_printf(&op->b, ",\"userId\":" STR_FMT, STR_ARG(who->id));
    if (who->name.n) {
        sb_z(&op->b, ",\"userName\":");
        sb_json(&op->b, who->name);
    }
    if (seat) sb_printf(&op->b, ",\"seatNumber\":%lld", (long long)seat);
    quiz_run(op, QUIZ_LEAVE, args, count, on_counted_left);
}

static void on_gone(void *state, struct sio_socket *s, const struct identity *who)
{
    struct quiz *q = state;
    struct quiz_player *p = map_get(&q->players, sio_socket_id(s));

    if (!p) return;
    while (!list_is_empty(&p->members)) {
        struct quiz_member *m = LIST_OWNER(p->members.next, struct quiz_member, of_player);
        struct quiz_game *g = m->game;
        int64_t seat = m->seat;

        member_free(m);
        if (!g->members_count) quiz_count(g);
        tell_left(g, who, seat);
    }
    map_del(&q->players, p->id);
    mem_free(p);
}

/* ---- the feature ---- */

static void *quiz_open(struct events *e)
{
    struct quiz *q = MEM_NEW(struct quiz);
    const struct due_conf conf = {.kind = STR("quiz"), .on_due = quiz_on_due, .ctx = q};
    const struct due_conf boards = {
        .kind = STR("quizboard"), .on_due = quiz_board_on_due, .ctx = q};

    q->events = e;
    q->adapter = events_adapter(e);
    if (q->adapter) q->boards = due_open(q->adapter, &boards);
    if (q->adapter) q->due = due_open(q->adapter, &conf);
    return q;
}

static void quiz_close(void *state)
{
    struct quiz *q = state;
    struct quiz_player *p;
    size_t i = 0;

    if (q->due) due_close(q->due);
    if (q->boards) due_close(q->boards);
    q->is_closed = true;
    q->steps++; /* not before we are through */
    while ((p = map_next(&q->players, &i))) {
        while (!list_is_empty(&p->members)) {
            struct quiz_member *m = LIST_OWNER(p->members.next, struct quiz_member, of_player);
            struct quiz_game *g = m->game;

            member_free(m);
            game_rest(g);
        }
        mem_free(p);
    }
    map_fini(&q->players);
    q->steps--;
    quiz_rest(q);
}

/* ---- what the nodes tell each other ----
 * "ranks" or "over" and a quizId; else the number of quizzes. */

struct word {
    struct quiz *quiz;
    struct str payload;
};

static void tell_node(void *ctx, struct str node)
{
    const struct word *w = ctx;

    if (str_eq(node, adapter_node_id(w->quiz->adapter))) return;
    events_send(w->quiz->events, "quiz", node, w->payload, NULL, NULL);
}

void quiz_tell_nodes(struct quiz *q, struct str payload)
{
    adapter_each_node(q->adapter, tell_node, &(struct word){q, payload});
}

static void on_message(void *state, struct str from, struct str payload)
{
    struct str word, id = payload;
    struct quiz_game *g;
    struct quiz *q = state;

    (void)from;
    if (!str_next(&id, ' ', &word)) return;
    g = map_get(&q->games, id);
    if (str_eq(word, STR("ranks"))) {
        if (g) quiz_board_ranks(g);
    } else if (str_eq(word, STR("over"))) {
        if (g) g->is_stale = true; /* another game may take the name */
    } else {
        quiz_count_on_message(q, payload);
    }
}

/* Counts that Redis may have lost, or that hold those of a dead node, are written again. */
static void refresh(struct quiz *q)
{
    struct quiz_game *g;
    size_t i = 0;

    while ((g = map_next(&q->games, &i)))
        if (g->members_count) write_present(g); /* no entry comes or goes: it exists */
}

static void on_node_lost(void *state, struct str node)
{
    quiz_count_lost(state, node);
    refresh(state);
}

/* Who was taken for dead may have taken us for dead. */
static void on_node_up(void *state, struct str node)
{
    (void)node;
    refresh(state);
}

static void on_state(void *state, bool connected)
{
    struct quiz *q = state;
    struct quiz_game *g;
    size_t i = 0;

    if (!connected) return;
    while ((g = map_next(&q->games, &i)))
        g->is_stale = true; /* that it is over may not have been heard here */
    quiz_count_ask(q);
    refresh(q);
}

static const struct event_row events[] = {
    {EVENT(joinQuiz), .handle = quiz_on_join},
    {EVENT(submitAnswer), .handle = quiz_on_answer},
    {EVENT(requestLeaderboard), .handle = quiz_on_board},
    {EVENT(quiz_create), .handle = quiz_on_create},
    {EVENT(quiz_control), .handle = quiz_on_control},
    {EVENT(quiz_results), .handle = quiz_on_results},
    {0},
};

const struct feature feature_quiz = {
    .name = "quiz",
    .events = events,
    .open = quiz_open,
    .close = quiz_close,
    .on_leave = on_gone,
    .on_node_lost = on_node_lost,
    .on_node_up = on_node_up,
    .on_message = on_message,
    .on_order = quiz_on_order,
    .on_state = on_state,
};
