#include <criterion/criterion.h>
#include "base/metric.h"
#include "tests/unit/support/eio_rig.h"

Test(eio, ids_carry_the_node_and_differ)
{
    struct eio_rig r;
    char a[EIO_ID_SIZE], b[EIO_ID_SIZE];

    rig_open(&r, NULL);
    eio_new_id(r.eio, a);
    eio_new_id(r.eio, b);
    cr_expect_eq(memcmp(a, "nodA", EIO_NODE_ID_SIZE), 0);
    cr_expect_neq(memcmp(a, b, sizeof a), 0);
    rig_close(&r);
}

Test(eio, two_engines_in_one_process_do_not_know_each_others_sessions)
{
    struct eio_rig a, b;
    struct fake_pipe *p;

    rig_open(&a, NULL);
    rig_open_at(&b, NULL, "nodB", a.loop);
    (void)rig_poll_open(&a, 4, NULL);
    memcpy(b.sid, a.sid, sizeof b.sid);
    p = rig_get(&b, 4);
    cr_expect(str_starts(sb_view(&p->body), STR("{\"code\":1,")));
    cr_expect_eq(eio_sessions_count(a.eio), 1);
    cr_expect_eq(eio_sessions_count(b.eio), 0);
    rig_close(&b);
    rig_close(&a);
}

Test(eio_close_some, closes_as_many_as_asked_and_says_how_many_are_left)
{
    struct eio_rig r;
    struct fake_pipe *ws, *get;

    rig_open(&r, NULL);
    ws = rig_ws_open(&r, 4, NULL);
    (void)rig_poll_open(&r, 4, NULL);
    get = rig_get(&r, 4);
    (void)rig_told(&r);
    cr_expect_eq(eio_close_some(r.eio, 1), 1);
    cr_expect(ws->is_cut);
    cr_expect_eq(ws->close_code, 0);
    cr_expect_str_eq(rig_told(&r), "close:server shutting down\n");
    cr_expect_eq(eio_close_some(r.eio, 10), 0);
    cr_expect_str_eq(fake_body_z(get), "1");
    cr_expect_str_eq(rig_told(&r), "close:server shutting down\n");
    rig_close(&r);
}

Test(eio, metrics_follow_sessions)
{
    struct eio_rig r;
    int64_t opened, closed;

    rig_open(&r, NULL);
    opened = metric_get_at(M_SESSIONS_OPENED, 1);
    closed = metric_get_at(M_SESSIONS_CLOSED, CLOSE_TRANSPORT_CLOSE);
    fake_gone(&r.edge, rig_ws_open(&r, 4, NULL), 0);
    cr_expect_eq(metric_get_at(M_SESSIONS_OPENED, 1), opened + 1);
    cr_expect_eq(metric_get_at(M_SESSIONS_CLOSED, CLOSE_TRANSPORT_CLOSE), closed + 1);
    cr_expect_eq(metric_get(M_SESSIONS), 0);
    (void)rig_ws_open(&r, 3, NULL);
    cr_expect_eq(metric_get(M_SESSIONS), 1);
    cr_expect_eq(metric_get(M_SESSIONS_EIO3), 1);
    rig_close(&r);
    cr_expect_eq(metric_get(M_SESSIONS), 0);
}

Test(eio, callbacks_for_a_finished_pipe_do_nothing)
{
    struct eio_rig r;
    struct fake_pipe *p;

    rig_open(&r, NULL);
    p = rig_poll_open(&r, 4, NULL);
    eio_on_body(r.eio, &p->pipe, OK, STR("4a"));
    eio_on_message(r.eio, &p->pipe, STR("4a"), false);
    eio_on_gone(r.eio, &p->pipe, 0);
    cr_expect_str_eq(rig_told(&r), "open\n");
    rig_close(&r);
}
