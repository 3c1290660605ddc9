#include "tests/unit/support/fake_eio.inc"

TestSuite(sio_connect, .init = rig_up, .fini = rig_down);

Test(sio_connect, answers_with_an_identifier_before_the_application_acts)
{
    struct eio_session *s = open_session(4);

    say(s, "0{\"token\":\"1\"}");
    cr_expect_str_eq(take(&s->sent), "40{\"sid\":\"node0000000000000001\"}\n");
    cr_expect_str_eq(take(&rig.told), "connecting / {\"token\":\"1\"}\nconnect /\n");
    cr_expect(str_eq(sio_socket_auth(rig.last), STR("{\"token\":\"1\"}")));
    say(s, "0/custom");
    cr_expect_str_eq(take(&s->sent), "40/custom,{\"sid\":\"node0000000000000002\"}\n");
    cr_expect_eq(metric_get(M_SOCKETS_CONNECTED), 2);
    free_session(s);
}

Test(sio_connect, refuses_unknown_namespaces_and_stays_open)
{
    struct eio_session *s = open_session(4);

    say(s, "0/random,");
    cr_expect_str_eq(take(&s->sent), "44/random,{\"message\":\"Invalid namespace\"}\n");
    say(s, "0/custom?token=1,");
    cr_expect_str_eq(take(&s->sent), "44/custom?token=1,{\"message\":\"Invalid namespace\"}\n");
    cr_expect(!s->is_closed);
    cr_expect_eq(metric_get(M_SOCKETS_REFUSED), 2);
    free_session(s);
    s = open_session(3);
    s->sent.n = 0;
    say(s, "0/nope?a=1,");
    cr_expect_str_eq(take(&s->sent), "44/nope,{\"message\":\"Invalid namespace\"}\n");
    free_session(s);
}

Test(sio_connect, passes_on_why_the_middleware_refuses)
{
    static const struct {
        int protocol;
        const char *message, *data, *want;
    } rows[] = {
        {4, "not ok", NULL, "44/custom,{\"message\":\"not ok\"}\n"},
        {4, "say \"no\"", "{\"code\":1}",
         "44/custom,{\"message\":\"say \\\"no\\\"\",\"data\":{\"code\":1}}\n"},
        {4, "", NULL, "44/custom,{\"message\":\"Forbidden\"}\n"},
        {3, "not ok", NULL, "44/custom,\"not ok\"\n"},
        {3, "not ok", "{\"code\":7}", "44/custom,{\"code\":7}\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eio_session *s = open_session(rows[i].protocol);

        s->sent.n = 0;
        rig.refuse = rows[i].message;
        rig.refuse_data = rows[i].data;
        say(s, "0/custom,");
        cr_expect_str_eq(take(&s->sent), rows[i].want);
        cr_expect_eq(sio_nsp_sockets(rig.custom), 0);
        cr_expect(!s->is_closed);
        rig.refuse = NULL;
        rig.told.n = 0;
        free_session(s);
        cr_expect_null(strstr(take(&rig.told), "/custom"),
                       "no on_disconnect for one who never was in");
    }
}

static void join_early(struct sio_socket *s)
{
    cr_expect_eq(sio_socket_join(s, STR("early")), OK);
    sio_socket_emit(s, STR("[\"too early\"]"), NULL, 0);
}

Test(sio_connect, lets_the_middleware_join_rooms)
{
    struct eio_session *s = open_session(4);

    rig.in_connecting = join_early;
    say(s, "0");
    cr_expect_str_eq(take(&s->sent), "40{\"sid\":\"node0000000000000001\"}\n");
    cr_expect_eq(sio_room_count(rig.main, STR("early")), 1);
    rig.refuse = "no";
    say(s, "0/custom");
    cr_expect_eq(sio_room_count(rig.custom, STR("early")), 0);
    free_session(s);
}

static void close_all(struct sio_socket *s)
{
    sio_socket_disconnect(s, true);
}

Test(sio_connect, survives_a_middleware_that_closes)
{
    struct eio_session *s = open_session(4);

    rig.in_connecting = close_all;
    say(s, "0");
    cr_expect(s->is_closed);
    cr_expect_str_eq(take(&rig.told), "connecting / {}\ndisconnect / 5\n");
    free_session(s);
    rig.refuse = "no";
    s = open_session(4);
    say(s, "0");
    cr_expect_str_eq(take(&rig.told), "connecting / {}\n");
    free_session(s);
}

Test(sio_connect, limits_namespaces_and_auth)
{
    struct eio_session *s = open_session(4);
    struct sb big = {0};

    sio_nsp_add(rig.sio, STR("/3"));
    sio_nsp_add(rig.sio, STR("/4"));
    sb_z(&big, "0{\"a\":\"");
    for (int i = 0; i < 5000; i++)
        sb_char(&big, 'x');
    sb_z(&big, "\"}");
    sb_char(&big, 0);
    say(s, big.p);
    cr_expect_str_eq(take(&s->sent), "44{\"message\":\"auth too large\"}\n");
    say(s, "0");
    say(s, "0/custom");
    say(s, "0/3");
    s->sent.n = 0;
    say(s, "0/4");
    cr_expect_str_eq(take(&s->sent), "44/4,{\"message\":\"too many namespaces\"}\n");
    say(s, "1/3");
    say(s, "0/4");
    cr_expect_str_eq(take(&s->sent), "40/4,{\"sid\":\"node0000000000000004\"}\n");
    sb_fini(&big);
    free_session(s);
}

Test(sio_connect, closes_who_asks_without_end)
{
    struct eio_session *s;
    char name[32];

    connected(&s, "0");
    for (int i = 0; i < 29; i++) {
        snprintf(name, sizeof name, "0/n%d,", i);
        say(s, name);
    }
    cr_expect(!s->is_closed);
    rig_wait(60000); /* another minute, another try */
    say(s, "0/x,");
    cr_expect(!s->is_closed);
    for (int i = 0; i < 10000; i++)
        say(s, "0/x,");
    cr_expect(s->is_closed);
    cr_expect_eq(s->why, CLOSE_FORCED_SERVER_CLOSE);
    free_session(s);
}
