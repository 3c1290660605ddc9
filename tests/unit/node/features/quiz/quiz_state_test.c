#include "tests/unit/support/fake_quiz.inc"

#include "node/features/quiz/quiz_state.h"

static struct sb told;
static char adapter;

static void on_told(void *ctx, const struct quiz_reply *r)
{
    (void)ctx;
    sb_printf(&told, "%s " STR_FMT " %u\n", r->rc == OK ? "ok" : err_wire(r->rc), STR_ARG(r->why),
              r->count);
}

static void run_load(void)
{
    quiz_state_run((struct adapter *)(void *)&adapter, QUIZ_LOAD, STR("a}b"), NULL, 0,
                   (struct quiz_ask){on_told, NULL});
}

static void up(void)
{
    rig_up();
    fake.is_connected = true;
}

static void down(void)
{
    rig_down();
    sb_fini(&told);
    sb_fini(&fake.scripts);
}

TestSuite(quiz_state, .init = up, .fini = down);

Test(quiz_state, gives_the_words_or_the_refusal)
{
    static const struct {
        int rc;
        const char *words, *want;
    } rows[] = {
        {OK, "ok -", "ok  1\n"},
        {OK, "ok a b", "ok  2\n"},
        {OK, "no closed over", "closed over 0\n"},
        {OK, "no not_a_member x", "not_a_member x 0\n"},
        {OK, "no nonsense x", "internal x 0\n"},
        {OK, "no closed", "internal  0\n"},
        {OK, "", "internal  0\n"},
        {ERR_TIMEOUT, "", "timeout  0\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        run_load();
        answer_words(rows[i].rc, rows[i].words);
        cr_expect_str_eq(take(&told), rows[i].want, "row %zu", i);
    }
}

Test(quiz_state, says_unavailable_without_redis)
{
    fake.is_connected = false;
    run_load();
    quiz_state_run(NULL, QUIZ_LOAD, STR("a"), NULL, 0, (struct quiz_ask){on_told, NULL});
    quiz_state_pin(NULL, STR("1"), STR("a"), (struct quiz_ask){on_told, NULL});
    cr_expect_str_eq(take(&told), "unavailable  0\nunavailable  0\nunavailable  0\n");
    cr_expect_eq(fake.calls_count, 0);
}

Test(quiz_state, names_keys_of_one_slot)
{
    static const enum key want[] = {KEY_QUIZ_GAME, KEY_QUIZ_SEATS, KEY_QUIZ_ANSWERS, KEY_QUIZ_LIVE,
                                    KEY_QUIZ_BOARD};
    static const char *const names[] = {"a", "a}b", "{", "a\r\nDEL x", "}"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct sb text[5] = {0};
        struct str keys[5];

        for (int k = 0; k < 5; k++) {
            key_name(want[k], str_z(names[i]), &text[k]);
            keys[k] = sb_view(&text[k]);
        }
        cr_expect(key_fit(want, 5, keys, 5), "%s", names[i]);
        for (int k = 0; k < 5; k++)
            sb_fini(&text[k]);
    }
}

Test(quiz_state, reads_a_view)
{
    struct str words[QUIZ_VIEW_WORDS + 1] = {STR("x"), STR("open"), STR("4"), STR("2")};
    struct quiz_view v;

    words[6] = STR("1700000000000");
    cr_assert(quiz_state_view(words, QUIZ_VIEW_WORDS + 1, &v));
    cr_expect(str_eq(v.phase, STR("open")));
    cr_expect_eq(v.seq, 4);
    cr_expect_eq(v.question, 2);
    cr_expect_eq(v.ends_ms, 1700000000000);
    words[3] = STR_NONE;
    cr_assert(quiz_state_view(words, QUIZ_VIEW_WORDS + 1, &v));
    cr_expect_eq(v.question, -1);
    cr_expect_not(quiz_state_view(words, QUIZ_VIEW_WORDS - 1, &v));
}

Test(quiz_state, takes_only_numbers_for_numbers)
{
    cr_expect_eq(quiz_state_i64(STR("-134217728000")), -134217728000);
    cr_expect_eq(quiz_state_i64(STR("")), 0);
    cr_expect_eq(quiz_state_i64(STR("x")), 0);
}
