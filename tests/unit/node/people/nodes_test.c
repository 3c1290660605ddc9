#include "tests/unit/support/fake_events.inc"

#include "node/people/people.h"

#define MARK "ingoma:{people:socket.io}:nodes "
#define TAKE "ingoma:{people:socket.io:dead}:users 100 10\n"

static void up(void)
{
    static const struct feature *const features[] = {NULL};

    fake.tells_people = true;
    fake_up(features, true);
}

TestSuite(nodes, .init = up, .fini = fake_down);

Test(nodes, finds_those_that_died_while_nobody_looked)
{
    const struct str nodes[] = {STR("live@5"), STR("node"), STR("dead")};

    events_on_state(fake.events, true);
    cr_expect_str_eq(take(&fake.scripts), MARK "node live\n");
    answer_call(OK, nodes, 3);
    rig_wait(30);
    cr_expect_str_eq(take(&fake.scripts), "", "its beat may not have been heard yet");
    rig_wait(20000);
    cr_expect_str_eq(take(&fake.scripts), MARK "node live\n");
    answer_call(OK, nodes, 3);
    rig_wait(20);
    cr_expect_str_eq(take(&fake.scripts), MARK "dead reaped\n" TAKE);
}
