#include "node/features/quiz/questions.h"

#include <criterion/criterion.h>
#include "base/mem.h"

#define ALL                                                                                        \
    "[{\"type\":\"single\",\"text\":\"a\",\"options\":[\"x\",\"y\"],\"correct\":1,\"id\":\"one\"}" \
    ",{\"type\":\"multiple\",\"text\":\"b\",\"options\":[\"x\",\"y\",\"z\",\"w\"],"                \
    "\"correct\":[0,2],\"timeLimitMs\":5000,\"points\":200}"                                       \
    ",{\"type\":\"trueFalse\",\"text\":\"c\",\"correct\":false}"                                   \
    ",{\"type\":\"number\",\"text\":\"d\",\"correct\":3.14,\"tolerance\":0.01}"                    \
    ",{\"type\":\"text\",\"text\":\"e\",\"correct\":[\"Kigali\",\"k\\u0069gali city\"]}"           \
    ",{\"type\":\"order\",\"text\":\"f\",\"options\":[\"x\",\"y\",\"z\",\"w\"],"                   \
    "\"correct\":[3,2,1,0],\"explanation\":\"why\"}"                                               \
    ",{\"type\":\"poll\",\"text\":\"g\",\"options\":[\"x\",\"y\"]}]"

static struct questions *q;

static void up(void)
{
    struct sb why = {0};

    cr_assert_eq(questions_read(STR(ALL), &q, &why), OK, STR_FMT, STR_ARG(sb_view(&why)));
    sb_fini(&why);
}

static void down(void)
{
    questions_free(q);
}

TestSuite(questions, .init = up, .fini = down);

Test(questions, judges_every_type)
{
    static const struct {
        unsigned i;
        const char *answer;
        int64_t want; /* -1: does not fit */
    } rows[] = {
        {0, "1", 1000},
        {0, "0", 0},
        {0, "2", -1},
        {0, "-1", -1},
        {0, "99", -1},
        {0, "1.5", -1},
        {0, "\"1\"", -1},
        {0, "[1]", -1},
        {0, "null", -1},
        {0, "1e400", -1},
        {1, "[0,2]", 1000},
        {1, "[2,0]", 1000},
        {1, "[0]", 500},
        {1, "[0,1]", 0},
        {1, "[0,2,1]", 500},
        {1, "[]", 0},
        {1, "[0,0]", -1},
        {1, "[4]", -1},
        {1, "{}", -1},
        {2, "false", 1000},
        {2, "true", 0},
        {2, "0", -1},
        {3, "3.14", 1000},
        {3, "3.15", 1000},
        {3, "3.16", 0},
        {3, "\"3.14\"", -1},
        {4, "\" KIGALI \"", 1000},
        {4, "\"k\\u0069gali City\"", 1000},
        {4, "\"x\"", 0},
        {4, "\"\"", -1},
        {4, "5", -1},
        {5, "[3,2,1,0]", 1000},
        {5, "[3,2,0,1]", 500},
        {5, "[0,1,2]", -1},
        {5, "[3,2,1,1]", -1},
        {6, "0", 0},
        {6, "1", 0},
        {6, "2", -1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sb chosen = {0};
        int64_t share = -1;
        int rc = question_judge(&q->at[rows[i].i], str_z(rows[i].answer), &share, &chosen);

        cr_expect_eq(rc, rows[i].want < 0 ? ERR_SCHEMA : OK, "row %zu", i);
        cr_expect_eq(share, rows[i].want, "row %zu: %lld", i, (long long)share);
        sb_fini(&chosen);
    }
}

Test(questions, names_what_was_chosen)
{
    struct sb chosen = {0};
    int64_t share;

    cr_assert_eq(question_judge(&q->at[1], STR("[3,0]"), &share, &chosen), OK);
    cr_expect(str_eq(sb_view(&chosen), STR("3,0")));
    sb_fini(&chosen);
}

Test(questions, are_found_by_id_by_number_and_by_index)
{
    cr_expect_eq(questions_find(q, STR("\"one\"")), 0);
    cr_expect_eq(questions_find(q, STR("\"q2\"")), 1);
    cr_expect_eq(questions_find(q, STR("\"q1\"")), -1, "it has a name of its own");
    cr_expect_eq(questions_find(q, STR("6")), 6);
    cr_expect_eq(questions_find(q, STR("7")), -1);
    cr_expect_eq(questions_find(q, STR("-1")), -1);
    cr_expect_eq(questions_find(q, STR("\"q99\"")), -1);
}

Test(questions, show_no_key_before_the_close)
{
    for (unsigned i = 0; i < q->count; i++) {
        struct sb out = {0};

        question_show(q, i, false, &out);
        cr_expect(!str_contains(sb_view(&out), STR("correct")), "question %u", i);
        cr_expect(!str_contains(sb_view(&out), STR("tolerance")), "question %u", i);
        cr_expect(!str_contains(sb_view(&out), STR("why")), "question %u", i);
        out.n = 0;
        question_show(q, i, true, &out);
        cr_expect_eq(str_contains(sb_view(&out), STR("correct")), i != 6, "question %u", i);
        sb_fini(&out);
    }
}

#define OF(members) "[{\"text\":\"a\"," members "}]"
Test(questions, refuse_what_they_cannot_be)
{
    static const char *const rows[] = {
        "",
        "{}",
        "[]",
        "[5]",
        OF("\"type\":\"other\""),
        OF("\"type\":5"),
        "[{\"type\":\"poll\",\"options\":[\"x\",\"y\"]}]",
        OF("\"type\":\"single\",\"options\":[\"x\",\"y\"]"),
        OF("\"type\":\"single\",\"options\":[\"x\",\"y\"],\"correct\":2"),
        OF("\"type\":\"single\",\"options\":[\"x\"],\"correct\":0"),
        OF("\"type\":\"single\",\"correct\":0"),
        OF("\"type\":\"multiple\",\"options\":[\"x\",\"y\"],\"correct\":[]"),
        OF("\"type\":\"multiple\",\"options\":[\"x\",\"y\"],\"correct\":[0,0]"),
        OF("\"type\":\"trueFalse\",\"correct\":1"),
        OF("\"type\":\"trueFalse\",\"correct\":true,\"options\":[\"x\",\"y\"]"),
        OF("\"type\":\"number\",\"correct\":\"1\""),
        OF("\"type\":\"number\",\"correct\":1,\"tolerance\":-1"),
        OF("\"type\":\"text\",\"correct\":\"a\""),
        OF("\"type\":\"text\",\"correct\":[\"\"]"),
        OF("\"type\":\"order\",\"options\":[\"x\",\"y\"],\"correct\":[0]"),
        OF("\"type\":\"poll\",\"options\":[\"x\",\"y\"],\"correct\":0"),
        OF("\"type\":\"trueFalse\",\"correct\":true,\"timeLimitMs\":999"),
        OF("\"type\":\"trueFalse\",\"correct\":true,\"timeLimitMs\":600001"),
        OF("\"type\":\"trueFalse\",\"correct\":true,\"points\":10001"),
        OF("\"type\":\"trueFalse\",\"correct\":true,\"points\":-1"),
        OF("\"type\":\"trueFalse\",\"correct\":true,\"id\":5"),
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct questions *out = NULL;
        struct sb why = {0};

        cr_expect_eq(questions_read(str_z(rows[i]), &out, &why), ERR_SCHEMA, "row %zu", i);
        cr_expect_gt(why.n, 0, "row %zu", i);
        cr_expect_null(out);
        questions_free(out);
        sb_fini(&why);
    }
}

Test(questions, are_a_hundred_at_most)
{
    struct questions *out = NULL;
    struct sb text = {0}, why = {0};

    sb_char(&text, '[');
    for (int i = 0; i < 101; i++)
        sb_z(&text, i ? ",{\"type\":\"trueFalse\",\"text\":\"a\",\"correct\":true}"
                      : "{\"type\":\"trueFalse\",\"text\":\"a\",\"correct\":true}");
    sb_char(&text, ']');
    cr_expect_eq(questions_read(sb_view(&text), &out, &why), ERR_SCHEMA);
    sb_fini(&text);
    sb_fini(&why);
}
