/* The listener: the limit of connections, a port that is taken, the end of accepting. */
#include <criterion/criterion.h>
#include "base/mem.h"
#include "tests/unit/support/edge_fixture.h"

static struct edge_fixture f;

static void set_up(void)
{
    edge_fixture_open(&f);
}

static void tear_down(void)
{
    edge_fixture_close(&f);
}

TestSuite(accept, .init = set_up, .fini = tear_down);

Test(accept, two_nodes_may_share_a_port)
{
    static const struct edge_handler none = {0};
    struct edge *second = NULL;
    char *why = NULL;

    cr_assert_eq(
        edge_open(f.loop, &f.conf, "127.0.0.1", edge_port(f.edge), &none, NULL, &second, &why), OK);
    edge_free(second);
}

Test(accept, refuses_above_the_limit)
{
    f.conf.max_connections = 0;
    edge_fixture_connect(&f);
    cr_expect(edge_fixture_await(&f, "HTTP/1.1 503 "));
    cr_expect(edge_fixture_await_end(&f));
    cr_expect_eq(metric_get(M_CONNECTIONS_REFUSED), 1);
}

Test(accept, says_why_it_cannot_listen)
{
    static const struct edge_handler none = {0};
    struct edge *second = NULL;
    char *why = NULL;

    cr_assert_eq(edge_open(f.loop, &f.conf, "not an address", 80, &none, NULL, &second, &why),
                 ERR_IO);
    cr_expect(str_contains(str_z(why), STR("not an address")));
    mem_free(why);
}
