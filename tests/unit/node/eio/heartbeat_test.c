#include <criterion/criterion.h>
#include "tests/unit/support/eio_rig.h"

#define TIMES "--ping-interval-ms=300 --ping-timeout-ms=200"

Test(heartbeat, eio_4_pings_and_takes_the_pong)
{
    struct eio_rig r;
    struct fake_pipe *p;

    rig_open(&r, TIMES);
    p = rig_ws_open(&r, 4, NULL);
    for (int round = 0; round < 3; round++) {
        fake_frames_forget(p);
        rig_wait(&r, 290);
        cr_expect_eq(p->frames_count, 0);
        rig_wait(&r, 20);
        cr_expect_str_eq(fake_frames_z(p), "2\n");
        fake_text(&r.edge, p, "3");
    }
    cr_expect_not(p->is_cut);
    rig_close(&r);
}

Test(heartbeat, eio_4_closes_a_silent_client)
{
    struct eio_rig r;
    struct fake_pipe *p;

    rig_open(&r, TIMES);
    p = rig_ws_open(&r, 4, NULL);
    rig_wait(&r, 490);
    cr_expect_not(p->is_cut);
    rig_wait(&r, 30);
    cr_expect(p->is_cut);
    cr_expect_str_eq(rig_told(&r), "open\nclose:ping timeout\n");
    rig_close(&r);
}

Test(heartbeat, another_packet_prolongs_the_deadline_once)
{
    struct eio_rig r;
    struct fake_pipe *p;

    rig_open(&r, TIMES);
    p = rig_ws_open(&r, 4, NULL);
    rig_wait(&r, 400); /* the ping went out at 300 */
    fake_text(&r.edge, p, "4a");
    rig_wait(&r, 150);
    cr_expect_not(p->is_cut);
    fake_text(&r.edge, p, "4b"); /* the second one does not count */
    rig_wait(&r, 60);
    cr_expect(p->is_cut);
    rig_close(&r);
}

Test(heartbeat, an_unasked_pong_changes_nothing)
{
    struct eio_rig r;
    struct fake_pipe *p;

    rig_open(&r, TIMES);
    p = rig_ws_open(&r, 4, NULL);
    fake_frames_forget(p);
    rig_wait(&r, 250);
    fake_text(&r.edge, p, "3");
    rig_wait(&r, 60);
    cr_expect_str_eq(fake_frames_z(p), "2\n");
    rig_close(&r);
}

Test(heartbeat, over_polling_the_ping_waits_for_the_poll)
{
    struct eio_rig r;

    rig_open(&r, TIMES);
    (void)rig_poll_open(&r, 4, NULL);
    rig_wait(&r, 350);
    cr_expect_str_eq(fake_body_z(rig_get(&r, 4)), "2");
    cr_expect_str_eq(fake_body_z(rig_post(&r, 4, "3")), "ok");
    rig_wait(&r, 290);
    cr_expect_not_null(r.session);
    rig_wait(&r, 300); /* pinged again, nobody came */
    cr_expect_null(r.session);
    rig_close(&r);
}

Test(heartbeat, eio_3_answers_pings_and_sends_none)
{
    struct eio_rig r;
    struct fake_pipe *p;

    rig_open(&r, TIMES);
    p = rig_ws_open(&r, 3, NULL);
    fake_frames_forget(p);
    for (int round = 0; round < 3; round++) {
        rig_wait(&r, 400);
        fake_text(&r.edge, p, "2");
    }
    cr_expect_str_eq(fake_frames_z(p), "3\n3\n3\n");
    fake_text(&r.edge, p, "4a"); /* a message does not count as a ping */
    rig_wait(&r, 490);
    cr_expect_not(p->is_cut);
    rig_wait(&r, 30);
    cr_expect(p->is_cut);
    rig_close(&r);
}

Test(heartbeat, eio_3_goes_on_after_an_upgrade)
{
    struct eio_rig r;
    struct fake_pipe *p;

    rig_open(&r, TIMES);
    (void)rig_poll_open(&r, 3, NULL);
    p = rig_upgrade(&r, 3);
    fake_text(&r.edge, p, "2probe");
    rig_wait(&r, 300);
    fake_text(&r.edge, p, "5");
    rig_wait(&r, 450); /* armed again by the upgrade */
    cr_expect_not(p->is_cut);
    rig_wait(&r, 100);
    cr_expect(p->is_cut);
    cr_expect_str_eq(rig_told(&r), "open\nclose:ping timeout\n");
    rig_close(&r);
}

Test(heartbeat, measures_the_round_trip_when_asked)
{
    struct eio_rig r;
    struct fake_pipe *p;

    rig_open(&r, TIMES);
    p = rig_ws_open(&r, 4, NULL);
    fake_frames_forget(p);
    cr_expect_eq(eio_session_rtt_ms(r.session), 0, "not known");
    eio_session_measure(r.session);
    rig_wait(&r, 20);
    cr_expect_str_eq(fake_frames_z(p), "2\n");
    eio_session_measure(r.session); /* one is under way */
    rig_wait(&r, 20);
    cr_expect_str_eq(fake_frames_z(p), "2\n");
    fake_text(&r.edge, p, "3");
    cr_expect_gt(eio_session_rtt_ms(r.session), 0);
    rig_close(&r);
}

Test(heartbeat, eio_3_is_not_measured)
{
    struct eio_rig r;
    struct fake_pipe *p;

    rig_open(&r, TIMES);
    p = rig_ws_open(&r, 3, NULL);
    fake_frames_forget(p);
    eio_session_measure(r.session);
    rig_wait(&r, 20);
    cr_expect_str_eq(fake_frames_z(p), "");
    cr_expect_eq(eio_session_rtt_ms(r.session), 0);
    rig_close(&r);
}
