#include <criterion/criterion.h>
#include "base/metric.h"
#include "node/eio/eio.h"
#include "tests/unit/support/eio_rig.h"

Test(eio_session_send, shares_one_frame_among_websockets)
{
    struct eio_rig r;
    struct fake_pipe *v4, *v3;
    struct eio_session *a;
    struct buf *b = eio_text_message(STR("hi"));

    rig_open(&r, NULL);
    v4 = rig_ws_open(&r, 4, NULL);
    a = r.session;
    v3 = rig_ws_open(&r, 3, NULL);
    fake_frames_forget(v4);
    fake_frames_forget(v3);
    eio_session_send(a, buf_ref(b));
    eio_session_send(r.session, buf_ref(b));
    cr_expect_str_eq(fake_frames_z(v4), "4hi\n");
    cr_expect_str_eq(fake_frames_z(v3), "4hi\n");
    cr_expect_eq(b->refs, 1);
    buf_unref(b);
    rig_close(&r);
}

Test(eio_session_send, writes_binary_as_the_client_takes_it)
{
    static const struct {
        int protocol;
        const char *more, *frames;
    } rows[] = {
        {4, NULL, "#0102\n"},   {4, "b64=1", "bAQI=\n"},  {4, "b64=", "#0102\n"},
        {3, NULL, "#040102\n"}, {3, "b64=1", "b4AQI=\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eio_rig r;
        struct fake_pipe *p;

        rig_open(&r, NULL);
        p = rig_ws_open(&r, rows[i].protocol, rows[i].more);
        fake_frames_forget(p);
        eio_session_send(r.session, eio_binary_message(rows[i].protocol, STR("\1\2")));
        cr_expect_str_eq(fake_frames_z(p), rows[i].frames, "row %zu", i);
        rig_close(&r);
    }
}

Test(eio_session_send, collects_for_a_parked_poll_until_the_end_of_the_turn)
{
    struct eio_rig r;
    struct fake_pipe *get;

    rig_open(&r, NULL);
    (void)rig_poll_open(&r, 4, NULL);
    get = rig_get(&r, 4);
    cr_expect(eio_session_is_writable(r.session));
    eio_session_send(r.session, eio_text_message(STR("a")));
    eio_session_send(r.session, eio_binary_message(4, STR("\1")));
    cr_expect(fake_is_pending(get));
    rig_turn(&r);
    cr_expect_str_eq(fake_body_z(get), "4a\x1e"
                                       "bAQ==");
    cr_expect_not(eio_session_is_writable(r.session));
    rig_close(&r);
}

Test(eio_session_is_writable, follows_the_out_queue_of_a_websocket)
{
    struct eio_rig r;
    struct fake_pipe *p;

    rig_open(&r, NULL);
    p = rig_ws_open(&r, 4, NULL);
    cr_expect(eio_session_is_writable(r.session));
    p->queued = 1;
    cr_expect_not(eio_session_is_writable(r.session));
    rig_close(&r);
}

static void send_much(struct eio_rig *r, size_t bytes)
{
    char *text = calloc(1, bytes);

    for (size_t i = 0; i < bytes; i++) {
        text[i] = 'x';
    }
    if (r->session) eio_session_send(r->session, eio_text_message(str_of(text, bytes)));
    free(text);
}

#define LIMITS                                                                                     \
    "--max-payload-bytes=50000 --out-soft-bytes=10000 --out-soft-ms=1000 --out-hard-bytes=100000"

Test(eio_session_send, ends_a_poller_over_the_hard_limit_with_the_turn)
{
    struct eio_rig r;
    struct eio_session *s;
    int64_t before = metric_get(M_SLOW_CLOSED);

    rig_open(&r, LIMITS);
    (void)rig_poll_open(&r, 4, NULL);
    s = r.session;
    for (int i = 0; i < 15; i++) {
        send_much(&r, 10000);
    }
    cr_expect_eq(r.session, s, "not while somebody may be walking a room");
    rig_turn(&r);
    cr_expect_str_eq(rig_told(&r), "open\nclose:slow reader\n");
    cr_expect_eq(metric_get(M_SLOW_CLOSED), before + 1);
    rig_close(&r);
}

Test(eio_session_send, ends_a_poller_that_stays_over_the_soft_limit)
{
    struct eio_rig r;

    rig_open(&r, LIMITS);
    (void)rig_poll_open(&r, 4, NULL);
    send_much(&r, 11000);
    rig_wait(&r, 900);
    cr_expect_str_eq(rig_told(&r), "open\n");
    rig_wait(&r, 200);
    cr_expect_str_eq(rig_told(&r), "close:slow reader\n");
    rig_close(&r);
}

Test(eio_session_send, forgives_a_poller_that_came_back)
{
    struct eio_rig r;

    rig_open(&r, LIMITS);
    (void)rig_poll_open(&r, 4, NULL);
    send_much(&r, 11000);
    rig_wait(&r, 900);
    (void)rig_get(&r, 4);
    rig_wait(&r, 1200);
    cr_expect_str_eq(rig_told(&r), "open\n");
    rig_close(&r);
}

Test(eio_session_send, ends_a_websocket_that_does_not_read)
{
    struct eio_rig r;
    struct fake_pipe *p;

    rig_open(&r, LIMITS);
    p = rig_ws_open(&r, 4, NULL);
    p->queued = 100000;
    send_much(&r, 20000);
    cr_expect_not(p->is_cut);
    rig_turn(&r);
    cr_expect(p->is_cut);
    cr_expect_str_eq(rig_told(&r), "open\nclose:slow reader\n");
    rig_close(&r);
}

Test(eio_session_send, watches_a_websocket_over_the_soft_limit)
{
    struct eio_rig r;
    struct fake_pipe *p;

    rig_open(&r, LIMITS);
    p = rig_ws_open(&r, 4, NULL);
    p->queued = 20000;
    send_much(&r, 20000);
    rig_wait(&r, 900);
    p->queued = 0; /* it has read */
    rig_wait(&r, 300);
    cr_expect_not(p->is_cut);
    p->queued = 20000;
    send_much(&r, 20000);
    rig_wait(&r, 1100);
    cr_expect(p->is_cut);
    rig_close(&r);
}

Test(eio_session_send, gives_a_large_queue_in_several_polls)
{
    struct eio_rig r;
    size_t total = 0;

    rig_open(&r, NULL);
    (void)rig_poll_open(&r, 4, NULL);
    for (int i = 0; i < 5; i++) {
        send_much(&r, 600000);
    }
    for (int i = 0; i < 3; i++) {
        struct fake_pipe *get = rig_get(&r, 4);

        cr_expect_lt(get->body.n, 1300000);
        total += get->body.n;
    }
    cr_expect_eq(total, 5 * 600001 + 2);
    rig_close(&r);
}
