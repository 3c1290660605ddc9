#include "tests/unit/support/rooms_rig.inc"

TestSuite(rooms_rule, .init = up, .fini = fake_down);

/* What the scripts do: tests/cluster/rooms_scripts_test.c. Here: how they are called. */
Test(rooms_rule, gives_orders_their_words)
{
    static const struct {
        const char *packet, *want;
    } rows[] = {
        {"2[\"roomLock\",{\"roomId\":\"r\",\"isLocked\":true}]",
         "ingoma:{room:/:r}:rules lock 1  1000 3600\n"},
        {"2[\"roomLock\",{\"roomId\":\"r\",\"isLocked\":false}]",
         "ingoma:{room:/:r}:rules lock 0  1000 3600\n"},
        {"2[\"roomSlowMode\",{\"roomId\":\"r\",\"intervalMs\":5000}]",
         "ingoma:{room:/:r}:rules slow 5000  1000 3600\n"},
        {"2[\"roomMute\",{\"roomId\":\"r\",\"userId\":7,\"forMs\":60}]",
         "ingoma:{room:/:r}:rules m 60 u7 1000 3600\n"},
        {"2[\"roomKick\",{\"roomId\":\"r\",\"userId\":\"7\"}]",
         "ingoma:{room:/:r}:rules k 0 u\"7\" 1000 3600\n"},
    };
    struct eio_session *root = fake_client(ROOT);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        say(root, rows[i].packet);
        cr_expect_str_eq(take(&fake.scripts), rows[i].want, "row %zu", i);
    }
    free_session(root);
}

Test(rooms_rule, asks_for_the_pace_of_one_member_in_slow_rooms_alone)
{
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN);

    join(bob, "r", "5 0 0\n");
    join(ann, "s", "5 0 3000\n");
    say(bob, "2[\"roomMessage\",{\"roomId\":\"r\",\"message\":\"m\"}]");
    cr_expect_str_eq(take(&fake.scripts), "", "nothing is asked for");
    say(ann, "2[\"roomMessage\",{\"roomId\":\"s\",\"message\":\"m\"}]");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{room:/:s u7}:pace 3000\n");
    free_session(ann);
    free_session(bob);
}
