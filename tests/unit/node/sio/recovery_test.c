/* Clients that come back, over an adapter that is told what to say. */
#include "tests/unit/support/fake_eio.inc"

#define SID "S2345678901234567890"
#define PID "P2345678901234567890"
#define COME_BACK "0{\"pid\":\"" PID "\",\"offset\":\"7-1\"}"

static const struct str rooms[] = {{SID, 20}, {"red", 3}, {"blue", 4}};

static void up(void)
{
    rig_up();
    rig.conf.recovery_ms = 60000;
    rig.conf.out_soft_bytes = 1000;
    rig_with_adapter();
    rig_offset = "9-9";
}

TestSuite(sio_recovery, .init = up, .fini = rig_down);

static struct session session_of(void)
{
    return (struct session){.sid = STR(SID),
                            .pid = STR(PID),
                            .rooms = rooms,
                            .rooms_count = 3,
                            .data = STR("\x80"),
                            .since = STR("1-1"),
                            .has_who = true};
}

static bool found(const struct session *s)
{
    return rig_restore.on_session(rig_restore.ctx, s);
}

static void missed(const char *array, const char *room, const char *except, bool is_late)
{
    const struct str to = str_z(room), but = str_z(except);

    rig_restore.on_missed(rig_restore.ctx,
                          &(struct adapter_cast){.nsp = STR("/"),
                                                 .array = str_z(array),
                                                 .rooms = &to,
                                                 .rooms_count = room != NULL,
                                                 .except = &but,
                                                 .except_count = except != NULL,
                                                 .offset = STR("8-8")},
                          is_late);
}

static void end(int rc)
{
    rig_restore.done(rig_restore.ctx, rc);
}

static const char *said_of(const char *what) /* the lines of the adapter that begin so */
{
    static struct sb out;
    struct str rest, line;

    loop_turn(rig.loop, false);
    rest = sb_view(&rig.cluster);
    out.n = 0;
    while (rest.n && str_next(&rest, '\n', &line)) {
        if (!str_starts(line, str_z(what))) continue;
        sb_str(&out, line);
        sb_char(&out, '\n');
    }
    rig.cluster.n = 0;
    return take(&out);
}

Test(sio_recovery, sends_what_was_missed_and_then_connects)
{
    struct session was = session_of();
    struct eio_session *s = open_session(4);

    say(s, COME_BACK);
    cr_expect_str_eq(said_of("restore"), "restore / " PID " from 7-1\n");
    cr_expect_str_eq(take(&rig.told), "connecting / {\"pid\":\"" PID "\",\"offset\":\"7-1\"}\n",
                     "the application is asked");
    cr_expect_str_eq(take(&s->sent), "");
    cr_expect(found(&was));
    missed("[\"all\"]", NULL, NULL, false);
    missed("[\"late\"]", "red", NULL, true);
    missed("[\"mine\",1]", SID, "green", false);
    missed("[\"no\"]", "green", NULL, false);
    missed("[\"no\"]", "red", "blue", false);
    missed("[\"no\"]", NULL, SID, false);
    end(OK);
    cr_expect_str_eq(take(&s->sent), "42[\"all\",\"8-8\"]\n42[\"mine\",1,\"8-8\"]\n"
                                     "42[\"late\",\"8-8\"]\n"
                                     "40{\"sid\":\"" SID "\",\"pid\":\"" PID "\"}\n");
    cr_expect_str_eq(take(&rig.told), "connect /\n");
    cr_expect(str_eq(sio_socket_id(rig.last), STR(SID)));
    cr_expect(sio_socket_is_in(rig.last, STR("red")) && sio_socket_is_in(rig.last, STR("blue")));
    cr_expect_str_eq(said_of("put"), "put " PID " sid " SID " rooms " SID
                                     " red blue since 1-1 who  data \x80 live new for 90000\n");
    cr_expect_eq(metric_get_at(M_RECOVERIES, 0), 1);
    free_session(s);
}

Test(sio_recovery, sends_binary_as_it_was)
{
    struct session was = session_of();
    struct eio_session *s = open_session(4);
    const struct str parts[] = {STR("one"), STR("two")};

    say(s, COME_BACK);
    cr_expect(found(&was));
    rig_restore.on_missed(rig_restore.ctx,
                          &(struct adapter_cast){.nsp = STR("/"),
                                                 .array = STR("[\"b\",1,2]"),
                                                 .attachments = parts,
                                                 .attachments_count = 2,
                                                 .offset = STR("8-8")},
                          false);
    end(OK);
    cr_expect_eq(strncmp(take(&s->sent), "452-[\"b\",1,2,\"8-8\"]\n#4:one\n#4:two\n40{", 37), 0);
    free_session(s);
}

/* The core's own: what was said there was missed too, but they are no rooms that somebody joined.
 */
Test(sio_recovery, leaves_inner_rooms_to_the_core)
{
    const struct str with_inner[] = {{SID, 20}, {"red", 3}, {"\x1fown", 4}};
    struct session was = session_of();
    struct eio_session *s = open_session(4);

    was.rooms = with_inner;
    rig.conf.max_rooms = 1;
    say(s, COME_BACK);
    cr_expect(found(&was));
    missed("[\"own\"]", "\x1fown", NULL, false);
    end(OK);
    cr_expect_str_eq(take(&s->sent), "42[\"own\",\"8-8\"]\n"
                                     "40{\"sid\":\"" SID "\",\"pid\":\"" PID "\"}\n");
    cr_expect(sio_socket_is_in(rig.last, STR("red")));
    cr_expect_not(sio_socket_is_in(rig.last, STR("\x1fown")));
    free_session(s);
}

static void expect_new(struct eio_session *s)
{
    const char *sent = take(&s->sent);

    cr_expect_eq(strncmp(sent, "40{\"sid\":\"node", 14), 0, "%s", sent);
    cr_expect_null(strstr(sent, PID));
    cr_expect_str_eq(take(&rig.told), "connect /\n");
    cr_expect_not(sio_socket_is_in(rig.last, STR("red")));
}

Test(sio_recovery, makes_a_new_socket_when_there_is_nothing_to_come_back_to)
{
    static const int codes[] = {ERR_NOT_FOUND, ERR_TIMEOUT, ERR_UNAVAILABLE};
    struct session was = session_of();

    for (size_t i = 0; i < 3; i++) {
        struct eio_session *s = open_session(4);

        say(s, COME_BACK);
        rig.told.n = 0;
        if (i) {
            cr_expect(found(&was));
            missed("[\"x\"]", NULL, NULL, false);
        }
        end(codes[i]);
        expect_new(s);
        free_session(s);
    }
    cr_expect_eq(metric_get_at(M_RECOVERIES, 1), 3);
}

Test(sio_recovery, does_not_give_one_back_that_does_not_fit)
{
    static const struct str many[] = {STR("1"), STR("2"), STR("3"), STR("4"), STR("5"), STR("6")};
    struct str empty = STR("");
    struct eio_session *s = open_session(4);
    struct session was;

    say(s, COME_BACK);
    was = session_of();
    was.who = STR("u7");
    cr_expect_not(found(&was), "somebody else's");
    was = session_of();
    was.sid = STR("short");
    cr_expect_not(found(&was));
    was = session_of();
    was.rooms = many;
    was.rooms_count = 6;
    cr_expect_not(found(&was), "MAX_ROOMS");
    was.rooms = &empty;
    was.rooms_count = 1;
    cr_expect_not(found(&was));
    rig.told.n = 0;
    end(ERR_FORBIDDEN);
    expect_new(s);
    free_session(s);
}

Test(sio_recovery, does_not_flood_who_missed_too_much)
{
    struct session was = session_of();
    struct eio_session *s = open_session(4);

    say(s, COME_BACK);
    cr_expect(found(&was));
    for (int i = 0; i < 200; i++)
        missed("[\"0123456789\"]", NULL, NULL, false);
    rig.told.n = 0;
    end(OK);
    expect_new(s);
    free_session(s);
}

Test(sio_recovery, is_for_who_asks_with_a_pid)
{
    static const char *const rows[] = {"0",
                                       "0{\"token\":\"x\"}",
                                       "0{\"pid\":7}",
                                       "0{\"pid\":\"x\"}",
                                       "0{\"pid\":\"" PID "\",\"offset\":7}",
                                       "0{\"pid\":\"" PID "\",\"offset\":\"\"}",
                                       "0{\"pid\":null,\"offset\":\"7-1\"}"};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct eio_session *s = open_session(4);

        say(s, rows[i]);
        cr_expect_str_eq(said_of("restore"), "", "row %zu", i);
        cr_expect_eq(strncmp(take(&s->sent), "40{", 3), 0, "row %zu", i);
        free_session(s);
    }
    rig.conf.recovery_ms = 0;
    struct eio_session *s = open_session(4);

    say(s, COME_BACK);
    cr_expect_str_eq(said_of("restore"), "");
    free_session(s);
}

Test(sio_recovery, takes_over_from_a_connection_that_is_still_there)
{
    struct session was = session_of();
    struct eio_session *first = open_session(4), *second = open_session(4);

    say(first, COME_BACK);
    cr_expect(found(&was));
    end(OK);
    (void)said_of("put");
    first->sent.n = rig.told.n = 0;
    was.is_live = true;
    say(second, COME_BACK);
    rig.told.n = 0;
    cr_expect(found(&was));
    end(OK);
    cr_expect_str_eq(take(&first->sent), "41\n");
    cr_expect_str_eq(take(&rig.told), "disconnect / 8\nconnect /\n");
    cr_expect_eq(sio_nsp_sockets(rig.main), 1);
    cr_expect_eq(sio_room_count(rig.main, STR("red")), 1);
    cr_expect_str_eq(said_of("d"), "", "neither dropped, nor are others told");
    free_session(first);
    cr_expect_eq(sio_nsp_sockets(rig.main), 1);
    free_session(second);
    second = open_session(4);
    say(second, COME_BACK);
    cr_expect(found(&was));
    rig.cluster.n = 0;
    end(OK);
    cr_expect_str_eq(said_of("disconnect"), "disconnect / to " SID " but\n", "it is elsewhere");
    free_session(second);
}

Test(sio_recovery, puts_the_session_back_when_the_client_is_gone_again)
{
    struct session was = session_of();
    struct eio_session *s = open_session(4);

    say(s, COME_BACK);
    cr_expect(found(&was));
    missed("[\"x\"]", NULL, NULL, false);
    rig.told.n = 0;
    eio_session_close(s, CLOSE_TRANSPORT_CLOSE);
    cr_expect_str_eq(take(&rig.told), "disconnect / 0\n");
    free_session(s);
    rig.cluster.n = 0;
    end(OK);
    cr_expect_str_eq(said_of("put"), "put " PID " sid " SID " rooms " SID
                                     " red blue since 1-1 who  data \x80 new for 60000\n");
    cr_expect_str_eq(take(&rig.told), "");
}

Test(sio_recovery, connects_once)
{
    struct eio_session *s = open_session(4);

    say(s, COME_BACK);
    say(s, COME_BACK);
    cr_expect(s->is_closed, "a second CONNECT while the first is under way");
    cr_expect_eq(s->why, CLOSE_PARSE_ERROR);
    free_session(s);
    end(ERR_NOT_FOUND);
    s = open_session(4);
    say(s, COME_BACK);
    say(s, "2[\"x\"]");
    cr_expect(s->is_closed, "nor events");
    free_session(s);
    end(OK);
}

Test(sio_recovery, survives_a_client_that_is_cut_while_it_is_sent_things)
{
    struct session was = session_of();
    struct eio_session *s = open_session(4);

    say(s, COME_BACK);
    cr_expect(found(&was));
    missed("[\"x\"]", NULL, NULL, false);
    missed("[\"y\"]", NULL, NULL, true);
    rig.told.n = rig.cluster.n = 0;
    s->close_after = 1;
    end(OK);
    cr_expect_str_eq(take(&rig.told), "disconnect / 9\n");
    cr_expect_eq(sio_nsp_sockets(rig.main), 0);
    cr_expect_eq(sio_room_count(rig.main, STR("red")), 0);
    cr_expect_eq(strncmp(said_of("put"), "put " PID, 24), 0);
    free_session(s);
}

Test(sio_recovery, ends_with_the_server)
{
    struct eio_session *s = open_session(4);

    say(s, COME_BACK);
    sio_attach_adapter(rig.sio, NULL);
    rig.told.n = 0;
    end(ERR_CLOSED);
    cr_expect_str_eq(take(&s->sent), "");
    cr_expect_str_eq(take(&rig.told), "");
    free_session(s);
}
