/* See quiz_say.h. */
#include "node/features/quiz/quiz_say.h"

#include "base/clock.h"
#include "base/forbid.h"

static void put_i64(struct sb *out, const char *name, int64_t n)
{
    sb_printf(out, ",\"%s\":%lld", name, (long long)n);
}

static void put_time(struct sb *out, const char *name, int64_t ms)
{
    char text[CLOCK_ISO_SIZE];

    clock_iso((uint64_t)ms, text);
    sb_printf(out, ",\"%s\":\"%s\"", name, text);
}

static bool is_phase(const struct quiz_view *v, const char *phase)
{
    return str_eq(v->phase, str_z(phase));
}

const char *quiz_say_status(const struct quiz_view *v)
{
    if (!v->phase.n || is_phase(v, "lobby")) return "waiting";
    return is_phase(v, "ended") ? "completed" : "active";
}

/* How many answers, how many of them right, how long they took, how often each option was chosen
 * (false and true count as options). picks: numbers with commas. */
void quiz_say_figures(const struct question *q, const int64_t n[3], struct str picks,
                      struct sb *out)
{
    struct str count;

    sb_printf(out,
              "\"stats\":{\"answered\":%lld,\"right\":%lld,\"rightShare\":%.3f,"
              "\"averageMs\":%lld,\"options\":[",
              (long long)n[0], (long long)n[1], n[0] > 0 ? (double)n[1] / (double)n[0] : 0.0,
              (long long)(n[0] > 0 ? n[2] / n[0] : 0));
    for (unsigned o = 0; o < question_choices(q) && str_next(&picks, ',', &count); o++) {
        if (o) sb_char(out, ',');
        sb_str(out, count);
    }
    sb_z(out, "]}");
}

static void put_question(const struct quiz_view *v, const struct questions *all, bool is_closed,
                         struct sb *out)
{
    unsigned i = (unsigned)v->question;
    const int64_t figures[3] = {v->answered, v->right, v->elapsed_ms};

    sb_z(out, ",\"question\":{");
    question_show(all, i, is_closed, out);
    if (is_closed) {
        sb_char(out, ',');
        quiz_say_figures(&all->at[i], figures, v->picks, out);
    }
    sb_char(out, '}');
}

void quiz_say_view(const struct quiz_view *v, const struct questions *questions, struct sb *out)
{
    bool is_closed = is_phase(v, "closed") || is_phase(v, "ended");

    sb_z(out, "\"phase\":");
    sb_json(out, v->phase.n ? v->phase : STR("waiting"));
    put_i64(out, "seq", v->seq);
    put_time(out, "serverNow", v->now_ms);
    if (!v->phase.n) return;
    put_i64(out, "questionCount", v->count);
    sb_printf(out, ",\"isLocked\":%s", v->is_locked ? "true" : "false");
    if (v->question < 0) return;
    put_i64(out, "questionIndex", v->question);
    if (is_phase(v, "open")) {
        put_time(out, "startsAt", v->starts_ms);
        put_time(out, "endsAt", v->ends_ms);
        put_i64(out, "remainingMs", v->ends_ms > v->now_ms ? v->ends_ms - v->now_ms : 0);
    } else if (is_phase(v, "paused")) {
        put_i64(out, "remainingMs", v->left_ms);
    }
    if (questions && v->question < questions->count) put_question(v, questions, is_closed, out);
}

/* ---- boards ---- */

bool quiz_say_read_board(const struct str *words, unsigned count, struct quiz_board *out)
{
    if (count < QUIZ_BOARD_WORDS) return false;
    *out = (struct quiz_board){
        .total = quiz_state_i64(words[0]),
        .seq = quiz_state_i64(words[1]),
        .is_scored = str_eq(words[2], STR("1")),
        .is_over = str_eq(words[3], STR("ended")),
        .question = quiz_state_i64(words[4]),
        .here = quiz_state_i64(words[5]),
        .board_seq = quiz_state_i64(words[6]),
        .rows = words + QUIZ_BOARD_WORDS,
        .rows_count = (count - QUIZ_BOARD_WORDS) / QUIZ_ROW_WORDS,
    };
    return out->here >= 0 && out->here <= out->rows_count;
}

void quiz_say_row(const struct quiz_board *b, unsigned i, struct sb *out)
{
    const struct str *w = b->rows + (size_t)i * QUIZ_ROW_WORDS;
    int64_t place = quiz_state_i64(w[1]);

    sb_printf(out, "{\"rank\":%lld", (long long)quiz_state_i64(w[2]));
    if (w[4].n > 2) { /* {"userId":…} */
        sb_char(out, ',');
        sb_put(out, w[4].p + 1, w[4].n - 2);
    }
    put_i64(out, "seatNumber", quiz_state_i64(w[0]));
    put_i64(out, "score", score_place_points(place));
    put_i64(out, "totalTimeMs", score_place_time_ms(place));
    put_i64(out, "questionsAnswered", quiz_state_i64(w[3]));
    sb_printf(out, ",\"finished\":%s}", b->is_over ? "true" : "false");
}

void quiz_say_rows(const struct quiz_board *b, unsigned from, unsigned to, struct sb *out)
{
    sb_char(out, '[');
    for (unsigned i = from; i < to && i < b->rows_count; i++) {
        if (i > from) sb_char(out, ',');
        quiz_say_row(b, i, out);
    }
    sb_char(out, ']');
}

void quiz_say_around(const struct quiz_board *b, unsigned from, int64_t seat, struct sb *out)
{
    sb_z(out, ",\"around\":");
    quiz_say_rows(b, from, b->rows_count, out);
    for (unsigned i = from; i < b->rows_count; i++) {
        if (quiz_state_i64(b->rows[(size_t)i * QUIZ_ROW_WORDS]) != seat) continue;
        sb_z(out, ",\"me\":");
        quiz_say_row(b, i, out);
    }
}

void quiz_say_changes(const struct quiz_board *b, struct str flags, struct str gone, struct sb *out)
{
    const char *separator = "";

    sb_printf(out, "\"seq\":%lld,\"since\":%lld,\"total\":%lld,\"rows\":[", (long long)b->board_seq,
              (long long)b->board_seq - 1, (long long)b->total);
    for (unsigned i = 0; i < b->rows_count && i < flags.n; i++) {
        if (flags.p[i] != '1') continue;
        sb_z(out, separator);
        quiz_say_row(b, i, out);
        separator = ",";
    }
    sb_printf(out, "],\"gone\":[" STR_FMT "]", STR_ARG(gone));
}
