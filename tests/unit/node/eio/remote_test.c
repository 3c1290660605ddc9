#include "tests/unit/support/fake_adapter.inc"

Test(remote, a_poll_on_another_node_costs_one_message_each_way)
{
    struct fake_pipe *get;

    net_open(NULL);
    net_session(4, NULL);
    eio_session_send(net.b.session, eio_text_message(STR("hi")));
    get = net_get(4);
    cr_expect_eq(get->status, 200);
    cr_expect_str_eq(fake_body_z(get), "4hi");
    cr_expect(str_eq(sb_view(&get->type), STR("text/plain; charset=UTF-8")));
    cr_expect_str_eq(fake_headers_z(get), "Vary: Origin\r\ncache-control: no-store\r\n");
    cr_expect_eq(net.total, 2);
    net_close();
}

Test(remote, a_post_on_another_node_is_answered_after_it_was_read)
{
    net_open(NULL);
    net_session(4, NULL);
    cr_expect_str_eq(fake_body_z(net_post(4, "4a\x1e"
                                             "bAQI=")),
                     "ok");
    cr_expect_str_eq(rig_told(&net.b), "text:a\nbytes:0102\n");
    cr_expect_eq(net.total, 3);
    net_close();
}

Test(remote, odd_cases_are_as_on_one_node)
{
    struct fake_pipe *first, *second;

    net_open(NULL);
    net_session(4, NULL);
    first = net_get(4);
    second = net_get(4);
    cr_expect_eq(second->status, 400);
    cr_expect_str_eq(fake_body_z(first), "1");
    cr_expect_str_eq(rig_told(&net.b), "close:transport error\n");

    net_session(4, NULL);
    first = fake_post_head(&net.a.edge, rig_head(&net.a, "POST", 4, "polling", NULL), 50);
    net_run();
    second = net_post(4, "3");
    cr_expect_eq(second->status, 400);
    cr_expect(first->is_cut);
    cr_expect_str_eq(rig_told(&net.b), "close:transport error\n");

    net_session(4, NULL);
    fake_gone(&net.a.edge, net_get(4), 0);
    net_run();
    cr_expect_str_eq(rig_told(&net.b), "close:transport error\n");

    net_session(4, NULL);
    first = fake_post_head(&net.a.edge, rig_head(&net.a, "POST", 4, "polling", NULL), 50);
    net_run();
    fake_gone(&net.a.edge, first, 0);
    net_run();
    cr_expect_str_eq(rig_told(&net.b), "close:transport error\n");

    net_session(4, NULL);
    first = fake_post_head(&net.a.edge, rig_head(&net.a, "POST", 4, "polling", NULL), UINT64_MAX);
    net_run();
    fake_body(&net.a.edge, first, ERR_TOO_BIG, STR(""));
    net_run();
    cr_expect_eq(first->status, 413);
    cr_expect_str_eq(rig_told(&net.b), "");
    net_close();
}

Test(remote, an_upgrade_on_another_node_lives_there_for_the_whole_connection)
{
    struct fake_pipe *ws, *get;

    net_open(NULL);
    net.b.echoes = true;
    net_session(4, NULL);
    get = net_get(4);
    ws = rig_upgrade(&net.a, 4);
    net_run();
    cr_expect_eq(ws->status, 101);
    fake_text(&net.a.edge, ws, "2probe");
    net_run();
    cr_expect_str_eq(fake_frames_z(ws), "3probe\n");
    cr_expect_str_eq(fake_body_z(get), "6");
    fake_text(&net.a.edge, ws, "5");
    fake_frames_forget(ws);
    fake_text(&net.a.edge, ws, "4a");
    fake_binary(&net.a.edge, ws, STR("\1"));
    fake_binary(&net.a.edge, ws, STR(""));
    net_run();
    cr_expect_str_eq(fake_frames_z(ws), "4a\n#01\n#\n");
    fake_gone(&net.a.edge, ws, 0);
    net_run();
    cr_expect_str_eq(rig_told(&net.b), "text:a\nbytes:01\nbytes:\nclose:transport close\n");
    net_close();
}

Test(remote, frames_of_a_turn_travel_in_one_message)
{
    struct fake_pipe *ws;

    net_open(NULL);
    net_session(4, NULL);
    ws = net_websocket(4);
    net.total = 0;
    for (int i = 0; i < 50; i++) {
        eio_session_send(net.b.session, eio_text_message(STR("x")));
    }
    net_run();
    cr_expect_eq(ws->frames_count, 50);
    cr_expect_eq(net.total, 1);
    net_close();
}

Test(remote, a_close_by_the_server_reaches_the_other_node)
{
    struct fake_pipe *ws;

    net_open(NULL);
    net_session(4, NULL);
    ws = net_websocket(4);
    eio_session_send(net.b.session, eio_text_message(STR("bye")));
    eio_session_close(net.b.session, CLOSE_FORCED_SERVER_CLOSE);
    net_run();
    cr_expect_str_eq(fake_frames_z(ws), "4bye\n");
    cr_expect(ws->is_cut);
    cr_expect_eq(ws->close_code, 0);
    cr_expect_eq(ws->late_orders, 0);
    net_close();
}

Test(remote, counts_and_drops_what_is_not_a_message)
{
    int64_t before;

    net_open(NULL);
    before = metric_get(M_REDIS_GARBAGE);
    eio_on_node_message(net.a.eio, STR("nodB"), STR("garbage"));
    eio_on_node_message(net.a.eio, STR("nodB"), STR(""));
    eio_on_node_message(net.a.eio, STR("nodBnodB"), STR("E\1\3"));
    cr_expect_eq(metric_get(M_REDIS_GARBAGE), before + 3);
    net_close();
}

Test(remote, an_engine_without_an_adapter_knows_no_foreign_session)
{
    net_open(NULL);
    net_session(4, NULL);
    eio_attach_adapter(net.a.eio, NULL);
    cr_expect(str_starts(sb_view(&net_get(4)->body), STR("{\"code\":1,")));
    eio_on_node_message(net.a.eio, STR("nodB"), STR("garbage"));
    eio_on_node_down(net.a.eio, STR("nodB"));
    net_close();
}
