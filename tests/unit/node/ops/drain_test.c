/* Drain: sessions are closed evenly over the time, and the end is told once. */
#include <stdio.h>
#include <stdlib.h>
#include <criterion/criterion.h>
#include "base/clock.h"
#include "base/conf.h"
#include "node/ops/drain.h"
#include "tests/unit/support/fake_edge.h"

static struct loop *loop;
static struct conf conf;
static struct eio *eio;
static struct fake_edge edge;
static struct ops_drain drain;
static int ends;

static void on_request(void *ctx, struct pipe *p, const struct http_request *r)
{
    (void)ctx;
    eio_on_request(eio, p, r);
}

static void on_gone(void *ctx, struct pipe *p, int code)
{
    (void)ctx;
    eio_on_gone(eio, p, code);
}

static void on_session(void *ctx, struct eio_session *s)
{
    (void)ctx, (void)s;
}

static void on_session_message(void *ctx, struct eio_session *s, struct str data, bool binary)
{
    (void)ctx, (void)s, (void)data, (void)binary;
}

static void on_session_close(void *ctx, struct eio_session *s, enum close_reason why)
{
    (void)ctx, (void)s;
    cr_expect_eq(why, CLOSE_SERVER_SHUTDOWN);
}

static bool no_cors(void *ctx, const struct http_request *r, bool preflight, struct sb *out)
{
    (void)ctx, (void)r, (void)preflight, (void)out;
    return true;
}

static void on_done(void *ctx)
{
    (void)ctx;
    ends++;
}

static void pass(uint64_t ms)
{
    for (uint64_t at = 0; at < ms; at += 10) {
        clock_advance(10);
        loop_turn(loop, false);
    }
}

static void start(void)
{
    static const struct edge_handler handler = {.on_request = on_request, .on_gone = on_gone};
    static const struct eio_app app = {on_session, on_session_message, on_session_close};
    static const struct eio_cors cors = {.headers = no_cors};
    char *argv[] = {(char[]){"test"}, NULL};
    struct sb mistakes = {0};

    clock_freeze(1000, 1000);
    cr_assert_eq(conf_read(&conf, 1, argv, getenv, &mistakes), OK);
    loop = loop_new();
    eio = eio_new(loop, &conf, STR("AbC1"), &app, NULL, &cors);
    fake_edge_init(&edge, &handler, NULL);
    sb_fini(&mistakes);
}

static void stop(void)
{
    fake_edge_fini(&edge);
    eio_free(eio);
    loop_turn(loop, false);
    loop_free(loop);
    conf_fini(&conf);
}

static void open_some(int count)
{
    for (int i = 0; i < count; i++)
        (void)fake_request(&edge,
                           "GET /socket.io/?EIO=4&transport=websocket\nUpgrade: websocket\n");
}

TestSuite(ops_drain, .init = start, .fini = stop);

Test(ops_drain, closes_evenly_and_tells_the_end_once)
{
    open_some(100);
    cr_assert_eq(eio_sessions_count(eio), 100);
    ops_drain_start(&drain, loop, eio, 10, on_done, NULL);
    pass(5000);
    cr_expect_geq(eio_sessions_count(eio), 40);
    cr_expect_leq(eio_sessions_count(eio), 60);
    cr_expect_eq(ends, 0);
    pass(5500);
    cr_expect_eq(eio_sessions_count(eio), 0);
    cr_expect_eq(ends, 1);
}

Test(ops_drain, what_comes_at_the_last_moment_is_closed_too_before_the_end)
{
    ops_drain_start(&drain, loop, eio, 0, on_done, NULL);
    pass(50);
    open_some(1);
    pass(100);
    cr_expect_eq(eio_sessions_count(eio), 0);
    cr_expect_eq(ends, 0);
    pass(100);
    cr_expect_eq(ends, 1);
}

Test(ops_drain, who_is_between_two_polls_hears_of_it_by_the_next_one)
{
    struct fake_pipe *p = fake_request(&edge, "GET /socket.io/?EIO=4&transport=polling\n");
    char sid[EIO_ID_SIZE + 1] = "", poll[120];

    cr_assert_eq(sscanf(fake_body_z(p), "0{\"sid\":\"%20[^\"]", sid), 1);
    ops_drain_start(&drain, loop, eio, 0, on_done, NULL);
    pass(500);
    cr_expect_eq(ends, 0);
    snprintf(poll, sizeof poll, "GET /socket.io/?EIO=4&transport=polling&sid=%s\n", sid);
    p = fake_request(&edge, poll);
    loop_turn(loop, false);
    cr_expect_eq(p->status, 200);
    cr_expect_str_eq(fake_body_z(p), "6\x1e"
                                     "1");
    pass(200);
    cr_expect_eq(ends, 1);
}

Test(ops_drain, who_never_polls_again_is_not_waited_for_without_end)
{
    (void)fake_request(&edge, "GET /socket.io/?EIO=4&transport=polling\n");
    ops_drain_start(&drain, loop, eio, 0, on_done, NULL);
    pass(1500);
    cr_expect_eq(ends, 0);
    pass(1500);
    cr_expect_eq(ends, 1);
}
