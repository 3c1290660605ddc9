#include "tests/unit/support/fake_adapter.inc"

static struct remote_message opening(struct str query)
{
    struct remote_message m = {.kind = REMOTE_OPEN, .pipe = 7000000000};

    m.texts[OPEN_METHOD_TEXT] = STR("GET");
    m.texts[OPEN_PATH] = STR("/socket.io/");
    m.texts[OPEN_QUERY] = query;
    m.texts[OPEN_ADDRESS] = STR("10.0.0.1");
    return m;
}

static void feed(const struct remote_message *m)
{
    struct sb b = {0};

    remote_wire_encode(m, &b);
    eio_on_node_message(net.b.eio, STR("nodA"), sb_view(&b));
    sb_fini(&b);
}

Test(remote_serve, opens_nothing_without_a_session_id)
{
    struct remote_message m = opening(STR("EIO=4&transport=polling"));
    int64_t before = metric_get(M_REDIS_GARBAGE);

    net_open(NULL);
    feed(&m);
    cr_expect_eq(eio_sessions_count(net.b.eio), 0);
    cr_expect_eq(metric_get(M_REDIS_GARBAGE), before + 1);
    net_close();
}

Test(remote_serve, does_not_pass_a_request_on)
{
    struct remote_message m = opening(STR("EIO=4&transport=polling&sid=nodCAAAAAAAAAAAAAAAA"));

    net_open(NULL);
    feed(&m);
    cr_expect_eq(net.sent[REMOTE_OPEN], 0);
    cr_expect_eq(net.sent[REMOTE_REPLY], 1);
    net_close();
}

Test(remote_serve, a_repeated_opening_ends_its_pipe)
{
    struct fake_pipe *get;

    net_open(NULL);
    net_session(4, NULL);
    net.repeat_kind = REMOTE_OPEN;
    get = net_get(4);
    cr_expect(get->is_cut);
    cr_expect_str_eq(rig_told(&net.b), "close:transport error\n");
    net_close();
}

Test(remote_serve, a_late_repetition_of_an_opening_opens_nothing)
{
    struct remote_message open;
    struct sb query = {0};
    int64_t before;

    net_open(NULL);
    net_session(4, NULL);
    sb_printf(&query, "EIO=4&transport=polling&sid=%s", net.b.sid);
    open = opening(sb_view(&query));
    eio_session_send(net.b.session, eio_text_message(STR("a")));
    feed(&open);
    net_run(); /* answered */
    before = metric_get(M_REDIS_GARBAGE);
    feed(&open);
    cr_expect_eq(metric_get(M_REDIS_GARBAGE), before + 1);
    eio_session_send(net.b.session, eio_text_message(STR("b")));
    net_run();
    cr_expect_str_eq(fake_body_z(net_get(4)), "4b");
    sb_fini(&query);
    net_close();
}

Test(remote_serve, ends_the_session_when_an_answer_with_data_was_lost)
{
    struct fake_pipe *get;

    net_open(NULL);
    net_session(4, NULL);
    get = net_get(4);
    eio_session_send(net.b.session, eio_text_message(STR("a")));
    rig_turn(&net.b);
    net.refuse = ERR_UNAVAILABLE;
    net_run();
    cr_expect_str_eq(rig_told(&net.b), "close:transport error\n");
    cr_expect(fake_is_pending(get));
    net.refuse = OK;
    net_close();
}

Test(remote_serve, ends_the_session_when_the_poll_was_given_up_on_the_way)
{
    struct fake_pipe *get;

    net_open(NULL);
    net_session(4, NULL);
    get = net_get(4);
    eio_session_send(net.b.session, eio_text_message(STR("a")));
    rig_turn(&net.b); /* the answer is on its way… */
    fake_gone(&net.a.edge, get, 0);
    net_run();
    cr_expect_str_eq(rig_told(&net.b), "close:transport error\n");
    cr_expect_eq(get->late_orders, 0);
    net_close();
}

Test(remote_serve, ends_a_websocket_when_its_frames_were_lost)
{
    net_open(NULL);
    net_session(4, NULL);
    (void)net_websocket(4);
    eio_session_send(net.b.session, eio_text_message(STR("a")));
    rig_turn(&net.b);
    net.refuse = ERR_UNAVAILABLE;
    net_run();
    cr_expect_str_eq(rig_told(&net.b), "close:transport close\n");
    net.refuse = OK;
    net_close();
}

Test(remote_serve, sessions_end_with_the_node_of_their_client)
{
    net_open(NULL);
    net_session(4, NULL);
    (void)net_websocket(4);
    net.at[0].is_dead = true;
    eio_on_node_down(net.b.eio, STR("nodA"));
    cr_expect_str_eq(rig_told(&net.b), "close:transport close\n");
    net.at[0].is_dead = false;
    net_close();
}

Test(remote_serve, does_not_believe_its_peers)
{
    struct remote_message open = opening(STR_NONE), m = {.pipe = open.pipe, .seq = 1};
    static const enum remote_kind kinds[] = {REMOTE_BODY, REMOTE_MESSAGE, REMOTE_WINDOW,
                                             REMOTE_OPEN};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct sb query = {0};
        int64_t before;

        net_open(NULL);
        net_session(4, NULL);
        sb_printf(&query, "EIO=4&transport=polling&sid=%s", net.b.sid);
        open.texts[OPEN_QUERY] = sb_view(&query);
        feed(&open); /* a parked poll: has no body, is no WebSocket, sent nothing */
        before = metric_get(M_REMOTE_FAILED);
        m.kind = kinds[i];
        m.numbers[WINDOW_RECEIVED] = kinds[i] == REMOTE_WINDOW ? 5 : 0;
        feed(&m);
        cr_expect_eq(metric_get(M_REMOTE_FAILED), before + 1, "row %zu", i);
        cr_expect_str_eq(rig_told(&net.b), "close:transport error\n", "row %zu", i);
        sb_fini(&query);
        net_close();
    }
}

Test(remote_serve, refuses_more_pipes_than_a_node_may_have)
{
    net_open("--max-connections=1");
    net_session(4, NULL);
    {
        struct sb query = {0};
        struct remote_message open;

        sb_printf(&query, "EIO=4&transport=polling&sid=%s", net.b.sid);
        open = opening(sb_view(&query));
        feed(&open);
        open.pipe++;
        feed(&open);
        cr_expect_eq(net.sent[REMOTE_REPLY], 1);
        cr_expect_str_eq(rig_told(&net.b), "");
        sb_fini(&query);
    }
    net_close();
}
