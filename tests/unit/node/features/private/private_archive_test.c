#include "tests/unit/support/private_rig.inc"

TestSuite(private_archive, .init = up_archived, .fini = private_down);
TestSuite(private_archive_off, .init = up, .fini = private_down);

static void run_job(void)
{
    static char job;

    jobs.due.conf.on_due(jobs.due.conf.ctx, STR("id"), STR("u1:u7"),
                         (struct due_job *)(void *)&job);
}

Test(private_archive, goes_through_the_log_batch_by_batch_and_moves_the_cursor_behind_each)
{
    run_job();
    cr_expect_str_eq(asked(), "ingoma:{conv:u1:u7}:log  100 1048576 1000 2592000 10\n");
    REPLY("0", "1700000000500", "4", "1700000000000", "u1", "0", "msg_4", "{\"n\":4}", "5",
          "1700000000100", "u7", "1", "msg_5", "{\"n\":5}");
    cr_expect_str_eq(take(&ark.log), "append u1:u7 u1 u7: 4 u1 0 msg_4 {\"n\":4},"
                                     " 5 u7 1 msg_5 {\"n\":5},\n");
    cr_expect_str_eq(asked(), "", "the cursor does not move before");
    appended(OK);
    cr_expect_str_eq(asked(), "ingoma:{conv:u1:u7}:log 5 100 1048576 1000 2592000 10\n");
    REPLY("0", "1700000001000", "6", "1700000000600", "u1", "0", "msg_6", "{}");
    cr_expect_eq(metric_sum_us(M_ARCHIVE_LAG_SECONDS), 1000000, "of the oldest");
    appended(OK);
    cr_expect_str_eq(asked(), "ingoma:{conv:u1:u7}:log 6 100 1048576 1000 2592000 10\n");
    cr_expect_str_eq(take(&jobs.log), "");
    REPLY("0", "1700000002000");
    cr_expect_str_eq(take(&jobs.log), "done\n");
}

Test(private_archive, runs_again_when_something_fails_and_tells_redis_nothing)
{
    static const int rcs[] = {ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_INTERNAL, ERR_TOO_BIG};

    for (size_t i = 0; i < sizeof rcs / sizeof rcs[0]; i++) {
        run_job();
        REPLY("0", "9", "4", "8", "u1", "0", "msg_4", "{}");
        (void)asked();
        appended(rcs[i]);
        cr_expect_str_eq(take(&jobs.log), "again later\n", "row %zu", i);
        cr_expect_str_eq(asked(), "");
    }
    run_job();
    answer_call(ERR_UNAVAILABLE, NULL, 0);
    cr_expect_str_eq(take(&jobs.log), "again later\n");
    run_job();
    REPLY("0", "9", "4", "8", "u1", "0");
    cr_expect_str_eq(take(&jobs.log), "again later\n", "an answer that is torn");
    run_job();
    REPLY("0", "9", "x", "8", "u1", "0", "msg_4", "{}");
    cr_expect_str_eq(take(&jobs.log), "again later\n", "a seq that is none");
}

Test(private_archive, reads_little_while_it_is_away)
{
    ark.is_away = true;
    run_job();
    cr_expect_str_eq(asked(), "ingoma:{conv:u1:u7}:log  1 1048576 1000 2592000 10\n");
    REPLY("0", "9");
}

Test(private_archive, counts_what_was_lost_and_what_waits)
{
    run_job();
    REPLY("7", "1700000000500");
    cr_expect_eq(metric_get(M_ARCHIVE_LOST), 7);
    rig_wait(10000);
    cr_assert_not_null(jobs.counted);
    jobs.counted(NULL, OK, 12);
    cr_expect_eq(metric_get(M_ARCHIVE_WAITING), 12);
}

Test(private_archive, leaves_its_jobs_to_the_others_when_it_ends)
{
    run_job();
    REPLY("0", "9", "4", "8", "u1", "0", "msg_4", "{}");
    run_job();
    events_detach(fake.events);
    appended(OK);
    cr_expect_str_eq(take(&jobs.log), "close\nagain\n", "the appended one");
    answer_call(OK, NULL, 0);
    cr_expect_str_eq(take(&jobs.log), "again\n", "and the one that asked Redis");
}

Test(private_archive_off, asks_for_nothing)
{
    struct eio_session *ann = client(ANN);

    say(ann, "21[\"privateMessage\",{\"recipientId\":\"u7\",\"message\":\"hi\"}]");
    REPLY("3", "msg_1_a", TIME, "0", "0", "3", "1", "0", "msg_1_a", "{}");
    cr_expect_str_eq(take(&jobs.log), "");
    cr_expect_null(jobs.due.conf.on_due);
    free_session(ann);
}
