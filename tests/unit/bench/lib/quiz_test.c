/* What the quiz scenario makes of packets, and when it answers. */
#include <criterion/criterion.h>
#include "bench/lib/load.h"

Test(quiz, knows_what_a_packet_is)
{
    static const struct {
        const char *packet;
        enum quiz_packet want;
    } rows[] = {
        {"431[{\"ok\":true,\"accepted\":true}]", QUIZ_OK},
        {"431[{\"ok\":false,\"code\":\"closed\"}]", QUIZ_REFUSED},
        {"4312[{\"ok\":true}]", QUIZ_OTHER},
        {"42[\"quiz:state\",{\"quizId\":\"q\",\"phase\":\"open\",\"seq\":2}]", QUIZ_OPENED},
        {"42[\"quiz:state\",{\"quizId\":\"q\",\"phase\":\"closed\",\"seq\":3}]", QUIZ_OTHER},
        {"42[\"quiz:board\",{\"quizId\":\"q\"}]", QUIZ_BOARD},
        {"42[\"quiz:rank\",{\"quizId\":\"q\"}]", QUIZ_RANK},
        {"42[\"leaderboardUpdate\",{\"quizId\":\"q\"}]", QUIZ_OTHER},
        {"42", QUIZ_OTHER},
        {"", QUIZ_OTHER},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(quiz_packet_of(str_z(rows[i].packet)), rows[i].want, "row %zu", i);
}

Test(quiz, spreads_the_answers_evenly)
{
    cr_expect_eq(quiz_planned_us(0, 10000, 2000000), 0);
    cr_expect_eq(quiz_planned_us(5000, 10000, 2000000), 1000000);
    cr_expect_eq(quiz_planned_us(9999, 10000, 2000000), 1999800);
    cr_expect_eq(quiz_planned_us(0, 1, 2000000), 0);
}
