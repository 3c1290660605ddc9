#include "tests/unit/support/fake_guard.inc"

#include "node/guard/denied.h"

#define NOW_S "1700000000"

static struct denied *d;
static unsigned news;

static void on_new(void *ctx)
{
    cr_expect_eq(ctx, &news);
    news++;
}

static void on_done(void *ctx, int rc)
{
    *(int *)ctx = rc;
}

static void up(void)
{
    guard_up();
    news = 0;
    d = denied_new(guard.loop, &guard.conf, on_new, &news);
    denied_attach(d, guard_adapter());
}

static void down(void)
{
    if (d) denied_attach(d, NULL);
    if (d) denied_free(d);
    guard_down();
}

TestSuite(denied, .init = up, .fini = down);

static uint64_t user(const char *id, uint64_t issued_s)
{
    return denied_left_ms(d, DENIED_USER, str_z(id), issued_s);
}

Test(denied, takes_effect_here_at_once_and_tells_the_others)
{
    int rc = 1;

    cr_assert_eq(denied_add(d, DENIED_USER, STR("u7"), 60, on_done, &rc), OK);
    cr_expect_eq(user("u7", 0), 60000);
    cr_expect_eq(news, 1);
    cr_expect_str_eq(guard_take(&guard.scripts), "denied_add uu7 60\n");
    cr_expect_eq(guard.said, 0, "not before Redis has it");
    guard_answer(OK, NOW_S "123", "1700000060", NULL);
    cr_expect_eq(guard.said, 1);
    cr_expect_eq(rc, OK);
    cr_expect_eq(user("u8", 0), 0);
    cr_expect_eq(denied_left_ms(d, DENIED_JTI, STR("u7"), 0), 0, "another kind");
}

Test(denied, spares_tokens_that_were_issued_later)
{
    cr_assert_eq(denied_add(d, DENIED_USER, STR("u7"), 60, NULL, NULL), OK);
    cr_expect_gt(user("u7", 1699999999), 0);
    cr_expect_gt(user("u7", 1700000000), 0, "the same second");
    cr_expect_eq(user("u7", 1700000001), 0);
    cr_expect_gt(user("u7", 0), 0, "nobody knows when");
    cr_assert_eq(denied_add(d, DENIED_BAN_USER, STR("u7"), 60, NULL, NULL), OK);
    cr_expect_gt(denied_left_ms(d, DENIED_BAN_USER, STR("u7"), 1700000001), 0, "a ban has no iat");
}

Test(denied, ends)
{
    cr_assert_eq(denied_add(d, DENIED_JTI, STR("t"), 60, NULL, NULL), OK);
    guard_answer(OK, NOW_S "000", "1700000060", NULL);
    clock_advance(59999);
    cr_expect_eq(denied_left_ms(d, DENIED_JTI, STR("t"), 0), 1);
    clock_advance(1);
    cr_expect_eq(denied_left_ms(d, DENIED_JTI, STR("t"), 0), 0);
    guard_wait(61000);
    cr_expect_eq(denied_count(d), 0, "swept");
}

Test(denied, reads_on_behind_what_it_knows)
{
    denied_connected(d);
    cr_expect_str_eq(guard_take(&guard.scripts), "denied_read 0 500\n");
    guard_answer(OK, "jt", NOW_S "005", "1700000100");
    cr_expect_eq(news, 1);
    cr_expect_eq(denied_left_ms(d, DENIED_JTI, STR("t"), 0), 100000);
    denied_sync(d);
    cr_expect_str_eq(guard_take(&guard.scripts), "denied_read " NOW_S "005 500\n");
    guard_answer(OK, NULL, NULL, NULL);
    cr_expect_eq(news, 1, "nothing is new");
}

Test(denied, reads_once_more_when_it_is_told_while_it_reads)
{
    denied_sync(d);
    denied_sync(d);
    denied_sync(d);
    cr_expect_str_eq(guard_take(&guard.scripts), "denied_read 0 500\n");
    guard_answer(OK, NULL, NULL, NULL);
    cr_expect_str_eq(guard_take(&guard.scripts), "denied_read 0 500\n");
    guard_answer(OK, NULL, NULL, NULL);
    cr_expect_eq(guard.count, 0);
}

Test(denied, ignores_rows_that_make_no_sense)
{
    static const char *const rows[][3] = {{"", "5", "1700000100"},
                                          {"j", "5", "1700000100"},
                                          {"jx", "x", "1700000100"},
                                          {"jx", "5", "-1"},
                                          {"jx", "5", "1"}}; /* over */

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        denied_sync(d);
        guard_answer(OK, rows[i][0], rows[i][1], rows[i][2]);
    }
    cr_expect_eq(denied_count(d), 0);
    cr_expect_eq(news, 0);
}

Test(denied, tells_later_what_came_while_redis_was_away)
{
    int rc = 1;

    guard.is_connected = false;
    cr_assert_eq(denied_add(d, DENIED_JTI, STR("t"), 100, on_done, &rc), OK);
    guard_answer(ERR_UNAVAILABLE, NULL, NULL, NULL);
    cr_expect_eq(rc, ERR_UNAVAILABLE);
    cr_expect_gt(denied_left_ms(d, DENIED_JTI, STR("t"), 0), 0);
    cr_expect_eq(guard.said, 0);
    guard.scripts.n = 0;
    clock_advance(10000);
    guard.is_connected = true;
    denied_connected(d);
    cr_expect_str_eq(guard_take(&guard.scripts), "denied_add jt 90\ndenied_read 0 500\n");
    guard_answer(OK, NOW_S "000", "1700000100", NULL);
    cr_expect_eq(guard.said, 1);
    guard_answer(OK, NULL, NULL, NULL);
    denied_connected(d);
    cr_expect_str_eq(guard_take(&guard.scripts), "denied_read 0 500\n", "told once");
}

Test(denied, looks_every_minute_in_case_a_message_was_lost)
{
    guard_wait(60010);
    cr_expect_str_eq(guard_take(&guard.scripts), "denied_read 0 500\n");
    guard.is_connected = false;
    guard_answer(ERR_TIMEOUT, NULL, NULL, NULL);
    guard_wait(60010);
    cr_expect_str_eq(guard_take(&guard.scripts), "");
}

Test(denied, refuses_names_that_are_none)
{
    char name[200];

    memset(name, 'x', sizeof name);
    cr_expect_eq(denied_add(d, DENIED_USER, STR(""), 60, NULL, NULL), ERR_SCHEMA);
    cr_expect_eq(denied_add(d, DENIED_USER, str_of(name, 129), 60, NULL, NULL), ERR_SCHEMA);
    cr_expect_eq(denied_add(d, DENIED_USER, str_of(name, 128), 60, NULL, NULL), OK);
    cr_expect_eq(denied_left_ms(d, DENIED_USER, str_of(name, 129), 0), 0);
    cr_expect_gt(denied_left_ms(d, DENIED_USER, str_of(name, 128), 0), 0);
}

Test(denied, may_be_freed_while_scripts_are_under_way)
{
    int rc = 1;

    cr_assert_eq(denied_add(d, DENIED_USER, STR("u7"), 60, on_done, &rc), OK);
    denied_sync(d);
    denied_attach(d, NULL);
    denied_free(d);
    d = NULL;
    guard_answer(ERR_UNAVAILABLE, NULL, NULL, NULL);
    guard_answer(OK, "jt", NOW_S "005", "1700000100");
    cr_expect_eq(rc, ERR_UNAVAILABLE);
}
