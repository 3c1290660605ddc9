#include "tests/unit/support/fake_adapter.inc"

Test(remote_ask, refuses_at_once_when_nobody_has_that_name)
{
    struct fake_pipe *p;
    int64_t before = metric_get(M_REMOTE_FAILED);

    net_open(NULL);
    memcpy(net.a.sid, "nodXAAAAAAAAAAAAAAAA", EIO_ID_SIZE);
    p = net_get(4);
    cr_expect_eq(p->status, 400);
    cr_expect(str_starts(sb_view(&p->body), STR("{\"code\":1,")));
    p = rig_upgrade(&net.a, 4);
    net_run();
    cr_expect_eq(p->status, 400);
    cr_expect_str_eq(fake_body_z(p), "Session ID unknown");
    cr_expect_eq(metric_get(M_REMOTE_FAILED), before + 2);
    net_close();
}

Test(remote_ask, refuses_at_once_for_a_node_that_was_declared_dead)
{
    struct fake_pipe *p;

    net_open(NULL);
    net_session(4, NULL);
    net.total = 0;
    net.at[1].is_lost = true; /* only stopped: its channel still takes everything */
    p = rig_get(&net.a, 4);
    cr_expect_eq(p->status, 400);
    cr_expect(str_starts(sb_view(&p->body), STR("{\"code\":1,")));
    p = rig_upgrade(&net.a, 4);
    cr_expect_eq(p->status, 400);
    cr_expect_eq(net.total, 0, "it was not asked");
    net.at[1].is_lost = false;
    cr_expect(fake_is_pending(net_get(4)));
    net_close();
}

Test(remote_ask, refuses_with_503_without_redis)
{
    struct fake_pipe *p;

    net_open(NULL);
    net_session(4, NULL);
    net.refuse = ERR_UNAVAILABLE;
    p = net_get(4);
    cr_expect_eq(p->status, 503);
    cr_expect(str_starts(sb_view(&p->body), STR("{\"code\":1,\"message\":")));
    cr_expect_str_eq(fake_headers_z(p), "Vary: Origin\r\ncache-control: no-store\r\n");
    net.refuse = OK;
    net_close();
}

Test(remote_ask, tells_the_owner_later_what_redis_may_have_carried_out)
{
    struct fake_pipe *p;

    net_open(NULL);
    net_session(4, NULL);
    net.doubt = ERR_TIMEOUT;
    p = net_get(4);
    cr_expect_eq(p->status, 503);
    cr_expect_eq(metric_get(M_REMOTE_PIPES), 1, "the owner waits with a poll of nobody's");
    net.is_away = true;
    net_wait(2000);
    cr_expect_eq(net.sent[REMOTE_GONE], 0, "not while it cannot arrive");
    net.is_away = false;
    net_wait(600);
    cr_expect_eq(net.sent[REMOTE_GONE], 1, "in doubt, again");
    net.doubt = OK;
    net_wait(600);
    cr_expect_eq(net.sent[REMOTE_GONE], 2);
    cr_expect_eq(metric_get(M_REMOTE_PIPES), 0);
    p = net_get(4);
    cr_expect(str_starts(sb_view(&p->body), STR("{\"code\":1,")), "as after a poll that was cut");
    net_wait(2000);
    cr_expect_eq(net.sent[REMOTE_GONE], 2, "and no more");
    net_close();
}

Test(remote_ask, a_pipe_that_was_never_opened_is_not_said_to_be_gone)
{
    net_open(NULL);
    net_session(4, NULL);
    net.is_away = true;
    net.refuse = ERR_UNAVAILABLE;
    cr_expect_eq(net_get(4)->status, 503);
    net.is_away = false;
    net.refuse = OK;
    net_wait(2000);
    cr_expect_eq(net.sent[REMOTE_GONE], 0);
    cr_expect(fake_is_pending(net_get(4)), "the session lives");
    net_close();
}

Test(remote_ask, stops_telling_when_the_heartbeat_has_told_or_the_node_ends)
{
    for (int i = 0; i < 2; i++) {
        unsigned sent;

        net_open(NULL);
        net_session(4, NULL);
        net.refuse = ERR_TIMEOUT;
        cr_expect_eq(net_get(4)->status, 503);
        net_wait(2000);
        cr_expect_gt(net.sent[REMOTE_GONE], 1);
        if (i == 0) {
            net_wait((unsigned)(net.a.conf.ping_interval_ms + net.a.conf.ping_timeout_ms));
            sent = net.sent[REMOTE_GONE];
            net_wait(5000);
            cr_expect_eq(net.sent[REMOTE_GONE], sent);
        }
        net.refuse = OK;
        net_close();
    }
}

Test(remote_ask, ends_all_pipes_of_a_dead_node)
{
    struct fake_pipe *get, *ws;

    net_open(NULL);
    net_session(4, NULL);
    ws = net_websocket(4);
    net_session(4, NULL);
    get = net_get(4);
    net.at[1].is_dead = true;
    eio_on_node_down(net.a.eio, STR("nodB"));
    cr_expect(str_starts(sb_view(&get->body), STR("{\"code\":1,")));
    cr_expect(ws->is_cut);
    cr_expect_eq(ws->close_code, 1001);
    cr_expect_eq(ws->late_orders + get->late_orders, 0);
    eio_on_node_down(net.b.eio, STR("nodA"));
    cr_expect_eq(metric_get(M_REMOTE_PIPES), 0);
    net.at[1].is_dead = false;
    net_close();
}

Test(remote_ask, notices_a_dead_owner_by_the_next_message)
{
    struct fake_pipe *ws;

    net_open(NULL);
    net_session(4, NULL);
    ws = net_websocket(4);
    net.at[1].is_dead = true;
    fake_text(&net.a.edge, ws, "4a");
    net_run();
    cr_expect(ws->is_cut);
    cr_expect_eq(ws->close_code, 1001);
    net_close();
}

Test(remote_ask, gives_up_a_step_after_five_seconds)
{
    struct fake_pipe *post, *ws;

    net_open(NULL);
    net_session(4, NULL);
    net.lose_kind = REMOTE_BODY;
    post = net_post(4, "4a");
    net_wait(4900);
    cr_expect(fake_is_pending(post));
    net_wait(200);
    cr_expect_eq(post->status, 503);

    net_session(4, NULL);
    net.lose_kind = REMOTE_OPEN;
    ws = rig_upgrade(&net.a, 4);
    net_run();
    net_wait(5100);
    cr_expect_eq(ws->status, 503);
    net_close();
}

Test(remote_ask, waits_as_long_as_a_poll_may_be_parked)
{
    struct fake_pipe *get;

    net_open("--ping-interval-ms=8000 --ping-timeout-ms=1000");
    net_session(4, NULL);
    get = net_get(4);
    net_wait(7900);
    cr_expect(fake_is_pending(get));
    net_wait(200);
    cr_expect_str_eq(fake_body_z(get), "2");
    net_close();
}

Test(remote_ask, a_gap_or_a_repetition_ends_the_pipe_on_both_sides)
{
    static const int kinds[] = {REMOTE_SEND, REMOTE_MESSAGE};

    for (int i = 0; i < 4; i++) {
        struct fake_pipe *ws;

        net_open(NULL);
        net.b.echoes = true;
        net_session(4, NULL);
        ws = net_websocket(4);
        if (i < 2) {
            net.lose_kind = kinds[i];
        } else {
            net.repeat_kind = kinds[i - 2];
        }
        fake_text(&net.a.edge, ws, "4a");
        net_run();
        fake_text(&net.a.edge, ws, "4b");
        net_run();
        cr_expect(ws->is_cut, "case %d", i);
        cr_expect_eq(ws->close_code, 1001, "case %d", i);
        cr_expect_eq(ws->late_orders, 0);
        cr_expect_null(net.b.session, "case %d", i);
        net_close();
    }
}

Test(remote_ask, tells_the_owner_how_slow_its_client_is)
{
    struct fake_pipe *ws;

    net_open("--out-soft-bytes=10000 --out-soft-ms=1000");
    net_session(4, NULL);
    ws = net_websocket(4);
    net_wait(200);
    net.sent[REMOTE_WINDOW] = 0;
    eio_session_send(net.b.session, eio_text_message(STR("a")));
    net_run();
    net_wait(300);
    cr_expect_eq(net.sent[REMOTE_WINDOW], 0, "a fast client costs nothing");
    cr_expect(eio_session_is_writable(net.b.session));
    ws->queued = 20000;
    eio_session_send(net.b.session, eio_text_message(STR("b")));
    net_run();
    net_wait(150);
    cr_expect_eq(net.sent[REMOTE_WINDOW], 1);
    cr_expect_not(eio_session_is_writable(net.b.session));
    ws->queued = 0;
    net_wait(150);
    cr_expect(eio_session_is_writable(net.b.session));
    cr_expect_eq(net.sent[REMOTE_WINDOW], 2);
    net_close();
}

Test(remote_ask, limits_of_the_out_queue_apply_over_two_nodes)
{
    struct fake_pipe *ws;
    static char big[17000];

    net_open("--out-soft-bytes=10000 --out-soft-ms=1000");
    memset(big, 'x', sizeof big);
    net_session(4, NULL);
    ws = net_websocket(4);
    ws->queued = 20000;
    eio_session_send(net.b.session, eio_text_message(STR("a")));
    net_run();
    net_wait(150);
    eio_session_send(net.b.session, eio_text_message(str_of(big, sizeof big)));
    net_wait(1200);
    cr_expect(ws->is_cut);
    cr_expect_str_eq(rig_told(&net.b), "close:slow reader\n");
    net_close();
}

Test(remote_ask, refuses_answers_that_would_split_the_response)
{
    struct remote_message m = {.kind = REMOTE_REPLY};
    struct fake_pipe *get;
    struct sb b = {0};
    struct remote_message open;

    net_open(NULL);
    net_session(4, NULL);
    get = rig_get(&net.a, 4);
    cr_assert_eq(remote_wire_decode(sb_view(&LIST_OWNER(net.mail.next, struct mail, node)->payload),
                                    1000, &open),
                 OK);
    m.pipe = open.pipe;
    m.numbers[REPLY_STATUS] = 200;
    m.texts[REPLY_HEADERS] = STR("A: b\r\n\r\nevil");
    remote_wire_encode(&m, &b);
    eio_on_node_message(net.a.eio, STR("nodX"), sb_view(&b)); /* not the owner: ignored */
    cr_expect(fake_is_pending(get));
    eio_on_node_message(net.a.eio, STR("nodB"), sb_view(&b));
    cr_expect_eq(get->status, 503);
    sb_fini(&b);
    net_close();
}

Test(remote_ask, invented_nodes_leave_nothing_behind)
{
    struct fake_pipe *p = NULL;

    net_open(NULL);
    for (int i = 0; i < 5000; i++) {
        char sid[EIO_ID_SIZE + 1] = "xxxxAAAAAAAAAAAAAAAA";

        sid[0] = (char)('a' + i % 26);
        sid[1] = (char)('a' + i / 26 % 26);
        sid[2] = (char)('a' + i / 676 % 26);
        memcpy(net.a.sid, sid, sizeof sid);
        p = rig_post(&net.a, 4, "");
        while (!list_is_empty(&net.mail)) {
            deliver(LIST_OWNER(list_shift(&net.mail), struct mail, node));
        }
    }
    cr_expect_eq(p->status, 400, "%d", p->status); /* not 503: the table of peers is not full */
    net_close();
}

Test(remote_ask, drain_lets_forwarded_clients_go)
{
    struct fake_pipe *ws;

    net_open(NULL);
    net_session(4, NULL);
    ws = net_websocket(4);
    cr_expect_eq(eio_close_some(net.a.eio, 0), 1);
    cr_expect_eq(eio_close_some(net.a.eio, 5), 0);
    cr_expect_eq(ws->close_code, 1001);
    net_run();
    cr_expect_str_eq(rig_told(&net.b), "close:transport close\n");
    net_close();
}

Test(remote_ask, a_drain_lets_a_parked_poll_go_and_the_session_live)
{
    struct fake_pipe *get, *post;

    net_open(NULL);
    net_session(4, NULL);
    get = net_get(4);
    post = fake_post_head(&net.a.edge, rig_head(&net.a, "POST", 4, "polling", NULL), 2);
    net_run();
    cr_expect_eq(eio_close_some(net.a.eio, 5), 2, "both wait for their owner");
    net_run();
    cr_expect_eq(get->status, 200);
    cr_expect_str_eq(fake_body_z(get), "6");

    cr_expect(fake_is_pending(post));
    cr_expect_eq(eio_close_some(net.a.eio, 5), 1);
    fake_body(&net.a.edge, post, OK, STR("4a"));
    net_run();
    cr_expect_str_eq(fake_body_z(post), "ok");
    cr_expect_str_eq(rig_told(&net.b), "text:a\n");
    cr_expect_eq(eio_close_some(net.a.eio, 5), 0);
    cr_expect(fake_is_pending(net_get(4)), "the session goes on");
    net_close();
}

Test(remote_ask, a_drain_does_not_wait_for_an_owner_that_is_silent)
{
    struct fake_pipe *get;

    net_open(NULL);
    net_session(4, NULL);
    get = net_get(4);
    net.lose_kind = REMOTE_RELEASE;
    cr_expect_eq(eio_close_some(net.a.eio, 5), 1);
    net_wait(5100);
    cr_expect_eq(get->status, 503);
    cr_expect_eq(eio_close_some(net.a.eio, 5), 0);
    net_close();
}

Test(remote_ask, an_engine_may_go_while_messages_are_on_their_way)
{
    net_open(NULL);
    net_session(4, NULL);
    (void)rig_get(&net.a, 4);
    eio_attach_adapter(net.a.eio, NULL);
    net_close();
}
