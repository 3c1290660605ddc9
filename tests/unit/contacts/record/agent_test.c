#include <criterion/criterion.h>
#include "contacts/record/agent.h"

static struct arena mem;

static void teardown(void)
{
    arena_fini(&mem);
}

TestSuite(agent, .fini = teardown);

Test(agent, has_no_more_slots_than_capacity)
{
    struct agent a = {.capacity = 2};

    cr_expect_eq(agent_slot_take(&a, STR("c1"), 10, &mem), OK);
    cr_expect_eq(agent_slot_take(&a, STR("c2"), 11, &mem), OK);
    cr_expect_eq(agent_slot_take(&a, STR("c3"), 12, &mem), ERR_LIMIT);
    cr_expect_eq(a.slots.count, 2);
    cr_expect(agent_has_slot(&a, STR("c1")) && !agent_has_slot(&a, STR("c3")));
    a.capacity = 0;
    cr_expect_eq(agent_slot_take(&a, STR("c4"), 12, &mem), ERR_LIMIT);
}

Test(agent, a_slot_that_is_there_is_refreshed)
{
    struct agent a = {.capacity = 1};

    cr_assert_eq(agent_slot_take(&a, STR("c1"), 10, &mem), OK);
    cr_expect_eq(agent_slot_take(&a, STR("c1"), 20, &mem), OK);
    cr_assert_eq(a.slots.count, 1);
    cr_expect_eq(a.slots.at[0].at, 20);
}

Test(agent, gives_slots_back)
{
    struct agent a = {.capacity = 2};

    cr_assert_eq(agent_slot_take(&a, STR("c1"), 10, &mem), OK);
    cr_assert_eq(agent_slot_take(&a, STR("c2"), 10, &mem), OK);
    cr_expect(agent_slot_drop(&a, STR("c1"), &mem));
    cr_expect(!agent_slot_drop(&a, STR("c1"), &mem));
    cr_assert_eq(a.slots.count, 1);
    cr_expect(agent_has_slot(&a, STR("c2")));
}

Test(agent, the_old_list_stays_as_it_was)
{
    struct agent a = {.capacity = 2}, before;

    cr_assert_eq(agent_slot_take(&a, STR("c1"), 10, &mem), OK);
    before = a;
    cr_assert_eq(agent_slot_take(&a, STR("c2"), 11, &mem), OK);
    cr_expect_eq(before.slots.count, 1);
    cr_expect(str_eq(before.slots.at[0].contact, STR("c1")));
}
