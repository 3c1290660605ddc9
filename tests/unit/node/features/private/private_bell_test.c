#include "tests/unit/support/private_rig.inc"

#define SEND "[\"privateMessage\",{\"recipientId\":\"u7\",\"message\":\"hi\"}]"
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

TestSuite(private_bell, .init = up_ann, .fini = down_ann);

Test(private_bell, rings_where_devices_are_and_says_queued_when_nobody_hears)
{
    static const struct {
        int rc;
        bool is_queued;
    } rows[] = {{OK, false}, {ERR_NOT_FOUND, true}, {ERR_TIMEOUT, false}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fake.mail_rc = rows[i].rc;
        say(ann, "2" SEND);
        REPLY("3", "msg_1_a", TIME, "0", "0", "3", "1", "0", "msg_1_a", "{}");
        REPLY("nod2", ":type", "nod3", "node");
        cr_expect_str_eq(take(&fake.mail), "nod2 private u7\nnod3 private u7\n");
        cr_expect_eq(strstr(take(&ann->sent), "messageQueued") != NULL, rows[i].is_queued,
                     "row %zu", i);
        answer_call(OK, NULL, 0); /* handed */
    }
}
