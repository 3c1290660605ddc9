/* What every Redis driver does alike; connections that break are in tests/cluster. Needs
 * redis-server. */
#include <criterion/criterion.h>
#include "base/mem.h"
#include "tests/unit/support/adapter_fixture.h"

static struct adapter_fixture f;

static const char *const drivers[] = {"redis", "redis-sharded", "redis-streams"};

#define EACH_DRIVER(i) for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)

static void open_with(const char *driver)
{
    f = (struct adapter_fixture){0};
    if (!adapter_fixture_open_with(&f, driver)) cr_skip_test("redis-server is not installed");
}

Test(redis_carrier, is_connected_when_its_own_message_came_back)
{
    EACH_DRIVER(i)
    {
        const struct str forbid[] = {STR("ACL"), STR("SETUSER"), STR("default"),
                                     STR("resetchannels"), STR("&socket.io*")},
                         allow[] = {STR("ACL"), STR("SETUSER"), STR("default"), STR("allchannels")};

        open_with(drivers[i]);
        redis_fixture_say(&f.redis, forbid, 5); /* all but the channels of the nodes */
        adapter_fixture_join(&f, 0, "/");
        adapter_fixture_run(&f, 300);
        cr_expect_eq(f.nodes[0].connects, 0, "%s", drivers[i]);
        redis_fixture_say(&f.redis, allow, 4);
        cr_expect(adapter_fixture_await(&f, &f.nodes[0].connects, 1, 2000), "%s", drivers[i]);
        adapter_fixture_close(&f);
    }
}

Test(redis_carrier, scripts_run_whatever_the_wire)
{
    EACH_DRIVER(i)
    {
        struct adapter_script s = {.name = "one", .text = "return {'a', 1}"};

        open_with(drivers[i]);
        adapter_fixture_join(&f, 0, "/");
        cr_assert(adapter_fixture_await_all(&f, 1));
        adapter_eval(f.nodes[0].adapter, &s, NULL, 0, NULL, 0, adapter_fixture_done, &f.nodes[0]);
        cr_expect(adapter_fixture_await(&f, &f.nodes[0].answers, 1, 1000));
        cr_expect_str_eq(f.nodes[0].reply.p, "a,1,", "%s", drivers[i]);
        adapter_fixture_close(&f);
    }
}

Test(redis_carrier, refuses_a_url_that_is_none)
{
    EACH_DRIVER(i)
    {
        static const struct adapter_handler none;
        struct adapter *a = NULL;
        char *why = NULL, *url;

        open_with(drivers[i]);
        url = f.conf.redis_url;
        f.conf.redis_url = (char[]){"http://there"};
        cr_expect_eq(adapter_open(f.loop, &f.conf, STR("n000"), &none, NULL, &a, &why), ERR_CONFIG);
        cr_expect(why, "%s", drivers[i]);
        mem_free(why);
        f.conf.redis_url = url;
        adapter_fixture_close(&f);
    }
}
