/* The host, and the clock that acts for it: creating a game, its buttons, its results. */
#include "node/features/quiz/quiz_priv.h"

#include "base/rand.h"
#include "node/features/quiz/quiz_export.h"
#include "base/forbid.h"

enum {
    PIN_TRIES = 5,
    PLAYERS = 20000,
    LEAD_MS = 1000,
    RESULT_ROWS = 100,
    RETRY_MS = 1000,
    CREATE_ARGS = 9,
    ID_BYTES = DUE_ID_BYTES,
};

/* ---- creating ----
 * a: questions. b: host's key, PIN. c: the other arguments, one a line. n[0]: tries left. */

static void make_pin(char out[QUIZ_PIN_SIZE])
{
    for (int i = 0; i < QUIZ_PIN_SIZE; i++)
        out[i] = (char)('0' + rand_below(10));
}

static void watch(struct quiz_op *op)
{
    struct sio_socket *s = op->later ? event_later_socket(op->later) : NULL;
    struct sb room = {0};

    quiz_room(op->game->id, &room);
    if (s && sio_socket_join(s, sb_view(&room)) != OK) sb_z(&room, ""); /* the ack still comes */
    sb_fini(&room);
}

static void on_created(void *ctx, const struct quiz_reply *r)
{
    struct quiz_op *op = ctx;
    struct quiz_view v;
    struct sb reply = {0};

    if (quiz_op_failed(op, r)) return;
    if (!quiz_state_view(r->words, r->count, &v)) {
        quiz_op_refuse(op, ERR_INTERNAL, STR_NONE);
        return;
    }
    watch(op);
    sb_z(&reply, "\"quizId\":");
    sb_json(&reply, op->game->id);
    sb_printf(&reply, ",\"pin\":\"%.*s\",\"hostKey\":\"%.*s\",", QUIZ_PIN_SIZE,
              op->b.p + QUIZ_KEY_SIZE, QUIZ_KEY_SIZE, op->b.p);
    quiz_say_view(&v, NULL, &reply);
    quiz_op_end(op, sb_view(&reply));
    sb_fini(&reply);
}

static void on_pin_taken(void *ctx, const struct quiz_reply *r);

static void take_pin(struct quiz_op *op)
{
    op->b.n = 0;
    sb_reserve(&op->b, QUIZ_KEY_SIZE + QUIZ_PIN_SIZE);
    rand_id(op->b.p, QUIZ_KEY_SIZE);
    make_pin(op->b.p + QUIZ_KEY_SIZE);
    op->b.n = QUIZ_KEY_SIZE + QUIZ_PIN_SIZE;
    quiz_state_pin(op->quiz->adapter, str_skip(sb_view(&op->b), QUIZ_KEY_SIZE), op->game->id,
                   (struct quiz_ask){on_pin_taken, op});
}

static void on_pin_taken(void *ctx, const struct quiz_reply *r)
{
    struct quiz_op *op = ctx;
    struct str args[CREATE_ARGS + QUESTIONS_MAX], rest = sb_view(&op->c);
    unsigned count = 3;

    if (r->rc == ERR_LIMIT && op->n[0]-- > 0 && !op->quiz->is_closed) {
        take_pin(op);
        return;
    }
    if (quiz_op_failed(op, r)) return;
    args[0] = sb_view(&op->a);
    args[1] = str_head(sb_view(&op->b), QUIZ_KEY_SIZE);
    args[2] = str_skip(sb_view(&op->b), QUIZ_KEY_SIZE);
    while (count < CREATE_ARGS + QUESTIONS_MAX && str_next(&rest, '\n', &args[count]))
        count++;
    quiz_run(op, QUIZ_CREATE, args, count, on_created);
}

static void put_options(const struct in_quiz_create *c, const struct questions *q, struct sb *out)
{
    struct str late = c->late_join.n ? c->late_join : STR("allow");
    struct str policy = c->answers.n ? c->answers : STR("first");

    sb_printf(out, "%u\n" STR_FMT "\n" STR_FMT "\n%lld\n%lld\n%lld", q->count, STR_ARG(late),
              STR_ARG(policy), (long long)(c->has_lead_ms ? c->lead_ms : LEAD_MS),
              (long long)(c->has_auto_next_ms ? c->auto_next_ms : 0),
              (long long)(c->has_max_players ? c->max_players : PLAYERS));
    for (unsigned i = 0; i < q->count; i++)
        sb_printf(out, "\n%lld", (long long)q->at[i].limit_ms);
}

int quiz_create(struct quiz *quiz, const struct in_quiz_create *create, struct event_ctx *c,
                const struct order_ticket *ticket, struct sb *why)
{
    struct questions *q = NULL;
    char own[QUIZ_KEY_SIZE];
    struct str id = create->quiz_id;
    struct quiz_op *op;
    int rc = questions_read(create->questions, &q, why);

    if (rc != OK) return rc;
    if (!id.n) {
        rand_id(own, sizeof own);
        id = str_of(own, sizeof own);
    }
    if (id.n > ID_BYTES) {
        questions_free(q);
        return ERR_TOO_BIG;
    }
    op = quiz_op_new(quiz, id, c);
    if (ticket) op->ticket = *ticket;
    op->n[0] = PIN_TRIES;
    sb_str(&op->a, create->questions);
    put_options(create, q, &op->c);
    questions_free(q);
    take_pin(op);
    return OK;
}

int quiz_on_create(struct event_ctx *c, const union event_in *in)
{
    return quiz_create(c->state, &in->quiz_create, c, NULL, c->why);
}

/* ---- the buttons and the clock ---- */

static void cast_state(struct quiz_op *op, const struct quiz_view *v)
{
    struct sb b = {0}, room = {0};
    struct sio_cast to;

    quiz_room(op->game->id, &room);
    to = sio_cast_room(quiz_nsp(op->quiz), sb_view(&room));
    sb_z(&b, "[\"quiz:state\",{\"quizId\":");
    sb_json(&b, op->game->id);
    sb_char(&b, ',');
    quiz_say_view(v, op->game->questions, &b);
    sb_z(&b, "}]");
    sio_cast_emit(&to, sb_view(&b), NULL, 0);
    sb_fini(&b);
    sb_fini(&room);
}

/* Whose seat was taken away hears nothing more, wherever it is. */
static void put_out(struct quiz_op *op, struct str socket)
{
    struct sio_cast to = sio_cast_room(quiz_nsp(op->quiz), socket);
    struct sb room = {0};
    struct str rooms[1];

    if (!socket.n) return;
    quiz_room(op->game->id, &room);
    rooms[0] = sb_view(&room);
    sio_sockets_leave(&to, rooms, 1);
    sb_fini(&room);
}

/* Another game may take its name ten minutes later, while pages are still in this one. */
static void end_game(struct quiz_op *op)
{
    struct sb word = {0};

    quiz_count_over(op->game);
    op->game->is_stale = true;
    sb_z(&word, "over ");
    sb_str(&word, op->game->id);
    quiz_tell_nodes(op->quiz, sb_view(&word));
    sb_fini(&word);
}

/* What was done, is told to all; again by a clock whose node died while it told it. */
static void tell_done(struct quiz_op *op, const struct quiz_reply *r, const struct quiz_view *v)
{
    bool is_repeat = op->job && due_runs(op->job) > 1;
    bool is_shown = str_eq(v->phase, STR("closed")) || str_eq(v->phase, STR("ended"));

    if (!r->words[0].n && !is_repeat) return;
    cast_state(op, v);
    put_out(op, r->words[2]);
    if (str_eq(v->phase, STR("ended"))) end_game(op);
    if (is_shown || str_eq(r->words[0], STR("kick")))
        quiz_board_changed(op->quiz, op->game->id, is_repeat);
}

static void set_clock(struct quiz_op *op, struct str wait)
{
    const struct due_entry e = {
        .id = op->game->id, .payload = STR(""), .delay_ms = (uint64_t)quiz_state_i64(wait)};

    if (op->job && wait.n)
        due_again(op->job, e.delay_ms);
    else if (op->job)
        due_done(op->job);
    else if (wait.n && op->quiz->due && due_put(op->quiz->due, &e, NULL, NULL) != OK)
        return; /* an id that is too long: refused when the game was made */
    op->job = NULL;
}

static void on_controlled(void *ctx, const struct quiz_reply *r)
{
    struct quiz_op *op = ctx;
    struct quiz_view v;
    struct sb reply = {0};

    bool is_away = r->rc == ERR_UNAVAILABLE || r->rc == ERR_TIMEOUT || op->quiz->is_closed;

    if (op->job && is_away) {
        due_again(op->job, RETRY_MS);
        op->job = NULL;
    } else if (op->job && r->rc != OK) {
        due_done(op->job); /* a game that is gone; what fails each time is not tried for ever */
        op->job = NULL;
    }
    if (quiz_op_failed(op, r)) return;
    if (!r->words || r->count < 3 + QUIZ_VIEW_WORDS || !quiz_state_view(r->words, r->count, &v)) {
        quiz_op_refuse(op, ERR_INTERNAL, STR_NONE);
        return;
    }
    tell_done(op, r, &v);
    set_clock(op, r->words[1]);
    sb_z(&reply, "\"quizId\":");
    sb_json(&reply, op->game->id);
    sb_printf(&reply, ",\"players\":%lld,\"pin\":\"" STR_FMT "\",", (long long)v.seats,
              STR_ARG(v.pin));
    quiz_say_view(&v, op->game->questions, &reply);
    if (op->later) watch(op);
    quiz_op_end(op, sb_view(&reply));
    sb_fini(&reply);
}

/* a: host's key (empty: the clock, or a back end), b: action; n: ms, seat, seq (-1: none). */
static void control_loaded(struct quiz_op *op, int rc)
{
    struct sb ms = {0}, seat = {0}, seq = {0};
    struct str args[5];

    if (rc != OK || op->quiz->is_closed) {
        const struct quiz_reply none = {.rc = rc != OK ? rc : ERR_CLOSED};

        on_controlled(op, &none);
        return;
    }
    sb_i64(&ms, op->n[0]);
    sb_i64(&seat, op->n[1]);
    if (op->n[2] >= 0) sb_i64(&seq, op->n[2]);
    args[0] = sb_view(&op->a);
    args[1] = sb_view(&op->b);
    args[2] = sb_view(&ms);
    args[3] = sb_view(&seat);
    args[4] = sb_view(&seq);
    quiz_run(op, QUIZ_CONTROL, args, 5, on_controlled);
    sb_fini(&ms);
    sb_fini(&seat);
    sb_fini(&seq);
}

void quiz_control(struct quiz_op *op)
{
    quiz_load(op, control_loaded);
}

int quiz_on_control(struct event_ctx *c, const union event_in *in)
{
    const struct in_quiz_control *k = &in->quiz_control;
    struct quiz_op *op;

    if ((str_eq(k->action, STR("extend")) && !k->has_ms) ||
        (str_eq(k->action, STR("kick")) && !k->has_seat)) {
        sb_z(c->why, k->action.p[0] == 'k' ? "seat: missing" : "ms: missing");
        return ERR_SCHEMA;
    }
    op = quiz_op_new(c->state, k->quiz_id, c);
    sb_str(&op->a, k->host_key);
    sb_str(&op->b, k->action);
    op->n[0] = k->ms;
    op->n[1] = k->seat;
    op->n[2] = k->has_seq ? k->seq : -1;
    quiz_control(op);
    return OK;
}

void quiz_on_due(void *ctx, struct str id, struct str payload, struct due_job *job)
{
    struct quiz_op *op = quiz_op_new(ctx, id, NULL);

    (void)payload;
    op->job = job;
    sb_z(&op->b, "tick");
    op->n[2] = -1;
    quiz_control(op);
}

/* ---- results ---- */

static void on_results(void *ctx, const struct quiz_reply *r)
{
    struct quiz_op *op = ctx;
    struct sb reply = {0};

    if (quiz_op_failed(op, r)) return;
    sb_z(&reply, "\"quizId\":");
    sb_json(&reply, op->game->id);
    sb_char(&reply, ',');
    quiz_export_ack(r->words, r->count, op->game->questions, op->flag, op->n[0], &reply);
    if (reply.p[reply.n - 1] == ',') reply.n--;
    quiz_op_end(op, sb_view(&reply));
    sb_fini(&reply);
}

static void results_loaded(struct quiz_op *op, int rc)
{
    struct sb from = {0}, rows = {0};
    struct str args[5];

    if (rc != OK || !op->game->questions) {
        const struct quiz_reply none = {.rc = rc != OK ? rc : ERR_NOT_FOUND};

        (void)quiz_op_failed(op, &none);
        return;
    }
    sb_i64(&from, op->n[0]);
    sb_i64(&rows, RESULT_ROWS);
    args[0] = sb_view(&from);
    args[1] = sb_view(&rows);
    args[2] = STR("");
    args[3] = sb_view(&op->a);
    args[4] = STR("");
    quiz_run(op, QUIZ_BOARD, args, 5, on_results);
    sb_fini(&from);
    sb_fini(&rows);
}

int quiz_on_results(struct event_ctx *c, const union event_in *in)
{
    const struct in_quiz_results *r = &in->quiz_results;
    struct quiz_op *op = quiz_op_new(c->state, r->quiz_id, c);

    sb_str(&op->a, r->host_key);
    op->n[0] = r->from;
    op->flag = str_eq(r->format, STR("csv"));
    quiz_load(op, results_loaded);
    return OK;
}
