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
