#include <criterion/criterion.h>
#include <stdio.h>
#include "base/metric.h"
#include "contacts/notice/sign.h"
#include "tests/unit/support/http_fixture.h"
#include "tests/unit/support/fake_outbox.inc"

static struct notice *notice;
static struct conf conf;
static struct http_fixture server;
static char urls[200], secret[] = "0123456789012345678901234567", none[] = "";

static bool on_tell(void *ctx, const struct outbox *o, void (*done)(void *letter, int rc),
                    void *letter)
{
    (void)ctx, (void)o;
    done(letter, OK);
    return true;
}

static void up(void)
{
    static const struct notice_hooks hooks = {.tell_agents = on_tell};
    char *why = NULL;

    metric_reset_for_test();
    fake = (struct fake_outbox){.loop = loop_new()};
    fake.contact.id = STR("contact_1_a");
    http_fixture_open(&server, fake.loop);
    snprintf(urls, sizeof urls, " %s/one , %s/two,", server.url, server.url);
    conf = (struct conf){.webhook_urls = urls,
                         .webhook_secret = secret,
                         .outbound_ca_file = none,
                         .smtp_url = none,
                         .webhook_timeout_ms = 3000,
                         .notice_tries = 5};
    notice = notice_new(fake.loop, &conf, NULL, &hooks, &why);
    cr_assert_not_null(notice, "%s", why);
}

static void down(void)
{
    notice_free(notice);
    for (int i = 0; i < 3; i++)
        loop_turn(fake.loop, false);
    http_fixture_close(&server);
    loop_free(fake.loop);
    sb_fini(&fake.log);
}

TestSuite(notice_webhook, .init = up, .fini = down);

static bool await_log(const char *text)
{
    for (int i = 0; i < 500; i++) {
        sb_char(&fake.log, 0);
        fake.log.n--;
        if (strstr(fake.log.p, text)) return true;
        loop_turn(fake.loop, true);
    }
    return false;
}

static void header(const char *name, char *out, size_t size)
{
    const char *at = strstr(server.last.p, name);

    cr_assert_not_null(at, "%s", name);
    snprintf(out, size, "%.*s", (int)strcspn(at + strlen(name), "\r"), at + strlen(name));
}

Test(notice_webhook, posts_a_signed_body)
{
    char id[80], at[40], signature[120];
    struct sb want = {0};

    server.answer = "HTTP/1.1 204 No Content\r\n\r\n";
    fake_put("letter-1", "webhook", notice->webhooks[1].id);
    notice_ask(notice);
    cr_assert(await_log("done letter-1;"));
    cr_expect(strncmp(server.last.p, "POST /two HTTP/1.1\r\n", 20) == 0, "%s", server.last.p);
    cr_expect_not_null(strstr(server.last.p, "\r\nContent-Type: application/json\r\n"));
    cr_expect_not_null(strstr(server.last.p, "\r\n\r\n{\"a\":1}"));
    header("webhook-id: ", id, sizeof id);
    header("webhook-timestamp: ", at, sizeof at);
    header("webhook-signature: ", signature, sizeof signature);
    cr_expect_str_eq(id, "letter-1");
    cr_assert_eq(
        notice_sign(str_z(secret), str_z(id), strtoull(at, NULL, 10), STR("{\"a\":1}"), &want), OK);
    cr_expect(str_eq(sb_view(&want), str_z(signature)));
    sb_fini(&want);
}

Test(notice_webhook, puts_off_what_was_not_taken)
{
    static const struct {
        const char *answer, *why;
        int64_t wait_ms;
    } rows[] = {
        {"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "status 500", 3000},
        {"HTTP/1.1 301 There\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "status 301", 3000},
        {"HTTP/1.1 429 Slowly\r\nRetry-After: 90\r\nContent-Length: 0\r\n\r\n", "status 429",
         90000},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t now = (int64_t)clock_wall_ms();

        fake.entries[0] = (struct outbox){0};
        fake.log.n = 0;
        server.answer = rows[i].answer;
        fake_put("a", "webhook", notice->webhooks[0].id);
        notice_ask(notice);
        cr_assert(await_log("fail a;"), "row %zu", i);
        cr_expect_str_eq(fake.why, rows[i].why, "row %zu", i);
        cr_expect_geq(fake.entries[0].at, now + rows[i].wait_ms, "row %zu", i);
    }
    cr_expect_eq(metric_get_at(M_NOTICES, 1), 3);
}

Test(notice_webhook, believes_a_receiver_that_is_gone_for_ever)
{
    server.answer = "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n";
    fake_put("a", "webhook", notice->webhooks[0].id);
    notice_ask(notice);
    cr_assert(await_log("dead a;"));
}

Test(notice_webhook, a_receiver_that_is_away_does_not_hold_up_the_others)
{
    server.answer = NULL; /* silent */
    fake_put("slow", "webhook", notice->webhooks[0].id);
    fake_put("a", "socket", "")->at++;
    notice_ask(notice);
    cr_assert(await_log("done a;"));
    cr_assert(await_log("fail slow;"), "after WEBHOOK_TIMEOUT_MS");
    cr_expect(strstr(fake.why, "timed out") || strstr(fake.why, "Timeout"), "%s", fake.why);
}

Test(notice_webhook, does_not_send_what_another_node_has_taken)
{
    fake_put("a", "webhook", notice->webhooks[0].id);
    notice_ask(notice);
    fake.is_lost = true;
    cr_assert(await_log("keep a;"));
    for (int i = 0; i < 4; i++)
        loop_turn(fake.loop, false);
    cr_expect_eq(server.requests, 0);
    cr_expect_eq(notice->running, 0);
}

Test(notice_webhook, names_a_url_the_same_everywhere)
{
    cr_expect_eq(notice->webhooks_count, 2);
    cr_expect_eq(strlen(notice->webhooks[0].id), NOTICE_HOOK_ID);
    cr_expect_str_neq(notice->webhooks[0].id, notice->webhooks[1].id);
    cr_expect_null(strstr(notice->webhooks[0].id, "127"), "it is not told where");
}
