#include "node/features/quiz/quiz_export.h"

#include "tests/unit/support/one_question.inc"

TestSuite(quiz_export, .init = up, .fini = down);

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

Test(quiz_export, exports_json_and_csv_that_no_spreadsheet_takes_for_formulas)
{
    quiz_export_ack(words, 23, q, false, 0, &out);
    cr_expect(says("\"total\":2,\"from\":0,\"rows\":["));
    cr_expect(says("\"stats\":{\"answered\":2,\"right\":1,\"rightShare\":0.500,\"averageMs\":15,"
                   "\"options\":[1,1]}"));
    cr_expect(says("\"answers\":[{\"seatNumber\":2,\"receivedAt\":1700000000000,\"elapsedMs\":10,"
                   "\"points\":1000,\"share\":1000,\"answer\":1},"));
    out.n = 0;
    quiz_export_ack(words, 23, q, true, 0, &out);
    cr_expect(says("1,2,\\\"u2\\\",\\\"'=1+1\\\",1000,10,1,\\\"1\\\",1000,10\\r\\n"), STR_FMT,
              STR_ARG(sb_view(&out)));
    out.n = 0;
    quiz_export_ack(words, 22, q, true, 0, &out);
    cr_expect_eq(out.n, 0, "a reply that makes no sense");
}

Test(quiz_export, lists_players_with_their_answers_and_questions_with_their_figures)
{
    struct quiz_page p;

    cr_assert(quiz_export_read(words, 23, &p));
    quiz_export_rows(&p, false, &out);
    cr_expect(str_starts(sb_view(&out), STR(",{\"rank\":1,")));
    cr_expect(says("\"finished\":true,\"answers\":[{\"receivedAt\":1700000000001,\"elapsedMs\":20,"
                   "\"points\":0,\"share\":0,\"answer\":0}]}"));
    out.n = 0;
    quiz_export_questions(&p, q, &out);
    cr_expect(says("\"correct\":1,\"stats\":{\"answered\":2,\"right\":1,"));
    out.n = 0;
    quiz_export_questions_csv(&p, q, &out);
    cr_expect(says("\r\n1,\"q1\",\"single\",\"a\",\"1\",2,1,0.500,15,\"1 1\"\r\n"), STR_FMT,
              STR_ARG(sb_view(&out)));
}
