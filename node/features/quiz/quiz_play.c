/* Players: joining and answering. Redis decides (quiz_lua.h); here texts are made of it. */
#include "node/features/quiz/quiz_priv.h"

#include "base/conf.h"
#include "base/rand.h"
#include "base/utf8.h"
#include "base/forbid.h"

enum { GRACE_MAX_MS = 250, MARKS_MAX = 4 };

static void put_who(struct sb *out, const char *separator, struct str id, struct str name)
{
    if (id.n) {
        sb_printf(out, "%s\"userId\":", separator);
        sb_str(out, id);
        separator = ",";
    }
    if (name.n) {
        sb_printf(out, "%s\"userName\":", separator);
        sb_json(out, name);
    }
}

/* ---- joining ---- */

/* Code point at p; the text is UTF-8. */
static uint32_t code_point(const char *p, size_t n)
{
    static const unsigned char first[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t c = (unsigned char)p[0] & first[n];

    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((unsigned char)p[i] & 0x3F);
    return c;
}

/* Names of guests: nothing that is invisible, turns the line round or piles up. */
static bool is_name(struct str name)
{
    const char *end = name.p + name.n;
    unsigned marks = 0;

    for (const char *p = name.p; p < end;) {
        size_t n = utf8_step(p, end);
        uint32_t c;

        if (!n) return false;
        c = code_point(p, n);
        p += n;
        if (c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x61C || c == 0x180E ||
            (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
            (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || c >= 0xE0000)
            return false;
        marks =
            (c >= 0x300 && c < 0x370) || (c >= 0x1AB0 && c < 0x1B00) || (c >= 0x20D0 && c < 0x2100)
                ? marks + 1
                : 0;
        if (marks > MARKS_MAX) return false;
    }
    return true;
}

static void tell_joined(struct quiz_op *op, struct sio_socket *s, int64_t seat, int64_t total)
{
    struct sb b = {0}, room = {0};
    struct sio_cast to;

    quiz_room(op->game->id, &room);
    to = sio_cast_room_but(s, sb_view(&room));
    sb_z(&b, "\"quizId\":");
    sb_json(&b, op->game->id);
    if (op->b.n > 2) { /* {"userId":…} */
        sb_char(&b, ',');
        sb_put(&b, op->b.p + 1, op->b.n - 2);
    }
    if (seat) sb_printf(&b, ",\"seatNumber\":%lld", (long long)seat);
    sb_printf(&b, ",\"participantCount\":%lld", (long long)total);
    if (quiz_may_tell(op->game, total)) quiz_emit(&to, "participantJoined", sb_view(&b));
    sb_fini(&b);
    sb_fini(&room);
}

/* After seat's key, number, is new, present, place, own answer comes the view. */
static void put_joined(const struct quiz_op *op, const struct quiz_reply *r,
                       const struct quiz_view *v, struct sb *out)
{
    const struct str *w = r->words;
    struct str kept = w[5], part;

    sb_z(out, "\"quizId\":");
    sb_json(out, op->game->id);
    sb_printf(out, ",\"participantCount\":" STR_FMT ",\"status\":\"%s\"", STR_ARG(w[3]),
              quiz_say_status(v));
    if (w[0].n) {
        sb_z(out, ",\"seat\":");
        sb_json(out, w[0]);
        sb_printf(out, ",\"seatNumber\":" STR_FMT, STR_ARG(w[1]));
        sb_printf(out, ",\"score\":%lld", (long long)score_place_points(quiz_state_i64(w[4])));
    } else {
        sb_z(out, ",\"isSpectator\":true");
    }
    for (int i = 0; kept.n && i < 5; i++)
        (void)str_cut(kept, '|', &part, &kept);
    if (kept.n) {
        sb_z(out, ",\"answer\":");
        sb_str(out, kept);
    }
    sb_char(out, ',');
    quiz_say_view(v, op->game->questions, out);
}

static void on_joined(void *ctx, const struct quiz_reply *r)
{
    struct quiz_op *op = ctx;
    struct sio_socket *s;
    struct quiz_view v;
    struct sio_cast to;
    struct sb room = {0};
    bool was_in;

    if (quiz_op_failed(op, r)) return;
    s = event_later_socket(op->later);
    if (!s || r->count < 6 + QUIZ_VIEW_WORDS || !quiz_state_view(r->words, r->count, &v)) {
        quiz_op_free(op); /* gone meanwhile: the seat is kept */
        return;
    }
    was_in = quiz_member_find(op->quiz, sio_socket_id(s), op->game->id) != NULL;
    quiz_room(op->game->id, &room);
    if (sio_socket_join(s, sb_view(&room)) != OK) {
        sb_fini(&room);
        quiz_op_refuse(op, ERR_LIMIT, STR_NONE);
        return;
    }
    sb_fini(&room);
    quiz_member_add(op->game, sio_socket_id(s), r->words[0], quiz_state_i64(r->words[1]));
    if (!was_in) {
        if (op->game->members_count == 1) quiz_count(op->game);
        sio_socket_measure(s);
        tell_joined(op, s, quiz_state_i64(r->words[1]), quiz_state_i64(r->words[3]));
    }
    put_joined(op, r, &v, &op->c);
    to = sio_cast_self(s);
    quiz_emit(&to, "quizJoined", sb_view(&op->c));
    if (str_eq(r->words[2], STR("1")) && v.phase.n &&
        quiz_state_i64(r->words[1]) <= QUIZ_TOLD_ROWS) /* a new row that is told to all */
        quiz_board_changed(op->quiz, op->game->id, false);
    quiz_op_end(op, sb_view(&op->c));
}

/* The questions are asked for first: the answer of the joining step shows the one that is open. */
static void join_loaded(struct quiz_op *op, int rc)
{
    struct sio_socket *s = rc == OK ? event_later_socket(op->later) : NULL;
    const struct identity *who = s ? event_identity(s) : NULL;
    struct str args[7 + QUIZ_PRESENT_ARGS];
    char key[QUIZ_KEY_SIZE];
    struct sb text = {0}, pace = {0};
    struct quiz_member *m;
    unsigned count;

    if (!s) {
        const struct quiz_reply none = {.rc = rc == OK ? ERR_CLOSED : rc};

        (void)quiz_op_failed(op, &none);
        return;
    }
    rand_id(key, sizeof key);
    m = quiz_member_find(op->quiz, sio_socket_id(s), op->game->id);
    args[0] = sb_view(&op->a);
    args[6] = op->flag ? STR("g") : STR("");
    if (!args[0].n && m && m->seat) { /* joins again */
        args[0] = str_of(m->key, sizeof m->key);
        args[6] = op->flag ? STR("gm") : STR("m");
    }
    args[1] = str_of(key, sizeof key);
    args[2] = who->id_text;
    args[3] = sb_view(&op->b);
    args[4] = sio_socket_id(s);
    sb_u64(&pace, events_conf(op->quiz->events)->quiz_join_rate);
    args[5] = sb_view(&pace);
    count = quiz_present_args(op->game, m ? 0 : 1, &text, args, 7);
    quiz_run(op, QUIZ_JOIN, args, count, on_joined);
    sb_fini(&text);
    sb_fini(&pace);
}

static void begin_join(struct quiz_op *op)
{
    quiz_load(op, join_loaded);
}

static void on_pin(void *ctx, const struct quiz_reply *r)
{
    struct quiz_op *op = ctx, *real;

    if (quiz_op_failed(op, r)) return;
    real = quiz_op_new(op->quiz, r->words[0], NULL);
    real->later = op->later;
    op->later = NULL;
    real->flag = true; /* what was found by a PIN is a game, or over */
    sb_str(&real->a, sb_view(&op->a));
    sb_str(&real->b, sb_view(&op->b));
    quiz_op_free(op);
    begin_join(real);
}

int quiz_on_join(struct event_ctx *c, const union event_in *in)
{
    const struct in_join_quiz *j = &in->join_quiz;
    struct str name = c->who->name;
    struct quiz_op *op;

    if (!c->who->id.n && j->name.n) name = j->name;
    if (!j->quiz_id.n == !j->pin.n) {
        sb_z(c->why, j->pin.n ? "quizId or pin, not both" : "quizId: missing");
        return ERR_SCHEMA;
    }
    if (!c->who->id.n && j->name.n && !is_name(j->name)) {
        sb_z(c->why, "name: has characters that cannot be shown");
        return ERR_SCHEMA;
    }
    op = quiz_op_new(c->state, j->quiz_id.n ? j->quiz_id : j->pin, c);
    sb_str(&op->a, j->seat);
    sb_char(&op->b, '{');
    put_who(&op->b, "", c->who->id, name);
    sb_char(&op->b, '}');
    if (j->quiz_id.n)
        begin_join(op);
    else
        quiz_state_pin(op->quiz->adapter, j->pin, STR_NONE, (struct quiz_ask){on_pin, op});
    return OK;
}

/* ---- answering ---- */

/* Reply: time, ms since the start, answered by this player, by all to this question, seats. */
static void on_answered(void *ctx, const struct quiz_reply *r)
{
    struct quiz_op *op = ctx;
    struct sio_socket *s;
    struct sb b = {0}, room = {0};
    const struct str *w = r->words;

    if (quiz_op_failed(op, r)) return;
    s = event_later_socket(op->later);
    if (s && r->count == 5 && quiz_may_tell(op->game, quiz_state_i64(w[4]))) {
        const struct identity *who = event_identity(s);
        struct sio_cast to;

        quiz_room(op->game->id, &room);
        to = sio_cast_room_but(s, sb_view(&room));
        sb_z(&b, "\"quizId\":");
        sb_json(&b, op->game->id);
        put_who(&b, ",", who->id, who->name);
        sb_printf(&b, ",\"seatNumber\":%lld,\"questionsAnswered\":" STR_FMT, (long long)op->n[1],
                  STR_ARG(w[2]));
        if (w[3].n)
            sb_printf(&b, ",\"answered\":" STR_FMT ",\"questionIndex\":%lld", STR_ARG(w[3]),
                      (long long)op->n[0]);
        quiz_emit(&to, "participantProgress", sb_view(&b));
        b.n = 0;
    }
    if (r->count == 5) {
        sb_printf(&b,
                  "\"accepted\":true,\"isScored\":%s,\"receivedAt\":" STR_FMT
                  ",\"elapsedMs\":" STR_FMT ",\"questionsAnswered\":" STR_FMT,
                  w[3].n ? "true" : "false", STR_ARG(w[0]), STR_ARG(w[1]), STR_ARG(w[2]));
    }
    quiz_op_end(op, sb_view(&b));
    sb_fini(&b);
    sb_fini(&room);
}

static uint64_t grace_of(const struct sio_socket *s)
{
    uint64_t half = sio_socket_rtt_ms(s) / 2;

    return half < GRACE_MAX_MS ? half : GRACE_MAX_MS;
}

static void run_answer(struct quiz_op *op, struct sio_socket *s, const struct quiz_member *m,
                       struct str question, int64_t share, struct str chosen)
{
    const struct questions *all = op->game->questions;
    const struct question *q = all ? &all->at[op->n[0]] : NULL;
    struct sb numbers = {0};
    struct str args[9], rest;

    sb_printf(&numbers, "%lld %lld %lld %llu %lld", (long long)share,
              (long long)(q ? q->points : 0), (long long)(q ? q->limit_ms : 0),
              (unsigned long long)grace_of(s), (long long)m->seat);
    rest = sb_view(&numbers);
    args[0] = str_of(m->key, sizeof m->key);
    args[1] = question;
    args[2] = sb_view(&op->b);
    (void)str_next(&rest, ' ', &args[3]);
    args[4] = chosen;
    for (int i = 5; i < 9; i++)
        (void)str_next(&rest, ' ', &args[i]);
    quiz_run(op, QUIZ_ANSWER, args, 9, on_answered);
    sb_fini(&numbers);
}

/* a: id of the question, b: the answer, both raw. */
static void answer_loaded(struct quiz_op *op, int rc)
{
    struct sio_socket *s = rc == OK ? event_later_socket(op->later) : NULL;
    const struct quiz_member *m =
        s ? quiz_member_find(op->quiz, sio_socket_id(s), op->game->id) : NULL;
    const struct questions *all = op->game->questions;
    struct sb question = {0}, chosen = {0};
    int64_t share = 0;
    int i;

    if (!m || !m->seat) {
        const struct quiz_reply none = {.rc = rc != OK ? rc : ERR_NOT_MEMBER};

        (void)quiz_op_failed(op, &none);
        return;
    }
    op->n[1] = m->seat;
    if (!all) {
        sb_char(&question, 'x');
        sb_str(&question, sb_view(&op->a));
    } else {
        i = questions_find(all, sb_view(&op->a));
        rc = i < 0 ? ERR_NOT_FOUND : question_judge(&all->at[i], sb_view(&op->b), &share, &chosen);
        op->n[0] = i;
        sb_i64(&question, i);
    }
    if (rc != OK)
        quiz_op_refuse(op, rc,
                       rc == ERR_NOT_FOUND ? STR("questionId: no such question")
                                           : STR("answer: does not fit the question"));
    else
        run_answer(op, s, m, sb_view(&question), share, sb_view(&chosen));
    sb_fini(&question);
    sb_fini(&chosen);
}

int quiz_on_answer(struct event_ctx *c, const union event_in *in)
{
    const struct in_submit_answer *a = &in->submit_answer;
    struct quiz_op *op;

    if (!quiz_member_find(c->state, sio_socket_id(c->socket), a->quiz_id)) return ERR_NOT_MEMBER;
    op = quiz_op_new(c->state, a->quiz_id, c);
    sb_str(&op->a, a->question_id);
    sb_str(&op->b, a->answer);
    quiz_load(op, answer_loaded);
    return OK;
}
