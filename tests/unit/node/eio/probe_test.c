#include <criterion/criterion.h>
#include "base/metric.h"
#include "node/eio/eio.h"
#include "tests/unit/support/eio_rig.h"

Test(probe, moves_the_session_to_the_websocket)
{
    struct eio_rig r;
    struct fake_pipe *get, *ws;
    int64_t before;

    rig_open(&r, NULL);
    r.echoes = true;
    before = metric_get_at(M_UPGRADES, 0);
    (void)rig_poll_open(&r, 4, NULL);
    get = rig_get(&r, 4);
    ws = rig_upgrade(&r, 4);
    cr_expect_eq(ws->status, 101);
    cr_expect_str_eq(fake_headers_z(ws), "Vary: Origin\r\n");
    fake_text(&r.edge, ws, "2probe");
    cr_expect_str_eq(fake_frames_z(ws), "3probe\n");
    cr_expect_str_eq(fake_body_z(get), "6");
    cr_expect_not(eio_session_is_websocket(r.session));
    fake_text(&r.edge, ws, "5");
    cr_expect(eio_session_is_websocket(r.session));
    fake_frames_forget(ws);
    fake_text(&r.edge, ws, "4after");
    cr_expect_str_eq(fake_frames_z(ws), "4after\n");
    cr_expect_eq(metric_get_at(M_UPGRADES, 0), before + 1);
    cr_expect(str_starts(sb_view(&rig_get(&r, 4)->body), STR("{\"code\":3,")));
    cr_expect_eq(rig_upgrade(&r, 4)->status, 400);
    rig_close(&r);
}

Test(probe, keeps_the_order_over_the_upgrade)
{
    struct eio_rig r;
    struct fake_pipe *ws;

    rig_open(&r, NULL);
    (void)rig_poll_open(&r, 4, NULL);
    ws = rig_upgrade(&r, 4);
    fake_text(&r.edge, ws, "2probe");
    fake_frames_forget(ws);
    eio_session_send(r.session, eio_text_message(STR("1")));
    cr_expect_eq(ws->frames_count, 0, "during the probe data goes over polling");
    cr_expect_str_eq(fake_body_z(rig_get(&r, 4)), "41");
    eio_session_send(r.session, eio_text_message(STR("2")));
    eio_session_send(r.session, eio_binary_message(4, STR("\3")));
    fake_text(&r.edge, ws, "5");
    eio_session_send(r.session, eio_text_message(STR("4")));
    cr_expect_str_eq(fake_frames_z(ws), "42\n#03\n44\n");
    rig_close(&r);
}

Test(probe, frees_a_poll_that_starts_after_it)
{
    struct eio_rig r;
    struct fake_pipe *ws, *get;

    rig_open(&r, NULL);
    (void)rig_poll_open(&r, 3, NULL);
    ws = rig_upgrade(&r, 3);
    fake_text(&r.edge, ws, "2probe");
    get = rig_get(&r, 3);
    cr_expect(fake_is_pending(get));
    rig_wait(&r, 110);
    cr_expect_str_eq(fake_body_z(get), "1:6");
    rig_close(&r);
}

Test(probe, answers_a_poll_left_at_the_upgrade_with_close)
{
    struct eio_rig r;
    struct fake_pipe *ws, *get;

    rig_open(&r, NULL);
    (void)rig_poll_open(&r, 4, NULL);
    ws = rig_upgrade(&r, 4);
    fake_text(&r.edge, ws, "2probe");
    get = rig_get(&r, 4);
    fake_text(&r.edge, ws, "5");
    cr_expect_str_eq(fake_body_z(get), "1");
    cr_expect_not_null(r.session);
    rig_close(&r);
}

Test(probe, costs_only_the_new_connection_when_it_is_wrong)
{
    static const char *const firsts[] = {"2wrong", "2", "5", "4a", "3probe", "", "2probe 5"};
    static const char *const seconds[] = {"2probe", "4a", "3", "1", "50"};

    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
        struct eio_rig r;
        struct fake_pipe *ws;

        rig_open(&r, NULL);
        (void)rig_poll_open(&r, 4, NULL);
        ws = rig_upgrade(&r, 4);
        fake_text(&r.edge, ws, firsts[i]);
        cr_expect(ws->is_cut, "first %zu", i);
        cr_expect_str_eq(rig_told(&r), "open\n", "first %zu", i);
        cr_expect(fake_is_pending(rig_get(&r, 4)), "first %zu", i);
        rig_close(&r);
    }
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        struct eio_rig r;
        struct fake_pipe *ws;

        rig_open(&r, NULL);
        (void)rig_poll_open(&r, 4, NULL);
        ws = rig_upgrade(&r, 4);
        fake_text(&r.edge, ws, "2probe");
        fake_text(&r.edge, ws, seconds[i]);
        cr_expect(ws->is_cut, "second %zu", i);
        cr_expect_str_eq(rig_told(&r), "open\n", "second %zu", i);
        rig_close(&r);
    }
}

Test(probe, refuses_a_second_one_while_it_runs)
{
    struct eio_rig r;
    struct fake_pipe *ws;

    rig_open(&r, NULL);
    (void)rig_poll_open(&r, 4, NULL);
    ws = rig_upgrade(&r, 4);
    cr_expect_eq(rig_upgrade(&r, 4)->status, 400);
    fake_text(&r.edge, ws, "2probe");
    cr_expect_eq(rig_upgrade(&r, 4)->status, 400);
    fake_text(&r.edge, ws, "5");
    cr_expect(eio_session_is_websocket(r.session));
    rig_close(&r);
}

Test(probe, may_be_tried_again_after_the_connection_went_away)
{
    struct eio_rig r;
    struct fake_pipe *ws;

    rig_open(&r, NULL);
    (void)rig_poll_open(&r, 4, NULL);
    ws = rig_upgrade(&r, 4);
    fake_text(&r.edge, ws, "2probe");
    fake_gone(&r.edge, ws, 0);
    cr_expect_str_eq(rig_told(&r), "open\n");
    ws = rig_upgrade(&r, 4);
    cr_expect_eq(ws->status, 101);
    fake_text(&r.edge, ws, "2probe");
    fake_text(&r.edge, ws, "5");
    cr_expect(eio_session_is_websocket(r.session));
    rig_close(&r);
}

Test(probe, gives_up_after_the_upgrade_timeout)
{
    struct eio_rig r;
    struct fake_pipe *ws;

    rig_open(&r, "--upgrade-timeout-ms=1000");
    (void)rig_poll_open(&r, 4, NULL);
    ws = rig_upgrade(&r, 4);
    fake_text(&r.edge, ws, "2probe");
    rig_wait(&r, 950);
    cr_expect_not(ws->is_cut);
    rig_wait(&r, 100);
    cr_expect(ws->is_cut);
    cr_expect_str_eq(rig_told(&r), "open\n");
    rig_close(&r);
}

Test(probe, ends_with_the_session)
{
    struct eio_rig r;
    struct fake_pipe *ws;

    rig_open(&r, NULL);
    (void)rig_poll_open(&r, 4, NULL);
    ws = rig_upgrade(&r, 4);
    fake_text(&r.edge, ws, "2probe");
    (void)rig_post(&r, 4, "1");
    cr_expect(ws->is_cut);
    cr_expect_str_eq(rig_told(&r), "open\nclose:transport close\n");
    (void)rig_poll_open(&r, 4, NULL);
    ws = rig_upgrade(&r, 4);
    eio_session_close(r.session, CLOSE_FORCED_SERVER_CLOSE);
    cr_expect(ws->is_cut);
    rig_close(&r);
}

Test(probe, a_post_read_over_the_upgrade_is_not_lost)
{
    struct eio_rig r;
    struct fake_pipe *ws, *post;

    rig_open(&r, NULL);
    (void)rig_poll_open(&r, 4, NULL);
    post = fake_post_head(&r.edge, rig_head(&r, "POST", 4, "polling", NULL), 5);
    ws = rig_upgrade(&r, 4);
    fake_text(&r.edge, ws, "2probe");
    fake_text(&r.edge, ws, "5");
    fake_body(&r.edge, post, OK, STR("4last"));
    cr_expect_str_eq(rig_told(&r), "open\ntext:last\n");
    cr_expect_str_eq(fake_body_z(post), "ok");
    rig_close(&r);
}
