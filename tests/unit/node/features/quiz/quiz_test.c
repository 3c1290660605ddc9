#include "tests/unit/support/fake_quiz.inc"

TestSuite(quiz, .init = quiz_up, .fini = quiz_down);

Test(quiz, tells_the_others_who_has_gone)
{
    struct eio_session *ann = fake_client("\"id\":7,\"name\":\"Ann\""), *bob = fake_client(NULL);

    join_old(ann, "1");
    join_old(bob, "2");
    ann->sent.n = fake.scripts.n = 0;
    free_session(bob);
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{quiz:old}:game node 1 15 node\n");
    answer_words(OK, "ok 1");
    cr_expect_str_eq(take(&ann->sent), "42[\"participantLeft\",{\"quizId\":\"old\",\"seatNumber\":"
                                       "2,\"participantCount\":1}]\n");
    free_session(ann);
    answer_words(ERR_TIMEOUT, "");
}

Test(quiz, writes_its_counts_again_when_redis_is_back_or_a_node_is_lost)
{
    struct eio_session *ann = fake_client(NULL);

    join_old(ann, "1");
    fake.scripts.n = 0;
    events_on_state(fake.events, true);
    events_on_state(fake.events, false);
    events_on_node_lost(fake.events, STR("abcd"));
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{quiz:old}:game node 1 15 node\n"
                                          "ingoma:{quiz:old}:game node 1 15 node\n");
    free_session(ann);
}

Test(quiz, is_closed_with_steps_under_way)
{
    struct eio_session *ann = fake_client(NULL);

    join_old(ann, "1");
    say(ann, "21[\"submitAnswer\",{\"quizId\":\"old\",\"questionId\":\"a\",\"answer\":1}]");
    say(ann, "22[\"joinQuiz\",\"other\"]");
    cr_expect_eq(fake.calls_count, 2);
    free_session(ann);
}
