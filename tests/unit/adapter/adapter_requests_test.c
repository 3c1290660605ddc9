/* The face, requests between nodes: what is done when nobody can be reached. With others:
 * tests/cluster/requests_test.c, over all drivers. */
#include <criterion/criterion.h>
#include "base/mem.h"
#include "tests/unit/support/adapter_fixture.h"

static struct adapter_fixture f;
static unsigned answers;
static int last_rc;

static void ignore_state(void *ctx, bool connected)
{
    (void)ctx, (void)connected;
}

static void on_counted(void *ctx, int rc, unsigned count)
{
    (void)ctx, (void)count;
    answers++;
    last_rc = rc;
}

Test(adapter_requests, who_asks_while_redis_is_away_hears_so_after_the_call)
{
    static const struct adapter_handler quiet = {.on_state = ignore_state};
    const struct adapter_target all = {.nsp = STR("/")};
    struct adapter *a = NULL;
    char *why = NULL;

    adapter_fixture_open(&f, false);
    mem_free(f.conf.adapter);
    mem_free(f.conf.redis_url);
    f.conf.adapter = str_dup(STR("redis"));
    f.conf.redis_url = str_dup(STR("unix:///nonexistent/redis.sock"));
    cr_assert_eq(adapter_open(f.loop, &f.conf, STR("n001"), &quiet, NULL, &a, &why), OK);
    adapter_server_count(a, STR("/"), on_counted, NULL);
    cr_expect_eq(answers, 0, "not within the call");
    cr_expect(adapter_fixture_await(&f, &answers, 1, 500));
    cr_expect_eq(last_rc, ERR_UNAVAILABLE);
    adapter_join(a, &all, &(struct str){"r", 1}, 1);
    adapter_leave(a, &all, &(struct str){"r", 1}, 1);
    adapter_disconnect(a, &all, true);
    cr_expect_eq(metric_get(M_REDIS_DROPPED), 3, "an order that goes nowhere is counted");
    adapter_close(a);
    adapter_fixture_close(&f);
}
