#include <criterion/criterion.h>
#include <stdio.h>
#include "base/metric.h"
#include "tests/unit/support/fake_outbox.inc"

static struct notice *notice;
static struct conf conf;
static unsigned told;
static bool is_away, is_slow;
static void (*kept)(void *letter, int rc);
static void *kept_letter;
static char last_told[64];
static char none[] = "", url[] = "http://127.0.0.1:9/hook",
            secret[] = "0123456789012345678901234567";

static bool on_tell(void *ctx, const struct outbox *o, void (*done)(void *letter, int rc),
                    void *letter)
{
    (void)ctx;
    if (is_away) return false;
    told++;
    snprintf(last_told, sizeof last_told, STR_FMT, STR_ARG(o->id));
    kept = done;
    kept_letter = letter;
    if (!is_slow) done(letter, OK);
    return true;
}

static void up(void)
{
    metric_reset_for_test();
    clock_freeze(1000000, 1700000000000);
    fake = (struct fake_outbox){.loop = loop_new()};
    fake.contact.id = STR("contact_1_a");
    conf = (struct conf){.webhook_urls = none,
                         .webhook_secret = secret,
                         .outbound_ca_file = none,
                         .smtp_url = none,
                         .webhook_timeout_ms = 8000,
                         .notice_tries = 3};
    told = 0;
    is_away = is_slow = false;
}

static void open_it(void)
{
    static const struct notice_hooks hooks = {.tell_agents = on_tell};
    char *why = NULL;

    notice = notice_new(fake.loop, &conf, NULL, &hooks, &why);
    cr_assert_not_null(notice, "%s", why);
}

static void turn(uint64_t ms)
{
    clock_advance(ms);
    for (int i = 0; i < 12; i++)
        loop_turn(fake.loop, false);
}

static void down(void)
{
    notice_free(notice);
    for (int i = 0; i < 3; i++) /* what the store still answers to finds nobody */
        loop_turn(fake.loop, false);
    cr_expect_eq(fake.open, 0);
    loop_free(fake.loop);
    sb_fini(&fake.log);
}

static const char *logged(void)
{
    static char text[4096];

    snprintf(text, sizeof text, STR_FMT, STR_ARG(sb_view(&fake.log)));
    fake.log.n = 0;
    return text;
}

TestSuite(notice, .init = up, .fini = down);

Test(notice, tells_what_is_due)
{
    open_it();
    fake_put("a", "socket", "");
    fake_put("b", "socket", "")->at += 5;
    notice_ask(notice);
    turn(0);
    cr_expect_eq(told, 1);
    cr_expect_str_eq(last_told, "a");
    cr_expect_str_eq(logged(), "take a;done a;next;");
    turn(8);
    cr_expect_str_eq(last_told, "b", "one timer, for the next one");
    cr_expect_eq(metric_get_at(M_NOTICES, 0), 2);
    cr_expect_str_eq(logged(), "take b;done b;next;");
}

Test(notice, keeps_what_cannot_be_told_now)
{
    open_it();
    is_away = true;
    fake_put("a", "socket", "");
    notice_ask(notice);
    turn(0);
    cr_expect_str_eq(logged(), "take a;next;", "neither struck out nor counted as a try");
    is_away = false;
    turn(4000);
    cr_expect_str_eq(last_told, "a");
    cr_expect_str_eq(logged(), "take a;done a;next;");
    cr_expect_eq(metric_get_at(M_NOTICES, 0), 1);
}

Test(notice, strikes_out_what_has_left_and_nothing_before)
{
    open_it();
    is_slow = true;
    fake_put("a", "socket", "");
    notice_ask(notice);
    turn(0);
    cr_expect_eq(told, 1);
    cr_expect_str_eq(logged(), "take a;next;", "this node may still die, and nobody have heard");
    kept(kept_letter, ERR_UNAVAILABLE);
    turn(0);
    cr_expect_str_eq(logged(), "", "it is still there");
    turn(4001);
    cr_expect_eq(told, 2);
    kept(kept_letter, OK);
    turn(0);
    cr_expect_str_eq(logged(), "take a;next;done a;");
}

Test(notice, may_end_while_a_letter_leaves)
{
    open_it();
    is_slow = true;
    fake_put("a", "socket", "");
    notice_ask(notice);
    turn(0);
    notice_free(notice);
    kept(kept_letter, OK);
    open_it(); /* down ends one */
    cr_expect_str_eq(logged(), "take a;next;");
}

Test(notice, asks_nobody_while_there_is_nothing)
{
    open_it();
    notice_ask(notice);
    turn(0);
    cr_expect_str_eq(logged(), "next;");
    turn(4900);
    cr_expect_str_eq(logged(), "");
    fake_put("a", "socket", "");
    turn(200);
    cr_expect_eq(told, 1, "what others wrote and never told: after five seconds");
}

Test(notice, looks_at_the_start_asked_or_not)
{
    fake_put("a", "socket", "");
    open_it();
    cr_expect_eq(told, 0, "not before all of the program is there");
    turn(8);
    cr_expect_eq(told, 1);
}

Test(notice, asks_again_for_what_was_written_while_it_looked)
{
    open_it();
    notice_ask(notice);
    fake_put("a", "socket", "");
    notice_ask(notice);
    turn(0);
    cr_expect_eq(told, 1);
}

Test(notice, looks_when_what_was_written_is_due)
{
    int64_t now = (int64_t)clock_wall_ms();

    open_it();
    notice_ask(notice);
    turn(0);
    (void)logged();
    notice_due_at(notice, 0);
    fake_put("a", "socket", "")->at = now + 3000;
    notice_due_at(notice, now + 3000);
    fake_put("b", "socket", "")->at = now + 5000;
    notice_due_at(notice, now + 5000);
    turn(2900);
    cr_expect_str_eq(logged(), "", "not before");
    turn(200);
    cr_expect_str_eq(logged(), "take a;done a;next;");
    fake_put("c", "webhook", "0123456789abcdef");
    notice_due_at(notice, (int64_t)clock_wall_ms());
    turn(0);
    cr_expect_str_eq(logged(), "take c;dead c;next;", "at once");
    turn(2000);
    cr_expect_eq(told, 2, "the one that was written for later is not forgotten");
}

Test(notice, what_is_written_while_it_looks_is_not_forgotten)
{
    int64_t at = (int64_t)clock_wall_ms() + 3000;

    open_it();
    notice_ask(notice);
    notice_due_at(notice, at);
    turn(0);
    cr_expect_str_eq(logged(), "next;next;", "the first answer may be from before");
    notice_due_at(NULL, at);
}

Test(notice, goes_on_when_the_store_is_back)
{
    open_it();
    fake_put("a", "socket", "");
    fake.is_away = true;
    notice_ask(notice);
    turn(0);
    cr_expect_eq(told, 0);
    fake.is_away = false;
    turn(1900);
    cr_expect_eq(told, 0);
    turn(200);
    cr_expect_eq(told, 1);
}

Test(notice, tells_again_what_could_not_be_struck_out)
{
    open_it();
    fake_put("a", "socket", "");
    notice_ask(notice);
    fake.is_away = true; /* it was taken just before */
    turn(0);
    cr_expect_eq(told, 1);
    fake.is_away = false;
    turn(4100);
    cr_expect_eq(told, 2);
}

Test(notice, gives_up_what_it_cannot_send)
{
    open_it();
    fake_put("a", "pigeon", "");
    fake_put("b", "webhook", "0123456789abcdef");
    notice_ask(notice);
    turn(0);
    cr_expect_str_eq(logged(), "take a;dead a;take b;dead b;next;");
    cr_expect_eq(metric_get_at(M_NOTICES, 2), 2);
}

Test(notice, puts_off_what_failed_and_gives_it_up_in_the_end)
{
    struct notice_letter *l;

    open_it();
    fake_put("a", "socket", "")->tries = 1;
    for (int i = 0; i < 2; i++) {
        l = MEM_NEW(struct notice_letter);
        list_init(&l->node);
        list_push(&notice->letters, &l->node);
        l->notice = notice;
        l->entry = fake.entries[0];
        l->contact = fake.contact;
        notice->running++;
        notice_failed(l, STR("status 500"), 60);
        turn(0);
        if (i == 0) {
            cr_expect(strstr(logged(), "fail a;") != NULL);
            cr_expect_geq(fake.entries[0].at, (int64_t)clock_wall_ms() + 60000);
            cr_expect_str_eq(fake.why, "status 500");
        }
    }
    cr_expect(strstr(logged(), "dead a;") != NULL, "NOTICE_TRIES is 3");
    cr_expect_eq(notice->running, 0);
}

Test(notice, may_be_freed_at_any_time)
{
    for (int turns = 0; turns < 6; turns++) {
        open_it();
        fake_put("a", "socket", "");
        notice_ask(notice);
        for (int i = 0; i < turns; i++)
            loop_turn(fake.loop, false);
        notice_free(notice);
        notice = NULL;
        turn(0);
        cr_expect_eq(fake.open, 0);
    }
    notice_ask(NULL);
}

Test(notice, refuses_options_that_cannot_work)
{
    static const struct {
        const char *urls, *secret;
    } rows[] = {
        {"ftp://a/", secret},
        {"http://", secret},
        {"http://a b/", secret},
        {"https://a\xff/", secret},
        {url, "too short"},
        {url, ""},
        {url, "whsec_this*is*no*base*64*at*all"},
    };
    static const struct notice_hooks hooks = {.tell_agents = on_tell};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *why = NULL;
        union {
            const char *c;
            char *p;
        } u = {rows[i].urls}, s = {rows[i].secret};

        conf.webhook_urls = u.p;
        conf.webhook_secret = s.p;
        cr_expect_null(notice_new(fake.loop, &conf, NULL, &hooks, &why), "row %zu", i);
        cr_expect(why && strncmp(why, "WEBHOOK_", 8) == 0, "row %zu", i);
        cr_expect(why && !strstr(why, "too short"), "a secret is not repeated");
        mem_free(why);
    }
}
