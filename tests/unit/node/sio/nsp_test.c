#include "tests/unit/support/fake_eio.inc"

TestSuite(sio_nsp, .init = rig_up, .fini = rig_down);

Test(sio_nsp, is_found_by_name)
{
    cr_expect_eq(sio_nsp_get(rig.sio, STR("/")), rig.main);
    cr_expect_eq(sio_nsp_get(rig.sio, STR("/custom")), rig.custom);
    cr_expect_null(sio_nsp_get(rig.sio, STR("/custo")));
    cr_expect_eq(sio_nsp_add(rig.sio, STR("/custom")), rig.custom, "twice is once");
    cr_expect(str_eq(sio_nsp_name(rig.custom), STR("/custom")));
}

Test(sio_nsp, counts_its_sockets)
{
    struct eio_session *s, *t;

    connected(&s, "0");
    connected(&t, "0");
    say(t, "0/custom");
    cr_expect_eq(sio_nsp_sockets(rig.main), 2);
    cr_expect_eq(sio_nsp_sockets(rig.custom), 1);
    free_session(t);
    cr_expect_eq(sio_nsp_sockets(rig.main), 1);
    cr_expect_eq(sio_nsp_sockets(rig.custom), 0);
    free_session(s);
}

Test(sio_nsp, is_told_to_the_adapter)
{
    static char adapter;

    sio_attach_adapter(rig.sio, (struct adapter *)(void *)&adapter);
    cr_expect_not_null(strstr(take(&rig.cluster), "nsp /custom "));
    sio_nsp_add(rig.sio, STR("/new"));
    cr_expect_str_eq(take(&rig.cluster), "nsp /new \n");
    sio_nsp_add(rig.sio, STR("/new"));
    cr_expect_str_eq(take(&rig.cluster), "");
}

static void note_room(void *ctx, struct str room)
{
    sb_str(ctx, room);
    sb_char(ctx, ' ');
}

Test(sio_nsp, tells_its_rooms_some_at_a_time)
{
    struct eio_session *s;
    struct sio_socket *a = connected(&s, "0");
    struct sb rooms = {0};
    size_t at = 0;

    cr_assert_eq(sio_socket_join(a, STR("r1")), OK);
    cr_assert_eq(sio_socket_join(a, STR("r2")), OK);
    cr_assert_eq(sio_socket_join_inner(a, STR("\x1fown")), OK);
    cr_expect(sio_nsp_each_room(rig.main, &at, 3, note_room, &rooms));
    cr_expect_not(sio_nsp_each_room(rig.main, &at, 3, note_room, &rooms));
    cr_expect_eq(rooms.n, 6, "r1 and r2, in any order");
    sb_fini(&rooms);
    free_session(s);
}
