#include "tests/unit/support/fake_eio.inc"

TestSuite(sio_room, .init = rig_up, .fini = rig_down);

Test(sio_room, appears_with_its_first_member_and_vanishes_with_its_last)
{
    struct eio_session *s, *t;
    struct sio_socket *a = connected(&s, "0"), *b = connected(&t, "0");

    rig_with_adapter();
    cr_expect_eq(sio_socket_join(a, STR("r")), OK);
    cr_expect_eq(sio_socket_join(a, STR("r")), OK, "twice is once");
    cr_expect_str_eq(take(&rig.cluster), "open / r\n");
    cr_expect_eq(sio_socket_join(b, STR("r")), OK);
    cr_expect_eq(sio_room_count(rig.main, STR("r")), 2);
    cr_expect_eq(metric_get(M_ROOMS), 1);
    sio_socket_leave(a, STR("r"));
    sio_socket_leave(a, STR("r"));
    cr_expect(!sio_socket_is_in(a, STR("r")));
    cr_expect(sio_socket_is_in(b, STR("r")));
    cr_expect_str_eq(take(&rig.cluster), "");
    say(t, "1"); /* its own room ends with it: a room to the other nodes, too */
    cr_expect_str_eq(take(&rig.cluster), "close / node0000000000000002\nclose / r\n");
    cr_expect_eq(metric_get(M_ROOMS), 0);
    cr_expect_eq(sio_room_count(rig.main, STR("r")), 0);
    free_session(s);
    free_session(t);
}

Test(sio_room, of_a_socket_alone_is_no_room_of_the_metrics)
{
    struct eio_session *s, *t;
    struct sio_socket *a = connected(&s, "0"), *b = connected(&t, "0");

    rig_with_adapter();
    cr_expect_eq(sio_room_count(rig.main, sio_socket_id(a)), 1);
    cr_expect_eq(sio_socket_join(a, sio_socket_id(a)), OK);
    cr_expect_str_eq(take(&rig.cluster), "");
    cr_expect_eq(metric_get(M_ROOMS), 0);
    cr_expect_eq(sio_socket_join(b, sio_socket_id(a)), OK,
                 "somebody else's room is a room like others");
    cr_expect_eq(sio_room_count(rig.main, sio_socket_id(a)), 2);
    free_session(s);
    free_session(t);
}

Test(sio_room, keeps_places_right_when_members_come_and_go)
{
    enum { SOCKETS = 40, STEPS = 3000 };
    static struct eio_session *s[SOCKETS];
    static struct sio_socket *o[SOCKETS];
    static bool in[SOCKETS][5];
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    unsigned random = 1;

    for (int i = 0; i < SOCKETS; i++)
        o[i] = connected(&s[i], "0");
    for (int step = 0; step < STEPS; step++) {
        random = random * 1103515245u + 12345u;
        unsigned i = random >> 8 & 0xFFFF, r = random >> 24;

        i %= SOCKETS;
        r %= 5;
        if (in[i][r]) {
            sio_socket_leave(o[i], str_z(names[r]));
        } else {
            cr_assert_eq(sio_socket_join(o[i], str_z(names[r])), OK);
        }
        in[i][r] = !in[i][r];
    }
    for (unsigned r = 0; r < 5; r++) {
        size_t count = 0;

        for (int i = 0; i < SOCKETS; i++) {
            cr_expect_eq(sio_socket_is_in(o[i], str_z(names[r])), in[i][r]);
            count += in[i][r];
        }
        cr_expect_eq(sio_room_count(rig.main, str_z(names[r])), count);
    }
    for (int i = 0; i < SOCKETS; i++)
        free_session(s[i]);
    cr_expect_eq(metric_get(M_ROOMS), 0);
}

Test(sio_room, has_limits)
{
    struct eio_session *s;
    struct sio_socket *a = connected(&s, "0");
    char name[300];

    memset(name, 'x', sizeof name);
    cr_expect_eq(sio_socket_join(a, str_of(name, 256)), OK);
    cr_expect_eq(sio_socket_join(a, str_of(name, 257)), ERR_TOO_BIG);
    cr_expect_eq(sio_socket_join(a, STR("")), ERR_TOO_BIG);
    for (unsigned i = 1; i < 5; i++)
        cr_expect_eq(sio_socket_join(a, str_of(name, i)), OK);
    cr_expect_eq(sio_socket_join(a, STR("one more")), ERR_LIMIT);
    cr_expect_eq(sio_socket_join(a, str_of(name, 256)), OK,
                 "where it is already it may join again");
    free_session(s);
}

static struct sio_socket *trio[3];
static struct sb seen;

static void shuffle(void *ctx, struct sio_socket *s)
{
    (void)ctx;
    sb_str(&seen, str_skip(sio_socket_id(s), EIO_ID_SIZE - 1));
    if (s != trio[0]) return;
    sio_socket_leave(trio[0], STR("r")); /* the last one must not move here: it would be missed */
    sio_socket_leave(trio[1], STR("r"));
    cr_expect_eq(sio_room_count(rig.main, STR("r")), 1);
    cr_expect_eq(sio_socket_join(trio[0], STR("r")), OK); /* not addressed: joined too late */
}

Test(sio_room, may_change_while_it_is_walked)
{
    struct eio_session *s[3];

    for (int i = 0; i < 3; i++) {
        trio[i] = connected(&s[i], "0");
        cr_expect_eq(sio_socket_join(trio[i], STR("r")), OK);
    }
    cr_expect(sio_room_each(rig.main, STR("r"), shuffle, NULL));
    cr_expect_str_eq(take(&seen), "13");
    cr_expect_eq(sio_room_count(rig.main, STR("r")), 2);
    cr_expect(sio_room_each(rig.main, STR("r"), shuffle, NULL));
    cr_expect(!sio_room_each(rig.main, STR("none"), shuffle, NULL));
    for (int i = 0; i < 3; i++)
        free_session(s[i]);
    cr_expect_eq(metric_get(M_ROOMS), 0);
    sb_fini(&seen);
}

static void leave(void *ctx, struct sio_socket *s)
{
    (void)ctx;
    sio_socket_leave(s, STR("r"));
}

static void leave_and_return(void *ctx, struct sio_socket *s)
{
    (void)ctx;
    sio_socket_leave(s, STR("r"));
    cr_expect_eq(sio_socket_join(s, STR("r")), OK);
}

Test(sio_room, vanishes_after_the_walk_that_emptied_it)
{
    struct eio_session *s;
    struct sio_socket *a = connected(&s, "0");

    rig_with_adapter();
    cr_expect_eq(sio_socket_join(a, STR("r")), OK);
    sio_room_each(rig.main, STR("r"), leave_and_return, NULL);
    cr_expect_str_eq(take(&rig.cluster), "open / r\nclose / r\nopen / r\n");
    cr_expect_eq(metric_get(M_ROOMS), 1);
    sio_room_each(rig.main, STR("r"), leave, NULL);
    cr_expect_str_eq(take(&rig.cluster), "close / r\n");
    cr_expect_eq(metric_get(M_ROOMS), 0);
    cr_expect(!sio_room_each(rig.main, STR("r"), leave, NULL));
    free_session(s);
}
