/* Rows of presence in a real Redis, written by two nodes in the order in which it can go wrong. */
#include <criterion/criterion.h>
#include "node/features/presence/presence_state.h"
#include "base/conf.h"
#include "tests/unit/support/adapter_fixture.h"

static struct adapter_fixture f;
static struct conf conf;
static struct presence_list lists[2];
static struct presence_state *states[2];
static unsigned pulls;
static char prefix[] = "p";

static const struct presence_value online = {
    .status = PRESENCE_ONLINE, .active_ms = 5, .members = STR("\"userId\":\"u7\"")};
static const struct presence_value busy = {
    .status = PRESENCE_BUSY, .active_ms = 6, .members = STR("\"userId\":\"u7\"")};

static void on_pulled(void *ctx, int rc)
{
    (void)ctx;
    cr_assert_eq(rc, OK);
    pulls++;
}

static bool keep_nobody(void *ctx, struct str id_text)
{
    (void)ctx, (void)id_text;
    return false;
}

/* What all nodes are shown of u7 when everything is written that was asked for. */
static enum presence_status shown(void)
{
    const struct presence_row *row;

    for (int i = 0; i < 2; i++) { /* behind what was written: one connection keeps the order */
        loop_turn(f.loop, false);
        presence_state_pull(states[i], &(struct presence_pull){
                                           .grace_ms = 1, .keep = keep_nobody, .done = on_pulled});
        cr_assert(adapter_fixture_await(&f, &pulls, pulls + 1, 2000));
    }
    row = presence_list_get(&lists[1], STR("u7"));
    return row ? row->status : PRESENCE_OFFLINE;
}

static void set(int node, enum presence_write how, uint64_t at_us, const struct presence_value *v)
{
    presence_state_set(states[node], how, STR("u7"), at_us, v);
    (void)shown();
}

static void leave(int node, uint64_t at_us)
{
    presence_state_leave(states[node], STR("u7"), at_us);
    (void)shown();
}

static bool open_two(void)
{
    if (!adapter_fixture_open(&f, true)) return false;
    conf.adapter_prefix = prefix;
    for (int i = 0; i < 2; i++)
        adapter_fixture_join(&f, i, NULL);
    cr_assert(adapter_fixture_await_all(&f, 2));
    for (int i = 0; i < 2; i++) {
        presence_list_init(&lists[i]);
        states[i] = presence_state_new(f.loop, &conf, f.nodes[i].adapter, &lists[i]);
    }
    return true;
}

static void close_two(void)
{
    for (int i = 0; i < 2; i++) {
        presence_state_free(states[i]);
        presence_list_fini(&lists[i]);
    }
    adapter_fixture_close(&f);
}

Test(presence_rows, nobody_comes_back_by_what_was_of_a_device_before)
{
    static const enum presence_write all[] = {PRESENCE_WRITE_UNLESS_THERE, PRESENCE_WRITE_FIRST,
                                              PRESENCE_WRITE_STATUS};

    if (!open_two()) cr_skip_test("redis-server is not installed");
    set(0, PRESENCE_WRITE_FIRST, 10, &online);
    cr_expect_eq(shown(), PRESENCE_ONLINE);
    leave(1, 20); /* by the node of the last device, while the other one still has this to write: */
    for (int i = 0; i < 3; i++) {
        set(0, all[i], 10, &busy);
        cr_expect_eq(shown(), PRESENCE_OFFLINE, "a ghost by %d", i);
    }
    set(0, PRESENCE_WRITE_FIRST, 30, &online);
    cr_expect_eq(shown(), PRESENCE_ONLINE);
    close_two();
}

Test(presence_rows, a_leave_before_the_last_device_came_removes_nobody)
{
    if (!open_two()) cr_skip_test("redis-server is not installed");
    set(0, PRESENCE_WRITE_FIRST, 30, &online);
    leave(1, 20);
    cr_expect_eq(shown(), PRESENCE_ONLINE);
    set(1, PRESENCE_WRITE_STATUS, 25, &busy); /* of a device that came earlier */
    cr_expect_eq(shown(), PRESENCE_BUSY);
    leave(1, 28);
    cr_expect_eq(shown(), PRESENCE_BUSY, "a status makes no row older");
    leave(0, 40);
    cr_expect_eq(shown(), PRESENCE_OFFLINE);
    close_two();
}

Test(presence_rows, every_node_sees_to_it_that_there_is_a_row)
{
    if (!open_two()) cr_skip_test("redis-server is not installed");
    set(1, PRESENCE_WRITE_UNLESS_THERE, 15, &busy); /* the first device's node died with its row */
    cr_expect_eq(shown(), PRESENCE_BUSY);
    set(0, PRESENCE_WRITE_UNLESS_THERE, 16, &online);
    set(0, PRESENCE_WRITE_FIRST, 10, &online);
    cr_expect_eq(shown(), PRESENCE_BUSY, "what is there is of a later device");
    close_two();
}
