#include "tests/unit/support/fake_quiz.inc"

#include "base/order.h"

#define GAME                                                                                       \
    "{\"quizId\":\"m\",\"questions\":[{\"type\":\"trueFalse\",\"text\":\"t\",\"correct\":true}]}"
#define QUESTIONS "[{\"type\":\"trueFalse\",\"text\":\"t\",\"correct\":true}]"

static struct sb answers; /* "status type body\n" */
static struct sb headers;

static void on_answer(void *to, const struct order_reply *r)
{
    (void)to;
    sb_printf(&answers, "%d " STR_FMT "\n", r->status, STR_ARG(r->body));
    headers.n = 0;
    sb_str(&headers, r->headers);
}

static void up(void)
{
    quiz_up();
    fake.living = "node";
}

static void down(void)
{
    quiz_down();
    sb_fini(&answers);
    sb_fini(&headers);
}

TestSuite(quiz_order, .init = up, .fini = down);

static void order(bool is_post, const char *path, const char *query, const char *body)
{
    const struct order o = {.is_post = is_post,
                            .path = str_z(path),
                            .query = str_z(query),
                            .body = str_z(body),
                            .ticket = {on_answer, NULL}};

    events_order(fake.events, &o);
}

Test(quiz_order, makes_a_game)
{
    order(true, "/quiz", "", GAME);
    answer_words(OK, "ok m");
    answer_words(OK, "ok" VIEW("lobby", "1", "-1"));
    cr_expect(str_starts(sb_view(&answers), STR("200 {\"ok\":true,\"quizId\":\"m\",\"pin\":\"")));
    cr_expect(strstr(take(&answers), ",\"hostKey\":\""));
}

Test(quiz_order, refuses_with_a_status_a_sentence_and_a_code)
{
    static const struct {
        bool is_post;
        const char *path, *query, *body, *want;
    } rows[] = {
        {true, "/quiz", "", "",
         "400 {\"error\":\"malformed data for this protocol\",\"code\":\"bad_request\"}\n"},
        {true, "/quiz", "", "{}",
         "400 {\"error\":\"questions: missing\",\"code\":\"invalid_payload\"}\n"},
        {true, "/quiz", "", "{\"questions\":[{\"type\":\"single\"}]}",
         "400 {\"error\":\"questions[0].text: missing or not as it must "
         "be\",\"code\":\"invalid_payload\"}\n"},
        {false, "/quiz", "", "", "404 {\"error\":\"no such path\",\"code\":\"not_found\"}\n"},
        {true, "/quiz/m", "", "", "404 {\"error\":\"no such path\",\"code\":\"not_found\"}\n"},
        {true, "/quiz/m/tick", "", "", "404 {\"error\":\"no such path\",\"code\":\"not_found\"}\n"},
        {false, "/quiz/m/end", "", "", "404 {\"error\":\"no such path\",\"code\":\"not_found\"}\n"},
        {true, "/quiz/m/results", "", "",
         "404 {\"error\":\"no such path\",\"code\":\"not_found\"}\n"},
        {false, "/quiz//results", "", "",
         "404 {\"error\":\"there is no such game\",\"code\":\"not_found\"}\n"},
        {false, "/quiz/%ff", "", "",
         "404 {\"error\":\"there is no such game\",\"code\":\"not_found\"}\n"},
        {true, "/quiz/m/kick", "", "",
         "400 {\"error\":\"ms, seat, seq: whole numbers; extend needs ms, kick "
         "seat\",\"code\":\"invalid_payload\"}\n"},
        {true, "/quiz/m/extend", "ms=-1", "",
         "400 {\"error\":\"ms, seat, seq: whole numbers; extend needs ms, kick "
         "seat\",\"code\":\"invalid_payload\"}\n"},
        {false, "/quiz/m/results", "from=x", "",
         "400 {\"error\":\"from: must be a whole number\",\"code\":\"invalid_payload\"}\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        order(rows[i].is_post, rows[i].path, rows[i].query, rows[i].body);
        cr_expect_str_eq(take(&answers), rows[i].want, "row %zu", i);
    }
    cr_expect_eq(fake.calls_count, 0);
    order(true, "/quiz/m/end", "", "");
    answer_words(OK, "ok -");
    answer_words(OK, "no not_found gone");
    cr_expect_str_eq(take(&answers), "404 {\"error\":\"gone\",\"code\":\"not_found\"}\n");
    order(true, "/quiz/m/end", "", "");
    answer_words(ERR_TIMEOUT, "");
    cr_expect_str_eq(take(&answers),
                     "503 {\"error\":\"no answer in time\",\"code\":\"timeout\"}\n");
}

Test(quiz_order, presses_the_buttons_and_tells_how_it_stands)
{
    order(true, "/quiz/a%20b/extend", "ms=500", "");
    answer_words(OK, "ok -");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{quiz:a b}:game\n"
                                          "ingoma:{quiz:a b}:game  extend 500 0 \n");
    answer_words(OK, "ok extend 5250 -" VIEW("open", "2", "0"));
    cr_expect(strstr(take(&answers),
                     "200 {\"ok\":true,\"quizId\":\"a b\",\"players\":1,\"pin\":\"1234567890\","
                     "\"phase\":\"open\","));
    order(false, "/quiz/m", "", "");
    answer_words(OK, "ok " QUESTIONS);
    cr_expect(strstr(take(&fake.scripts), "ingoma:{quiz:m}:game  watch 0 0 \n"));
    answer_words(OK, "ok - - -" VIEW("open", "2", "0"));
    cr_expect_null(strstr(sb_view(&answers).p, "\"correct\""), "the key is told to nobody");
    cr_expect(strstr(take(&answers), "\"question\":{\"id\":\"q1\""));
}

#define ROW(seat) " " seat " 0 1 1 {\"userName\":\"=1\"}"
#define BOARD(total, seq, here) "ok " total " " seq " 1 ended 0 " here " 4"
#define FIGURES " 1 1 30 0,1"
#define ANSWER " 1700000000000|30|500|1000|1|true"

Test(quiz_order, gathers_the_pages_of_the_results)
{
    order(false, "/quiz/m/results", "", "");
    answer_words(OK, "ok " QUESTIONS);
    cr_expect(strstr(take(&fake.scripts), "ingoma:{quiz:m}:game 0 100  1 1\n"));
    answer_words(OK, BOARD("2", "9", "1") ROW("1") FIGURES ANSWER);
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{quiz:m}:game 1 100  1 1\n");
    answer_words(OK, BOARD("2", "9", "1") ROW("2") FIGURES " -");
    cr_expect(str_starts(sb_view(&answers),
                         STR("200 {\"ok\":true,\"quizId\":\"m\",\"total\":2,\"from\":0,\"seq\":9,"
                             "\"isOver\":true,\"questions\":[{\"id\":\"q1\",")),
              STR_FMT, STR_ARG(sb_view(&answers)));
    cr_expect(strstr(
        take(&answers),
        "\"answer\":true}]},{\"rank\":1,\"userName\":\"=1\",\"seatNumber\":2,\"score\":0,"
        "\"totalTimeMs\":0,\"questionsAnswered\":1,\"finished\":true,\"answers\":[null]}]}\n"));
    cr_expect(str_starts(sb_view(&headers), STR("Repr-Digest: sha-256=:")));
    order(false, "/quiz/m/results.csv", "", "");
    answer_words(OK, "ok " QUESTIONS);
    answer_words(OK, BOARD("2", "9", "1") ROW("1") FIGURES ANSWER);
    answer_words(OK, BOARD("2", "9", "1") ROW("2") FIGURES " -");
    cr_expect_str_eq(
        take(&answers),
        "200 rank,seat,userId,userName,score,totalTimeMs,answered,q1 answer,q1 points,q1 ms\r\n"
        "1,1,\"\",\"'=1\",0,0,1,\"true\",500,30\r\n1,2,\"\",\"'=1\",0,0,1,\"\",,\r\n\n");
    order(false, "/quiz/m/questions.csv", "", "");
    answer_words(OK, "ok " QUESTIONS);
    answer_words(OK, BOARD("2", "9", "1") ROW("1") FIGURES ANSWER);
    cr_expect(strstr(take(&answers),
                     "\r\n1,\"q1\",\"trueFalse\",\"t\",\"true\",1,1,1.000,30,\"0 1\"\r\n"));
}

Test(quiz_order, does_not_mix_two_states_of_a_game)
{
    order(false, "/quiz/m/results", "", "");
    answer_words(OK, "ok " QUESTIONS);
    answer_words(OK, BOARD("2", "9", "1") ROW("1") FIGURES ANSWER);
    answer_words(OK, BOARD("2", "10", "1") ROW("2") FIGURES ANSWER);
    cr_expect_str_eq(
        take(&answers),
        "409 {\"error\":\"the game has moved on meanwhile, ask again\",\"code\":\"closed\"}\n");
    order(false, "/quiz/m/results", "", "");
    answer_words(OK, "ok " QUESTIONS);
    answer_words(OK, BOARD("2", "9", "1") ROW("1"));
    cr_expect(strstr(take(&answers), "500 "), "a reply that makes no sense");
    order(false, "/quiz/old/results", "", "");
    answer_words(OK, "ok -");
    cr_expect(strstr(take(&answers), "404 "), "nobody knows its questions");
}

Test(quiz_order, is_answered_when_the_feature_closes)
{
    order(false, "/quiz/m", "", "");
    events_detach(fake.events);
    answer_words(OK, "ok -");
    cr_expect(str_starts(sb_view(&answers), STR("503 ")));
}
