#include "node/features/quiz/quiz_say.h"

#include "tests/unit/support/one_question.inc"

TestSuite(quiz_say, .init = up, .fini = down);

Test(quiz_say, shows_a_question_without_its_key_until_it_is_closed)
{
    static const struct {
        const char *phase;
        bool has_key, has_times;
    } rows[] = {{"open", false, true},
                {"paused", false, false},
                {"closed", true, false},
                {"ended", true, false}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct quiz_view v = {.phase = str_z(rows[i].phase),
                              .picks = STR("1,2,0"),
                              .seq = 3,
                              .count = 1,
                              .starts_ms = 1700000000000,
                              .ends_ms = 1700000020000,
                              .now_ms = 1700000005000,
                              .left_ms = 15000,
                              .answered = 3,
                              .right = 2,
                              .elapsed_ms = 300};

        out.n = 0;
        quiz_say_view(&v, q, &out);
        cr_expect_eq(says("\"correct\":1"), rows[i].has_key, "%s", rows[i].phase);
        cr_expect_eq(
            says("\"stats\":{\"answered\":3,\"right\":2,\"rightShare\":0.667,\"averageMs\":100,"
                 "\"options\":[1,2]}"),
            rows[i].has_key, "%s", rows[i].phase);
        cr_expect_eq(says("\"endsAt\":\"2023-11-14T22:13:40.000Z\""), rows[i].has_times, "%s",
                     rows[i].phase);
        cr_expect_eq(says("\"remainingMs\":15000"), !rows[i].has_key, "%s", rows[i].phase);
    }
}

Test(quiz_say, knows_the_words_of_old_clients)
{
    static const char *const rows[][2] = {{"", "waiting"},      {"lobby", "waiting"},
                                          {"open", "active"},   {"paused", "active"},
                                          {"closed", "active"}, {"ended", "completed"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct quiz_view v = {.phase = str_z(rows[i][0])};

        cr_expect_str_eq(quiz_say_status(&v), rows[i][1]);
    }
}

#define ROW(seat, place, rank, who) STR(seat), STR(place), STR(rank), STR("1"), STR(who)

static const struct str words[] = {
    STR("2"),
    STR("7"),
    STR("1"),
    STR("ended"),
    STR("0"),
    STR("2"),
    STR("4"),
    ROW("2", "-134217727990", "1", "{\"userId\":\"u2\",\"userName\":\"=1+1\"}"),
    ROW("1", "0", "2", "{}"),
    STR("2"),
    STR("1"),
    STR("30"),
    STR("1,1,0"),
    STR("1700000000000|10|1000|1000|1|1"),
    STR("1700000000001|20|0|0|0|0")};

Test(quiz_say, writes_rows_of_a_board)
{
    struct quiz_board b;

    cr_assert(quiz_say_read_board(words, 17, &b));
    quiz_say_rows(&b, 0, 2, &out);
    cr_expect(str_eq(sb_view(&out),
                     STR("[{\"rank\":1,\"userId\":\"u2\",\"userName\":\"=1+1\",\"seatNumber\":2,"
                         "\"score\":1000,\"totalTimeMs\":10,\"questionsAnswered\":1,\"finished\":"
                         "true},{\"rank\":2,\"seatNumber\":1,\"score\":0,\"totalTimeMs\":0,"
                         "\"questionsAnswered\":1,\"finished\":true}]")),
              STR_FMT, STR_ARG(sb_view(&out)));
    cr_expect_not(quiz_say_read_board(words, 6, &b));
    cr_expect_not(quiz_say_read_board(words, 7, &b), "fewer rows than it says");
}

Test(quiz_say, writes_changed_rows_alone_and_those_around_one)
{
    struct quiz_board b;

    cr_assert(quiz_say_read_board(words, 17, &b));
    quiz_say_changes(&b, STR("01"), STR("7,9"), &out);
    cr_expect(
        str_starts(sb_view(&out), STR("\"seq\":4,\"since\":3,\"total\":2,\"rows\":[{\"rank\":2,"
                                      "\"seatNumber\":1,")),
        STR_FMT, STR_ARG(sb_view(&out)));
    cr_expect(says("}],\"gone\":[7,9]"));
    cr_expect_not(says("u2"));
    out.n = 0;
    quiz_say_around(&b, 0, 1, &out);
    cr_expect(says(",\"around\":[{\"rank\":1,"));
    cr_expect(says("],\"me\":{\"rank\":2,\"seatNumber\":1,"));
    out.n = 0;
    quiz_say_around(&b, 1, 2, &out);
    cr_expect_not(says("\"me\""), "not among these rows");
}
