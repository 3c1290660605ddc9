#include "tests/unit/support/fake_quiz.inc"

#include "base/metric.h"

#define KEY "ingoma:{quizzes:socket.io}:here "

static struct eio_session *ann;

static void up(void)
{
    quiz_up();
    ann = fake_client(NULL);
    join_old(ann, "1");
    fake.scripts.n = 0;
    fake.keeps_counts = true;
}

static void down(void)
{
    free_session(ann);
    quiz_down();
}

TestSuite(quiz_count, .init = up, .fini = down);

Test(quiz_count, says_that_the_first_has_come_and_the_last_has_gone)
{
    struct eio_session *bob = fake_client(NULL), *cat = fake_client(NULL);

    join_old(bob, "2"); /* not the first one in it */
    cr_expect_null(strstr(take(&fake.scripts), KEY));
    say(cat, "2[\"joinQuiz\",{\"quizId\":\"new\"}]");
    answer_words(OK, "ok -");
    answer_words(OK, "ok key30000000000000000xx 1 1 1 0 -" WAITING);
    cr_expect(strstr(take(&fake.scripts), KEY "here node new\n"));
    answer_words(OK, "2 1000 1");
    cr_expect_eq(metric_get(M_QUIZ_SESSIONS), 2);
    free_session(bob);
    cr_expect_null(strstr(take(&fake.scripts), KEY));
    free_session(cat);
    cr_expect(strstr(take(&fake.scripts), KEY "gone node new\n"));
}

Test(quiz_count, knows_the_newest_number)
{
    static const struct {
        const char *payload;
        int64_t want;
    } rows[] = {{"quiz 5 100", 5}, {"quiz 4 99", 5}, {"quiz 6 101", 6},  {"quiz", 6},
                {"quiz x 200", 6}, {"quiz 7 x", 6},  {"quiz -1 300", 6}, {"quiz 0 102", 0}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        events_on_message(fake.events, STR("abcd"), str_z(rows[i].payload));
        cr_expect_eq(metric_get(M_QUIZ_SESSIONS), rows[i].want, "row %zu", i);
    }
}

Test(quiz_count, takes_a_dead_node_away_and_asks_when_redis_is_back)
{
    events_on_node_lost(fake.events, STR("abcd"));
    cr_expect(strstr(take(&fake.scripts), KEY "lost abcd "));
    answer_words(OK, "1 1000 1");
    answer_words(OK, "ok 1"); /* the count of those present, then ours again */
    cr_expect_str_eq(take(&fake.scripts), KEY "here node old\n");
    events_on_state(fake.events, true);
    cr_expect(strstr(take(&fake.scripts), KEY "ask "));
    answer_words(ERR_TIMEOUT, "");
    answer_words(OK, "3 7 0"); /* of another Redis: its clock is behind */
    cr_expect_eq(metric_get(M_QUIZ_SESSIONS), 3);
}

Test(quiz_count, does_not_count_what_redis_has_forgotten)
{
    fake.keeps_counts = false;
    events_on_node_up(fake.events, STR("abcd"));
    fake.keeps_counts = true;
    fake.scripts.n = 0;
    answer_words(OK, "ok 0");
    cr_expect_str_eq(take(&fake.scripts), "");
}
