/* One reader against a real Redis: nothing is missed, and what is missed is known. */
#include <criterion/criterion.h>
#include "adapter/redis/stream_reader_priv.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metric.h"
#include "tests/unit/support/hex.h"
#include "tests/unit/support/redis_fixture.h"

#define SAY(...)                                                                                   \
    redis_fixture_say(&redis, (const struct str[]){__VA_ARGS__},                                   \
                      sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str))

static struct redis_fixture redis;
static struct redis_url url;
static struct loop *loop;
static struct redis_stream_reader *reader;
static struct timer wake;
static struct sb heard; /* the values of the fields "v" */
static unsigned entries, moves;
static bool closes; /* at the first entry */

static void on_wake(struct timer *t)
{
    loop_timer(loop, t, 5);
}

static void set_up(void)
{
    char *why = NULL;

    loop = loop_new();
    timer_init(&wake, on_wake);
    loop_timer(loop, &wake, 5);
    if (!redis_fixture_is_there()) return;
    redis_fixture_open(&redis);
    cr_assert_eq(redis_url_parse(str_z(redis.url), &url, &why), OK);
}

static void tear_down(void)
{
    if (reader) redis_stream_reader_close(reader);
    loop_timer_stop(loop, &wake);
    loop_turn(loop, false);
    loop_free(loop);
    redis_url_fini(&url);
    sb_fini(&heard);
    if (redis.pid) redis_fixture_close(&redis);
}

TestSuite(redis_stream_reader, .init = set_up, .fini = tear_down, .timeout = 60);

#define NEEDS_REDIS()                                                                              \
    if (!redis.pid) cr_skip_test("redis-server is not installed")

static void on_entry(void *ctx, const struct str *fields, unsigned count)
{
    cr_assert_eq(ctx, &heard);
    entries++;
    for (unsigned i = 0; i + 1 < count; i += 2)
        if (str_eq(fields[i], STR("v"))) sb_printf(&heard, STR_FMT " ", STR_ARG(fields[i + 1]));
    if (closes && reader) {
        redis_stream_reader_close(reader);
        reader = NULL;
    }
}

static void on_moved(void *ctx)
{
    (void)ctx;
    moves++;
}

static void open_reader(uint64_t timeout_ms)
{
    reader =
        redis_stream_reader_open(&(struct redis_stream_reader_conf){.loop = loop,
                                                                    .url = &url,
                                                                    .stream = STR("the stream"),
                                                                    .link_name = "reader",
                                                                    .timeout_ms = timeout_ms,
                                                                    .queue_bytes = 1 << 20,
                                                                    .ctx = &heard,
                                                                    .on_entry = on_entry,
                                                                    .on_moved = on_moved});
}

static bool await_ready(bool is_ready)
{
    uint64_t end = clock_us() + 10000000;

    while (redis_stream_reader_is_ready(reader) != is_ready && clock_us() < end)
        loop_turn(loop, true);
    return redis_stream_reader_is_ready(reader) == is_ready;
}

static bool await_number(const unsigned *number, unsigned want)
{
    uint64_t end = clock_us() + 10000000;

    while (*number < want && clock_us() < end)
        loop_turn(loop, true);
    return *number >= want;
}

static void add(const char *v)
{
    SAY(STR("XADD"), STR("the stream"), STR("*"), STR("v"), str_z(v));
}

/* One transaction: so many entries, of which so many are kept. */
static void add_many(unsigned count, const char *maxlen)
{
    struct sb b = {0};

    SAY(STR("MULTI"));
    for (unsigned i = 0; i < count; i++) {
        b.n = 0;
        sb_u64(&b, i);
        add(to_z(&b));
    }
    if (maxlen) SAY(STR("XTRIM"), STR("the stream"), STR("MAXLEN"), str_z(maxlen));
    SAY(STR("EXEC"));
    sb_fini(&b);
}

static const char *all_heard(void)
{
    const char *text = to_z(&heard);

    heard.n = 0;
    return text;
}

Test(redis_stream_reader, begins_behind_what_is_there_and_reads_on_in_order)
{
    struct streams_id position;

    NEEDS_REDIS();
    add("old");
    open_reader(400);
    cr_expect_not(redis_stream_reader_is_ready(reader));
    cr_assert(await_ready(true));
    position = redis_stream_reader_position(reader);
    cr_expect_gt(position.ms, 0);
    add("a");
    cr_assert(await_number(&entries, 1));
    add("b");
    add("c");
    cr_assert(await_number(&entries, 3));
    cr_expect_str_eq(all_heard(), "a b c ");
    cr_expect_gt(streams_id_compare(redis_stream_reader_position(reader), position), 0);
}

/* `$` would begin anew with each XREAD: this one comes when none is waiting. */
Test(redis_stream_reader, an_entry_between_two_reads_is_not_missed)
{
    NEEDS_REDIS();
    open_reader(400);
    cr_assert(await_ready(true));
    SAY(STR("CLIENT"), STR("KILL"), STR("TYPE"), STR("normal"), STR("SKIPME"), STR("yes"));
    add("first of all");
    cr_assert(await_ready(false));
    cr_assert(await_number(&entries, 1));
    cr_expect_str_eq(all_heard(), "first of all ");
}

Test(redis_stream_reader, waits_through_silence_on_one_connection)
{
    NEEDS_REDIS();
    open_reader(1000); /* XREAD blocks for 500 ms */
    cr_assert(await_ready(true));
    moves = 0;
    for (uint64_t end = clock_us() + 1600000; clock_us() < end;)
        loop_turn(loop, true);
    cr_expect_eq(moves, 0);
    cr_expect_eq(metric_get(M_REDIS_RECONNECTS), 0);
    cr_expect_eq(metric_get(M_REDIS_SECONDS), 0, "blocking is no round trip");
    add("a");
    cr_assert(await_number(&entries, 1));
}

Test(redis_stream_reader, catches_up_with_many_without_a_gap)
{
    NEEDS_REDIS();
    open_reader(2000);
    cr_assert(await_ready(true));
    add_many(1234, NULL);
    cr_assert(await_number(&entries, 1234));
    add_many(100, NULL); /* exactly one batch */
    cr_assert(await_number(&entries, 1334));
    add("z");
    cr_assert(await_number(&entries, 1335));
    cr_expect_eq(metric_get(M_REDIS_STREAM_MISSED), 0);
}

Test(redis_stream_reader, counts_what_was_trimmed_unread)
{
    NEEDS_REDIS();
    add("old");
    open_reader(2000);
    cr_assert(await_ready(true));
    add_many(500, "200");
    cr_assert(await_number(&entries, 200));
    add("z");
    cr_assert(await_number(&entries, 201));
    cr_expect_eq(metric_get(M_REDIS_STREAM_MISSED), 300);
    heard.n = 0;
    add_many(300, "300"); /* all that was read is gone, nothing else */
    cr_assert(await_number(&entries, 501));
    add("z");
    cr_assert(await_number(&entries, 502));
    cr_expect_eq(metric_get(M_REDIS_STREAM_MISSED), 300);
}

Test(redis_stream_reader, notices_a_gap_that_opened_while_it_was_away)
{
    NEEDS_REDIS();
    open_reader(400);
    cr_assert(await_ready(true));
    add("a");
    cr_assert(await_number(&entries, 1));
    SAY(STR("CLIENT"), STR("KILL"), STR("TYPE"), STR("normal"), STR("SKIPME"), STR("yes"));
    add_many(10, "3");
    cr_assert(await_number(&entries, 4));
    cr_expect_str_eq(all_heard(), "a 7 8 9 ");
    cr_expect_eq(metric_get(M_REDIS_STREAM_MISSED), 7);
}

Test(redis_stream_reader, goes_on_after_a_restart_without_data)
{
    NEEDS_REDIS();
    open_reader(400);
    cr_assert(await_ready(true));
    for (int i = 0; i < 2; i++) {
        add("a");
        cr_assert(await_number(&entries, 1));
        redis_fixture_kill(&redis);
        cr_assert(await_ready(false));
        redis_fixture_start(&redis);
        if (i) /* before the reader is back: the clock's id, above ours */
            add("b");
        else
            cr_assert(await_ready(true));
        if (!i) add("b");
        cr_assert(await_number(&entries, 2));
        cr_expect_str_eq(all_heard(), "a b ");
        entries = 0;
    }
    cr_expect_eq(metric_get(M_REDIS_STREAM_MISSED), 0);
}

Test(redis_stream_reader, counts_anew_in_a_stream_that_began_anew)
{
    NEEDS_REDIS();
    open_reader(400);
    cr_assert(await_ready(true));
    add_many(50, NULL);
    cr_assert(await_number(&entries, 50));
    redis_fixture_kill(&redis);
    cr_assert(await_ready(false));
    redis_fixture_start(&redis);
    add_many(20, "5");
    cr_assert(await_number(&entries, 55));
    cr_expect_eq(metric_get(M_REDIS_STREAM_MISSED), 15);
}

/* As after a fail-over to a server whose clock is behind. */
Test(redis_stream_reader, ids_that_went_back_are_followed)
{
    NEEDS_REDIS();
    SAY(STR("XADD"), STR("the stream"), STR("99999999999999-7"), STR("v"), STR("future"));
    open_reader(400);
    cr_assert(await_ready(true));
    SAY(STR("MULTI"));
    SAY(STR("DEL"), STR("the stream"));
    add("unheard");
    SAY(STR("CLIENT"), STR("KILL"), STR("TYPE"), STR("normal"), STR("SKIPME"), STR("yes"));
    SAY(STR("EXEC"));
    cr_assert(await_ready(false));
    cr_assert(await_ready(true));
    add("a");
    cr_assert(await_number(&entries, 1));
    cr_expect_str_eq(all_heard(), "a ");
}

Test(redis_stream_reader, garbage_is_counted_and_passed_over)
{
    struct str many[3 + 2 * 40] = {STR("XADD"), STR("the stream"), STR("*")};

    NEEDS_REDIS();
    open_reader(400);
    cr_assert(await_ready(true));
    for (unsigned i = 3; i < 83; i++)
        many[i] = STR("x");
    redis_fixture_say(&redis, many, 83);
    add("a");
    cr_assert(await_number(&entries, 1));
    cr_expect_eq(metric_get(M_REDIS_GARBAGE), 1);
}

Test(redis_stream_reader, asks_again_where_it_was_refused)
{
    NEEDS_REDIS();
    SAY(STR("SET"), STR("the stream"), STR("is a text"));
    open_reader(100);
    for (int i = 0; i < 30; i++)
        loop_turn(loop, true);
    cr_expect_not(redis_stream_reader_is_ready(reader));
    SAY(STR("DEL"), STR("the stream"));
    cr_assert(await_ready(true));
    add("a");
    cr_assert(await_number(&entries, 1));
    SAY(STR("SET"), STR("the stream"), STR("is a text"));
    cr_assert(await_ready(false));
    SAY(STR("DEL"), STR("the stream"));
    cr_assert(await_ready(true));
    add("b");
    cr_assert(await_number(&entries, 2));
    cr_expect_str_eq(all_heard(), "a b ");
}

Test(redis_stream_reader, may_be_closed_by_what_it_reads)
{
    NEEDS_REDIS();
    open_reader(400);
    cr_assert(await_ready(true));
    closes = true;
    add_many(10, NULL);
    cr_assert(await_number(&entries, 1));
    loop_turn(loop, false);
    cr_expect_eq(entries, 1);
}
