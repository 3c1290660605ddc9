#include "tests/unit/support/private_rig.inc"

#define LOOK(at, is_new)                                                                           \
    "ingoma:{user:u7}:inbox node u7 " at " " is_new " 15000 100 262144 2592000000\n"
#define MARK(at) "ingoma:{user:u7}:inbox u7 " at " 15000 300000\n"
#define HEARS(n) "42[\"privateMessage\",{\"n\":" n "}]\n"

TestSuite(private_read, .init = up, .fini = fake_down);

Test(private_read, hands_out_marks_and_tells_the_sender)
{
    struct eio_session *ann = client(ANN), *bob = fake_client(BOB);

    cr_expect_str_eq(asked(), LOOK("", "1"));
    REPLY("1", "10", "10", "0", "12", "11", "0", "{\"n\":1}", "12", "0", "{\"n\":2}");
    cr_expect_str_eq(take(&bob->sent), HEARS("1") HEARS("2"));
    cr_expect_str_eq(asked(), MARK("12"));
    REPLY("u1", "msg_1_a", "u1:u7", "4");
    cr_expect_str_eq(take(&ann->sent),
                     "42[\"messageDelivered\",{\"recipientId\":\"u7\",\"timestamp\":\"" TIME
                     "\",\"messageId\":\"msg_1_a\",\"conversation\":\"u1:u7\",\"seq\":4}]\n");
    cr_expect_str_eq(asked(), "ingoma:{conv:u1:u7}:state u7 4\n");
    free_session(bob);
    free_session(ann);
}

Test(private_read, gives_each_device_what_it_lacks_and_no_more)
{
    struct eio_session *bob = client(BOB), *bob2;

    events_on_message(fake.events, STR("nod2"), STR("private u7"));
    bob2 = fake_client(BOB); /* comes while the look of the first is under way */
    cr_expect_str_eq(asked(), LOOK("0", "0"));
    REPLY("1", "0", "0", "0", "11", "11", "0", "{\"n\":1}");
    cr_expect_str_eq(take(&bob->sent), HEARS("1"));
    cr_expect_str_eq(take(&bob2->sent), "", "where it begins is not known yet");
    cr_expect_str_eq(asked(), MARK("11") LOOK("11", "1"));
    answer_call(OK, NULL, 0);
    REPLY("1", "0", "0", "0", "11", "11", "0", "{\"n\":1}");
    cr_expect_str_eq(take(&bob2->sent), HEARS("1"));
    cr_expect_str_eq(take(&bob->sent), "");
    free_session(bob2);
    free_session(bob);
}

Test(private_read, delivers_the_hidden_without_showing_it)
{
    struct eio_session *bob = fake_client(BOB);

    (void)asked();
    REPLY("1", "0", "0", "0", "11", "11", "1", "{\"n\":1}");
    cr_expect_str_eq(take(&bob->sent), "");
    cr_expect_str_eq(asked(), MARK("11"));
    free_session(bob);
}

Test(private_read, goes_on_while_there_is_more)
{
    struct eio_session *bob = fake_client(BOB);

    (void)asked();
    REPLY("1", "0", "0", "1", "11", "11", "0", "{\"n\":1}");
    cr_expect_str_eq(asked(), MARK("11") LOOK("11", "0"));
    free_session(bob);
}

Test(private_read, looks_again_until_the_core_has_written_that_somebody_is_here)
{
    struct eio_session *bob = fake_client(BOB);

    (void)asked();
    REPLY("0", "0", "0", "0", "0");
    cr_expect_str_eq(asked(), "");
    rig_wait(60);
    cr_expect_str_eq(asked(), LOOK("0", "0"));
    REPLY("1", "0", "0", "0", "0");
    rig_wait(5000);
    cr_expect_str_eq(asked(), "");
    free_session(bob);
}

Test(private_read, comes_back_after_a_failure_but_not_without_redis)
{
    struct eio_session *bob = fake_client(BOB);

    (void)asked();
    answer_call(ERR_UNAVAILABLE, NULL, 0);
    rig_wait(5000);
    cr_expect_str_eq(asked(), "", "never answered: a node without Redis");
    events_on_message(fake.events, STR("nod2"), STR("private u7"));
    cr_expect_str_eq(asked(), LOOK("", "1"));
    answer_call(ERR_TIMEOUT, NULL, 0);
    rig_wait(3000);
    cr_expect_str_eq(asked(), LOOK("", "1"));
    REPLY("1", "0", "0", "0", "11", "11", "0", "{\"n\":1}");
    cr_expect_str_eq(asked(), MARK("11"));
    answer_call(ERR_TIMEOUT, NULL, 0);
    rig_wait(3000);
    cr_expect_str_eq(asked(), LOOK("11", "0"));
    REPLY("1", "0", "0", "0", "11");
    cr_expect_str_eq(asked(), MARK("11"), "what has been handed out is told in the end");
    free_session(bob);
}

Test(private_read, forgets_who_goes_while_it_looks)
{
    struct eio_session *bob = fake_client(BOB);

    (void)asked();
    free_session(bob);
    REPLY("1", "0", "0", "0", "11", "11", "0", "{\"n\":1}");
    cr_expect_str_eq(asked(), "", "nobody has it");
    events_on_message(fake.events, STR("nod2"), STR("private u7"));
    cr_expect_str_eq(asked(), "");
}
