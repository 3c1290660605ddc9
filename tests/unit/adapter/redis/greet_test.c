/* The first words to a real Redis: password and database are right, or the link stays down. Every
 * step of the greeting against a scripted peer is in link_test.c, the role in sentinel_test.c. */
#include <stdio.h>
#include <criterion/criterion.h>
#include "adapter/redis/link.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/metric.h"
#include "tests/unit/support/redis_fixture.h"

static int ups;

static void on_up(void *ctx)
{
    (void)ctx;
    ups++;
}

static void on_down(void *ctx)
{
    (void)ctx;
}

/* Turns until the link is up or has been refused for long enough to have tried again. */
static bool comes_up(const char *text)
{
    struct redis_url url = {0};
    char *why = NULL;
    struct loop *loop = loop_new();
    struct redis_link_conf c = {.loop = loop,
                                .url = &url,
                                .name = "test",
                                .timeout_ms = 5000,
                                .queue_bytes = 65536,
                                .on_up = on_up,
                                .on_down = on_down};
    struct redis_link *k;
    uint64_t end = clock_us() + 30000000;

    ups = 0;
    cr_assert_eq(redis_url_parse(str_z(text), &url, &why), OK, "%s", why);
    k = redis_link_open(&c);
    while (!ups && metric_get(M_REDIS_BYTES_IN) < 200 && clock_us() < end)
        loop_turn(loop, true);
    redis_link_close(k);
    loop_free(loop);
    redis_url_fini(&url);
    return ups > 0;
}

Test(redis_greet, password_and_database_must_be_right)
{
    struct redis_fixture f = {.has_tcp = true, .password = "open-sesame"};
    char url[160];
    static const struct {
        const char *before, *after;
        bool want;
    } rows[] = {{":open-sesame@", "/3", true},
                {":wrong@", "", false},
                {"", "", false},
                {":open-sesame@", "/999", false}};

    if (!redis_fixture_is_there()) cr_skip_test("redis-server is not installed");
    redis_fixture_open(&f);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        metric_reset_for_test();
        (void)snprintf(url, sizeof url, "redis://%s127.0.0.1:%d%s", rows[i].before, f.port,
                       rows[i].after);
        cr_expect_eq(comes_up(url), rows[i].want, "%s", url);
    }
    redis_fixture_close(&f);
}
