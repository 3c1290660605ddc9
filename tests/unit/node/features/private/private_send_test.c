#include "tests/unit/support/private_rig.inc"

#define SEND "[\"privateMessage\",{\"recipientId\":\"u7\",\"message\":\"hi\"}]"
#define TOLD                                                                                       \
    "\"messageId\":\"msg_1_a\",\"timestamp\":\"" TIME "\",\"conversation\":\"u1:u7\",\"seq\":3"

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

static void up_ann_archived(void)
{
    up_archived();
    ann = client(ANN);
}

TestSuite(private_send, .init = up_ann, .fini = down_ann);
TestSuite(private_send_archived, .init = up_ann_archived, .fini = down_ann);

Test(private_send, stores_then_puts_then_acks)
{
    const char *script;

    say(ann, "21" SEND);
    script = asked();
    cr_expect(strstr(script, "ingoma:{conv:u1:u7}:log u1 u7  msg_1700000000000_"), "%s", script);
    cr_expect(strstr(script, "\"message\":\"hi\",\"type\":\"text\""), "%s", script);
    cr_expect(strstr(script, "\"conversation\":\"u1:u7\"} 1000 2592000 0 0\n"), "%s", script);
    REPLY("3", "msg_1_a", TIME, "2", "0", "3", "5", "0", "msg_1_a", "{event}");
    cr_expect_str_eq(take(&ann->sent), "", "not stored yet where the other one looks");
    cr_expect_str_eq(asked(), "ingoma:{user:u7}:inbox u1:u7 \"u1\" u1 u7 2 1000 2592000 "
                              "3 5 0 msg_1_a {event}\n");
    answer_call(OK, NULL, 0);
    cr_expect_str_eq(take(&ann->sent), "431[{\"ok\":true," TOLD "}]\n"
                                       "42[\"messageQueued\",{" TOLD ",\"recipientId\":\"u7\"}]\n");
    cr_expect_str_eq(asked(), "ingoma:{conv:u1:u7}:state u1 3\n");
}

Test(private_send, shows_the_senders_other_devices_what_was_sent)
{
    struct eio_session *ann2 = client(ANN);

    say(ann, "2" SEND);
    REPLY("3", "msg_1_a", TIME, "0", "0", "3", "1", "0", "msg_1_a", "{}");
    REPLY("nod2");
    cr_expect(strstr(take(&ann2->sent), "42[\"privateMessageSync\",{\"senderId\":\"u1\","));
    cr_expect_str_eq(take(&ann->sent), "");
    free_session(ann2);
}

Test(private_send, keeps_one_under_way_so_that_order_holds)
{
    say(ann, "21" SEND);
    say(ann, "22" SEND);
    (void)asked();
    cr_assert_eq(fake.calls_count, 1);
    REPLY("3", "msg_1_a", TIME, "0", "0", "3", "1", "0", "msg_1_a", "{}");
    (void)asked();
    REPLY("nod2");
    cr_expect(strstr(take(&ann->sent), "431[{\"ok\":true,"));
    cr_expect(strstr(asked(), " 1000 2592000 3 0\n"), "the first is in the inbox");
    REPLY("4", "msg_1_b", TIME, "0", "0", "4", "2", "0", "msg_1_b", "{}");
    REPLY("nod2");
    cr_expect(strstr(take(&ann->sent), "432[{\"ok\":true,\"messageId\":\"msg_1_b\""));
}

Test(private_send, tells_what_could_not_be_stored)
{
    static const struct {
        int rc;
        const char *code;
    } rows[] = {{ERR_UNAVAILABLE, "unavailable"}, {ERR_INTERNAL, "internal"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char want[60];

        snprintf(want, sizeof want, "431[{\"ok\":false,\"code\":\"%s\"", rows[i].code);
        say(ann, "21" SEND);
        answer_call(rows[i].rc, NULL, 0);
        cr_expect(strstr(take(&ann->sent), want), "row %zu, the first step", i);
        say(ann, "21" SEND);
        REPLY("3", "msg_1_a", TIME, "0", "0", "3", "1", "0", "msg_1_a", "{}");
        answer_call(rows[i].rc, NULL, 0);
        cr_expect(strstr(take(&ann->sent), want), "row %zu, the second step", i);
    }
    say(ann, "21" SEND);
    REPLY("full");
    cr_expect(strstr(take(&ann->sent), "\"code\":\"unavailable\""));
    say(ann, "21" SEND);
    REPLY("3", "msg_1_a", TIME, "0", "0", "3");
    cr_expect(strstr(take(&ann->sent), "\"code\":\"internal\""), "an answer that is torn");
}

Test(private_send, lets_nobody_wait_behind_a_redis_that_is_silent)
{
    say(ann, "21" SEND);
    say(ann, "22" SEND);
    answer_call(ERR_TIMEOUT, NULL, 0);
    cr_expect(strstr(take(&ann->sent), "432[{\"ok\":false,\"code\":\"timeout\""));
    cr_expect_eq(fake.calls_count, 0);
}

Test(private_send, ends_quietly_with_the_feature)
{
    say(ann, "21" SEND);
    say(ann, "22" SEND);
    events_detach(fake.events);
    REPLY("3", "msg_1_a", TIME, "0", "0", "3", "1", "0", "msg_1_a", "{}");
    cr_expect_str_eq(take(&ann->sent), "");
}

/* ---- with an archive ---- */

#define STORED "3", "msg_1_a", TIME, "0", "0", "3", "1", "0", "msg_1_a", "{}"

Test(private_send_archived, acks_when_the_inbox_and_the_mark_are_there_in_either_order)
{
    for (int mark_first = 0; mark_first < 2; mark_first++) {
        say(ann, "21" SEND);
        cr_expect(strstr(asked(), " 1000 2592000 0 10\n"), "so much is kept for the archive");
        REPLY(STORED);
        cr_expect_str_eq(take(&jobs.log), "put u1:u7 1000\n");
        if (mark_first)
            marked(OK);
        else
            REPLY("nod2", "nod3");
        cr_expect_str_eq(take(&ann->sent), "", "one of two");
        cr_expect_str_eq(take(&fake.mail), "");
        if (mark_first)
            REPLY("nod2", "nod3");
        else
            marked(OK);
        cr_expect_str_eq(take(&ann->sent), "431[{\"ok\":true," TOLD "}]\n");
        cr_expect_str_eq(take(&fake.mail), "nod2 private u7\nnod3 private u7\n");
        answer_call(OK, NULL, 0); /* handed */
    }
}

Test(private_send_archived, is_not_acked_without_its_mark_unless_too_many_wait)
{
    static const struct {
        int rc;
        const char *want;
    } rows[] = {{ERR_TIMEOUT, "431[{\"ok\":false,\"code\":\"timeout\""},
                {ERR_UNAVAILABLE, "431[{\"ok\":false,\"code\":\"unavailable\""},
                {ERR_LIMIT, "431[{\"ok\":true,"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        say(ann, "21" SEND);
        REPLY(STORED);
        REPLY("nod2");
        marked(rows[i].rc);
        cr_expect(strstr(take(&ann->sent), rows[i].want), "row %zu", i);
        answer_call(OK, NULL, 0);
    }
    cr_expect_eq(metric_get(M_ARCHIVE_UNMARKED), 1);
}

Test(private_send_archived, a_failure_of_both_is_one_answer)
{
    say(ann, "21" SEND);
    REPLY(STORED);
    answer_call(ERR_TIMEOUT, NULL, 0);
    cr_expect_str_eq(take(&ann->sent), "");
    marked(ERR_UNAVAILABLE);
    cr_expect(strstr(take(&ann->sent), "\"code\":\"timeout\""));
}

Test(private_send_archived, ends_quietly_with_the_feature)
{
    say(ann, "21" SEND);
    say(ann, "22" SEND);
    REPLY(STORED);
    events_detach(fake.events); /* the mark is told within it, the inbox afterwards */
    cr_expect_str_eq(take(&ann->sent), "");
}
