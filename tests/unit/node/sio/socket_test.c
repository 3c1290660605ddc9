#include "tests/unit/support/fake_eio.inc"

TestSuite(sio_socket, .init = rig_up, .fini = rig_down);

Test(sio_socket, emits_to_its_client_alone)
{
    struct eio_session *s, *t;
    struct sio_socket *a = connected(&s, "0");
    const struct str parts[] = {STR("one"), STR("two")};

    connected(&t, "0/custom");
    sio_socket_emit(a, STR("[\"hello\",1]"), NULL, 0);
    sio_socket_emit(rig.last, STR("[\"hello\",2]"), NULL, 0);
    sio_socket_emit(
        a, STR("[\"bin\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]"),
        parts, 2);
    cr_expect_str_eq(take(&s->sent), "42[\"hello\",1]\n"
                                     "452-[\"bin\",{\"_placeholder\":true,\"num\":0},{\"_"
                                     "placeholder\":true,\"num\":1}]\n#4:one\n#4:two\n");
    cr_expect_str_eq(take(&t->sent), "42/custom,[\"hello\",2]\n");
    free_session(s);
    free_session(t);
}

Test(sio_socket, answers_acks_with_the_digits_it_got)
{
    struct eio_session *s;
    struct sio_socket *a = connected(&s, "0");

    sio_socket_ack(a, STR("12345678901234567890"), STR("[1,\"2\"]"), NULL, 0);
    sio_socket_ack(a, STR("007"), STR("[]"), NULL, 0);
    sio_socket_ack(a, STR("8"), STR("[{\"_placeholder\":true,\"num\":0}]"), &STR("x"), 1);
    sio_socket_ack(a, STR_NONE, STR("[\"nobody asked\"]"), NULL, 0);
    cr_expect_str_eq(take(&s->sent), "4312345678901234567890[1,\"2\"]\n43007[]\n"
                                     "461-8[{\"_placeholder\":true,\"num\":0}]\n#4:x\n");
    free_session(s);
}

Test(sio_socket, disconnects_alone_or_with_its_connection)
{
    struct eio_session *s;
    struct sio_socket *a = connected(&s, "0");

    sio_socket_disconnect(a, false);
    cr_expect_str_eq(take(&s->sent), "41\n");
    cr_expect_str_eq(take(&rig.told), "disconnect / 8\n");
    cr_expect(!s->is_closed);
    say(s, "0");
    say(s, "0/custom");
    s->sent.n = rig.told.n = 0;
    sio_socket_disconnect(rig.last, true);
    cr_expect_str_eq(take(&s->sent), "41/custom,\n41\n");
    cr_expect_str_eq(take(&rig.told), "disconnect /custom 8\ndisconnect / 8\n");
    cr_expect_eq(s->why, CLOSE_FORCED_SERVER_CLOSE);
    cr_expect_eq(metric_get_at(M_SOCKETS_DISCONNECTED, CLOSE_SERVER_DISCONNECT), 3);
    free_session(s);
}

Test(sio_socket, is_silent_when_the_server_ends)
{
    struct eio_session *s;

    connected(&s, "0");
    eio_session_close(s, CLOSE_SERVER_SHUTDOWN);
    cr_expect_str_eq(take(&s->sent), "");
    cr_expect_str_eq(take(&rig.told), "disconnect / 6\n");
    free_session(s);
}

static void use_it(struct sio_socket *s)
{
    cr_expect(!sio_socket_is_connected(s));
    cr_expect(sio_socket_is_in(s, STR("r")), "still in its rooms");
    sio_socket_emit(s, STR("[\"late\"]"), NULL, 0);
    sio_socket_ack(s, STR("1"), STR("[]"), NULL, 0);
    sio_socket_disconnect(s, true);
    cr_expect_eq(sio_socket_join(s, STR("late")), ERR_CLOSED);
    sio_socket_leave(s, STR("r"));
}

Test(sio_socket, takes_no_orders_once_closed)
{
    struct eio_session *s;
    struct sio_socket *a = connected(&s, "0");

    cr_expect_eq(sio_socket_join(a, STR("r")), OK);
    rig.in_disconnect = use_it;
    say(s, "1");
    cr_expect_str_eq(take(&s->sent), "");
    cr_expect_eq(sio_room_count(rig.main, STR("r")), 0);
    sio_socket_emit(a, STR("[\"later\"]"), NULL, 0); /* readable until the end of the turn */
    cr_expect(str_eq(sio_socket_id(a), STR("node0000000000000001")));
    cr_expect_null(sio_socket_find(rig.main, STR("node0000000000000001")));
    cr_expect(!s->is_closed);
    free_session(s);
}

static void note_room(void *ctx, struct str room)
{
    sb_str(ctx, room);
    sb_char(ctx, ' ');
}

Test(sio_socket, knows_what_it_is)
{
    struct eio_session *s;
    struct sio_socket *a = connected(&s, "0");
    struct sb rooms = {0};
    int user;

    cr_expect_eq(sio_socket_find(rig.main, STR("node0000000000000001")), a);
    cr_expect_eq(sio_socket_nsp(a), rig.main);
    cr_expect_eq(sio_socket_handshake(a), &s->handshake);
    cr_expect(str_eq(sio_socket_auth(a), STR("{}")));
    cr_expect_null(sio_socket_user(a));
    sio_socket_set_user(a, &user);
    cr_expect_eq(sio_socket_user(a), &user);
    cr_expect_eq(sio_socket_join(a, STR("r")), OK);
    sio_socket_each_room(a, note_room, &rooms);
    cr_expect_str_eq(take(&rooms), "node0000000000000001 r ");
    cr_expect(sio_socket_is_in(a, sio_socket_id(a)));
    cr_expect_eq(sio_socket_join_inner(a, STR("\x1fown")), OK);
    sio_socket_each_room(a, note_room, &rooms);
    cr_expect_str_eq(take(&rooms), "node0000000000000001 r ", "an inner room is not shown");
    sb_fini(&rooms);
    free_session(s);
}

Test(sio_socket, lets_nobody_into_inner_rooms_or_out_of_them)
{
    struct eio_session *s;
    struct sio_socket *a = connected(&s, "0");

    cr_expect_eq(sio_socket_join(a, STR("\x1fown")), ERR_FORBIDDEN);
    cr_expect_eq(sio_room_count(rig.main, STR("\x1fown")), 0);
    cr_expect_eq(sio_socket_join_inner(a, STR("\x1fown")), OK);
    sio_socket_leave(a, STR("\x1fown"));
    cr_expect(sio_socket_is_in(a, STR("\x1fown")));
    rig.conf.max_rooms = 1;
    cr_expect_eq(sio_socket_join(a, STR("r")), OK, "it is not counted");
    cr_expect_eq(sio_socket_join(a, STR("s")), ERR_LIMIT);
    cr_expect_eq(sio_socket_join_inner(a, STR("\x1fmore")), OK);
    free_session(s);
    cr_expect_eq(sio_room_count(rig.main, STR("\x1fown")), 0);
}
