#include "tests/unit/support/fake_quiz.inc"

TestSuite(quiz_play, .init = quiz_up, .fini = quiz_down);

Test(quiz_play, answers_the_joiner_and_tells_the_others)
{
    struct eio_session *ann = fake_client("\"id\":7,\"name\":\"Ann\""), *bob = fake_client(NULL);

    join_old(ann, "1");
    cr_expect_str_eq(
        take(&ann->sent),
        "42[\"quizJoined\",{\"quizId\":\"old\",\"participantCount\":1,\"status\":\"waiting\","
        "\"seat\":\"key10000000000000000xx\",\"seatNumber\":1,\"score\":0,\"phase\":\"waiting\","
        "\"seq\":0,\"serverNow\":\"1970-01-01T00:00:02.000Z\"}]\n");
    join_old(bob, "2");
    cr_expect_str_eq(take(&ann->sent), "42[\"participantJoined\",{\"quizId\":\"old\",\"seatNumber\""
                                       ":2,\"participantCount\":2}]\n");
    fake.scripts.n = 0;
    say(ann, "2[\"joinQuiz\",\"old\"]");
    answer_words(OK, "ok -");
    cr_expect(str_contains(sb_view(&fake.scripts), STR(" key10000000000000000xx ")),
              "again: with its own seat");
    answer_words(OK, "ok key10000000000000000xx 1 0 2 0 -" WAITING);
    cr_expect_not(str_contains(sb_view(&bob->sent), STR("participantJoined")), "nobody is told");
    free_session(bob);
    free_session(ann);
}

Test(quiz_play, tells_the_others_how_far_one_is_and_the_asker_alone_the_rest)
{
    struct eio_session *ann = fake_client("\"id\":7,\"name\":\"Ann\""), *bob = fake_client(NULL);

    join_old(ann, "1");
    join_old(bob, "2");
    ann->sent.n = bob->sent.n = fake.scripts.n = 0;
    say(ann, "25[\"submitAnswer\",{\"quizId\":\"old\",\"questionId\":7,\"answer\":[1],"
             "\"timeSpent\":1}]");
    answer_words(OK, "ok -");
    cr_expect(
        str_contains(sb_view(&fake.scripts), STR(" key10000000000000000xx x7 [1] 0  0 0 0 1")),
        STR_FMT, STR_ARG(sb_view(&fake.scripts)));
    answer_words(OK, "ok 1700000000000 0 3 - 2");
    cr_expect_str_eq(take(&bob->sent),
                     "42[\"participantProgress\",{\"quizId\":\"old\",\"userId\":7,\"userName\":"
                     "\"Ann\",\"seatNumber\":1,\"questionsAnswered\":3}]\n");
    cr_expect_str_eq(take(&ann->sent),
                     "435[{\"ok\":true,\"accepted\":true,\"isScored\":false,\"receivedAt\":"
                     "1700000000000,\"elapsedMs\":0,\"questionsAnswered\":3}]\n");
    free_session(bob);
    free_session(ann);
}

Test(quiz_play, gives_half_of_the_way_there_and_back_to_an_answer)
{
    static const struct {
        uint32_t rtt_ms;
        const char *want;
    } rows[] = {
        {0, " 0 0 0 1\n"}, {100, " 0 0 50 1\n"}, {500, " 0 0 250 1\n"}, {60000, " 0 0 250 1\n"}};
    struct eio_session *ann = fake_client(NULL);

    join_old(ann, "1");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig.rtt_ms = rows[i].rtt_ms;
        say(ann, "2[\"submitAnswer\",{\"quizId\":\"old\",\"questionId\":7,\"answer\":1}]");
        answer_words(OK, "ok -");
        cr_expect(strstr(take(&fake.scripts), rows[i].want), "row %zu", i);
        answer_words(ERR_TIMEOUT, "");
    }
    free_session(ann);
}

Test(quiz_play, says_why_a_step_was_refused)
{
    struct eio_session *ann = fake_client(NULL);

    say(ann, "21[\"submitAnswer\",{\"quizId\":\"old\",\"questionId\":7,\"answer\":1}]");
    cr_expect(str_contains(sb_view(&ann->sent), STR("\"code\":\"not_a_member\"")));
    ann->sent.n = 0;
    say(ann, "22[\"joinQuiz\",\"old\"]");
    answer_words(OK, "ok -");
    answer_words(OK, "no forbidden locked");
    cr_expect_str_eq(take(&ann->sent),
                     "42[\"quizError\",{\"event\":\"joinQuiz\",\"code\":\"forbidden\",\"error\":"
                     "\"locked\"}]\n432[{\"ok\":false,\"code\":\"forbidden\",\"message\":"
                     "\"locked\"}]\n");
    fake.is_connected = false;
    say(ann, "23[\"joinQuiz\",\"old\"]");
    cr_expect(str_contains(sb_view(&ann->sent), STR("\"code\":\"unavailable\"")));
    free_session(ann);
}

Test(quiz_play, takes_no_names_that_hide_or_pile_up)
{
    static const struct {
        const char *name;
        bool is_fine;
    } rows[] = {
        {"Zo\\u00e9", true},
        {"\\u6f22\\u5b57", true},
        {"\\ud83d\\ude00", true},
        {"a\\u202eb", false},
        {"a\\u200bb", false},
        {"\\u0000", false},
        {"\\ufeffa", false},
        {"a\\u0301\\u0301\\u0301\\u0301", true},
        {"a\\u0301\\u0301\\u0301\\u0301\\u0301", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eio_session *ann = fake_client(NULL);
        char packet[200];

        snprintf(packet, sizeof packet, "21[\"joinQuiz\",{\"quizId\":\"q\",\"name\":\"%s\"}]",
                 rows[i].name);
        say(ann, packet);
        cr_expect_eq(str_contains(sb_view(&ann->sent), STR("invalid_payload")), !rows[i].is_fine,
                     "row %zu", i);
        if (rows[i].is_fine) answer_words(ERR_UNAVAILABLE, "");
        free_session(ann);
    }
}

Test(quiz_play, finds_a_quiz_by_its_pin)
{
    struct eio_session *ann = fake_client(NULL);

    say(ann, "2[\"joinQuiz\",{\"pin\":\"1234567890\"}]");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{quizpin:1234567890}:quiz \n");
    answer_words(OK, "ok math");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{quiz:math}:game\n");
    answer_words(ERR_TIMEOUT, "");
    cr_expect(str_contains(sb_view(&ann->sent), STR("timeout")));
    free_session(ann);
}
