#include "tests/unit/support/rooms_rig.inc"

TestSuite(rooms_moderate, .init = up, .fini = fake_down);

Test(rooms_moderate, is_for_admins_and_not_in_personal_rooms)
{
    struct eio_session *bob = fake_client(BOB), *root = fake_client(ROOT);

    say(bob, "21[\"roomLock\",{\"roomId\":\"r\",\"isLocked\":true}]");
    cr_expect_not_null(strstr(take(&bob->sent), "\"code\":\"forbidden\""));
    say(root, "21[\"roomLock\",{\"roomId\":\"user-root\",\"isLocked\":true}]");
    cr_expect_not_null(strstr(take(&root->sent), "\"code\":\"forbidden\""));
    cr_expect_str_eq(take(&fake.scripts), "");
    free_session(root);
    free_session(bob);
}

Test(rooms_moderate, wants_one_user_or_one_guest)
{
    static const char *const rows[] = {
        "", ",\"userId\":7,\"memberId\":\"g0123456789abcdef01234567\"",
        ",\"memberId\":\"u0123456789abcdef01234567\"", ",\"userId\":[7]"};
    struct eio_session *root = fake_client(ROOT);
    char packet[200];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(packet, sizeof packet, "21[\"roomKick\",{\"roomId\":\"r\"%s}]", rows[i]);
        say(root, packet);
        cr_expect_not_null(strstr(take(&root->sent), "\"invalid_payload\""), "row %zu", i);
    }
    cr_expect_str_eq(take(&fake.scripts), "");
    free_session(root);
}

Test(rooms_moderate, tells_the_room_before_it_puts_somebody_out)
{
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN), *root = fake_client(ROOT);

    join(bob, "r", "5 0 0\n");
    join(ann, "r", "");
    bob->sent.n = 0;
    say(root, "21[\"roomKick\",{\"roomId\":\"r\",\"userId\":\"u7\",\"forMs\":60000}]");
    answer_text("6 0 0\nk 60000 u\"u7\"\n");
    cr_expect_str_eq(take(&root->sent), "431[{\"ok\":true,\"roomId\":\"r\"}]\n");
    cr_expect_str_eq(take(&bob->sent),
                     "42[\"roomModerated\",{\"roomId\":\"r\",\"action\":\"kick\",\"userId\":\"u7\","
                     "\"ms\":60000," TIME "}]\n");
    const char *sent = take(&ann->sent);
    cr_expect_not_null(strstr(sent, "userLeftRoom"), "%s", sent);
    settle(NULL);
    say(bob, "21[\"joinRoom\",\"r\"]");
    sent = take(&bob->sent);
    cr_expect_not_null(strstr(sent, "\"code\":\"kicked\",\"message\":\"put out of this room for a "
                                    "while\",\"retryAfterMs\":60000"),
                       "%s", sent);
    clock_advance(60000);
    say(bob, "21[\"joinRoom\",\"r\"]");
    cr_expect_null(strstr(take(&bob->sent), "\"ok\":false"), "his time is over");
    free_session(root);
    free_session(ann);
    free_session(bob);
}

Test(rooms_moderate, says_when_redis_cannot_keep_it)
{
    struct eio_session *root = fake_client(ROOT);

    say(root, "21[\"roomLock\",{\"roomId\":\"r\",\"isLocked\":true}]");
    answer_call(ERR_TIMEOUT, NULL, 0);
    cr_expect_not_null(strstr(take(&root->sent), "\"code\":\"timeout\""));
    say(root, "21[\"roomMute\",{\"roomId\":\"r\",\"userId\":7,\"forMs\":5}]");
    answer_text("limit");
    cr_expect_not_null(strstr(take(&root->sent), "\"code\":\"limit_reached\""));
    free_session(root);
}
