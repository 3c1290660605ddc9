/* Orders and questions of this node: its own sockets first, then the others. */
#include "tests/unit/support/fake_eio.inc"

static void up(void)
{
    rig_up();
    sio_attach_adapter(rig.sio, (struct adapter *)&rig);
}

TestSuite(sio_sockets, .init = up, .fini = rig_down);

static const struct str xy[] = {STR("x"), STR("y")};
static struct sb told;
static unsigned dones;

static void on_each(void *ctx, struct str json, const struct str *attachments, unsigned n)
{
    (void)ctx, (void)attachments, (void)n;
    sb_str(&told, str_head(json, 28));
    sb_char(&told, '\n');
}

static void on_done(void *ctx, const struct adapter_result *r)
{
    (void)ctx;
    sb_printf(&told, "done %d %u/%u -%u\n", r->rc, r->answered, r->asked, r->missing_count);
    dones++;
}

static void on_servers(void *ctx, int rc, unsigned count)
{
    (void)ctx;
    sb_printf(&told, "servers %d %u\n", rc, count);
}

static const struct adapter_ask ask = {.timeout_ms = 700, .each = on_each, .done = on_done};

Test(sio_sockets, orders_change_our_own_and_are_told_to_the_others)
{
    struct eio_session *s;
    struct sio_socket *o = connected(&s, "0");
    struct sio_cast to = sio_cast_room_but(o, STR("r")), all = sio_cast_all(rig.main);

    (void)take(&rig.cluster);
    sio_sockets_join(&all, xy, 2);
    cr_expect(sio_socket_is_in(o, STR("x")) && sio_socket_is_in(o, STR("y")));
    sio_sockets_leave(&all, xy, 1);
    cr_expect_not(sio_socket_is_in(o, STR("x")));
    sio_sockets_disconnect(&to, true);
    cr_expect(sio_socket_is_connected(o), "nobody is in r");
    cr_expect_str_eq(take(&rig.cluster), "open / x\nopen / y\njoin / to but rooms x,y\n"
                                         "close / x\nleave / to but rooms x\n"
                                         "disconnect-close / to r but node0000000000000001\n");
    all.flags = SIO_LOCAL;
    sio_sockets_join(&all, xy, 1);
    sio_sockets_disconnect(&all, false);
    cr_expect_not(sio_socket_is_connected(o));
    cr_expect_null(strstr(take(&rig.cluster), "/ to"));
    free_session(s);
}

Test(sio_sockets, fetch_joins_what_is_here_and_there)
{
    struct eio_session *s;
    struct sio_cast all = sio_cast_all(rig.main);

    connected(&s, "0");
    (void)take(&rig.cluster);
    sio_sockets_fetch(&all, &ask);
    cr_expect_str_eq(take(&rig.cluster), "fetch / to but\n");
    cr_expect_eq(rig_ask.timeout_ms, 700);
    loop_turn(rig.loop, false);
    cr_expect_eq(dones, 0, "the others have not answered");
    rig_ask.each(rig_ask.ctx, STR("{\"id\":\"there\"}"), NULL, 0);
    rig_ask.done(
        rig_ask.ctx,
        &(struct adapter_result){
            .rc = ERR_TIMEOUT, .asked = 2, .answered = 1, .missing = xy, .missing_count = 1});
    cr_expect_str_eq(take(&told),
                     "{\"id\":\"there\"}\n{\"id\":\"node0000000000000001\"\ndone -12 1/2 -1\n");
    free_session(s);
    sb_fini(&told);
}

Test(sio_sockets, alone_questions_are_answered_at_the_end_of_the_turn)
{
    struct sio_cast all = sio_cast_all(rig.main);

    sio_attach_adapter(rig.sio, NULL);
    sio_sockets_fetch(&all, &ask);
    sio_server_emit(rig.main, STR("[\"e\"]"), &ask);
    sio_server_emit(rig.main, STR("[\"e\"]"), NULL);
    cr_expect_eq(dones, 0);
    loop_turn(rig.loop, false);
    cr_expect_str_eq(take(&told), "done 0 0/0 -0\ndone 0 0/0 -0\n");
    sio_server_count(rig.main, on_servers, NULL);
    cr_expect_str_eq(take(&told), "servers 0 1\n");
    sb_fini(&told);
}

Test(sio_sockets, server_side_emits_and_counts_are_the_adapters)
{
    (void)take(&rig.cluster);
    sio_server_emit(rig.main, STR("[\"e\"]"), NULL);
    sio_server_emit(rig.main, STR("[\"f\"]"), &ask);
    sio_server_count(rig.main, on_servers, NULL);
    cr_expect_str_eq(take(&rig.cluster), "emit / [\"e\"]\nask / [\"f\"]\ncount / \n");
    cr_expect_str_eq(take(&told), "servers 0 7\n");
    sb_fini(&told);
}
