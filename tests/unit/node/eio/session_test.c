#include <criterion/criterion.h>
#include "base/metric.h"
#include "node/eio/eio.h"
#include "tests/unit/support/eio_rig.h"

Test(eio_session, hands_messages_up_as_they_came)
{
    struct eio_rig r;
    struct fake_pipe *p;

    rig_open(&r, NULL);
    p = rig_ws_open(&r, 4, NULL);
    fake_text(&r.edge, p, "4hello");
    fake_text(&r.edge, p, "4");
    fake_binary(&r.edge, p, STR("\1\2"));
    fake_text(&r.edge, p, "bAQID");
    cr_expect_str_eq(rig_told(&r), "open\ntext:hello\ntext:\nbytes:0102\nbytes:010203\n");
    rig_close(&r);
}

Test(eio_session, reacts_to_packets_over_websocket_as_the_reference_says)
{
    static const struct {
        int protocol;
        const char *packet, *told;
    } rows[] = {
        {4, "0", ""},
        {4, "5", ""},
        {4, "6", ""},
        {4, "3", ""},
        {4, "1", "close:transport close\n"},
        {4, "2", "close:transport error\n"},
        {4, "2probe", "close:transport error\n"},
        {4, "", "close:parse error\n"},
        {4, "abc", "close:parse error\n"},
        {4, "7", "close:parse error\n"},
        {4, "b!", "close:parse error\n"},
        {3, "2", ""},
        {3, "1", "close:transport close\n"},
        {3, "3", "close:transport error\n"},
        {3, "abc", "close:parse error\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eio_rig r;
        struct fake_pipe *p;

        rig_open(&r, NULL);
        p = rig_ws_open(&r, rows[i].protocol, NULL);
        (void)rig_told(&r);
        fake_text(&r.edge, p, rows[i].packet);
        cr_expect_str_eq(rig_told(&r), rows[i].told, "row %zu", i);
        cr_expect_eq(p->is_cut, rows[i].told[0] != 0, "row %zu", i);
        if (p->is_cut) cr_expect_eq(p->close_code, 0, "row %zu", i);
        if (!p->is_cut) fake_text(&r.edge, p, "4on"); /* else the edge would not send any more */
        cr_expect_str_eq(rig_told(&r), p->is_cut ? "" : "text:on\n", "row %zu", i);
        cr_expect_eq(p->late_orders, 0);
        rig_close(&r);
    }
}

Test(eio_session, tells_why_a_websocket_ended)
{
    static const struct {
        int code;
        const char *told;
    } rows[] = {
        {0, "open\nclose:transport close\n"},
        {1002, "open\nclose:transport error\n"},
        {1009, "open\nclose:transport error\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eio_rig r;

        rig_open(&r, NULL);
        fake_gone(&r.edge, rig_ws_open(&r, 4, NULL), rows[i].code);
        cr_expect_str_eq(rig_told(&r), rows[i].told, "row %zu", i);
        cr_expect_eq(eio_sessions_count(r.eio), 0);
        rig_close(&r);
    }
}

Test(eio_session_close, ends_a_parked_poll_with_a_close_packet)
{
    struct eio_rig r;
    struct fake_pipe *get;

    rig_open(&r, NULL);
    (void)rig_poll_open(&r, 4, NULL);
    get = rig_get(&r, 4);
    eio_session_close(r.session, CLOSE_FORCED_SERVER_CLOSE);
    cr_expect_str_eq(rig_told(&r), "open\nclose:forced server close\n");
    cr_expect_str_eq(fake_body_z(get), "1");
    cr_expect(str_starts(sb_view(&rig_get(&r, 4)->body), STR("{\"code\":1,")));
    rig_close(&r);
}

Test(eio_session_close, keeps_the_end_for_the_next_poll)
{
    static const struct {
        int protocol;
        const char *last;
    } rows[] = {{4, "6\x1e"
                    "1"},
                {3, "1:61:1"}};

    for (size_t i = 0; i < 2; i++) {
        struct eio_rig r;

        rig_open(&r, NULL);
        (void)rig_poll_open(&r, rows[i].protocol, NULL);
        eio_session_close(r.session, CLOSE_FORCED_SERVER_CLOSE);
        cr_expect_eq(eio_sessions_count(r.eio), 0);
        rig_wait(&r, 29000);
        cr_expect_str_eq(fake_body_z(rig_get(&r, rows[i].protocol)), rows[i].last, "row %zu", i);
        cr_expect_eq(rig_get(&r, rows[i].protocol)->status, 400, "row %zu", i);
        cr_expect_str_eq(rig_told(&r), "open\nclose:forced server close\n", "row %zu", i);
        rig_close(&r);
    }
}

Test(eio_session_close, gives_the_data_first_then_the_end)
{
    struct eio_rig r;

    rig_open(&r, NULL);
    (void)rig_poll_open(&r, 4, NULL);
    eio_session_send(r.session, eio_text_message(STR("bye")));
    eio_session_close(r.session, CLOSE_FORCED_SERVER_CLOSE);
    cr_expect_str_eq(fake_body_z(rig_get(&r, 4)), "4bye");
    cr_expect_str_eq(fake_body_z(rig_get(&r, 4)), "6\x1e"
                                                  "1");
    rig_close(&r);
}

Test(eio_session_close, gives_the_data_to_a_parked_poll)
{
    struct eio_rig r;
    struct fake_pipe *get;

    rig_open(&r, NULL);
    (void)rig_poll_open(&r, 4, NULL);
    get = rig_get(&r, 4);
    eio_session_send(r.session, eio_text_message(STR("bye")));
    eio_session_close(r.session, CLOSE_FORCED_SERVER_CLOSE);
    cr_expect_str_eq(fake_body_z(get), "4bye");
    cr_expect_str_eq(fake_body_z(rig_get(&r, 4)), "6\x1e"
                                                  "1");
    rig_close(&r);
}

Test(eio_session_close, forgets_the_end_after_thirty_seconds)
{
    struct eio_rig r;

    rig_open(&r, NULL);
    (void)rig_poll_open(&r, 4, NULL);
    eio_session_close(r.session, CLOSE_FORCED_SERVER_CLOSE);
    rig_wait(&r, 30100);
    cr_expect(str_starts(sb_view(&rig_get(&r, 4)->body), STR("{\"code\":1,")));
    cr_expect_str_eq(rig_told(&r), "open\nclose:forced server close\n");
    rig_close(&r);
}

Test(eio_session_close, ignores_posts_and_sends_while_the_end_waits)
{
    struct eio_rig r;
    struct eio_session *s;

    rig_open(&r, NULL);
    (void)rig_poll_open(&r, 4, NULL);
    s = r.session;
    eio_session_close(s, CLOSE_FORCED_SERVER_CLOSE);
    eio_session_send(s, eio_text_message(STR("late")));
    eio_session_close(s, CLOSE_SLOW);
    cr_expect_not(eio_session_is_writable(s));
    cr_expect_str_eq(fake_body_z(rig_post(&r, 4, "4late")), "ok");
    cr_expect_str_eq(rig_told(&r), "open\nclose:forced server close\n");
    cr_expect_str_eq(fake_body_z(rig_get(&r, 4)), "6\x1e"
                                                  "1");
    rig_close(&r);
}

static void close_it(struct eio_rig *r, struct eio_session *s)
{
    (void)r;
    eio_session_close(s, CLOSE_FORCED_SERVER_CLOSE);
}

Test(eio_session_close, may_come_from_within_a_message)
{
    struct eio_rig r;
    struct fake_pipe *post;

    rig_open(&r, NULL);
    r.on_message = close_it;
    (void)rig_poll_open(&r, 4, NULL);
    post = rig_post(&r, 4,
                    "4a\x1e"
                    "4b");
    cr_expect_str_eq(fake_body_z(post), "ok");
    cr_expect_str_eq(rig_told(&r), "open\ntext:a\nclose:forced server close\n");
    rig_close(&r);
}
