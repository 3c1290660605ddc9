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
