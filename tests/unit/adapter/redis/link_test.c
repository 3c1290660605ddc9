/* One connection, against a server of our own making and with time moved by hand. */
#include <criterion/criterion.h>
#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "adapter/redis/link.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/metric.h"
#include "tests/unit/support/hex.h"

enum { TIMEOUT = 400 };

static struct loop *loop;
static struct redis_link *link_;
static struct redis_url url;
static char dir[] = "/tmp/ingoma-link-XXXXXX", path[64];
static int listener = -1, peer = -1;
static char large_enough[16];
static struct sb said; /* "up;" "down;" "push p c x;" "reply 0 OK;" */

static void on_up(void *ctx)
{
    (void)ctx;
    sb_z(&said, "up;");
}

static void on_down(void *ctx)
{
    (void)ctx;
    sb_z(&said, "down;");
}

static void on_push(void *ctx, const struct redis_push *p)
{
    (void)ctx;
    if (p->kind == REDIS_PUSH_LEFT)
        sb_printf(&said, "left " STR_FMT ";", STR_ARG(p->channel));
    else
        sb_printf(&said, "push " STR_FMT " " STR_FMT " " STR_FMT ";", STR_ARG(p->pattern),
                  STR_ARG(p->channel), STR_ARG(p->payload));
}

static void on_reply(void *ctx, int rc, const struct redisReply *r)
{
    if (r && r->type == REDIS_REPLY_INTEGER)
        sb_printf(&said, "%s %d %lld;", (const char *)ctx, rc, r->integer);
    else
        sb_printf(&said, "%s %d %s;", (const char *)ctx, rc, r ? r->str : "-");
}

static void expect_said(const char *want)
{
    cr_expect_str_eq(to_z(&said), want);
    said.n = 0;
}

static void turn(void)
{
    for (int i = 0; i < 4; i++)
        loop_turn(loop, false);
}

static void pass(unsigned ms)
{
    for (unsigned i = 0; i < ms; i += 20) {
        clock_advance(20);
        turn();
    }
}

static void listen_here(void)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};

    memcpy(un.sun_path, path, strlen(path));
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind(listener, (const struct sockaddr *)(const void *)&un, sizeof un), 0);
    cr_assert_eq(listen(listener, 8), 0);
}

static void start_as(bool is_subscriber, const char *password)
{
    struct redis_link_conf c = {.url = &url,
                                .name = "test",
                                .timeout_ms = TIMEOUT,
                                .queue_bytes = 100000,
                                .is_subscriber = is_subscriber,
                                .on_up = on_up,
                                .on_down = on_down,
                                .on_push = on_push};
    char *why = NULL;

    clock_freeze(100000, 0);
    cr_assert(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/s", dir);
    cr_assert_eq(redis_url_parse(STR("unix:///x"), &url, &why), OK);
    free(url.path);
    url.path = strdup(path);
    if (password) url.password = strdup(password);
    url.db = 2;
    loop = loop_new();
    c.loop = loop;
    link_ = redis_link_open(&c);
}

static void stop(void)
{
    redis_link_close(link_);
    loop_turn(loop, false);
    loop_free(loop);
    if (peer >= 0) close(peer);
    if (listener >= 0) close(listener);
    unlink(path);
    rmdir(dir);
    redis_url_fini(&url);
    sb_fini(&said);
}

static bool accept_peer(void)
{
    if (peer >= 0) close(peer);
    pass(20);
    peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    turn();
    return peer >= 0;
}

static const char *peer_reads(void)
{
    static char bytes[65536];
    ssize_t n = read(peer, bytes, sizeof bytes - 1);

    bytes[n > 0 ? n : 0] = 0;
    return bytes;
}

static void peer_says(const char *text)
{
    cr_assert_eq(write(peer, text, strlen(text)), (ssize_t)strlen(text));
    turn();
}

static void start_up(bool is_subscriber)
{
    start_as(is_subscriber, NULL);
    listen_here();
    cr_assert(accept_peer());
    peer_reads();
    peer_says("+OK\r\n+OK\r\n+PONG\r\n");
    expect_said("up;");
}

static void send_(const char *word, const char *name)
{
    struct str argv = str_z(word);

    cr_expect_eq(redis_link_send(link_, &argv, 1, on_reply, (void *)(uintptr_t)name), OK);
}

Test(redis_link, greets_in_one_write_and_is_up_after_pong)
{
    start_as(false, "hush");
    listen_here();
    cr_expect(accept_peer());
    cr_expect_str_eq(peer_reads(),
                     "*2\r\n$4\r\nAUTH\r\n$4\r\nhush\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n2\r\n"
                     "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$4\r\ntest\r\n*1\r\n$4\r\nPING\r\n");
    peer_says("+OK\r\n+OK\r\n-ERR no names here\r\n");
    cr_expect_not(redis_link_is_up(link_));
    cr_expect_eq(redis_link_send(link_, &STR("PING"), 1, NULL, NULL), ERR_UNAVAILABLE);
    peer_says("+PONG\r\n");
    cr_expect(redis_link_is_up(link_));
    expect_said("up;");
    cr_expect_eq(metric_get(M_REDIS_CONNECTED), 1);
    stop();
}

Test(redis_link, sends_all_of_a_turn_at_once_and_matches_replies_in_order)
{
    start_up(false);
    send_("A", "a");
    send_("B", "b");
    send_("C", "c");
    cr_expect_str_eq(peer_reads(), "", "not before the end of the turn");
    turn();
    cr_expect_str_eq(peer_reads(), "*1\r\n$1\r\nA\r\n*1\r\n$1\r\nB\r\n*1\r\n$1\r\nC\r\n");
    peer_says(":7\r\n-ERR no\r");
    expect_said("a 0 7;");
    peer_says("\n$3\r\nxyz\r\n");
    expect_said("b 0 ERR no;c 0 xyz;");
    stop();
}

Test(redis_link, hands_on_pushes_between_replies)
{
    start_up(true);
    send_("A", "a");
    turn();
    peer_says("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n:1\r\n*4\r\n$8\r\npmess");
    expect_said("push  c hi;a 0 1;");
    peer_says("age\r\n$2\r\np*\r\n$2\r\npc\r\n$0\r\n\r\n");
    expect_said("push p* pc ;");
    stop();
}

Test(redis_link, a_silent_redis_ends_the_connection)
{
    start_up(false);
    send_("A", "a");
    send_("B", "b");
    pass(TIMEOUT - 40);
    expect_said("");
    pass(TIMEOUT / 4 + 60);
    expect_said("a -12 -;b -11 -;down;");
    cr_expect(accept_peer() || accept_peer() || accept_peer());
    stop();
}

Test(redis_link, probes_when_nothing_was_heard)
{
    start_up(true);
    peer_reads();
    pass(TIMEOUT);
    cr_expect_str_eq(peer_reads(), "*1\r\n$4\r\nPING\r\n");
    peer_says("*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    expect_said("");
    pass(TIMEOUT);
    cr_expect_str_eq(peer_reads(), "*1\r\n$4\r\nPING\r\n");
    pass(2 * TIMEOUT);
    expect_said("down;");
    stop();
}

Test(redis_link, forgives_redis_when_it_was_stopped_itself)
{
    start_up(false);
    send_("A", "a");
    turn();
    clock_advance(10 * TIMEOUT);
    turn();
    expect_said("");
    peer_says(":1\r\n");
    expect_said("a 0 1;");
    stop();
}

Test(redis_link, comes_back_with_growing_pauses_of_a_second_at_most)
{
    unsigned tries = 0;

    start_as(false, NULL);
    listen_here();
    for (int i = 0; i < 500; i++) { /* ten seconds */
        pass(20);
        peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (peer < 0) continue;
        tries++;
        close(peer);
        peer = -1;
    }
    cr_expect_geq(tries, 12);
    cr_expect_leq(tries, 30, "%u", tries);
    expect_said("");
    stop();
}

Test(redis_link, refusals_of_the_greeting_end_it)
{
    static const char *const rows[] = {"-WRONGPASS no\r\n", "+OK\r\n+OK\r\n-LOADING wait\r\n",
                                       "+OK\r\n+OK\r\n+OK\r\n", "HTTP/1.1 400\r\n",
                                       ":1\r\n:1\r\n:1\r\n:1\r\n"};

    start_as(false, NULL);
    listen_here();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int j = 0; j < 60 && !accept_peer(); j++)
            ;
        cr_assert_geq(peer, 0, "row %zu", i);
        peer_says(rows[i]);
        cr_expect_not(redis_link_is_up(link_), "row %zu", i);
    }
    expect_said("");
    stop();
}

Test(redis_link, a_breach_of_the_protocol_ends_it)
{
    static const char *const rows[] = {"?\r\n", ":1\r\n", "*1\r\n$x\r\n", "$-5\r\n"};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memcpy(dir, "/tmp/ingoma-link-XXXXXX", sizeof dir);
        start_up(false);
        peer_says(rows[i]);
        expect_said("down;");
        cr_expect_not(redis_link_is_up(link_), "row %zu", i);
        stop();
        peer = listener = -1;
        said = (struct sb){0};
    }
}

Test(redis_link, bounds_what_waits)
{
    static char large[60000];
    struct str argv[2] = {STR("A"), {large, sizeof large}};

    start_up(false);
    cr_expect_eq(redis_link_send(link_, argv, 2, NULL, NULL), OK);
    cr_expect_eq(redis_link_send(link_, argv, 2, NULL, NULL), ERR_LIMIT);
    stop();
}

static void close_link(void *ctx, int rc, const struct redisReply *r)
{
    (void)ctx, (void)rc, (void)r;
    redis_link_close(link_);
    redis_link_close(link_); /* twice is once */
}

Test(redis_link_close, may_come_from_a_reply_and_answers_the_rest)
{
    start_up(false);
    cr_expect_eq(redis_link_send(link_, &STR("A"), 1, close_link, NULL), OK);
    send_("B", "b");
    turn();
    cr_assert_geq(write(peer, ":1\r\n:2\r\n", 8), 0);
    loop_turn(loop, false);
    expect_said("b -11 -;");
    peer_reads();
    cr_expect_eq(read(peer, large_enough, sizeof large_enough), 0);
    link_ = NULL;
    stop();
}

static void subscribe(enum redis_link_sub how, const char *channel, const char *name)
{
    cr_expect_eq(
        redis_link_subscribe(link_, how, str_z(channel), on_reply, (void *)(uintptr_t)name), OK);
}

#define SUNSUBSCRIBED(c) "*3\r\n$12\r\nsunsubscribe\r\n$1\r\n" c "\r\n:0\r\n"
#define SSUBSCRIBED(c) "*3\r\n$10\r\nssubscribe\r\n$1\r\n" c "\r\n:1\r\n"

Test(redis_link, tells_its_answers_from_what_redis_says_unasked)
{
    start_up(true);
    peer_reads();
    subscribe(REDIS_SSUBSCRIBE, "a", "in");
    subscribe(REDIS_SUNSUBSCRIBE, "b", "out");
    turn();
    cr_expect_str_eq(peer_reads(), "*2\r\n$10\r\nSSUBSCRIBE\r\n$1\r\na\r\n"
                                   "*2\r\n$12\r\nSUNSUBSCRIBE\r\n$1\r\nb\r\n");
    peer_says(SUNSUBSCRIBED("x")); /* a slot has moved */
    expect_said("left x;");
    peer_says(SSUBSCRIBED("a"));
    peer_says(SUNSUBSCRIBED("y"));
    peer_says(SUNSUBSCRIBED("b"));
    peer_says(SUNSUBSCRIBED("a"));
    expect_said("in 0 (null);left y;out 0 (null);left a;");
    peer_says("*3\r\n$8\r\nsmessage\r\n$1\r\na\r\n$2\r\nhi\r\n");
    expect_said("push  a hi;");
    stop();
}

Test(redis_link, starts_again_when_answers_and_questions_do_not_match)
{
    start_up(true);
    subscribe(REDIS_SSUBSCRIBE, "a", "in");
    turn();
    peer_says(SSUBSCRIBED("b"));
    expect_said("in -11 -;down;");
    stop();
}
