#include "tests/unit/support/rooms_rig.inc"

TestSuite(rooms_tell, .init = up, .fini = fake_down);

static void hear(const char *payload)
{
    char text[400];

    snprintf(text, sizeof text, "rooms %s", payload);
    events_on_message(fake.events, STR("abcd"), str_z(text));
}

Test(rooms_tell, tells_every_other_node_and_answers_when_they_have_it)
{
    struct eio_session *root = fake_client(ROOT);
    const char *mail;

    fake.living = "nodeabcdefgh";
    say(root, "21[\"roomLock\",{\"roomId\":\"r\",\"isLocked\":true}]");
    answer_text("6 1 0\n");
    mail = take(&fake.mail);
    cr_expect_not_null(strstr(mail, "abcd rooms 1:/1:r6:6 1 0\n0:"), "%s", mail);
    cr_expect_not_null(strstr(mail, "efgh rooms 1:/1:r6:6 1 0\n0:"), "%s", mail);
    cr_expect_null(strstr(mail, "node rooms"), "not to itself");
    cr_expect_not_null(strstr(take(&root->sent), "431[{\"ok\":true"));
    free_session(root);
}

Test(rooms_tell, takes_over_what_another_node_tells)
{
    struct eio_session *bob = fake_client(BOB);

    join(bob, "r", "5 0 0\n");
    hear("1:/1:r17:6 0 0\nm 50 u\"u7\"\n0:7:[\"x\",1]");
    cr_expect_str_eq(take(&bob->sent), "42[\"x\",1]\n");
    say(bob, "21[\"roomMessage\",{\"roomId\":\"r\",\"message\":\"m\"}]");
    cr_expect_not_null(strstr(take(&bob->sent), "\"code\":\"muted\""));
    hear("1:/1:r6:5 0 0\n0:0:");
    say(bob, "21[\"roomMessage\",{\"roomId\":\"r\",\"message\":\"m\"}]");
    cr_expect_not_null(strstr(take(&bob->sent), "\"code\":\"muted\""), "older news");
    free_session(bob);
}

Test(rooms_tell, puts_out_one_or_all)
{
    struct eio_session *bob = fake_client(BOB), *ann = fake_client(ANN);

    join(bob, "r", "5 0 0\n");
    join(ann, "r", "");
    bob->sent.n = 0;
    hear("1:/1:r0:2:u70:");
    cr_expect_not_null(strstr(take(&bob->sent), "userLeftRoom"), "Ann");
    settle(NULL);
    say(ann, "21[\"roomMembers\",{\"roomId\":\"r\"}]");
    cr_expect_not_null(strstr(take(&ann->sent), "not_a_member"));
    join(ann, "r", "");
    bob->sent.n = 0;
    hear("1:/1:r0:1:*7:[\"x\",1]");
    cr_expect_str_eq(take(&bob->sent), "42[\"x\",1]\n", "nobody is told of everybody's leaving");
    say(bob, "21[\"roomMembers\",{\"roomId\":\"r\"}]");
    cr_expect_not_null(strstr(take(&bob->sent), "not_a_member"));
    free_session(ann);
    free_session(bob);
}

Test(rooms_tell, counts_garbage_and_goes_on)
{
    static const char *const rows[] = {
        "", "1:/", "1:/1:r9:x0:0:", "x:/1:r0:0:0:", "1:/1:r0:0:99999999999999999999:"};
    struct eio_session *bob = fake_client(BOB);

    join(bob, "r", "5 0 0\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        hear(rows[i]);
    hear("4:/nil1:r0:1:*0:"); /* no such namespace */
    hear("1:/5:other0:1:*0:");
    cr_expect_eq(metric_get(M_REDIS_GARBAGE), 5);
    say(bob, "21[\"roomMessage\",{\"roomId\":\"r\",\"message\":\"m\"}]");
    cr_expect_not_null(strstr(take(&bob->sent), "\"ok\":true"));
    free_session(bob);
}
