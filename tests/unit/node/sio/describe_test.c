/* One socket as fetchSockets of Node.js gives it. */
#include "tests/unit/support/fake_eio.inc"
#include "node/sio/sio_priv.h"

static char path[] = "/socket.io/";

static void up(void)
{
    rig_up();
    rig.conf.socket_path = path;
}

TestSuite(sio_describe, .init = up, .fini = rig_down);

Test(sio_describe, tells_what_the_handshake_kept)
{
    struct eio_session *s;
    struct sio_socket *o = connected(&s, "0{\"token\":\"t\"}");
    struct sb out = {0};

    s->handshake = (struct eio_handshake){.query = STR("EIO=4&transport=polling&a%20b=c%22&d"),
                                          .origin = STR("http://x"),
                                          .user_agent = STR("agent \"1\""),
                                          .address = STR("127.0.0.1"),
                                          .wall_ms = 1795397279711,
                                          .secure = true};
    cr_assert_eq(sio_socket_join_inner(o, STR("\x1fown")), OK); /* shown to nobody */
    cr_assert_eq(sio_socket_join(o, STR("r\"1")), OK);
    sio_describe(o, &out);
    cr_expect_str_eq(
        take(&out),
        "{\"id\":\"node0000000000000001\",\"handshake\":{\"headers\":{\"origin\":\"http://x\","
        "\"user-agent\":\"agent \\\"1\\\"\"},"
        "\"time\":\"Mon Nov 23 2026 01:27:59 GMT+0000 (Coordinated Universal Time)\","
        "\"address\":\"127.0.0.1\",\"xdomain\":true,\"secure\":true,\"issued\":1795397279711,"
        "\"url\":\"/socket.io/?EIO=4&transport=polling&a%20b=c%22&d\","
        "\"query\":{\"EIO\":\"4\",\"transport\":\"polling\",\"a b\":\"c\\\"\",\"d\":\"\"},"
        "\"auth\":{\"token\":\"t\"}},\"rooms\":[\"node0000000000000001\",\"r\\\"1\"],\"data\":{}}");
    sb_fini(&out);
    free_session(s);
}

Test(sio_describe, an_empty_handshake_is_described_as_well)
{
    struct eio_session *s;
    struct sio_socket *o = connected(&s, "0");
    struct sb out = {0};

    sio_describe(o, &out);
    cr_expect(
        str_contains(sb_view(&out), STR("\"headers\":{},\"time\":\"Thu Jan 01 1970 00:00:00")));
    cr_expect(str_contains(sb_view(&out), STR("\"xdomain\":false,\"secure\":false")));
    cr_expect(str_contains(sb_view(&out), STR("\"query\":{},\"auth\":{}}")));
    sb_fini(&out);
    free_session(s);
}
