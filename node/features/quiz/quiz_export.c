/* See quiz_export.h. */
#include "node/features/quiz/quiz_export.h"

#include "base/forbid.h"

enum { FIGURES = 4 }; /* of a question, before its answers: answered, right, ms, picks */

/* at|elapsed|points|share|options|answer */
struct answer {
    struct str at, elapsed, points, share, raw;
    bool is_there;
};

static struct answer read_answer(struct str kept)
{
    struct answer a = {.is_there = kept.n > 0};
    struct str rest = kept, options;

    (void)str_cut(rest, '|', &a.at, &rest);
    (void)str_cut(rest, '|', &a.elapsed, &rest);
    (void)str_cut(rest, '|', &a.points, &rest);
    (void)str_cut(rest, '|', &a.share, &rest);
    (void)str_cut(rest, '|', &options, &a.raw);
    return a;
}

static struct answer answer_of(const struct quiz_page *p, int64_t question, int64_t row)
{
    return read_answer(p->figures[question * (FIGURES + p->board.here) + FIGURES + row]);
}

static const struct str *figures_of(const struct quiz_page *p, int64_t question)
{
    return p->figures + question * (FIGURES + p->board.here);
}

bool quiz_export_read(const struct str *words, unsigned count, struct quiz_page *out)
{
    struct quiz_board *b = &out->board;

    if (!quiz_say_read_board(words, count, b)) return false;
    out->figures = b->rows + b->here * QUIZ_ROW_WORDS;
    return b->question >= -1 &&
           (int64_t)count == (out->figures - words) + (b->question + 1) * (FIGURES + b->here);
}

/* Members of one answer. */
static void put_answer(const struct answer *a, struct sb *out)
{
    sb_printf(out,
              "\"receivedAt\":" STR_FMT ",\"elapsedMs\":" STR_FMT ",\"points\":" STR_FMT
              ",\"share\":" STR_FMT ",\"answer\":" STR_FMT,
              STR_ARG(a->at), STR_ARG(a->elapsed), STR_ARG(a->points), STR_ARG(a->share),
              STR_ARG(a->raw));
}

static void put_answers(const struct quiz_page *p, int64_t question, struct sb *out)
{
    const struct quiz_board *b = &p->board;
    const char *separator = "";

    for (int64_t i = 0; i < b->here; i++) {
        struct answer a = answer_of(p, question, i);

        if (!a.is_there) continue;
        sb_printf(out, "%s{\"seatNumber\":" STR_FMT ",", separator,
                  STR_ARG(b->rows[i * QUIZ_ROW_WORDS]));
        put_answer(&a, out);
        sb_char(out, '}');
        separator = ",";
    }
}

/* A question with its key and figures, without the last bracket. */
static void put_question(const struct quiz_page *p, const struct questions *all, int64_t q,
                         struct sb *out)
{
    const struct str *figures = figures_of(p, q);
    const int64_t n[3] = {quiz_state_i64(figures[0]), quiz_state_i64(figures[1]),
                          quiz_state_i64(figures[2])};

    sb_z(out, q ? ",{" : "{");
    question_show(all, (unsigned)q, true, out);
    sb_char(out, ',');
    quiz_say_figures(&all->at[q], n, figures[3], out);
}

static int64_t closed_questions(const struct quiz_page *p, const struct questions *all)
{
    return p->board.question + 1 < all->count ? p->board.question + 1 : all->count;
}

void quiz_export_questions(const struct quiz_page *p, const struct questions *all, struct sb *out)
{
    for (int64_t q = 0; q < closed_questions(p, all); q++) {
        put_question(p, all, q, out);
        sb_char(out, '}');
    }
}

void quiz_export_rows(const struct quiz_page *p, bool is_first, struct sb *out)
{
    for (unsigned i = 0; i < p->board.here; i++) {
        if (i || !is_first) sb_char(out, ',');
        quiz_say_row(&p->board, i, out);
        out->n--; /* its bracket */
        sb_z(out, ",\"answers\":[");
        for (int64_t q = 0; q <= p->board.question; q++) {
            struct answer a = answer_of(p, q, i);

            if (q) sb_char(out, ',');
            sb_z(out, a.is_there ? "{" : "null");
            if (!a.is_there) continue;
            put_answer(&a, out);
            sb_char(out, '}');
        }
        sb_z(out, "]}");
    }
}

static void put_json(const struct quiz_page *p, const struct questions *all, struct sb *out)
{
    sb_z(out, "\"rows\":");
    quiz_say_rows(&p->board, 0, (unsigned)p->board.here, out);
    sb_z(out, ",\"questions\":[");
    for (int64_t q = 0; q < closed_questions(p, all); q++) {
        put_question(p, all, q, out);
        sb_z(out, ",\"answers\":[");
        put_answers(p, q, out);
        sb_z(out, "]}");
    }
    sb_char(out, ']');
}

/* ---- CSV ---- */

static bool is_formula(char c)
{
    return c == '=' || c == '+' || c == '-' || c == '@' || c == '\t' || c == '\r';
}

/* One field. A spreadsheet would take a text that begins with = + - @ for a formula. */
static void put_field(struct sb *csv, struct str text)
{
    size_t blanks = 0;

    sb_char(csv, '"');
    while (text.n > blanks && text.p[blanks] == ' ')
        blanks++;
    if (text.n > blanks && is_formula(text.p[blanks])) sb_char(csv, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"') sb_char(csv, '"');
        sb_char(csv, text.p[i]);
    }
    sb_char(csv, '"');
}

static void put_identity(struct sb *csv, struct str identity, const char *name)
{
    struct json who, v;
    struct sb scratch = {0};
    struct str text = STR_NONE;

    if (json_parse(identity, &who) == OK && json_member(who, str_z(name), &v) &&
        json_text(v, &scratch, &text) != OK)
        text = v.raw;
    put_field(csv, text);
    sb_fini(&scratch);
}

void quiz_export_players_csv(const struct quiz_page *p, int64_t from, struct sb *csv)
{
    const struct quiz_board *b = &p->board;

    if (from == 0) {
        sb_z(csv, "rank,seat,userId,userName,score,totalTimeMs,answered");
        for (int64_t q = 0; q <= b->question; q++)
            sb_printf(csv, ",q%lld answer,q%lld points,q%lld ms", (long long)q + 1,
                      (long long)q + 1, (long long)q + 1);
        sb_z(csv, "\r\n");
    }
    for (unsigned i = 0; i < b->here; i++) {
        const struct str *w = b->rows + (size_t)i * QUIZ_ROW_WORDS;
        int64_t place = quiz_state_i64(w[1]);

        sb_printf(csv, STR_FMT "," STR_FMT ",", STR_ARG(w[2]), STR_ARG(w[0]));
        put_identity(csv, w[4], "userId");
        sb_char(csv, ',');
        put_identity(csv, w[4], "userName");
        sb_printf(csv, ",%lld,%lld," STR_FMT, (long long)score_place_points(place),
                  (long long)score_place_time_ms(place), STR_ARG(w[3]));
        for (int64_t q = 0; q <= b->question; q++) {
            struct answer a = answer_of(p, q, i);

            sb_char(csv, ',');
            put_field(csv, a.raw);
            sb_printf(csv, "," STR_FMT "," STR_FMT, STR_ARG(a.points), STR_ARG(a.elapsed));
        }
        sb_z(csv, "\r\n");
    }
}

static void put_text(struct sb *csv, struct json object, const char *name)
{
    struct sb scratch = {0};
    struct str text = STR_NONE;
    struct json v;

    sb_reserve(&scratch, object.raw.n);
    if (json_member(object, str_z(name), &v) && json_text(v, &scratch, &text) != OK) text = v.raw;
    put_field(csv, text);
    sb_fini(&scratch);
}

void quiz_export_questions_csv(const struct quiz_page *p, const struct questions *all,
                               struct sb *csv)
{
    struct sb id = {0};

    sb_z(csv, "question,id,type,text,correct,answered,right,rightShare,averageMs,options\r\n");
    for (int64_t q = 0; q < closed_questions(p, all); q++) {
        const struct question *it = &all->at[q];
        const struct str *f = figures_of(p, q);
        int64_t answered = quiz_state_i64(f[0]), right = quiz_state_i64(f[1]);
        struct str picks = f[3], n;

        id.n = 0;
        question_id(all, (unsigned)q, &id);
        sb_printf(csv, "%lld,", (long long)q + 1);
        put_field(csv, str_of(id.p + 1, id.n - 2));
        sb_char(csv, ',');
        put_text(csv, it->object, "type");
        sb_char(csv, ',');
        put_text(csv, it->object, "text");
        sb_char(csv, ',');
        put_text(csv, it->object, "correct");
        sb_printf(csv, ",%lld,%lld,%.3f,%lld,\"", (long long)answered, (long long)right,
                  answered > 0 ? (double)right / (double)answered : 0.0,
                  (long long)(answered > 0 ? quiz_state_i64(f[2]) / answered : 0));
        for (unsigned o = 0; o < question_choices(it) && str_next(&picks, ',', &n); o++)
            sb_printf(csv, o ? " " STR_FMT : STR_FMT, STR_ARG(n));
        sb_z(csv, "\"\r\n");
    }
    sb_fini(&id);
}

/* ---- a page as an ack ---- */

void quiz_export_ack(const struct str *words, unsigned count, const struct questions *all,
                     bool is_csv, int64_t from, struct sb *out)
{
    struct quiz_page p;
    struct sb csv = {0};

    if (!quiz_export_read(words, count, &p)) return;
    sb_z(out, "\"total\":");
    sb_i64(out, p.board.total);
    sb_z(out, ",\"from\":");
    sb_i64(out, from);
    if (from + p.board.here < p.board.total && p.board.here) {
        sb_z(out, ",\"next\":");
        sb_i64(out, from + p.board.here);
    }
    sb_char(out, ',');
    if (is_csv) {
        quiz_export_players_csv(&p, from, &csv);
        sb_z(out, "\"csv\":");
        sb_json(out, sb_view(&csv));
        csv.n = 0;
        quiz_export_questions_csv(&p, all, &csv);
        sb_z(out, ",\"questionsCsv\":");
        sb_json(out, sb_view(&csv));
    } else {
        put_json(&p, all, out);
    }
    sb_fini(&csv);
}
