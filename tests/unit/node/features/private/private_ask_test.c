#include "tests/unit/support/private_rig.inc"

static struct eio_session *ann;

static void up_ann(void)
{
    up();
    ann = client(ANN);
}

static void down_ann(void)
{
    free_session(ann);
    private_down();
}

TestSuite(private_ask, .init = up_ann, .fini = down_ann);

Test(private_ask, moves_the_cursor_and_tells_the_other_devices)
{
    struct eio_session *ann2 = client(ANN), *bob = client(BOB);

    say(ann, "21[\"markAsRead\",{\"userId\":\"u7\",\"seq\":4}]");
    cr_expect_str_eq(asked(), "ingoma:{conv:u1:u7}:log u1 4\n");
    REPLY("1", "4", "2");
    cr_expect_str_eq(asked(), "ingoma:{user:u1}:chats u1:u7 2\n");
    cr_expect_str_eq(take(&ann->sent), "");
    REPLY("1");
    cr_expect_str_eq(take(&ann->sent), "431[{\"ok\":true,\"conversation\":\"u1:u7\",\"seq\":4}]\n");
    cr_expect_str_eq(take(&ann2->sent),
                     "42[\"messageRead\",{\"userId\":\"u1\",\"conversation\":\"u1:u7\",\"seq\":4,"
                     "\"timestamp\":\"" TIME "\"}]\n");
    cr_expect(strstr(take(&bob->sent), "messageRead"));
    free_session(bob);
    free_session(ann2);
}

Test(private_ask, counts_what_is_unread_for_this_user_alone)
{
    say(ann, "21[\"unreadCounts\"]");
    cr_expect_str_eq(asked(), "ingoma:{user:u1}:chats\n");
    REPLY("u1:u7", "2", "9", "\"u7\"", "#1:u8", "5", "6", "\"u8\"", "#9:u1", "1", "3", "9");
    cr_expect_str_eq(take(&ann->sent),
                     "431[{\"ok\":true,\"total\":3,\"conversations\":["
                     "{\"userId\":\"u7\",\"conversation\":\"u1:u7\",\"unread\":2,\"lastSeq\":9},"
                     "{\"userId\":9,\"conversation\":\"#9:u1\",\"unread\":1,\"lastSeq\":3}]}]\n");
}

Test(private_ask, writes_the_list_before_the_flag_that_counts)
{
    static const struct {
        const char *packet, *list, *flag;
    } rows[] = {{"21[\"blockUser\",{\"userId\":7}]", "add", "1"},
                {"21[\"unblockUser\",{\"userId\":7}]", "delete", "0"}};

    for (size_t i = 0; i < 2; i++) {
        char want[90];

        say(ann, rows[i].packet);
        snprintf(want, sizeof want, "ingoma:{user:u1}:blocked %s u1 #7 7 1000\n", rows[i].list);
        cr_expect_str_eq(asked(), want);
        answer_call(OK, NULL, 0);
        snprintf(want, sizeof want, "ingoma:{conv:#7:u1}:state u1 %s\n", rows[i].flag);
        cr_expect_str_eq(asked(), want);
        cr_expect_str_eq(take(&ann->sent), "");
        REPLY("1");
        cr_expect_str_eq(take(&ann->sent), "431[{\"ok\":true}]\n");
    }
    say(ann, rows[0].packet);
    REPLY("full");
    cr_expect(strstr(take(&ann->sent), "\"code\":\"limit_reached\""));
}

Test(private_ask, lists_whom_this_user_blocks)
{
    say(ann, "21[\"blockedUsers\"]");
    REPLY("u1 u7", "\"u7\"", "#1 u8", "\"u8\"", "u1 #7", "7");
    cr_expect_str_eq(take(&ann->sent), "431[{\"ok\":true,\"userIds\":[\"u7\",7]}]\n");
}

Test(private_ask, tells_every_failure)
{
    static const char *const packets[] = {
        "21[\"privateHistory\",{\"userId\":\"u7\"}]", "21[\"markAsRead\",{\"userId\":\"u7\"}]",
        "21[\"unreadCounts\"]", "21[\"blockUser\",{\"userId\":\"u7\"}]", "21[\"blockedUsers\"]"};

    for (size_t i = 0; i < sizeof packets / sizeof packets[0]; i++) {
        say(ann, packets[i]);
        answer_call(ERR_TIMEOUT, NULL, 0);
        cr_expect(strstr(take(&ann->sent), "\"code\":\"timeout\""), "row %zu", i);
    }
    say(ann, packets[1]);
    REPLY("1", "4", "2");
    answer_call(ERR_TIMEOUT, NULL, 0);
    cr_expect(strstr(take(&ann->sent), "\"code\":\"timeout\""), "the second step");
}

Test(private_ask, answers_nobody_who_has_gone)
{
    struct eio_session *bob = client(BOB);

    say(bob, "21[\"unreadCounts\"]");
    free_session(bob);
    REPLY("u1:u7", "2", "9", "\"u1\"");
    cr_expect_str_eq(take(&ann->sent), "");
}
