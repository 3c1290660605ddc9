/* HTTP over a real connection: keep-alive, bodies, pipelining, limits and deadlines. */
#include <criterion/criterion.h>
#include <poll.h>
#include <sys/socket.h>
#include "tests/unit/support/edge_fixture.h"

static struct edge_fixture f;

static void set_up(void)
{
    edge_fixture_open(&f);
    edge_fixture_connect(&f);
}

static void tear_down(void)
{
    edge_fixture_close(&f);
}

TestSuite(request, .init = set_up, .fini = tear_down);

Test(request, keeps_the_connection_for_the_next_one)
{
    edge_fixture_write(&f, STR("GET /a HTTP/1.1\r\nHost: a\r\n\r\n"));
    cr_assert(edge_fixture_await(&f, "ok"));
    f.got.n = 0;
    edge_fixture_write(&f, STR("GET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    cr_assert(edge_fixture_await(&f, "ok"));
    cr_expect(edge_fixture_await_end(&f));
    cr_expect(str_eq(sb_view(&f.log), STR("request GET /a;request GET /b;")));
}

Test(request, serves_pipelined_requests_in_order)
{
    edge_fixture_write(&f, STR("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nabPOST /2 "
                               "HTTP/1.1\r\nHost: a\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n1\r\nc\r\n0\r\n\r\nGET /3 "
                               "HTTP/1.1\r\nHost: a\r\n\r\n"));
    cr_assert(edge_fixture_await_log(&f, "/3;"));
    cr_expect(str_eq(sb_view(&f.log),
                     STR("request POST /1;body 2 ab;request POST /2;body 1 c;request GET /3;")));
}

Test(request, body_arrives_in_pieces)
{
    edge_fixture_write(&f, STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Le"));
    edge_fixture_write(&f, STR("ngth: 5\r\n\r\nhe"));
    edge_fixture_write(&f, STR("ll"));
    edge_fixture_write(&f, STR("o"));
    cr_assert(edge_fixture_await_log(&f, "body 5 hello;"));
}

Test(request, continues_when_asked_to)
{
    edge_fixture_write(
        &f, STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
    cr_assert(edge_fixture_await(&f, "HTTP/1.1 100 Continue\r\n\r\n"));
    edge_fixture_write(&f, STR("hello"));
    cr_assert(edge_fixture_await(&f, "HTTP/1.1 200 OK"));
}

Test(request, sees_the_end_while_an_answer_is_owed)
{
    f.hold = true;
    edge_fixture_write(&f, STR("GET /poll HTTP/1.1\r\nHost: a\r\n\r\n"));
    cr_assert(edge_fixture_await_log(&f, "/poll;"));
    edge_fixture_connect(&f); /* closes the first one */
    cr_assert(edge_fixture_await_log(&f, "gone 0;"));
    cr_expect_eq(edge_connections(f.edge), 1);
}

Test(request, tells_the_core_about_an_aborted_body)
{
    edge_fixture_write(&f, STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n4a"));
    cr_assert(edge_fixture_await_log(&f, "request POST /;"));
    edge_fixture_connect(&f);
    cr_assert(edge_fixture_await_log(&f, "gone 0;"));
}

Test(request, refuses_a_body_over_the_limit)
{
    static const struct {
        const char *text;
    } rows[] = {
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n"},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n"},
    };

    for (size_t i = 0; i < 2; i++) {
        edge_fixture_connect(&f);
        edge_fixture_write(&f, str_z(rows[i].text));
        cr_expect(edge_fixture_await(&f, "HTTP/1.1 413 "), "row %zu", i);
        cr_expect(edge_fixture_await_end(&f), "row %zu", i);
    }
}

Test(request, refuses_malformed_heads_and_goes_on_serving_others)
{
    edge_fixture_write(&f, STR("GET /\n\n"));
    cr_expect(edge_fixture_await(&f, "HTTP/1.1 400 "));
    cr_expect(edge_fixture_await_end(&f));
    cr_expect_eq(metric_get(M_HTTP_REFUSED), 1);
    edge_fixture_connect(&f);
    edge_fixture_write(&f, STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    cr_expect(edge_fixture_await(&f, "HTTP/1.1 200 "));
}

Test(request, ends_what_takes_too_long)
{
    const unsigned usual_ms = (unsigned)f.conf.head_timeout_ms;

    f.conf.body_timeout_ms = 20;
    f.conf.head_timeout_ms = 100;
    edge_fixture_connect_with(&f, STR("GET / HT"));
    cr_expect(edge_fixture_await(&f, "HTTP/1.1 408 "));
    f.conf.head_timeout_ms = usual_ms;
    edge_fixture_connect_with(&f,
                              STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n4a"));
    cr_expect(edge_fixture_await(&f, "HTTP/1.1 408 "));
    cr_expect(edge_fixture_await_log(&f, "gone 0;"));
    cr_expect_eq(metric_get(M_HTTP_TIMEOUTS), 2);
}

/* Sends requests of one size without reading what comes back, until nothing is taken any more.
 * Returns the bytes that were taken. */
static size_t pour(struct str request, size_t bytes_max)
{
    size_t sent = 0;
    int idle = 0;
    struct sb many = {0}; /* in large writes: tiny segments clog the kernel's buffers */

    while (many.n < 64 * 1024)
        sb_str(&many, request);
    while (sent < bytes_max && idle < 100) {
        struct str rest = str_skip(sb_view(&many), sent % many.n);
        ssize_t n = send(f.fd, rest.p, rest.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        struct pollfd p = {.fd = f.fd, .events = POLLOUT};

        idle = n > 0 ? 0 : idle + 1;
        if (n > 0)
            sent += (size_t)n;
        else
            (void)poll(&p, 1, 5);
        loop_turn(f.loop, false);
    }
    sb_fini(&many);
    return sent;
}

static size_t count(struct str text, const char *what)
{
    size_t n = 0, size = strlen(what);

    for (size_t i = 0; i + size <= text.n; i++)
        n += memcmp(text.p + i, what, size) == 0;
    return n;
}

Test(request, does_not_read_on_before_the_answers_so_far_are_out)
{
    const struct str request = STR("GET /a HTTP/1.1\r\nHost:\r\n\r\n");
    struct sb many = {0};
    int64_t all = 0;

    for (; many.n + request.n <= 64 * 1024; all++)
        sb_str(&many, request);
    cr_assert_eq(send(f.fd, many.p, many.n, MSG_NOSIGNAL), (ssize_t)many.n);
    while (metric_get(M_HTTP_REQUESTS) == 0)
        loop_turn(f.loop, true);
    /* an answer has 64 bytes; once 64 KB of them are queued, and once more after the flush */
    cr_expect_gt(metric_get(M_HTTP_REQUESTS), 1000);
    cr_expect_lt(metric_get(M_HTTP_REQUESTS), 2100);
    edge_fixture_write(&f, STR("GET /b HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n"));
    cr_assert(edge_fixture_await_end(&f));
    cr_expect_eq(count(sb_view(&f.got), "\r\n\r\nok"), (size_t)all + 1);
    cr_expect_eq(metric_get(M_HTTP_REQUESTS), all + 1);
    sb_fini(&many);
}

Test(request, counts_what_is_queued_for_who_does_not_read)
{
    enum { MANY = 64 << 20 };
    const struct str request = STR("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    size_t poured = pour(request, MANY), whole = poured / request.n;

    cr_expect_lt(poured, MANY, "the edge read all of it");
    cr_expect_gt(metric_get(M_OUT_QUEUE_BYTES), 0);
    cr_expect_lt(metric_get(M_OUT_QUEUE_BYTES), 2 * 64 * 1024);
    while (metric_get(M_HTTP_REQUESTS) < (int64_t)whole) { /* served as soon as they are read */
        f.got.n = 0;
        cr_assert(edge_fixture_await(&f, "ok"));
    }
    cr_expect_eq(count(sb_view(&f.log), "/a;"), whole);
    edge_fixture_connect(&f); /* the other one goes, and with it what was queued */
    edge_fixture_write(&f, request);
    cr_expect(edge_fixture_await(&f, "ok"));
    cr_expect_eq(metric_get(M_OUT_QUEUE_BYTES), 0);
}
