/* Asking the sentinels, against some of our own making and with time moved by hand. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <hiredis/hiredis.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "adapter/redis/link.h"
#include "adapter/redis/sentinel.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/rand.h"
#include "tests/unit/support/hex.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])
#define ASK "*3\r\n$8\r\nSENTINEL\r\n$23\r\nget-master-addr-by-name\r\n$1\r\nm\r\n"
#define WATCH "*2\r\n$9\r\nSUBSCRIBE\r\n$14\r\n+switch-master\r\n"
#define ADDRESS(host, port) "*2\r\n$2\r\n" host "\r\n$4\r\n" port "\r\n"
#define WATCHED "*3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n"
#define SWITCHED "*3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n"

enum { TIMEOUT = 400, COUNT = 3, PATIENCE_MS = 500, GLANCE_MS = 10 };

static struct loop *loop;
static struct redis_sentinel *sentinel;
static struct redis_url url;
static int listeners[COUNT], peer = -1;
static struct sb said; /* "h1:7001;" "none;" "moved;" */

static void on_master(void *ctx, const struct redis_place *m, struct str why)
{
    (void)ctx;
    if (m)
        sb_printf(&said, "%s:%u;", m->host, m->port);
    else
        sb_printf(&said, "none: " STR_FMT ";", STR_ARG(why));
}

static void on_moved(void *ctx)
{
    (void)ctx;
    sb_z(&said, "moved;");
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

static void listen_at(int i, uint16_t *port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof in;

    listeners[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(listeners[i], (const struct sockaddr *)(const void *)&in, sizeof in), 0);
    cr_assert_eq(listen(listeners[i], 8), 0);
    cr_assert_eq(getsockname(listeners[i], (struct sockaddr *)(void *)&in, &size), 0);
    *port = ntohs(in.sin_port);
}

static void start(const char *query)
{
    struct redis_sentinel_conf c = {
        .timeout_ms = TIMEOUT, .url = &url, .on_master = on_master, .on_moved = on_moved};
    struct sb text = {0};
    uint16_t ports[COUNT];
    char *why = NULL;

    clock_freeze(100000, 0);
    rand_seed_for_test(1);
    for (int i = 0; i < COUNT; i++)
        listen_at(i, &ports[i]);
    sb_printf(&text, "redis+sentinel://127.0.0.1:%u,127.0.0.1:%u,127.0.0.1:%u/m%s", ports[0],
              ports[1], ports[2], query);
    cr_assert_eq(redis_url_parse(sb_view(&text), &url, &why), OK, "%s", why);
    sb_fini(&text);
    c.loop = loop = loop_new();
    sentinel = redis_sentinel_new(&c);
}

static void stop(void)
{
    redis_sentinel_free(sentinel);
    turn();
    loop_free(loop);
    if (peer >= 0) close(peer);
    for (int i = 0; i < COUNT; i++)
        if (listeners[i] >= 0) close(listeners[i]);
    redis_url_fini(&url);
    sb_fini(&said);
    peer = -1;
}

static void be_away(int i)
{
    close(listeners[i]);
    listeners[i] = -1;
}

/* The kernel hands on what one end of TCP has sent when it finds the time, not within the call. */
static void await_bytes(int fd)
{
    (void)poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, PATIENCE_MS);
}

static void await_taken(int fd)
{
    int unsent = 1;

    for (int i = 0; i < PATIENCE_MS && ioctl(fd, SIOCOUTQ, &unsent) == 0 && unsent; i++)
        (void)poll(NULL, 0, 1);
}

static int accepted_within(int ms)
{
    struct pollfd polls[COUNT];

    if (peer >= 0) close(peer);
    turn();
    for (int i = 0; i < COUNT; i++)
        polls[i] = (struct pollfd){.fd = listeners[i], .events = POLLIN};
    (void)poll(polls, COUNT, ms);
    for (int i = 0; i < COUNT; i++) {
        peer = listeners[i] < 0 ? -1 : accept4(listeners[i], NULL, NULL, SOCK_NONBLOCK);
        if (peer < 0) continue;
        turn();
        return i;
    }
    return -1;
}

/* The next connection came to this one; -1: to none. */
static int accepted_by(void)
{
    return accepted_within(PATIENCE_MS);
}

/* As accepted_by, when a pause is over. */
static int accepted_later(void)
{
    int i = -1;

    for (unsigned ms = 0; i < 0 && ms <= TIMEOUT + 40; ms += 20) {
        pass(20);
        i = accepted_within(GLANCE_MS);
    }
    return i;
}

static const char *peer_reads(void)
{
    static char bytes[4096];
    ssize_t n;

    await_bytes(peer);
    n = read(peer, bytes, sizeof bytes - 1);
    bytes[n > 0 ? n : 0] = 0;
    return bytes;
}

static bool peer_is_left(void)
{
    char byte;

    await_bytes(peer);
    return recv(peer, &byte, 1, 0) == 0;
}

static void peer_says(const char *text)
{
    cr_assert_eq(write(peer, text, strlen(text)), (ssize_t)strlen(text));
    await_taken(peer);
    turn();
}

static void start_watching(void)
{
    start("");
    redis_sentinel_ask(sentinel);
    cr_assert_eq(accepted_by(), 0);
    cr_expect_str_eq(peer_reads(), ASK WATCH);
    peer_says(ADDRESS("h1", "7001") WATCHED);
    expect_said("h1:7001;");
}

Test(redis_sentinel, asks_and_watches_in_one_write)
{
    start_watching();
    pass(TIMEOUT);
    cr_expect_str_eq(peer_reads(), "*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n");
    stop();
}

Test(redis_sentinel, says_its_name_and_password_first)
{
    start("?sentinelUser=u&sentinelPassword=p");
    redis_sentinel_ask(sentinel);
    cr_assert_eq(accepted_by(), 0);
    cr_expect_str_eq(peer_reads(), "*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$1\r\np\r\n" ASK WATCH);
    peer_says("+OK\r\n" ADDRESS("h1", "70"));
    expect_said("");
    peer_says("01\r\n" WATCHED);
    stop();
}

Test(redis_sentinel, goes_to_the_next_when_one_is_of_no_use)
{
    static const char *const rows[] = {"*-1\r\n",
                                       "-IDONTKNOW\r\n",
                                       "-NOAUTH no\r\n",
                                       "HTTP/1.1 400\r\n",
                                       "*1\r\n$1\r\nx\r\n",
                                       ADDRESS("h1", "0x10"),
                                       "*2\r\n$0\r\n\r\n$1\r\n1\r\n",
                                       "*2\r\n$1\r\nh\r\n$5\r\n65536\r\n",
                                       "*2\r\n$1\r\nh\r\n$1\r\n0\r\n",
                                       "$-1\r\n",
                                       ""};

    for (size_t i = 0; i < ROWS(rows); i++) {
        start("");
        be_away(1);
        redis_sentinel_ask(sentinel);
        cr_assert_eq(accepted_by(), 0);
        peer_says(rows[i]);
        if (!rows[i][0]) pass(TIMEOUT / (COUNT + 1) + 20); /* it is silent */
        expect_said("");
        cr_assert_eq(accepted_by(), 2, "row %zu", i);
        peer_says(ADDRESS("h2", "7002") WATCHED);
        expect_said("h2:7002;");
        stop();
    }
}

Test(redis_sentinel, a_round_without_an_answer_ends_in_time_with_the_reason)
{
    start("");
    redis_sentinel_ask(sentinel);
    pass(TIMEOUT);
    expect_said("none: no sentinel answered in time;");
    redis_sentinel_ask(sentinel);
    be_away(0), be_away(1), be_away(2);
    pass(TIMEOUT);
    cr_expect(to_z(&said) && said.n); /* what the kernel says of a closed listener may differ */
    stop();
}

Test(redis_sentinel, says_that_nobody_knows_the_name)
{
    start("");
    redis_sentinel_ask(sentinel);
    for (int i = 0; i < COUNT; i++) {
        cr_assert_eq(accepted_by(), i);
        expect_said("");
        peer_says("*-1\r\n");
    }
    expect_said("none: no sentinel knows a master of this name;");
    pass(10 * TIMEOUT);
    cr_expect_eq(accepted_by(), -1, "unasked it asks nobody");
    stop();
}

Test(redis_sentinel, each_asking_starts_with_the_next)
{
    start("");
    for (int i = 0; i < 4; i++) {
        redis_sentinel_ask(sentinel);
        cr_assert_eq(accepted_by(), i % COUNT);
        peer_says(ADDRESS("h1", "7001") WATCHED);
        expect_said("h1:7001;");
    }
    stop();
}

Test(redis_sentinel, hears_of_a_fail_over)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {SWITCHED "$17\r\nm h1 7001 h2 7002\r\n", "moved;"},
        {SWITCHED "$17\r\nm h1 7001 h1 7002\r\n", "moved;"},
        {SWITCHED "$17\r\nm h2 7002 h1 7001\r\n", ""}, /* known already */
        {SWITCHED "$17\r\nx h1 7001 h2 7002\r\n", ""}, /* another master */
        {SWITCHED "$7\r\nm h1 70\r\n", ""},
        {SWITCHED "$17\r\nm h1 7001 h2 70x2\r\n", ""},
        {SWITCHED "$0\r\n\r\n", ""},
        {"*2\r\n$4\r\npong\r\n$0\r\n\r\n", ""},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        start_watching();
        peer_says(rows[i].text);
        expect_said(rows[i].want);
        cr_expect_eq(peer_is_left(), rows[i].want[0] != 0, "row %zu", i);
        peer_reads();
        stop();
    }
}

Test(redis_sentinel, a_sentinel_that_goes_away_is_replaced)
{
    static const struct {
        const char *host, *want;
    } rows[] = {{ADDRESS("h1", "7001") WATCHED, ""}, {ADDRESS("h2", "7001") WATCHED, "moved;"}};

    for (size_t i = 0; i < ROWS(rows); i++) {
        start_watching();
        close(peer);
        peer = -1;
        cr_assert_eq(accepted_later(), 1, "row %zu", i);
        expect_said("");
        peer_says(rows[i].host);
        expect_said(rows[i].want);
        stop();
    }
}

Test(redis_sentinel, a_sentinel_that_goes_silent_is_replaced)
{
    start_watching();
    pass(2 * TIMEOUT + 40);
    cr_expect_not_null(peer_reads());
    cr_expect(peer_is_left());
    cr_expect_eq(accepted_later(), 1);
    expect_said("");
    stop();
}

Test(redis_sentinel, where_subscribing_is_forbidden_it_asks_now_and_then)
{
    start_watching();
    close(peer);
    peer = -1;
    cr_assert_eq(accepted_later(), 1);
    peer_says(ADDRESS("h1", "7001") "-NOPERM no\r\n");
    cr_assert_eq(accepted_later(), 2);
    peer_says(ADDRESS("h2", "7002") "-NOPERM no\r\n");
    expect_said("moved;");
    stop();
}

Test(redis_sentinel_stop, ends_it_in_every_state)
{
    start("");
    redis_sentinel_ask(sentinel); /* resolving */
    redis_sentinel_stop(sentinel);
    redis_sentinel_ask(sentinel);
    cr_assert_eq(accepted_by(), 1); /* asking */
    redis_sentinel_stop(sentinel);
    cr_expect_not_null(peer_reads());
    cr_expect(peer_is_left());
    redis_sentinel_ask(sentinel);
    cr_assert_eq(accepted_by(), 2);
    peer_says(ADDRESS("h1", "7001") WATCHED); /* watching */
    redis_sentinel_stop(sentinel);
    redis_sentinel_stop(sentinel); /* twice is once */
    pass(10 * TIMEOUT);
    expect_said("h1:7001;");
    cr_expect_eq(accepted_by(), -1);
    redis_sentinel_stop(NULL);
    redis_sentinel_free(NULL);
    stop();
}

Test(redis_sentinel, tells_roles)
{
    static const struct {
        const char *reply;
        bool is_master, is_demoted;
    } rows[] = {
        {"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n", true, false},
        {"*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:0\r\n", false, false},
        {"*2\r\n$8\r\nsentinel\r\n*0\r\n", false, false},
        {"*0\r\n", false, false},
        {"+master\r\n", false, false},
        {"-READONLY You can't write against a read only replica.\r\n", false, true},
        {"-ERR Error running script: @user_script:1: -READONLY You can't write\r\n", false, true},
        {"-ERR READONLY\r\n", false, false},
        {"$9\r\nREADONLY \r\n", false, false},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        redisReader *reader = redisReaderCreate();
        void *reply = NULL;

        redisReaderFeed(reader, rows[i].reply, strlen(rows[i].reply));
        cr_assert_eq(redisReaderGetReply(reader, &reply), REDIS_OK, "row %zu", i);
        cr_expect_eq(redis_sentinel_is_master(reply), rows[i].is_master, "row %zu", i);
        cr_expect_eq(redis_sentinel_is_demoted(reply), rows[i].is_demoted, "row %zu", i);
        freeReplyObject(reply);
        redisReaderFree(reader);
    }
}

/* ---- the link that asks: listener 0 is the sentinel, 2 is Redis ---- */

static int sentinel_peer = -1;

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

static void on_reply(void *ctx, int rc, const struct redisReply *r)
{
    (void)ctx;
    sb_printf(&said, "%d %s;", rc, r ? r->str : "-");
}

static void sentinel_names_redis(void)
{
    struct sockaddr_in in;
    socklen_t size = sizeof in;
    struct sb port = {0}, text = {0};

    cr_assert_eq(getsockname(listeners[2], (struct sockaddr *)(void *)&in, &size), 0);
    sb_u64(&port, ntohs(in.sin_port));
    sb_printf(&text, "*2\r\n$9\r\n127.0.0.1\r\n$%zu\r\n" STR_FMT "\r\n" WATCHED, port.n,
              STR_ARG(sb_view(&port)));
    peer_says(to_z(&text));
    sb_fini(&port);
    sb_fini(&text);
}

/* The link is at the greeting of Redis, which is the peer now. */
static void reach_redis(void)
{
    cr_assert_eq(accepted_later(), 0);
    sentinel_names_redis();
    if (sentinel_peer >= 0) close(sentinel_peer);
    sentinel_peer = peer;
    peer = -1;
    cr_assert_eq(accepted_by(), 2);
    cr_expect_str_eq(peer_reads(), "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$4\r\ntest\r\n"
                                   "*1\r\n$4\r\nROLE\r\n*1\r\n$4\r\nPING\r\n");
}

static struct redis_link *start_link(void)
{
    struct redis_link_conf c = {.url = &url,
                                .name = "test",
                                .timeout_ms = TIMEOUT,
                                .queue_bytes = 100000,
                                .on_up = on_up,
                                .on_down = on_down};

    start("");
    be_away(1);
    url.sentinels_count = 1; /* the others are not asked */
    c.loop = loop;
    return redis_link_open(&c);
}

static void stop_link(struct redis_link *k)
{
    redis_link_close(k);
    if (sentinel_peer >= 0) close(sentinel_peer);
    sentinel_peer = -1;
    turn();
    url.sentinels_count = COUNT;
    stop();
}

#define MASTER "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"
#define REPLICA "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:0\r\n"

Test(redis_link_at_sentinels, is_up_at_a_master_only_and_asks_again_otherwise)
{
    static const char *const rows[] = {REPLICA, "-NOPERM no\r\n", "+OK\r\n"};
    struct redis_link *k = start_link();

    for (size_t i = 0; i < ROWS(rows); i++) {
        reach_redis();
        peer_says("+OK\r\n");
        peer_says(rows[i]);
        expect_said("");
    }
    reach_redis();
    peer_says("+OK\r\n" MASTER "+PONG\r\n");
    expect_said("up;");
    stop_link(k);
}

Test(redis_link_at_sentinels, leaves_a_server_that_is_no_master_any_more)
{
    struct redis_link *k = start_link();

    reach_redis();
    peer_says("+OK\r\n" MASTER "+PONG\r\n");
    expect_said("up;");
    cr_expect_eq(redis_link_send(k, &STR("A"), 1, on_reply, NULL), OK);
    peer_says("-READONLY You can't write against a read only replica.\r\n");
    expect_said("0 READONLY You can't write against a read only replica.;down;");

    reach_redis();
    peer_says("+OK\r\n" MASTER "+PONG\r\n");
    expect_said("up;");
    pass(TIMEOUT / 2 + 100); /* idle: it asks for the role */
    cr_expect_str_eq(peer_reads(), "*1\r\n$4\r\nROLE\r\n");
    peer_says(REPLICA);
    expect_said("down;");

    reach_redis();
    peer_says("+OK\r\n" MASTER "+PONG\r\n");
    expect_said("up;");
    cr_assert_gt(write(sentinel_peer, SWITCHED "$15\r\nm h 7001 h2 701\r\n",
                       strlen(SWITCHED "$15\r\nm h 7001 h2 701\r\n")),
                 0);
    await_taken(sentinel_peer);
    turn();
    expect_said("down;");
    stop_link(k);
}

Test(redis_link_at_sentinels, may_be_closed_while_it_asks)
{
    struct redis_link *k = start_link();

    cr_assert_eq(accepted_later(), 0);
    stop_link(k);
}
