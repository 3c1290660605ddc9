#include "tests/unit/support/rooms_rig.inc"

#include "node/features/rooms/rooms_priv.h"

TestSuite(rooms_look, .init = up, .fini = fake_down);

/* What the script does: tests/cluster/rooms_scripts_test.c. Here: how it is called. */
Test(rooms_look, asks_for_a_page_behind_a_cursor)
{
    struct rooms rooms = {.adapter = events_adapter(fake.events)};
    struct rooms_room m = {.rooms = &rooms, .name = STR("/:r")};
    struct rooms_call c = {0};

    rooms_look_begin(&c, &m, 7, STR("u7"));
    rooms_call_arg(&c, STR("-u8\n"));
    cr_expect_eq(c.keys, 5);
    rooms_look_run(&rooms, &c, NULL, NULL);
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{room:/:r}:members node 3600 7 u7 -u8\n\n");
    answer_text("");
    cr_expect_eq(rooms.steps, 0);
}
