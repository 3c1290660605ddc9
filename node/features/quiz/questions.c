/* See questions.h. */
#include "node/features/quiz/questions.h"

#include <math.h>
#include "base/mem.h"
#include "base/forbid.h"

enum { TEXT_MAX = 1000, OPTION_MAX = 200, ID_MAX = 64, LIMIT_MIN_MS = 1000 };

static const char *const type_names[QUESTION_TYPES] = {[QUESTION_SINGLE] = "single",
                                                       [QUESTION_MULTIPLE] = "multiple",
                                                       [QUESTION_TRUE_FALSE] = "trueFalse",
                                                       [QUESTION_NUMBER] = "number",
                                                       [QUESTION_TEXT] = "text",
                                                       [QUESTION_ORDER] = "order",
                                                       [QUESTION_POLL] = "poll"};

static bool has_options(enum question_type t)
{
    return t == QUESTION_SINGLE || t == QUESTION_MULTIPLE || t == QUESTION_ORDER ||
           t == QUESTION_POLL;
}

/* ---- answers and keys have the same shapes ---- */

struct picks {
    unsigned at[QUESTION_OPTIONS_MAX], count;
    uint32_t set;
};

static bool read_index(struct json v, unsigned count, unsigned *out)
{
    int64_t n;

    if (v.type != JSON_NUMBER || !json_i64(v, &n) || n < 0 || n >= (int64_t)count) return false;
    *out = (unsigned)n;
    return true;
}

/* Different indexes of options. */
static bool read_picks(struct json v, unsigned count, struct picks *out)
{
    struct str rest;
    struct json item;

    *out = (struct picks){0};
    if (v.type != JSON_ARRAY) return false;
    rest = json_begin(v);
    while (json_next_item(&rest, &item)) {
        unsigned i;

        if (!read_index(item, count, &i) || (out->set & (1u << i))) return false;
        out->set |= 1u << i;
        out->at[out->count++] = i;
    }
    return true;
}

static bool is_text(struct json v, size_t max)
{
    size_t n;

    if (v.type != JSON_STRING) return false;
    n = json_length(str_of(v.raw.p + 1, v.raw.n - 2)); /* escapes only make it longer */
    return n >= 1 && n <= max;
}

static bool are_texts(struct json v, unsigned min, unsigned max, size_t length)
{
    struct str rest;
    struct json item;

    if (v.type != JSON_ARRAY || json_count(v) < min || json_count(v) > max) return false;
    rest = json_begin(v);
    while (json_next_item(&rest, &item))
        if (!is_text(item, length)) return false;
    return true;
}

static bool is_key(const struct question *q)
{
    struct picks p;
    double n;

    switch (q->type) {
    case QUESTION_SINGLE:
        return read_index(q->correct, q->options_count, &(unsigned){0});
    case QUESTION_MULTIPLE:
        return read_picks(q->correct, q->options_count, &p) && p.count > 0;
    case QUESTION_TRUE_FALSE:
        return q->correct.type == JSON_BOOL;
    case QUESTION_NUMBER:
        return q->correct.type == JSON_NUMBER && json_f64(q->correct, &n);
    case QUESTION_TEXT:
        return are_texts(q->correct, 1, QUESTION_OPTIONS_MAX, OPTION_MAX);
    case QUESTION_ORDER:
        return read_picks(q->correct, q->options_count, &p) && p.count == q->options_count;
    case QUESTION_POLL:
        return q->correct.type == JSON_NULL;
    case QUESTION_TYPES:
        break;
    }
    return false;
}

/* ---- reading ---- */

static bool read_type(struct json object, enum question_type *out)
{
    struct json v;

    if (!json_member(object, STR("type"), &v) || v.type != JSON_STRING) return false;
    for (int t = 0; t < QUESTION_TYPES; t++)
        if (str_eq(str_of(v.raw.p + 1, v.raw.n - 2), str_z(type_names[t]))) {
            *out = (enum question_type)t;
            return true;
        }
    return false;
}

static bool read_number(struct json object, const char *name, int64_t min, int64_t max,
                        int64_t *out)
{
    struct json v;

    if (!json_member(object, str_z(name), &v)) return true;
    return v.type == JSON_NUMBER && json_i64(v, out) && *out >= min && *out <= max;
}

/* NULL, or the member that is wrong. */
static const char *read_question(struct json object, struct question *q)
{
    struct json v;

    *q = (struct question){.object = object,
                           .limit_ms = QUESTION_LIMIT_MS,
                           .points = QUESTION_POINTS,
                           .correct = {JSON_NULL, STR("null")}};
    if (object.type != JSON_OBJECT || !read_type(object, &q->type)) return "type";
    if (!json_member(object, STR("text"), &v) || !is_text(v, TEXT_MAX)) return "text";
    if (json_member(object, STR("explanation"), &v) && !is_text(v, TEXT_MAX)) return "explanation";
    if (json_member(object, STR("id"), &v) && !is_text(v, ID_MAX)) return "id";
    if (!read_number(object, "timeLimitMs", LIMIT_MIN_MS, SCORE_LIMIT_MAX_MS, &q->limit_ms))
        return "timeLimitMs";
    if (!read_number(object, "points", 0, SCORE_POINTS_MAX, &q->points)) return "points";
    if (json_member(object, STR("options"), &q->options)) {
        if (!are_texts(q->options, 2, QUESTION_OPTIONS_MAX, OPTION_MAX)) return "options";
        q->options_count = (unsigned)json_count(q->options);
    }
    if (has_options(q->type) != (q->options_count > 0)) return "options";
    if (json_member(object, STR("tolerance"), &v) &&
        !(v.type == JSON_NUMBER && json_f64(v, &q->tolerance) && q->tolerance >= 0))
        return "tolerance";
    if (json_member(object, STR("correct"), &v)) q->correct = v;
    if (!is_key(q)) return "correct";
    if (q->type == QUESTION_POLL) q->points = 0;
    return NULL;
}

int questions_read(struct str array, struct questions **out, struct sb *why)
{
    struct questions *q = MEM_NEW(struct questions);
    struct json all, item;
    struct str rest;
    int rc = ERR_SCHEMA;

    q->text = str_dup(array);
    if (json_parse(str_of(q->text, array.n), &all) != OK || all.type != JSON_ARRAY ||
        json_count(all) < 1 || json_count(all) > QUESTIONS_MAX) {
        sb_printf(why, "questions: not 1 to %d", QUESTIONS_MAX);
        goto out;
    }
    rest = json_begin(all);
    while (json_next_item(&rest, &item)) {
        const char *wrong = read_question(item, &q->at[q->count]);

        if (wrong) {
            sb_printf(why, "questions[%u].%s: missing or not as it must be", q->count, wrong);
            goto out;
        }
        q->count++;
    }
    *out = q;
    q = NULL;
    rc = OK;
out:
    questions_free(q);
    return rc;
}

void questions_free(struct questions *q)
{
    if (!q) return;
    mem_free(q->text);
    mem_free(q);
}

/* ---- showing ---- */

void question_id(const struct questions *q, unsigned i, struct sb *out)
{
    struct json v;

    if (json_member(q->at[i].object, STR("id"), &v))
        sb_str(out, v.raw);
    else
        sb_printf(out, "\"q%u\"", i + 1);
}

unsigned question_choices(const struct question *q)
{
    return q->type == QUESTION_TRUE_FALSE ? 2 : q->options_count;
}

int questions_find(const struct questions *q, struct str id)
{
    struct json v = {JSON_NUMBER, id};
    struct sb name = {0};
    int found = -1;
    int64_t n;

    for (unsigned i = 0; i < q->count && found < 0; i++) {
        name.n = 0;
        question_id(q, i, &name);
        if (str_eq(sb_view(&name), id)) found = (int)i;
    }
    if (found < 0 && id.n && id.p[0] != '"' && json_i64(v, &n) && n >= 0 && n < q->count)
        found = (int)n;
    sb_fini(&name);
    return found;
}

static void put_member(struct sb *out, struct json object, const char *name)
{
    struct json v;

    if (!json_member(object, str_z(name), &v)) return;
    sb_printf(out, ",\"%s\":", name);
    sb_str(out, v.raw);
}

void question_show(const struct questions *q, unsigned i, bool with_key, struct sb *out)
{
    const struct question *it = &q->at[i];

    sb_z(out, "\"id\":");
    question_id(q, i, out);
    sb_printf(out, ",\"type\":\"%s\"", type_names[it->type]);
    put_member(out, it->object, "text");
    put_member(out, it->object, "options");
    sb_printf(out, ",\"timeLimitMs\":%lld,\"points\":%lld", (long long)it->limit_ms,
              (long long)it->points);
    if (!with_key) return;
    put_member(out, it->object, "correct");
    put_member(out, it->object, "tolerance");
    put_member(out, it->object, "explanation");
}

/* ---- judging ---- */

static int64_t judge_multiple(const struct picks *given, const struct picks *key)
{
    int64_t right = __builtin_popcount(given->set & key->set);
    int64_t wrong = __builtin_popcount(given->set & ~key->set);

    return right > wrong ? SCORE_SHARE * (right - wrong) / key->count : 0;
}

static int64_t judge_order(const struct picks *given, const struct picks *key)
{
    int64_t right = 0;

    for (unsigned i = 0; i < key->count; i++)
        right += given->at[i] == key->at[i];
    return SCORE_SHARE * right / key->count;
}

static bool is_accepted(const struct question *q, struct json answer)
{
    struct sb a = {0}, b = {0};
    struct str rest = json_begin(q->correct), given, wanted;
    struct json item;
    bool found = false;

    sb_reserve(&a, answer.raw.n);
    if (json_text(answer, &a, &given) == OK)
        while (!found && json_next_item(&rest, &item)) {
            b.n = 0;
            found = json_text(item, &b, &wanted) == OK &&
                    str_eq_nocase(str_trim(given), str_trim(wanted));
        }
    sb_fini(&a);
    sb_fini(&b);
    return found;
}

static bool is_near(const struct question *q, double given)
{
    double want;

    return json_f64(q->correct, &want) && fabs(given - want) <= q->tolerance + fabs(want) * 1e-12;
}

static int judge_picks(const struct question *q, struct json v, int64_t *share, struct sb *chosen)
{
    struct picks given, key;

    if (!read_picks(v, q->options_count, &given)) return ERR_SCHEMA;
    if (q->type == QUESTION_ORDER && given.count != q->options_count) return ERR_SCHEMA;
    if (!read_picks(q->correct, q->options_count, &key) || !key.count) return ERR_INTERNAL;
    *share = q->type == QUESTION_ORDER ? judge_order(&given, &key) : judge_multiple(&given, &key);
    for (unsigned i = 0; q->type == QUESTION_MULTIPLE && i < given.count; i++)
        sb_printf(chosen, i ? ",%u" : "%u", given.at[i]);
    return OK;
}

int question_judge(const struct question *q, struct str answer, int64_t *share, struct sb *chosen)
{
    struct json v;
    unsigned i, key = 0;
    double n;
    bool yes, truth = false;

    if (json_parse(answer, &v) != OK) return ERR_SCHEMA;
    switch (q->type) {
    case QUESTION_SINGLE:
    case QUESTION_POLL:
        if (!read_index(v, q->options_count, &i)) return ERR_SCHEMA;
        *share = read_index(q->correct, q->options_count, &key) && i == key ? SCORE_SHARE : 0;
        sb_printf(chosen, "%u", i);
        return OK;
    case QUESTION_MULTIPLE:
    case QUESTION_ORDER:
        return judge_picks(q, v, share, chosen);
    case QUESTION_TRUE_FALSE:
        if (!json_bool(v, &yes)) return ERR_SCHEMA;
        *share = json_bool(q->correct, &truth) && yes == truth ? SCORE_SHARE : 0;
        sb_char(chosen, yes ? '1' : '0');
        return OK;
    case QUESTION_NUMBER:
        if (v.type != JSON_NUMBER || !json_f64(v, &n)) return ERR_SCHEMA;
        *share = is_near(q, n) ? SCORE_SHARE : 0;
        return OK;
    case QUESTION_TEXT:
        if (!is_text(v, OPTION_MAX)) return ERR_SCHEMA;
        *share = is_accepted(q, v) ? SCORE_SHARE : 0;
        return OK;
    case QUESTION_TYPES:
        break;
    }
    return ERR_INTERNAL;
}
