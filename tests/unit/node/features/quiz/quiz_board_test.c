#include "tests/unit/support/fake_quiz.inc"

#define ROW(seat, place, rank) " " seat " " place " " rank " 1 {\"userId\":" seat "}"
#define BOARD(total, phase, here, seq) " " total " 5 1 " phase " 0 " here " " seq
#define ROWS ROW("2", "-134217727990", "1") ROW("1", "0", "2")

static char adapter;
static struct eio_session *ann, *bob;

static void up(void)
{
    quiz_up();
    sio_attach_adapter(rig.sio, (struct adapter *)(void *)&adapter); /* casts are seen there */
    fake.living = "nodeabcd";
    ann = fake_client("\"id\":1,\"name\":\"Ann\"");
    bob = fake_client("\"id\":2,\"name\":\"Bob\"");
    join_old(ann, "1");
    join_old(bob, "2");
    ann->sent.n = bob->sent.n = fake.scripts.n = rig.cluster.n = 0;
}

static void down(void)
{
    free_session(ann);
    free_session(bob);
    quiz_down();
}

TestSuite(quiz_board, .init = up, .fini = down);

static char job;

static void is_due(void)
{
    the_boards.conf.on_due(the_boards.conf.ctx, STR("old"), STR(""),
                           (struct due_job *)(void *)&job);
}

Test(quiz_board, answers_who_asks_and_is_in_it_with_the_own_place)
{
    struct eio_session *eve = fake_client(NULL);

    say(eve, "21[\"requestLeaderboard\",\"old\"]");
    cr_expect(strstr(take(&eve->sent), "not_a_member"));
    say(ann, "21[\"requestLeaderboard\",{\"quizId\":\"old\",\"from\":0,\"count\":1}]");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{quiz:old}:game 0 1 key10000000000000000xx  \n");
    answer_words(OK, "ok" BOARD("2", "closed", "1", "4") ROW("2", "-134217727990", "1") ROWS);
    cr_expect(
        strstr(take(&ann->sent),
               "431[{\"ok\":true,\"quizId\":\"old\",\"leaderboard\":[{\"rank\":1,\"userId\":2,"));
    say(ann, "22[\"requestLeaderboard\",\"old\"]");
    answer_words(OK, "ok" BOARD("2", "closed", "0", "4") ROWS);
    cr_expect(strstr(take(&ann->sent), "\"seq\":5,\"boardSeq\":4,\"around\":[{\"rank\":1,"));
    cr_expect_str_eq(take(&bob->sent), "");
    free_session(eve);
}

Test(quiz_board, tells_changed_rows_to_all_and_after_a_close_each_ones_place)
{
    is_due();
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{quiz:old}:game 20 \n");
    answer_words(OK, "ok 0 01 9 0 1700000000000" BOARD("2", "closed", "2", "4") ROWS);
    cr_expect_str_eq(
        take(&ann->sent),
        "42[\"quiz:board\",{\"quizId\":\"old\",\"seq\":4,\"since\":3,\"total\":2,\"rows\":[{"
        "\"rank\":2,\"userId\":1,\"seatNumber\":1,\"score\":0,\"totalTimeMs\":0,"
        "\"questionsAnswered\":1,\"finished\":false}],\"gone\":[9],\"serverNow\":"
        "\"2023-11-14T22:13:20.000Z\"}]\n");
    cr_expect(strstr(take(&rig.cluster), "quiz:board"));
    cr_expect_str_eq(take(&jobs), "done\n");
    cr_expect_eq(fake.calls_count, 0, "no question has closed: nobody's place is asked for");
    is_due();
    answer_words(OK, "ok 0 01 - 1 1700000000000" BOARD("2", "closed", "2", "5") ROWS);
    cr_expect(
        strstr(take(&bob->sent), "42[\"leaderboardUpdate\",{\"quizId\":\"old\",\"leaderboard\":"));
    cr_expect(strstr(take(&fake.mail), "abcd quiz ranks old\n"), "the other nodes do the same");
    cr_expect(strstr(take(&fake.scripts), "ingoma:{quiz:old}:game 0 102   \n"), "from the top");
    ann->sent.n = 0;
    answer_words(OK, "ok" BOARD("2", "closed", "2", "5") ROWS);
    cr_expect(strstr(take(&ann->sent), "],\"me\":{\"rank\":2,\"userId\":1,"));
    cr_expect(strstr(take(&bob->sent), "42[\"quiz:rank\",{\"quizId\":\"old\",\"seq\":5,\"total\":2,"
                                       "\"around\":[{\"rank\":1,"));
    cr_expect_eq(fake.calls_count, 0);
}

Test(quiz_board, looks_places_up_where_few_of_the_players_are_here)
{
    events_on_message(fake.events, STR("abcd"), STR("quiz ranks old"));
    fake.scripts.n = 0;
    answer_words(OK, "ok" BOARD("11", "closed", "2", "5") ROWS);
    cr_expect_str_eq(take(&ann->sent), "");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{quiz:old}:game 1 2\n", "both in one step");
    answer_words(OK, "ok" BOARD("11", "closed", "0", "5") " 2" ROWS
                                                          " 1" ROW("2", "-134217727990", "1"));
    cr_expect(strstr(take(&ann->sent), "],\"me\":{\"rank\":2,\"userId\":1,"));
    cr_expect(strstr(take(&bob->sent), "\"seq\":5,\"total\":11,\"around\":[{\"rank\":1,"));
    cr_expect_eq(fake.calls_count, 0);
}

Test(quiz_board, puts_off_what_comes_too_early_and_ends_every_job)
{
    static const struct {
        int rc;
        const char *words, *want;
    } rows[] = {{OK, "ok 200", "again 200\n"},
                {OK, "ok -1", "done\n"},
                {OK, "no not_found gone", "done\n"},
                {OK, "ok 0 1 - 0 1", "done\n"}, /* makes no sense */
                {ERR_TIMEOUT, "", "again 1000\n"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        is_due();
        answer_words(rows[i].rc, rows[i].words);
        cr_expect_str_eq(take(&jobs), rows[i].want, "row %zu", i);
    }
    job_runs = 2;
    fake.scripts.n = 0;
    is_due();
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{quiz:old}:game 20 1\n", "the first teller died");
    answer_words(OK, "ok -1");
    job_runs = 1;
}

Test(quiz_board, a_newer_round_through_the_places_stops_the_older_one)
{
    events_on_message(fake.events, STR("abcd"), STR("quiz ranks old"));
    events_on_message(fake.events, STR("abcd"), STR("quiz ranks old"));
    events_on_message(fake.events, STR("abcd"), STR("quiz ranks other"));
    cr_expect_eq(fake.calls_count, 2);
    free_session(bob);
    bob = fake_client(NULL);
    fake.calls_count = 2; /* without what the leaving asked */
    answer_words(OK, "ok" BOARD("200", "closed", "1", "5") ROW("1", "0", "1"));
    fake.calls_count = 1; /* it goes on with places looked up: outrun, it does not */
    answer_words(OK, "ok" BOARD("1", "closed", "1", "6") ROW("1", "0", "1"));
    cr_expect_eq(fake.calls_count, 0);
    cr_expect(strstr(take(&ann->sent), "\"seq\":6"));
}

Test(quiz_board, questions_are_loaded_again_when_the_game_is_over)
{
    events_on_message(fake.events, STR("abcd"), STR("quiz over old"));
    say(ann, "21[\"submitAnswer\",{\"quizId\":\"old\",\"questionId\":7,\"answer\":1}]");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{quiz:old}:game\n");
    answer_words(OK, "ok [{\"type\":\"trueFalse\",\"text\":\"t\",\"correct\":true}]");
    cr_expect(strstr(take(&ann->sent), "no such question"), "they are those of the new game");
    events_on_message(fake.events, STR("abcd"), STR("quiz over old"));
    say(ann, "22[\"submitAnswer\",{\"quizId\":\"old\",\"questionId\":0,\"answer\":true}]");
    answer_words(OK, "ok -");
    cr_expect(strstr(take(&fake.scripts), " x0 true 0 "), "nobody knows the questions any more");
    answer_words(ERR_TIMEOUT, "");
}
