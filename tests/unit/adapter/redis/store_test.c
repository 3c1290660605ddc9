/* Scripts by their sum, against a real Redis. */
#include <criterion/criterion.h>
#include <signal.h>
#include "tests/unit/support/adapter_fixture.h"

static struct adapter_fixture f;

#define SKIP_OR_OPEN()                                                                             \
    if (!adapter_fixture_open(&f, true)) cr_skip_test("redis-server is not installed")

static void join(void)
{
    adapter_fixture_join(&f, 0, NULL);
    cr_assert(adapter_fixture_await_all(&f, 1));
}

Test(redis_store_eval, runs_by_the_sum_and_sends_the_text_once)
{
    struct adapter_script s = {.name = "many",
                               .text = "redis.call('SET', KEYS[1], ARGV[1]) return {1, 'two', "
                                       "{redis.call('GET', KEYS[1]), false}, -4}"};
    struct adapter_script bad = {.name = "bad", .text = "return redis.call('LPUSH', KEYS[1], 1)"};
    const struct str key = STR("{k}\0x"), arg = STR("a,\0b"),
                     flush[] = {STR("SCRIPT"), STR("FLUSH")};
    struct fixture_node *a = &f.nodes[0];

    SKIP_OR_OPEN();
    join();
    for (unsigned i = 0; i < 3; i++) {
        if (i == 2) redis_fixture_say(&f.redis, flush, 2);
        adapter_eval(a->adapter, &s, &key, 1, &arg, 1, adapter_fixture_done, a);
        cr_expect_eq(a->answers, i);
        cr_assert(adapter_fixture_await(&f, &a->answers, i + 1, 1000));
        cr_expect_eq(a->last_rc, OK);
        cr_expect(
            str_eq(str_head(sb_view(&a->reply), a->reply.n - 1), STR("1,two,a,\0b,(nil),-4,")),
            "run %u: %s", i, a->reply.p);
    }
    cr_expect_eq(strlen(s.sha), 40);
    adapter_eval(a->adapter, &bad, &key, 1, NULL, 0, adapter_fixture_done, a);
    cr_assert(adapter_fixture_await(&f, &a->answers, 4, 1000));
    cr_expect_eq(a->last_rc, ERR_INTERNAL, "a mistake of the script");
    kill(f.redis.pid, SIGSTOP);
    adapter_eval(a->adapter, &s, &key, 1, &arg, 1, adapter_fixture_done, a);
    cr_expect(adapter_fixture_await(&f, &a->answers, 5, 1500));
    cr_expect_eq(a->last_rc, ERR_TIMEOUT);
    adapter_eval(a->adapter, &s, &key, 1, &arg, 1, adapter_fixture_done, a);
    cr_expect(adapter_fixture_await(&f, &a->answers, 6, 500));
    cr_expect_eq(a->last_rc, ERR_UNAVAILABLE);
    kill(f.redis.pid, SIGCONT);
    adapter_fixture_close(&f);
}

Test(redis_store_eval, flattens_every_kind_of_reply)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"return 1", "1,"},
        {"return 'x'", "x,"},
        {"return ''", ","},
        {"return false", "(nil),"},
        {"return {}", ""},
        {"return {{}, {1, {2}}, redis.status_reply('FINE')}", "1,2,FINE,"},
        {"return -9007199254740991", "-9007199254740991,"},
    };

    SKIP_OR_OPEN();
    join();
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct adapter_script s = {.name = "row", .text = rows[i].text};

        adapter_eval(f.nodes[0].adapter, &s, NULL, 0, NULL, 0, adapter_fixture_done, &f.nodes[0]);
        cr_assert(adapter_fixture_await(&f, &f.nodes[0].answers, i + 1, 1000));
        cr_expect_eq(f.nodes[0].last_rc, OK);
        cr_expect_str_eq(f.nodes[0].reply.p, rows[i].want, "row %u", i);
    }
    adapter_fixture_close(&f);
}

static const struct str list = STR("{k}list");
static struct adapter_script push = {.name = "push",
                                     .text = "return redis.call('RPUSH', KEYS[1], ARGV[1])"};

static void push_numbers(unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        struct sb number = {0};
        struct str arg;

        sb_u64(&number, i);
        arg = sb_view(&number);
        adapter_eval(f.nodes[0].adapter, &push, &list, 1, &arg, 1, adapter_fixture_done,
                     &f.nodes[0]);
        sb_fini(&number);
    }
}

/* The whole list, as the script sees it. */
static void expect_numbers(unsigned count)
{
    struct adapter_script all = {.name = "all",
                                 .text = "return redis.call('LRANGE', KEYS[1], 0, -1)"};
    struct fixture_node *a = &f.nodes[0];
    unsigned answers = a->answers;
    struct sb want = {0};

    for (unsigned i = 0; i < count; i++)
        sb_printf(&want, "%u,", i);
    sb_char(&want, 0);
    adapter_eval(a->adapter, &all, &list, 1, NULL, 0, adapter_fixture_done, a);
    cr_assert(adapter_fixture_await(&f, &a->answers, answers + 1, 5000));
    cr_expect_eq(a->last_rc, OK);
    cr_expect_str_eq(a->reply.p, want.p);
    sb_fini(&want);
}

Test(redis_store_eval, many_of_one_turn_run_in_order_known_or_not)
{
    const struct str flush[] = {STR("SCRIPT"), STR("FLUSH")};
    struct fixture_node *a = &f.nodes[0];

    SKIP_OR_OPEN();
    join();
    push_numbers(0, 300); /* Redis has never heard of it */
    cr_assert(adapter_fixture_await(&f, &a->answers, 300, 5000));
    cr_expect_str_eq(a->reply.p, "300,", "the last answer is the last one's");
    push_numbers(300, 600);
    cr_assert(adapter_fixture_await(&f, &a->answers, 600, 5000));
    redis_fixture_say(&f.redis, flush, 2);
    push_numbers(600, 900);
    cr_assert(adapter_fixture_await(&f, &a->answers, 900, 5000));
    expect_numbers(900);
    adapter_fixture_close(&f);
}

Test(redis_store_eval, a_restart_of_redis_answers_what_is_open_and_loses_no_script)
{
    struct fixture_node *a = &f.nodes[0];

    SKIP_OR_OPEN();
    join();
    push_numbers(0, 1);
    cr_assert(adapter_fixture_await(&f, &a->answers, 1, 5000));
    kill(f.redis.pid, SIGSTOP); /* so that they are open when it dies */
    push_numbers(0, 50);
    adapter_fixture_run(&f, 20);
    cr_expect_eq(a->answers, 1);
    redis_fixture_kill(&f.redis);
    cr_assert(adapter_fixture_await(&f, &a->answers, 51, 5000), "each of them, without a deadline");
    cr_expect_eq(a->last_rc, ERR_UNAVAILABLE);
    redis_fixture_start(&f.redis);
    cr_assert(adapter_fixture_await(&f, &a->connects, 2, 5000));
    push_numbers(0, 3);
    cr_assert(adapter_fixture_await(&f, &a->answers, 54, 5000));
    cr_expect_eq(a->last_rc, OK);
    expect_numbers(3);
    adapter_fixture_close(&f);
}
