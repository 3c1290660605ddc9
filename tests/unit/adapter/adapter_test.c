/* The face: choice of the driver, and closing from within a callback. */
#include <criterion/criterion.h>
#include "base/mem.h"
#include "tests/unit/support/adapter_fixture.h"

static struct adapter_fixture f;

static void ignore_cast(void *ctx, const struct adapter_cast *c)
{
    (void)ctx, (void)c;
}

static void ignore_message(void *ctx, struct str from, enum adapter_kind kind, struct str payload)
{
    (void)ctx, (void)from, (void)kind, (void)payload;
}

static void ignore_node(void *ctx, struct str node)
{
    (void)ctx, (void)node;
}

static void close_on_state(void *ctx, bool connected)
{
    struct adapter **a = ctx;

    (void)connected;
    adapter_close(*a);
    *a = NULL;
}

static const struct adapter_handler closes = {.on_cast = ignore_cast,
                                              .on_message = ignore_message,
                                              .on_node_up = ignore_node,
                                              .on_node_down = ignore_node,
                                              .on_state = close_on_state};

static void set(char **field, const char *value)
{
    mem_free(*field);
    *field = str_dup(str_z(value));
}

Test(adapter_open, refuses_a_wrong_option_with_a_sentence)
{
    static const struct {
        const char *adapter, *url, *part;
    } rows[] = {
        {"kafka", "redis://h", "ADAPTER must be"},
        {"redis", "rediss://h", "TLS"},
        {"redis-streams", "redis+cluster://h", "redis-sharded"},
        {"redis", "h:6379", "REDIS_URL must start"},
    };

    adapter_fixture_open(&f, false);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct adapter *a = NULL;
        char *why = NULL;

        set(&f.conf.adapter, rows[i].adapter);
        set(&f.conf.redis_url, rows[i].url);
        cr_expect_eq(adapter_open(f.loop, &f.conf, STR("n001"), &closes, &a, &a, &why), ERR_CONFIG);
        cr_expect(why && strstr(why, rows[i].part), "row %zu: %s", i, why);
        cr_expect_null(a);
        mem_free(why);
    }
    adapter_fixture_close(&f);
}

Test(adapter_open, a_redis_that_is_away_is_no_error_of_the_call)
{
    struct adapter *a = NULL;
    char *why = NULL;

    adapter_fixture_open(&f, false);
    set(&f.conf.adapter, "redis");
    set(&f.conf.redis_url, "unix:///nonexistent/redis.sock");
    cr_assert_eq(adapter_open(f.loop, &f.conf, STR("n001"), &closes, &a, &a, &why), OK);
    adapter_nsp_open(a, STR("/"));
    adapter_publish(a, &(struct adapter_cast){.nsp = STR("/"), .array = STR("[\"x\"]")});
    cr_expect_eq(metric_get(M_REDIS_DROPPED), 1);
    cr_expect_eq(metric_get(M_DEGRADED), 1);
    adapter_send(a, STR("n002"), ADAPTER_PIPE, STR("x"), adapter_fixture_sent, &f.nodes[0]);
    cr_expect(adapter_fixture_await(&f, &f.nodes[0].answers, 1, 500));
    cr_expect_eq(f.nodes[0].last_rc, ERR_UNAVAILABLE);
    adapter_fixture_run(&f, 200);
    cr_assert_not_null(a, "no state was told");
    adapter_close(a);
    adapter_fixture_close(&f);
}

static struct adapter *closing;

static bool is_closed(void)
{
    return !closing;
}

Test(adapter_close, may_be_called_from_a_callback)
{
    adapter_fixture_open(&f, false);
    adapter_fixture_join(&f, 0, "/");
    closing = local_bus_join(f.bus, &f.conf, STR("nclo"), &closes, &closing);
    cr_expect(adapter_fixture_await_that(&f, is_closed));
    cr_expect_eq(adapter_nodes(f.nodes[0].adapter), 1);
    adapter_fixture_close(&f);
}

Test(adapter_close, may_be_called_from_a_callback_over_redis)
{
    char *why = NULL;

    if (!adapter_fixture_open(&f, true)) cr_skip_test("redis-server is not installed");
    cr_assert_eq(adapter_open(f.loop, &f.conf, STR("nclo"), &closes, &closing, &closing, &why), OK);
    cr_expect(adapter_fixture_await_that(&f, is_closed));
    cr_expect_eq(metric_get(M_REDIS_CONNECTED), 0);
    adapter_fixture_close(&f);
}
