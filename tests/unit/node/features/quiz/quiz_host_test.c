#include "tests/unit/support/fake_quiz.inc"

#define CREATE                                                                                     \
    "21[\"quiz:create\",{\"quizId\":\"m\",\"questions\":[{\"type\":\"trueFalse\",\"text\":\"t\","  \
    "\"correct\":true,\"timeLimitMs\":5000}],\"leadMs\":0}]"
#define CONTROL(action)                                                                            \
    "22[\"quiz:control\",{\"quizId\":\"m\",\"hostKey\":\"AAAAAAAAAAAAAAAAAAAAAA\","                \
    "\"action\":\"" action "\"}]"

static char adapter;

static void up(void)
{
    quiz_up();
    sio_attach_adapter(rig.sio, (struct adapter *)(void *)&adapter); /* casts are seen there */
}

TestSuite(quiz_host, .init = up, .fini = quiz_down);

Test(quiz_host, makes_a_game_with_another_pin_when_one_is_taken)
{
    struct eio_session *host = fake_client("\"id\":\"h\"");

    say(host, CREATE);
    cr_expect(str_starts(sb_view(&fake.scripts), STR("ingoma:{quizpin:")));
    answer_words(OK, "no limit_reached taken");
    fake.scripts.n = 0;
    answer_words(OK, "ok m");
    cr_expect(str_contains(sb_view(&fake.scripts), STR(" 1 allow first 0 0 20000 5000\n")), STR_FMT,
              STR_ARG(sb_view(&fake.scripts)));
    answer_words(OK, "ok" VIEW("lobby", "1", "-1"));
    cr_expect(str_starts(sb_view(&host->sent), STR("431[{\"ok\":true,\"quizId\":\"m\",\"pin\":")),
              STR_FMT, STR_ARG(sb_view(&host->sent)));
    free_session(host);
}

Test(quiz_host, refuses_guests_and_questions_that_make_no_sense)
{
    struct eio_session *guest = fake_client(NULL), *host = fake_client("\"id\":\"h\"");

    say(guest, CREATE);
    cr_expect(str_contains(sb_view(&guest->sent), STR("forbidden")));
    say(host, "21[\"quiz:create\",{\"questions\":[{\"type\":\"single\"}]}]");
    cr_expect(str_contains(sb_view(&host->sent), STR("questions[0].text")));
    say(host, CONTROL("extend"));
    cr_expect(str_contains(sb_view(&host->sent), STR("ms: missing")));
    say(host, CONTROL("kick"));
    cr_expect(str_contains(sb_view(&host->sent), STR("seat: missing")));
    cr_expect_eq(fake.calls_count, 0);
    free_session(guest);
    free_session(host);
}

Test(quiz_host, sets_the_clock_and_tells_what_was_done)
{
    struct eio_session *host = fake_client("\"id\":\"h\"");

    say(host, CONTROL("start"));
    answer_words(OK, "ok -");
    fake.scripts.n = rig.cluster.n = 0;
    answer_words(OK, "ok start 5250 -" VIEW("open", "2", "0"));
    cr_expect_str_eq(take(&jobs), "put m 5250\n");
    cr_expect(str_contains(sb_view(&rig.cluster), STR("quiz:state")));
    cr_expect(str_contains(sb_view(&host->sent), STR("432[{\"ok\":true,\"quizId\":\"m\"")));
    free_session(host);
}

static char job;

Test(quiz_host, ends_every_job_of_the_clock)
{
    static const struct {
        int rc;
        const char *words, *want;
        bool is_told;
        unsigned runs;
    } rows[] = {
        {OK, "ok close - -" VIEW("paused", "3", "0"), "done\n", true, 1},
        {OK, "ok - 700 -" VIEW("open", "3", "0"), "again 700\n", false, 1},
        {OK, "ok - - -" VIEW("open", "3", "0"), "done\n", true, 2}, /* the first teller died */
        {OK, "no not_found gone", "done\n", false, 1},
        {ERR_UNAVAILABLE, "", "again 1000\n", false, 1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig.cluster.n = 0;
        job_runs = rows[i].runs;
        the_due.conf.on_due(the_due.conf.ctx, STR("m"), STR(""), (struct due_job *)(void *)&job);
        cr_expect_eq(fake.calls_count, 1);
        answer_words(OK, "ok -");
        answer_words(rows[i].rc, rows[i].words);
        cr_expect_str_eq(take(&jobs), rows[i].want, "row %zu", i);
        cr_expect_eq(str_contains(sb_view(&rig.cluster), STR("quiz:state")), rows[i].is_told,
                     "row %zu", i);
    }
}
