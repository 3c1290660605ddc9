/* The knobs of the local bus. What every driver promises is in tests/cluster/contract_test.c. */
#include <criterion/criterion.h>
#include "base/clock.h"
#include "tests/unit/support/adapter_fixture.h"

static struct adapter_fixture f;

static void start(void)
{
    cr_assert(adapter_fixture_open(&f, false));
    for (int i = 0; i < 3; i++)
        adapter_fixture_join(&f, i, "/");
    cr_assert(adapter_fixture_await_all(&f, 3));
    f.nodes[1].casts = 0;
}

static void stop(void)
{
    adapter_fixture_close(&f);
}

static void publish(const char *array)
{
    adapter_publish(f.nodes[0].adapter,
                    &(struct adapter_cast){.nsp = STR("/"), .array = str_z(array)});
}

Test(local_bus_knobs, delay_holds_everything_back_in_order, .init = start, .fini = stop)
{
    uint64_t before = clock_ms();

    local_bus_knobs(f.bus, &(struct local_bus_knobs){.delay_ms = 700});
    publish("[\"a\"]");
    publish("[\"b\"]");
    local_bus_knobs(f.bus, &(struct local_bus_knobs){.delay_ms = 10});
    publish("[\"c\"]");
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, 1, 500));
    cr_expect_str_eq(adapter_fixture_log(&f.nodes[1]),
                     "cast / [\"c\"] rooms= except= flags=0 att=;");
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, 3, 500));
    cr_expect_geq(clock_ms() - before, 700);
    cr_expect_str_eq(
        adapter_fixture_log(&f.nodes[1]),
        "cast / [\"a\"] rooms= except= flags=0 att=;cast / [\"b\"] rooms= except= flags=0 att=;");
}

Test(local_bus_knobs, drop_and_duplicate_every_nth, .init = start, .fini = stop)
{
    adapter_fixture_leave(&f, 2); /* one receiver: the count is exact */
    cr_assert(adapter_fixture_await(&f, &f.nodes[1].downs, 1, 500));
    local_bus_knobs(f.bus, &(struct local_bus_knobs){.drop_each = 2});
    for (int i = 0; i < 10; i++)
        publish("[\"x\"]");
    local_bus_knobs(f.bus, &(struct local_bus_knobs){0});
    cr_assert(adapter_fixture_fence(&f, 0, 1));
    cr_expect_eq(f.nodes[1].casts, 5);
    local_bus_knobs(f.bus, &(struct local_bus_knobs){.duplicate_each = 1});
    publish("[\"x\"]");
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, 7, 500));
}

Test(local_bus_cut, separates_two_and_not_the_third, .init = start, .fini = stop)
{
    struct fixture_node *a = &f.nodes[0];

    local_bus_cut(f.bus, STR("n001"), STR("n000"));
    publish("[\"x\"]");
    adapter_send(a->adapter, STR("n001"), ADAPTER_PIPE, STR("x"), adapter_fixture_sent, a);
    cr_expect(adapter_fixture_await(&f, &a->answers, 1, 500));
    cr_expect_eq(a->last_rc, ERR_NOT_FOUND);
    cr_expect(adapter_fixture_await(&f, &f.nodes[2].casts, 1, 500));
    cr_expect_eq(f.nodes[1].casts, 0);
    local_bus_heal(f.bus);
    publish("[\"x\"]");
    cr_expect(adapter_fixture_await(&f, &f.nodes[1].casts, 1, 500));
}

Test(local_bus_break, loses_what_is_on_its_way, .init = start, .fini = stop)
{
    local_bus_knobs(f.bus, &(struct local_bus_knobs){.delay_ms = 50});
    publish("[\"x\"]");
    local_bus_break(f.bus, true);
    local_bus_break(f.bus, false);
    adapter_fixture_run(&f, 100);
    cr_expect_eq(f.nodes[1].casts, 0);
    cr_expect_eq(f.nodes[1].disconnects, 0, "nobody noticed: it was over within the turn");
}
