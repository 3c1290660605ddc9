/* Orders to a pipe that is already done, idle connections, and the memory after many. */
#include <criterion/criterion.h>
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

TestSuite(conn, .init = set_up, .fini = tear_down);

Test(conn, an_answer_before_the_body_skips_the_body)
{
    struct http_reply no = {.status = 400, .body = STR("no")};

    f.hold = true;
    edge_fixture_write(&f, STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab"));
    cr_assert(edge_fixture_await_log(&f, "request POST /;"));
    pipe_reply(f.pipe, &no);
    f.hold = false;
    edge_fixture_write(&f, STR("cdGET /next HTTP/1.1\r\nHost: a\r\n\r\n"));
    cr_assert(edge_fixture_await(&f, "ok"));
    cr_expect(str_eq(sb_view(&f.log), STR("request POST /;request GET /next;")));
}

Test(conn, a_second_answer_does_nothing)
{
    struct http_reply r = {.status = 200, .body = STR("once")};

    f.hold = true;
    edge_fixture_write(&f, STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    cr_assert(edge_fixture_await_log(&f, "request"));
    pipe_reply(f.pipe, &r);
    pipe_reply(f.pipe, &r);
    cr_assert(edge_fixture_await(&f, "once"));
    cr_expect_eq(metric_get(M_HTTP_RESPONSES), 1);
}

Test(conn, an_idle_connection_ends_after_its_time)
{
    f.conf.keep_alive_ms = 20;
    edge_fixture_write(&f, STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    cr_expect(edge_fixture_await(&f, "ok"));
    cr_expect(edge_fixture_await_end(&f));
}

Test(conn, while_draining_an_answer_ends_its_connection)
{
    edge_fixture_write(&f, STR("GET /a HTTP/1.1\r\nHost: x\r\n\r\n"));
    cr_assert(edge_fixture_await(&f, "Connection: keep-alive\r\n"));
    edge_stop_accepting(f.edge);
    edge_fixture_write(&f, STR("GET /b HTTP/1.1\r\nHost: x\r\n\r\n"));
    cr_expect(edge_fixture_await(&f, "Connection: close\r\n"));
    cr_expect(edge_fixture_await_end(&f));
}

Test(conn, cutting_a_pipe_closes_without_an_answer)
{
    f.hold = true;
    edge_fixture_write(&f, STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    cr_assert(edge_fixture_await_log(&f, "request"));
    pipe_close(f.pipe, 0);
    cr_expect(edge_fixture_await_end(&f));
    cr_expect_eq(f.got.n, 0);
    cr_expect_eq(edge_connections(f.edge), 0);
}
