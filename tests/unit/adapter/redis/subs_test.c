/* The list of subscriptions against a Redis that says what the test wants. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "adapter/redis/subs_priv.h"
#include "base/clock.h"
#include "base/loop.h"
#include "tests/unit/support/hex.h"

static struct loop *loop;
static struct redis_link *link_;
static struct redis_subs subs;
static struct redis_url url;
static char dir[] = "/tmp/ingoma-subs-XXXXXX", path[64];
static int listener = -1, peer = -1;
static unsigned settled, refused, ready, lost, moves;

static void on_up(void *ctx)
{
    redis_subs_retry(ctx);
}

static void on_down(void *ctx)
{
    redis_subs_down(ctx, link_);
}

static void on_push(void *ctx, const struct redis_push *p)
{
    (void)redis_subs_take(ctx, link_, p);
}

static void on_settled(void *ctx)
{
    (void)ctx;
    settled++;
}

static void on_refused(void *ctx, struct str why)
{
    (void)ctx;
    (void)why;
    refused++;
}

static void on_ready(void *ctx)
{
    (void)ctx;
    ready++;
}

static void on_lost(void *ctx)
{
    (void)ctx;
    lost++;
}

static bool on_moved(void *ctx, struct redis_link *by, struct str error)
{
    (void)ctx, (void)by;
    return moves && str_starts(error, STR("MOVED")) && moves--;
}

static struct redis_link *link_of(void *ctx, const struct redis_sub *sub)
{
    (void)ctx, (void)sub;
    return link_;
}

static void turn(void)
{
    for (int i = 0; i < 4; i++)
        loop_turn(loop, false);
}

static const char *peer_reads(void)
{
    static char bytes[262144];
    ssize_t n;

    turn();
    n = read(peer, bytes, sizeof bytes - 1);
    bytes[n > 0 ? n : 0] = 0;
    return bytes;
}

static void peer_says(const char *text)
{
    cr_assert_eq(write(peer, text, strlen(text)), (ssize_t)strlen(text));
    turn();
}

static void connect_peer(void)
{
    if (peer >= 0) close(peer);
    peer = -1;
    for (int i = 0; i < 200 && peer < 0; i++) {
        clock_advance(20);
        turn();
        peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    }
    cr_assert_geq(peer, 0);
    peer_reads();
    peer_says("+OK\r\n+PONG\r\n");
}

static void start(void)
{
    struct redis_link_conf c = {.url = &url,
                                .name = "test",
                                .timeout_ms = 100000,
                                .queue_bytes = 1000000,
                                .is_subscriber = true,
                                .ctx = &subs,
                                .on_up = on_up,
                                .on_down = on_down,
                                .on_push = on_push};
    struct sockaddr_un un = {.sun_family = AF_UNIX};

    clock_freeze(100000, 0);
    cr_assert(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/s", dir);
    url.path = strdup(path);
    memcpy(un.sun_path, path, strlen(path));
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind(listener, (const struct sockaddr *)(const void *)&un, sizeof un), 0);
    cr_assert_eq(listen(listener, 8), 0);
    loop = c.loop = loop_new();
    redis_subs_init(&subs, &subs);
    subs.on_settled = on_settled;
    subs.on_refused = on_refused;
    subs.on_lost = on_lost;
    subs.on_moved = on_moved;
    subs.link_of = link_of;
    link_ = redis_link_open(&c);
}

static void stop(void)
{
    redis_link_close(link_);
    redis_subs_fini(&subs);
    loop_turn(loop, false);
    loop_free(loop);
    if (peer >= 0) close(peer);
    close(listener);
    unlink(path);
    rmdir(dir);
    redis_url_fini(&url);
}

#define IN(word, n, c) "*3\r\n$" n "\r\n" word "\r\n$1\r\n" c "\r\n:1\r\n"
#define SIN(c) IN("ssubscribe", "10", c)
#define SOUT(c) IN("sunsubscribe", "12", c)
#define ASK(word, n, c) "*2\r\n$" n "\r\n" word "\r\n$1\r\n" c "\r\n"
#define SASK(c) ASK("SSUBSCRIBE", "10", c)
#define SLEAVE(c) ASK("SUNSUBSCRIBE", "12", c)

static enum redis_sub_state state(const char *name)
{
    const struct redis_sub *s = redis_subs_get(&subs, REDIS_SUB_SHARD, str_z(name));

    return s ? s->state : REDIS_SUB_STATE_COUNT;
}

static void enter(const char *name)
{
    redis_subs_enter(&subs, CHANNEL_SHARD_ROOM, NULL, str_z(name));
}

static void leave(const char *name)
{
    redis_subs_leave(&subs, CHANNEL_SHARD_ROOM, str_z(name));
}

static void await(const char *name)
{
    redis_subs_await(redis_subs_get(&subs, REDIS_SUB_SHARD, str_z(name)), on_ready, NULL);
}

Test(redis_subs, each_line_is_asked_in_order_and_all_of_them_settle_the_list)
{
    start();
    redis_subs_add(&subs, REDIS_SUB_CHANNEL, CHANNEL_NODE, NULL, STR("c"));
    redis_subs_add(&subs, REDIS_SUB_PATTERN, CHANNEL_CASTS, NULL, STR("p"));
    redis_subs_add(&subs, REDIS_SUB_SHARD, CHANNEL_SHARD, NULL, STR("c"));
    connect_peer();
    cr_expect_str_eq(peer_reads(),
                     ASK("SUBSCRIBE", "9", "c") ASK("PSUBSCRIBE", "10", "p") SASK("c"));
    peer_says(IN("subscribe", "9", "c") IN("psubscribe", "10", "p"));
    cr_expect_eq(settled, 0);
    peer_says(SIN("c"));
    cr_expect_eq(settled, 1);
    cr_expect_eq(subs.missed, 0);
    enter("r"); /* a room comes and goes while all is well */
    cr_expect_eq(subs.missed, 0);
    connect_peer(); /* and all again, the room with them */
    cr_expect_eq(subs.missed, 4);
    cr_expect_str_eq(peer_reads(),
                     ASK("SUBSCRIBE", "9", "c") ASK("PSUBSCRIBE", "10", "p") SASK("c") SASK("r"));
    stop();
}

Test(redis_subs, a_room_that_changes_its_mind_ends_as_it_was_wanted_last)
{
    start();
    connect_peer();
    enter("r");
    leave("r"); /* before the answer: the connection knows better than to ask twice */
    enter("r");
    leave("r");
    cr_expect_str_eq(peer_reads(), SASK("r"));
    peer_says(SIN("r"));
    cr_expect_str_eq(peer_reads(), SLEAVE("r"));
    enter("r");
    cr_expect_eq(state("r"), REDIS_SUB_LEAVING);
    peer_says(SOUT("r"));
    cr_expect_str_eq(peer_reads(), SASK("r"));
    peer_says(SIN("r"));
    cr_expect_eq(state("r"), REDIS_SUB_CONFIRMED);
    leave("r");
    peer_says(SOUT("r"));
    cr_expect_eq(state("r"), REDIS_SUB_STATE_COUNT, "nothing is left of it");
    leave("r");
    stop();
}

Test(redis_subs, who_waits_is_told_once_whatever_happens)
{
    start();
    connect_peer();
    enter("a");
    await("a");
    cr_expect_eq(ready, 0);
    peer_says(SIN("a"));
    cr_expect_eq(ready, 1, "confirmed");
    await("a");
    cr_expect_eq(ready, 2, "confirmed before");
    enter("b");
    await("b");
    peer_says("-NOPERM\r\n");
    cr_expect_eq(ready, 3, "refused");
    cr_expect_eq(refused, 1);
    enter("c");
    await("c");
    leave("c");
    cr_expect_eq(ready, 4, "given up");
    enter("d");
    await("d");
    close(peer);
    peer = -1;
    turn();
    cr_expect_eq(ready, 5, "no connection");
    await("d");
    cr_expect_eq(ready, 6);
    connect_peer();
    await("d");
    stop();
    cr_expect_eq(ready, 7, "the end");
}

Test(redis_subs, a_refused_line_is_asked_again_later)
{
    start();
    connect_peer();
    enter("r");
    peer_reads();
    peer_says("-MOVED 7893 there:1\r\n");
    cr_expect_eq(state("r"), REDIS_SUB_REFUSED);
    cr_expect_str_eq(peer_reads(), "");
    redis_subs_retry(&subs);
    cr_expect_str_eq(peer_reads(), SASK("r"));
    peer_says("-NOPERM\r\n");
    leave("r");
    cr_expect_eq(state("r"), REDIS_SUB_STATE_COUNT);
    redis_subs_retry(&subs);
    cr_expect_str_eq(peer_reads(), "");
    stop();
}

Test(redis_subs, what_redis_takes_away_is_asked_for_again)
{
    start();
    connect_peer();
    enter("r");
    peer_says(SIN("r"));
    peer_reads();
    peer_says(SOUT("r") SOUT("x"));
    cr_expect_str_eq(peer_reads(), SASK("r"));
    peer_says(SIN("r"));
    cr_expect_eq(state("r"), REDIS_SUB_CONFIRMED);
    stop();
}

Test(redis_subs, a_line_follows_its_slot_but_not_for_ever)
{
    start();
    connect_peer();
    enter("r");
    await("r");
    peer_reads();
    moves = 100;
    for (int i = 0; i < 4; i++) {
        peer_says("-MOVED 7893 there:1\r\n");
        cr_expect_str_eq(peer_reads(), SASK("r"));
        cr_expect_eq(ready, 0, "it is on its way");
    }
    peer_says("-MOVED 7893 there:1\r\n");
    cr_expect_eq(state("r"), REDIS_SUB_REFUSED);
    cr_expect_eq(ready, 1);
    redis_subs_retry(&subs);
    peer_says(SIN("r"));
    cr_expect_eq(state("r"), REDIS_SUB_CONFIRMED);
    cr_expect_eq(lost, 0);
    stop();
}

Test(redis_subs, a_line_that_was_heard_and_finds_nobody_is_told)
{
    struct redis_link *link = NULL;

    start();
    connect_peer();
    enter("r");
    enter("s");
    peer_says(SIN("r") SIN("s"));
    cr_expect_eq(subs.missed, 0);
    link = link_;
    link_ = NULL; /* the slots are nobody's */
    redis_subs_moved(&subs);
    link_ = link;
    cr_expect_eq(subs.missed, 2);
    cr_expect_geq(lost, 1);
    redis_subs_retry(&subs);
    peer_reads();
    peer_says(SIN("r") SIN("s"));
    cr_expect_eq(settled, 1);
    stop();
}

/* Redis: sunsubscribe of its own, then its answer to ours, which is an error by now. */
Test(redis_subs, a_slot_that_moves_while_a_room_is_left_disturbs_nobody_else)
{
    start();
    connect_peer();
    enter("r");
    peer_says(SIN("r"));
    leave("r");
    enter("s");
    peer_reads();
    peer_says(SOUT("r"));
    peer_says("-MOVED 7893 there:1\r\n");
    peer_says(SIN("s"));
    cr_expect_eq(state("r"), REDIS_SUB_STATE_COUNT);
    cr_expect_eq(state("s"), REDIS_SUB_CONFIRMED);
    cr_expect(redis_link_is_up(link_));
    stop();
}

Test(redis_subs, a_room_can_neither_end_nor_double_a_channel_that_is_there_for_good)
{
    start();
    redis_subs_add(&subs, REDIS_SUB_SHARD, CHANNEL_SHARD_OWN, NULL, STR("u"));
    connect_peer();
    peer_says(SIN("u"));
    peer_reads();
    enter("u");
    leave("u");
    cr_expect_str_eq(peer_reads(), "");
    cr_expect_eq(state("u"), REDIS_SUB_CONFIRMED);
    enter("r");
    redis_subs_add(&subs, REDIS_SUB_SHARD, CHANNEL_SHARD, NULL, STR("r"));
    leave("r");
    peer_says(SIN("r"));
    cr_expect_eq(state("r"), REDIS_SUB_CONFIRMED);
    stop();
}

static unsigned count_of(const char *text, char c)
{
    unsigned count = 0;

    for (; *text; text++)
        count += *text == c;
    return count;
}

Test(redis_subs, a_bounded_number_of_commands_is_under_way)
{
    struct sb b = {0};

    start();
    connect_peer();
    for (int i = 1000; i < 2000; i++) {
        b.n = 0;
        sb_i64(&b, i);
        enter(to_z(&b));
    }
    cr_expect_eq(count_of(peer_reads(), '*'), 512);
    peer_says("*3\r\n$10\r\nssubscribe\r\n$4\r\n1000\r\n:1\r\n");
    cr_expect_eq(count_of(peer_reads(), '*'), 1);
    stop();
    sb_fini(&b);
}
