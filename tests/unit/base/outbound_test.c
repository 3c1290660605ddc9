#include <criterion/criterion.h>
#include <stdio.h>
#include "base/metric.h"
#include "base/outbound.h"
#include "tests/unit/support/http_fixture.h"

static struct loop *loop;
static struct outbound *out;
static struct http_fixture server;
static struct outbound_answer got; /* of the newest call; its texts are kept below */
static struct sb body, why;
static unsigned answers;

static void on_answer(void *ctx, const struct outbound_answer *a)
{
    (void)ctx;
    got = *a;
    body.n = why.n = 0;
    sb_str(&body, a->body);
    sb_char(&body, 0);
    sb_z(&why, a->why ? a->why : "");
    sb_char(&why, 0);
    answers++;
}

static struct outbound_call *ask(const char *path, uint64_t timeout_ms, size_t max_bytes)
{
    struct sb url = {0};
    struct outbound_request r = {.timeout_ms = timeout_ms, .max_bytes = max_bytes};
    struct outbound_call *call;

    if (path[0] == '/') sb_z(&url, server.url);
    sb_z(&url, path);
    sb_char(&url, 0);
    r.url = url.p;
    call = outbound_http(out, &r, on_answer, NULL);
    sb_fini(&url); /* all of a request is copied */
    return call;
}

static int outcome(void)
{
    cr_assert(http_fixture_await(&server, &answers, 1));
    answers = 0;
    return got.rc;
}

static void up(void)
{
    metric_reset_for_test();
    loop = loop_new();
    out = outbound_new(loop, NULL);
    http_fixture_open(&server, loop);
    answers = 0;
}

static void down(void)
{
    outbound_free(out);
    http_fixture_close(&server);
    loop_free(loop);
    sb_fini(&body);
    sb_fini(&why);
    body = why = (struct sb){0};
}

TestSuite(outbound, .init = up, .fini = down);

Test(outbound, brings_what_a_server_answers)
{
    server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    ask("/keys?a=1", 5000, 100);
    cr_expect_eq(answers, 0, "never before outbound_http has returned");
    cr_assert_eq(outcome(), OK);
    cr_expect_eq(got.status, 200);
    cr_expect_str_eq(body.p, "hello");
    cr_expect(strstr(server.last.p, "GET /keys?a=1 HTTP/1.1\r\n") == server.last.p);
    cr_expect_not_null(strstr(server.last.p, "User-Agent: ingoma/"));
    cr_expect_eq(metric_get_at(M_OUTBOUND, 0), 1);
}

Test(outbound, posts_a_body_with_headers)
{
    static const char *const headers[] = {"Content-Type: application/json", "X-Id: 7", NULL};
    char url[96], text[] = "{\"a\":1}";
    struct outbound_request r = {
        .url = url, .headers = headers, .body = str_z(text), .timeout_ms = 5000, .max_bytes = 100};

    snprintf(url, sizeof url, "%s/hook", server.url);
    server.answer = "HTTP/1.1 204 No Content\r\n\r\n";
    outbound_http(out, &r, on_answer, NULL);
    memset(text, 'x', sizeof text - 1);
    cr_assert_eq(outcome(), OK);
    cr_expect_eq(got.status, 204);
    cr_expect(strstr(server.last.p, "POST /hook HTTP/1.1\r\n") == server.last.p);
    cr_expect_not_null(strstr(server.last.p, "\r\nX-Id: 7\r\n"));
    cr_expect_not_null(strstr(server.last.p, "\r\n\r\n{\"a\":1}"));
}

Test(outbound, keeps_a_connection_for_the_next_request)
{
    server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    for (int i = 0; i < 3; i++) {
        ask("/", 5000, 100);
        cr_assert_eq(outcome(), OK);
    }
    cr_expect_eq(server.requests, 3);
    cr_expect_eq(server.connects, 1);
}

Test(outbound, serves_many_at_one_time)
{
    for (int i = 0; i < 20; i++)
        ask("/", 5000, 100);
    cr_assert(http_fixture_await(&server, &server.requests, 20), "none waits for another");
    cr_expect_eq(answers, 0);
}

Test(outbound, gives_any_status_and_when_to_come_again)
{
    server.answer = "HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n";
    ask("/", 5000, 100);
    cr_assert_eq(outcome(), OK);
    cr_expect_eq(got.status, 503);
    cr_expect_eq(got.retry_after_s, 120);
    cr_expect_eq(metric_get_at(M_OUTBOUND, 1), 1);
}

Test(outbound, does_not_follow_redirects)
{
    server.answer = "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n";
    ask("/", 5000, 100);
    cr_assert_eq(outcome(), OK);
    cr_expect_eq(got.status, 302);
    cr_expect_eq(server.requests, 1);
}

Test(outbound, bounds_the_answer)
{
    struct sb answer = {0};

    server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    ask("/", 5000, 5);
    cr_expect_eq(outcome(), OK);
    ask("/", 5000, 4);
    cr_expect_eq(outcome(), ERR_TOO_BIG);
    server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nh";
    ask("/", 5000, 4);
    cr_expect_eq(outcome(), ERR_TOO_BIG, "it need not come to be refused");
    server.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    ask("/", 5000, 4);
    cr_expect_eq(outcome(), ERR_TOO_BIG, "a length that nobody told");
    sb_z(&answer, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 3000; i++)
        sb_z(&answer, "X-More: 0123456789012345\r\n");
    sb_z(&answer, "\r\n");
    sb_char(&answer, 0);
    server.answer = answer.p;
    ask("/", 5000, 4);
    cr_expect_eq(outcome(), ERR_TOO_BIG, "headers without end");
    sb_fini(&answer);
}

Test(outbound, ends_by_itself_when_nobody_answers)
{
    ask("/", 50, 100);
    cr_expect_eq(outcome(), ERR_TIMEOUT);
    cr_expect_eq(metric_get_at(M_OUTBOUND, 2), 1);
}

Test(outbound, says_why_there_is_no_answer)
{
    static const struct {
        const char *url;
        int rc;
    } rows[] = {
        {"file:///etc/passwd", ERR_CONFIG},
        {"gopher://127.0.0.1/", ERR_CONFIG},
        {"smtp://127.0.0.1/", ERR_CONFIG},
        {"ftp://127.0.0.1/", ERR_CONFIG},
        {"http://", ERR_CONFIG},
        {"", ERR_CONFIG},
        {"http://127.0.0.1:1/", ERR_IO},
        {"http://no-such-host.invalid/", ERR_IO},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ask(rows[i].url, 10000, 100);
        cr_expect_eq(outcome(), rows[i].rc, "row %zu: %d", i, got.rc);
        cr_expect(why.n > 1, "row %zu", i);
        cr_expect_eq(got.status, 0, "row %zu", i);
    }
}

Test(outbound, takes_what_is_no_http_for_a_failure)
{
    server.is_closing = true;
    server.answer = "what?\r\n\r\n";
    ask("/", 5000, 100);
    cr_expect_eq(outcome(), ERR_IO);
    server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ncut";
    ask("/", 5000, 100);
    cr_expect_eq(outcome(), ERR_IO, "half an answer is none");
}

Test(outbound, says_nothing_of_a_cancelled_call)
{
    struct outbound_call *first = ask("/one", 5000, 100);

    cr_assert(http_fixture_await(&server, &server.requests, 1));
    outbound_cancel(first);
    outbound_cancel(NULL);
    server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo";
    ask("/two", 5000, 100);
    cr_expect_eq(outcome(), OK);
    cr_expect_str_eq(body.p, "two");
    server.answer = NULL;
    ask("/", 5000, 100); /* still under way when the outbound is freed */
    cr_assert(http_fixture_await(&server, &server.requests, 3));
    cr_expect_eq(answers, 0);
}
