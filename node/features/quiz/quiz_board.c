/* The board of a game. To who asks: any part of it. To all: what changes of the first rows, four
 * times a second at most over the whole cluster (Redis counts, QUIZ_LUA_TELL); and after the close
 * of a question to each player the own place with two above and two below. No player's message is
 * made for another one: the cost is a few rows a player, however many there are. */
#include "node/features/quiz/quiz_priv.h"

#include <stdlib.h>
#include "base/clock.h"
#include "base/forbid.h"

enum {
    BOARD_ROWS = 50,
    BOARD_TOP = 10,
    RETRY_MS = 1000,
    SEATS_A_STEP = 40, /* a place that is looked up costs Redis as much as FEW rows in order */
    ROWS_A_STEP = 100,
    FEW = 5,
};

static void put_board(const struct quiz_op *op, const struct quiz_board *b, unsigned rows,
                      struct sb *out)
{
    sb_z(out, "\"quizId\":");
    sb_json(out, op->game->id);
    sb_z(out, ",\"leaderboard\":");
    quiz_say_rows(b, 0, rows, out);
    sb_printf(out, ",\"total\":%lld,\"from\":%lld,\"isScored\":%s,\"seq\":%lld,\"boardSeq\":%lld",
              (long long)b->total, (long long)op->n[0], b->is_scored ? "true" : "false",
              (long long)b->seq, (long long)b->board_seq);
}

/* ---- to who asks ---- */

static void on_board(void *ctx, const struct quiz_reply *r)
{
    struct quiz_op *op = ctx;
    struct sio_socket *s;
    struct quiz_board b;
    struct sb text = {0};
    struct sio_cast to;

    if (quiz_op_failed(op, r)) return;
    if (!quiz_say_read_board(r->words, r->count, &b)) {
        quiz_op_refuse(op, ERR_INTERNAL, STR_NONE);
        return;
    }
    put_board(op, &b, (unsigned)b.here, &text);
    if (b.rows_count > b.here) quiz_say_around(&b, (unsigned)b.here, op->n[1], &text);
    s = event_later_socket(op->later);
    if (s) {
        to = sio_cast_self(s);
        quiz_emit(&to, "leaderboardUpdate", sb_view(&text));
    }
    quiz_op_end(op, sb_view(&text));
    sb_fini(&text);
}

/* m NULL: without a place of one's own. */
static void read_rows(struct quiz_op *op, int64_t from, int64_t rows, const struct quiz_member *m,
                      quiz_told *told)
{
    struct sb text = {0};
    struct str args[5];
    size_t mid;

    sb_i64(&text, from);
    mid = text.n;
    sb_i64(&text, rows);
    args[0] = str_head(sb_view(&text), mid);
    args[1] = str_skip(sb_view(&text), mid);
    args[2] = m && m->seat ? str_of(m->key, sizeof m->key) : STR("");
    args[3] = args[4] = STR("");
    quiz_run(op, QUIZ_BOARD, args, 5, told);
    sb_fini(&text);
}

/* To those in it alone. */
int quiz_on_board(struct event_ctx *c, const union event_in *in)
{
    const struct in_request_leaderboard *r = &in->request_leaderboard;
    const struct quiz_member *m = quiz_member_find(c->state, sio_socket_id(c->socket), r->quiz_id);
    struct sb room = {0};
    struct quiz_op *op;
    bool is_in;

    quiz_room(r->quiz_id, &room);
    is_in = m || sio_socket_is_in(c->socket, sb_view(&room)); /* the host watches */
    sb_fini(&room);
    if (!is_in) return ERR_NOT_MEMBER;
    op = quiz_op_new(c->state, r->quiz_id, c);
    op->n[0] = r->has_from ? r->from : 0;
    op->n[1] = m ? m->seat : 0;
    read_rows(op, op->n[0], r->has_count ? r->count : BOARD_ROWS, m, on_board);
    return OK;
}

/* ---- to all ---- */

/* Of a reply: flags, seats that are gone, whether a question closed, the time, the board. */
static void cast_changes(struct quiz_op *op, const struct str *w, const struct quiz_board *b)
{
    struct sb text = {0}, room = {0};
    char now[CLOCK_ISO_SIZE];
    struct sio_cast to;

    quiz_room(op->game->id, &room);
    to = sio_cast_room(quiz_nsp(op->quiz), sb_view(&room));
    sb_z(&text, "\"quizId\":");
    sb_json(&text, op->game->id);
    sb_char(&text, ',');
    quiz_say_changes(b, w[0], w[1], &text);
    clock_iso((uint64_t)quiz_state_i64(w[3]), now);
    sb_printf(&text, ",\"serverNow\":\"%s\"", now);
    quiz_emit(&to, "quiz:board", sb_view(&text));
    text.n = 0;
    if (str_eq(w[2], STR("1"))) { /* what old pages know, and each one's place */
        put_board(op, b, BOARD_TOP, &text);
        quiz_emit(&to, "leaderboardUpdate", sb_view(&text));
        text.n = 0;
        sb_z(&text, "ranks ");
        sb_str(&text, op->game->id);
        quiz_tell_nodes(op->quiz, sb_view(&text));
        quiz_board_ranks(op->game);
    }
    sb_fini(&text);
    sb_fini(&room);
}

static void end_job(struct quiz_op *op, int64_t wait_ms)
{
    const struct due_entry e = {
        .id = op->game->id, .payload = STR(""), .delay_ms = (uint64_t)wait_ms};

    if (op->job && wait_ms > 0)
        due_again(op->job, e.delay_ms);
    else if (op->job)
        due_done(op->job);
    else if (wait_ms > 0 && due_put(op->quiz->boards, &e, NULL, NULL) != OK)
        return; /* an id that is too long: refused when the game was made */
    op->job = NULL;
}

static void on_told(void *ctx, const struct quiz_reply *r)
{
    struct quiz_op *op = ctx;
    bool is_away = r->rc == ERR_UNAVAILABLE || r->rc == ERR_TIMEOUT || op->quiz->is_closed;
    struct quiz_board b;
    int64_t wait_ms = r->rc == OK ? quiz_state_i64(r->words[0]) : 0;

    if (op->job && is_away) wait_ms = RETRY_MS;
    if (!is_away && r->rc == OK && wait_ms == 0 && r->count > 5 &&
        quiz_say_read_board(r->words + 5, r->count - 5, &b))
        cast_changes(op, r->words + 1, &b);
    end_job(op, op->job || !is_away ? wait_ms : 0);
    quiz_op_free(op);
}

static void tell(struct quiz_op *op, bool is_closed)
{
    struct sb rows = {0};
    struct str args[2];

    sb_u64(&rows, QUIZ_TOLD_ROWS);
    args[0] = sb_view(&rows);
    args[1] = is_closed ? STR("1") : STR("");
    quiz_run(op, QUIZ_TELL, args, 2, on_told);
    sb_fini(&rows);
}

void quiz_board_changed(struct quiz *q, struct str quiz_id, bool is_closed)
{
    tell(quiz_op_new(q, quiz_id, NULL), is_closed);
}

void quiz_board_on_due(void *ctx, struct str id, struct str payload, struct due_job *job)
{
    struct quiz_op *op = quiz_op_new(ctx, id, NULL);

    (void)payload;
    op->job = job;
    tell(op, due_runs(job) > 1); /* the first teller may have died before it had told */
}

/* ---- to each player ----
 * a: those who were here when the round began, by seats; n[0]: its number, n[1]: next one. Where a
 * good part of the players is here the board is read once from its top; else they are looked up. */

struct listener {
    int64_t seat;
    char socket[EIO_ID_SIZE];
};

static unsigned listeners(const struct quiz_op *op)
{
    return (unsigned)(op->a.n / sizeof(struct listener));
}

static struct listener listener_at(const struct quiz_op *op, unsigned i)
{
    struct listener l;

    memcpy(&l, op->a.p + (size_t)i * sizeof l, sizeof l);
    return l;
}

static int by_seat(const void *a, const void *b)
{
    struct listener x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x.seat > y.seat) - (x.seat < y.seat);
}

/* The first one of this seat, or of a later one. */
static unsigned listener_find(const struct quiz_op *op, int64_t seat)
{
    unsigned from = 0, to = listeners(op);

    while (from < to) {
        unsigned mid = from + (to - from) / 2;

        if (listener_at(op, mid).seat < seat)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

/* Rows of b: two above to two below. */
static void tell_rank(struct quiz_op *op, const struct listener *l, const struct quiz_board *b)
{
    struct str id = str_of(l->socket, sizeof l->socket);
    const struct quiz_member *m = quiz_member_find(op->quiz, id, op->game->id);
    struct sio_socket *s = sio_socket_find(quiz_nsp(op->quiz), id);
    struct sio_cast to;

    if (!m || m->seat != l->seat || !s || !b->rows_count) return;
    op->b.n = 0;
    sb_z(&op->b, "\"quizId\":");
    sb_json(&op->b, op->game->id);
    sb_printf(&op->b, ",\"seq\":%lld,\"total\":%lld", (long long)b->board_seq, (long long)b->total);
    quiz_say_around(b, 0, l->seat, &op->b);
    to = sio_cast_self(s);
    to.flags |= SIO_LOCAL; /* who comes back later asks */
    quiz_emit(&to, "quiz:rank", sb_view(&op->b));
}

static bool is_outrun(const struct quiz_op *op) /* by a newer round */
{
    return op->n[0] != op->game->walk;
}

/* ---- few of the players are here ---- */

static void next_seats(struct quiz_op *op);

static void on_seats(void *ctx, const struct quiz_reply *r)
{
    struct quiz_op *op = ctx;
    unsigned i = (unsigned)op->n[1], end = i + SEATS_A_STEP, at = QUIZ_BOARD_WORDS;
    struct quiz_board b;

    if (op->quiz->is_closed || r->rc != OK || !quiz_say_read_board(r->words, r->count, &b)) {
        quiz_op_free(op);
        return;
    }
    for (; i < end && i < listeners(op) && at < r->count; i++) {
        struct listener l = listener_at(op, i);
        int64_t rows = quiz_state_i64(r->words[at]);

        b.rows = r->words + at + 1;
        if (rows < 0 || rows > (r->count - at - 1) / QUIZ_ROW_WORDS) break; /* makes no sense */
        b.rows_count = (unsigned)rows;
        at += 1 + b.rows_count * QUIZ_ROW_WORDS;
        tell_rank(op, &l, &b);
    }
    op->n[1] = end;
    next_seats(op);
}

static void next_seats(struct quiz_op *op)
{
    unsigned i = (unsigned)op->n[1], count = 0;
    struct str args[SEATS_A_STEP];
    size_t ends[SEATS_A_STEP + 1] = {0};

    if (i >= listeners(op) || is_outrun(op)) {
        quiz_op_free(op);
        return;
    }
    op->c.n = 0;
    for (; count < SEATS_A_STEP && i < listeners(op); i++, count++) {
        sb_i64(&op->c, listener_at(op, i).seat);
        ends[count + 1] = op->c.n;
    }
    for (unsigned k = 0; k < count; k++)
        args[k] = str_of(op->c.p + ends[k], ends[k + 1] - ends[k]);
    quiz_run(op, QUIZ_AROUND, args, count, on_seats);
}

/* ---- many are ---- */

static void tell_row(struct quiz_op *op, const struct quiz_board *b, unsigned i)
{
    unsigned from = i > 2 ? i - 2 : 0;
    struct quiz_board part = *b;

    part.rows = b->rows + (size_t)from * QUIZ_ROW_WORDS;
    part.rows_count = (i + 3 < b->rows_count ? i + 3 : b->rows_count) - from;
    for (unsigned k = listener_find(op, quiz_state_i64(b->rows[(size_t)i * QUIZ_ROW_WORDS]));
         k < listeners(op); k++) {
        struct listener l = listener_at(op, k);

        if (l.seat != quiz_state_i64(b->rows[(size_t)i * QUIZ_ROW_WORDS])) break;
        tell_rank(op, &l, &part);
    }
}

static void next_rows(struct quiz_op *op);

static void on_rows(void *ctx, const struct quiz_reply *r)
{
    struct quiz_op *op = ctx;
    struct quiz_board b;
    unsigned lead = op->n[1] ? 2 : 0; /* rows of the page before, for the first ones of this */

    if (op->quiz->is_closed || r->rc != OK || !quiz_say_read_board(r->words, r->count, &b)) {
        quiz_op_free(op);
        return;
    }
    if (op->n[1] == 0 && listeners(op) * FEW < b.total) {
        next_seats(op);
        return;
    }
    for (unsigned i = lead; i < b.rows_count && i < lead + ROWS_A_STEP; i++)
        tell_row(op, &b, i);
    op->n[1] += ROWS_A_STEP;
    if (op->n[1] < b.total && !is_outrun(op))
        next_rows(op);
    else
        quiz_op_free(op);
}

static void next_rows(struct quiz_op *op)
{
    unsigned lead = op->n[1] ? 2 : 0;

    read_rows(op, op->n[1] - lead, lead + ROWS_A_STEP + 2, NULL, on_rows);
}

void quiz_board_ranks(struct quiz_game *g)
{
    struct quiz_op *op = quiz_op_new(g->quiz, g->id, NULL);

    op->n[0] = ++g->walk;
    LIST_EACH(node, &g->members)
    {
        const struct quiz_member *m = LIST_OWNER(node, struct quiz_member, of_game);
        struct listener l = {.seat = m->seat};

        if (!m->seat || m->player->id.n != sizeof l.socket) continue;
        memcpy(l.socket, m->player->id.p, sizeof l.socket);
        sb_put(&op->a, (const char *)&l, sizeof l);
    }
    if (!op->a.n) {
        quiz_op_free(op);
        return;
    }
    qsort(op->a.p, listeners(op), sizeof(struct listener), by_seat);
    next_rows(op);
}
