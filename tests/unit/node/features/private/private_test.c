#include "tests/unit/support/private_rig.inc"

TestSuite(private, .init = up, .fini = fake_down);
TestSuite(private_alone, .init = up_alone, .fini = fake_down);

Test(private, looks_into_the_inbox_of_everybody_signed_in)
{
    struct eio_session *guest = fake_client(NULL), *bob;

    cr_expect_str_eq(asked(), "");
    bob = fake_client(BOB);
    cr_expect_str_eq(asked(), "ingoma:{user:u7}:inbox node u7  1 15000 100 262144 2592000000\n");
    REPLY("1", "0", "0", "0", "0");
    events_on_state(fake.events, false);
    cr_expect_str_eq(asked(), "");
    events_on_state(fake.events, true);
    rig_wait(50);
    cr_expect_str_eq(asked(), "ingoma:{user:u7}:inbox node u7 0 0 15000 100 262144 2592000000\n",
                     "Redis is back: what was rung meanwhile was not heard");
    free_session(bob);
    free_session(guest);
}

Test(private, looks_again_when_another_node_rings)
{
    struct eio_session *bob = client(BOB);

    events_on_message(fake.events, STR("nod2"), STR("private u8"));
    events_on_message(fake.events, STR("nod2"), STR("other u7"));
    events_on_message(fake.events, STR("nod2"), STR(""));
    cr_expect_str_eq(asked(), "");
    events_on_message(fake.events, STR("nod2"), STR("private u7"));
    cr_expect_str_eq(asked(), "ingoma:{user:u7}:inbox node u7 0 0 15000 100 262144 2592000000\n");
    free_session(bob);
}

Test(private, is_closed_to_guests)
{
    struct eio_session *guest = fake_client(NULL);

    say(guest, "21[\"privateMessage\",{\"recipientId\":\"u7\",\"message\":1}]");
    cr_expect(strstr(take(&guest->sent), "\"ok\":false,\"code\":\"forbidden\""));
    free_session(guest);
}

Test(private_alone, says_that_it_cannot_without_redis)
{
    static const char *const packets[] = {
        "21[\"privateMessage\",{\"recipientId\":\"u1\",\"message\":1}]",
        "21[\"privateHistory\",{\"userId\":\"u1\"}]", "21[\"markAsRead\",{\"userId\":\"u1\"}]",
        "21[\"unreadCounts\"]", "21[\"blockUser\",{\"userId\":\"u1\"}]"};
    struct eio_session *bob = fake_client(BOB);

    for (size_t i = 0; i < sizeof packets / sizeof packets[0]; i++) {
        say(bob, packets[i]);
        cr_expect(strstr(take(&bob->sent), "\"ok\":false,\"code\":\"unavailable\""), "row %zu", i);
    }
    free_session(bob);
}
