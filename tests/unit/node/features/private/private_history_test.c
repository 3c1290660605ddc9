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
    fake_down();
}

TestSuite(private_history, .init = up_ann, .fini = down_ann);

#define HISTORY                                                                                    \
    "\"userId\":\"u7\",\"conversation\":\"u1:u7\",\"messages\":[{\"n\":1},{\"n\":2}],"             \
    "\"hasMore\":true,\"lastSeq\":9,\"readSeq\":3,\"otherReadSeq\":4,\"otherDeliveredSeq\":5"

Test(private_history, gives_history_as_the_ack_or_as_the_event)
{
    say(ann, "21[\"privateHistory\",{\"userId\":\"u7\",\"before\":9,\"limit\":2}]");
    cr_expect_str_eq(asked(), "ingoma:{conv:u1:u7}:log u1 u7 9  2 262144 2592000\n");
    REPLY("1", "9", "3", "4", "5", "{\"n\":1}", "{\"n\":2}");
    cr_expect_str_eq(take(&ann->sent), "431[{\"ok\":true," HISTORY "}]\n");
    say(ann, "2[\"privateHistory\",{\"userId\":\"u7\",\"after\":0}]");
    cr_expect_str_eq(asked(), "ingoma:{conv:u1:u7}:log u1 u7  0 50 262144 2592000\n");
    REPLY("1", "9", "3", "4", "5", "{\"n\":1}", "{\"n\":2}");
    cr_expect_str_eq(take(&ann->sent), "42[\"privateHistory\",{" HISTORY "}]\n");
}
