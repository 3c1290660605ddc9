/* When a session is written, and what with. */
#include "tests/unit/support/fake_eio.inc"

static void up(void)
{
    rig_up();
    rig.conf.recovery_ms = 60000;
    rig_with_adapter();
    rig_offset = "7-1";
}

TestSuite(sio_keep, .init = up, .fini = rig_down);

#define PID "node0000000000000002"
#define PUT "put " PID " sid node0000000000000001 rooms node0000000000000001"
#define REST " since 7-1 who  data "

/* What the adapter was told of sessions, without rooms and channels. */
static const char *puts_so_far(void)
{
    static struct sb out;
    struct str rest = sb_view(&rig.cluster), line;

    loop_turn(rig.loop, false);
    rest = sb_view(&rig.cluster);
    out.n = 0;
    while (rest.n && str_next(&rest, '\n', &line)) {
        if (!str_starts(line, STR("put")) && !str_starts(line, STR("drop"))) continue;
        sb_str(&out, line);
        sb_char(&out, '\n');
    }
    rig.cluster.n = 0;
    return take(&out);
}

Test(sio_keep, is_written_when_a_socket_is_there_and_when_its_rooms_change)
{
    struct eio_session *s = open_session(4);

    say(s, "0");
    cr_expect_str_eq(take(&s->sent), "40{\"sid\":\"node0000000000000001\",\"pid\":\"" PID "\"}\n");
    cr_expect_str_eq(puts_so_far(), PUT REST " live new for 90000\n");
    cr_expect_eq(sio_socket_join(rig.last, STR("a")), OK);
    cr_expect_eq(sio_socket_join(rig.last, STR("b")), OK);
    cr_expect_str_eq(puts_so_far(), PUT " a b" REST " live for 90000\n", "once a turn");
    cr_expect_eq(sio_socket_join(rig.last, STR("a")), OK);
    cr_expect_str_eq(puts_so_far(), "");
    sio_socket_leave(rig.last, STR("a"));
    cr_expect_str_eq(puts_so_far(), PUT " b" REST " live for 90000\n");
    free_session(s);
}

Test(sio_keep, is_written_again_in_time)
{
    struct eio_session *s;

    connected(&s, "0");
    (void)puts_so_far();
    rig_wait(29000);
    cr_expect_str_eq(puts_so_far(), "");
    rig_wait(1200);
    cr_expect_str_eq(puts_so_far(), PUT REST " live for 90000\n");
    rig_wait(30200);
    cr_expect_str_eq(puts_so_far(), PUT REST " live for 90000\n");
    free_session(s);
    (void)puts_so_far();
    rig_wait(60000);
    cr_expect_str_eq(puts_so_far(), "");
}

Test(sio_keep, is_kept_for_who_may_come_back_and_dropped_for_others)
{
    static const struct {
        enum close_reason why;
        bool may;
    } rows[] = {{CLOSE_TRANSPORT_CLOSE, true},     {CLOSE_PING_TIMEOUT, true},
                {CLOSE_SERVER_SHUTDOWN, true},     {CLOSE_SLOW, true},
                {CLOSE_FORCED_SERVER_CLOSE, true}, {CLOSE_PARSE_ERROR, false},
                {CLOSE_CLIENT_DISCONNECT, false}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct eio_session *s;
        struct sio_socket *o = connected(&s, "0");
        const char *said;

        cr_expect_eq(sio_socket_join(o, STR("a")), OK);
        (void)puts_so_far();
        eio_session_close(s, rows[i].why);
        said = puts_so_far();
        cr_expect_eq(strncmp(said, "put", 3) == 0, rows[i].may, "row %zu: %s", i, said);
        cr_expect_eq(strncmp(said, "drop", 4) == 0, !rows[i].may, "row %zu: %s", i, said);
        if (rows[i].may) cr_expect_not_null(strstr(said, " a since 7-1 who  data  for 60000\n"));
        free_session(s);
    }
}

Test(sio_keep, is_dropped_when_either_side_says_goodbye)
{
    struct eio_session *s;

    connected(&s, "0");
    (void)puts_so_far();
    say(s, "1");
    cr_expect_str_eq(puts_so_far(), "drop " PID "\n");
    say(s, "0");
    (void)puts_so_far();
    sio_socket_disconnect(rig.last, true);
    cr_expect_eq(strncmp(puts_so_far(), "drop", 4), 0);
    free_session(s);
}

Test(sio_keep, is_not_for_everybody)
{
    struct eio_session *s;

    s = open_session(3);
    cr_expect_str_eq(puts_so_far(), "", "clients of protocol 4 know nothing of it");
    free_session(s);
    rig_offset = ""; /* nobody can say what is missed from now on */
    connected(&s, "0");
    cr_expect_str_eq(puts_so_far(), "");
    free_session(s);
    rig_offset = "7-1";
    rig.conf.recovery_ms = 0;
    s = open_session(4);
    say(s, "0");
    cr_expect_null(strstr(take(&s->sent), "pid"));
    cr_expect_str_eq(puts_so_far(), "");
    free_session(s);
}

static void on_ack(void *ctx, int rc, struct str array, const struct str *attachments, unsigned n)
{
    (void)ctx, (void)rc, (void)array, (void)attachments, (void)n;
}

Test(sio_keep, events_for_one_and_for_many_go_by_way_of_the_cluster)
{
    struct eio_session *s;
    struct sio_socket *o = connected(&s, "0");
    struct sio_cast all = sio_cast_all(rig.main), self = sio_cast_self(o);

    rig_keeps = true;
    rig.cluster.n = 0;
    sio_socket_emit(o, STR("[\"one\"]"), NULL, 0);
    sio_cast_emit(&self, STR("[\"self\"]"), NULL, 0);
    sio_cast_emit(&all, STR("[\"all\"]"), NULL, 0);
    cr_expect_str_eq(take(&rig.cluster),
                     "keep publish / to node0000000000000001 but flags 0 [\"one\"] +0\n"
                     "keep publish / to node0000000000000001 but flags 0 [\"self\"] +0\n"
                     "keep publish / to but flags 0 [\"all\"] +0\n");
    cr_expect_str_eq(take(&s->sent), "", "they come back");
    sio_cast_deliver(rig.sio, &(struct adapter_cast){.nsp = STR("/"),
                                                     .array = STR("[\"all\",{\"a\":[]}]"),
                                                     .offset = STR("8-0")});
    cr_expect_str_eq(take(&s->sent), "42[\"all\",{\"a\":[]},\"8-0\"]\n");
    sio_socket_ack(o, STR("1"), STR("[\"x\"]"), NULL, 0);
    sio_socket_emit_ack(o, STR("[\"x\"]"), NULL, 0, 0, on_ack, NULL);
    cr_expect_str_eq(take(&s->sent), "431[\"x\"]\n420[\"x\"]\n",
                     "no offset where an ack is wanted");
    free_session(s);
}

Test(sio_keep, what_is_not_kept_has_the_offset_of_what_was)
{
    struct eio_session *s;
    struct sio_cast to;

    connected(&s, "0");
    to = sio_cast_all(rig.main);
    rig_keeps = true;
    rig.cluster.n = 0;
    to.flags = SIO_LOCAL;
    sio_cast_emit(&to, STR("[\"local\",\"text\"]"), NULL, 0);
    cr_expect_str_eq(take(&rig.cluster), "");
    to.flags = SIO_VOLATILE;
    sio_cast_emit(&to, STR("[\"volatile\"]"), NULL, 0);
    cr_expect_str_eq(take(&rig.cluster), "publish / to but flags 1 [\"volatile\"] +0\n");
    cr_expect_str_eq(take(&s->sent), "42[\"local\",\"text\",\"7-1\"]\n42[\"volatile\",\"7-1\"]\n");
    rig_keeps = false; /* Redis is away */
    to.flags = 0;
    sio_cast_emit(&to, STR("[\"now\"]"), NULL, 0);
    cr_expect_str_eq(take(&s->sent), "42[\"now\",\"7-1\"]\n");
    cr_expect_str_eq(take(&rig.cluster), "", "it was counted as dropped");
    free_session(s);
}
