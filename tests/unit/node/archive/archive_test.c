#include "tests/unit/support/archive_rig.inc"

#include <signal.h>
#include "base/mem.h"

TestSuite(archive, .fini = ar_down, .timeout = 120);

static const struct archive_message one = {
    .seq = 1, .from = STR("u1"), .id = STR("msg_1"), .event = STR("{}")};

Test(archive, is_off_without_a_uri)
{
    char none[] = "";
    char *why = NULL;

    cr_expect_eq(ar_open(none, &why), OK);
    cr_expect_not(archive_is_on(ar.archive));
    cr_expect_not(archive_is_up(ar.archive));
    cr_expect_not(archive_is_on(NULL));
}

Test(archive, a_uri_that_is_none_ends_the_start_with_a_sentence)
{
    char uri[] = "mongo://nowhere";
    char *why = NULL;

    cr_expect_eq(ar_open(uri, &why), ERR_CONFIG);
    cr_expect(strstr(why, "MONGODB_URI: ") == why, "%s", why);
    mem_free(why);
}

Test(archive, away_at_the_start_it_refuses_at_once_but_not_within_the_call)
{
    char uri[] = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50";
    const struct archive_query q = ar_query(1, 9, 5);
    char *why = NULL;

    cr_assert_eq(ar_open(uri, &why), OK, "the program starts");
    cr_expect(archive_is_on(ar.archive));
    cr_expect_not(archive_is_up(ar.archive));
    ar_send(&one, 1);
    archive_read(ar.archive, &q, ar_read, NULL);
    cr_expect_eq(ar.answers, 0);
    ar_await(&ar.answers, 2);
    cr_expect_eq(ar.rc, ERR_UNAVAILABLE);
    cr_expect_eq(metric_get(M_ARCHIVE_FAILURES), 2);
    cr_expect_eq(metric_get(M_ARCHIVE_UP), 0);
}

Test(archive, what_is_open_at_the_end_is_told_so)
{
    ar_up();
    for (int i = 0; i < 50; i++)
        ar_send(&one, 1);
    archive_close(ar.archive);
    ar.archive = NULL;
    cr_expect_eq(ar.answers, 50, "each was answered, within the call");
    cr_expect_eq(ar.rc, ERR_CLOSED);
}

Test(archive, more_calls_than_may_wait_are_refused)
{
    ar_up();
    for (int i = 0; i < 200; i++)
        ar_send(&one, 1);
    ar_await(&ar.answers, 200);
    cr_expect_gt(metric_get(M_ARCHIVE_FAILURES), 0);
    cr_expect(archive_is_up(ar.archive), "busy, not away");
}

/* ---- a server that goes ---- */

static struct mongo_fixture server;

static void await_up(void)
{
    while (!archive_is_up(ar.archive))
        loop_turn(ar.loop, true);
}

/* However slow the machine is: what is appended twice is there once. */
static void append_again_until_it_is_there(uint64_t seq)
{
    char id[32];
    struct archive_message m;

    (void)snprintf(id, sizeof id, "msg_%llu", (unsigned long long)seq);
    m = ar_message(seq, id, "{}");
    do
        await_up();
    while (ar_append(&m, 1) != OK);
}

Test(archive, comes_back_by_itself_and_has_what_it_acknowledged)
{
    struct archive_query q = ar_query(1, 9, 5);
    char uri[160];
    char *why = NULL;

    if (!mongo_fixture_open(&server))
        cr_skip_test("no MongoDB-wire server: %s", mongo_fixture_why());
    (void)snprintf(uri, sizeof uri, "%s?serverSelectionTimeoutMS=1000", server.uri);
    cr_assert_eq(ar_open(uri, &why), OK);
    append_again_until_it_is_there(1);
    append_again_until_it_is_there(2);
    mongo_fixture_kill(&server);
    while (archive_is_up(ar.archive))
        cr_expect_neq(ar_append(&one, 1), OK);
    mongo_fixture_start(&server);
    append_again_until_it_is_there(3);
    cr_expect_str_eq(ar_page(&q), "1 {}\n2 {}\n3 {}\n");
    ar_down();
    memset(&ar, 0, sizeof ar);
    mongo_fixture_close(&server);
}

/* Stopped, not dead: connections stand, nothing comes. The library alone would wait ten minutes. */
Test(archive, a_server_that_hangs_costs_a_call_its_deadline_and_no_more)
{
    char uri[160];
    char *why = NULL;

    if (!mongo_fixture_open(&server))
        cr_skip_test("no MongoDB-wire server: %s", mongo_fixture_why());
    (void)snprintf(uri, sizeof uri, "%s?socketTimeoutMS=600000", server.uri);
    ar.conf.store_timeout_ms = 1000;
    cr_assert_eq(ar_open(uri, &why), OK);
    append_again_until_it_is_there(1);
    kill(server.pid, SIGSTOP);
    cr_expect_neq(ar_append(&one, 1), OK);
    kill(server.pid, SIGCONT);
    append_again_until_it_is_there(2);
    ar_down();
    memset(&ar, 0, sizeof ar);
    mongo_fixture_close(&server);
}
