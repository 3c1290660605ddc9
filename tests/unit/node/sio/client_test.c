/* What a session may say, and what closes it: 2.1, 2.2 and 2.5 of the wire reference. */
#include "tests/unit/support/fake_eio.inc"

TestSuite(sio_client, .init = rig_up, .fini = rig_down);

Test(sio_client, gives_events_to_the_socket_of_their_namespace)
{
    struct eio_session *s = open_session(4);

    say(s, "0");
    say(s, "0/custom,");
    cr_expect_str_eq(take(&rig.told),
                     "connecting / {}\nconnect /\nconnecting /custom {}\nconnect /custom\n");
    say(s, "2[\"m\",1,\"x\"]");
    say(s, "2/custom,5[\"n\"]");
    cr_expect_str_eq(take(&rig.told), "event m(1,\"x\")\nevent n() ack 5\n");
    say(s, "1/custom,");
    say(s, "2[\"still\"]");
    cr_expect_str_eq(take(&rig.told), "disconnect /custom 7\nevent still()\n");
    cr_expect(!s->is_closed);
    free_session(s);
    cr_expect_str_eq(take(&rig.told), "disconnect / 0\n");
    cr_expect_eq(metric_get(M_SOCKETS), 0);
}

Test(sio_client, waits_for_attachments)
{
    struct eio_session *s;

    connected(&s, "0");
    say(s, "52-9[\"m\",{\"_placeholder\":true,\"num\":1},{\"_placeholder\":true,\"num\":0}]");
    say_binary(s, "first");
    cr_expect_str_eq(take(&rig.told), "");
    say_binary(s, "second");
    cr_expect_str_eq(take(&rig.told),
                     "event m({\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1})"
                     " ack 9 +second +first\n");
    say(s, "2[\"next\"]");
    cr_expect_str_eq(take(&rig.told), "event next()\n");
    free_session(s);
}

Test(sio_client, accepts_a_return_in_the_same_turn)
{
    struct eio_session *s;

    connected(&s, "0");
    say(s, "1");
    say(s, "0");
    cr_expect_str_eq(take(&s->sent), "40{\"sid\":\"node0000000000000002\"}\n");
    cr_expect_str_eq(take(&rig.told), "disconnect / 7\nconnecting / {}\nconnect /\n");
    cr_expect(!s->is_closed);
    free_session(s);
}

Test(sio_client, ignores_what_does_no_harm)
{
    static const char *const rows[] = {"3[]",
                                       "399[]",
                                       "399999999999999999999[]",
                                       "2[\"error\"]",
                                       "2[\"connection\"]",
                                       "2[1,\"x\"]",
                                       "2[\"a\",{\"_placeholder\":true,\"num\":7}]"};
    struct eio_session *s;

    connected(&s, "07{}");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        say(s, rows[i]);
        cr_expect(!s->is_closed, "%s", rows[i]);
    }
    free_session(s);
}

#define HOLE "{\"_placeholder\":true,\"num\":0}"

Test(sio_client, closes_on_what_breaks_the_protocol)
{
    static const struct {
        const char *first, *say, *binary, *then;
    } rows[] = {
        {NULL, "abc", NULL, NULL},
        {NULL, "0[1]", NULL, NULL},
        {NULL, "0null", NULL, NULL},
        {NULL, "2[\"message\",1]", NULL, NULL}, /* before CONNECT */
        {NULL, "1", NULL, NULL},
        {NULL, "3[]", NULL, NULL},
        {NULL, "4{}", NULL, NULL},
        {NULL, "0/\xFF,", NULL, NULL},
        {"0", "0", NULL, NULL}, /* twice */
        {"0", "2", NULL, NULL},
        {"0", "2[null]", NULL, NULL},
        {"0", "2[\"connect\"]", NULL, NULL},
        {"0", "2/custom,[\"message\"]", NULL, NULL},
        {"0", "1/custom,", NULL, NULL},
        {"0", "3/custom,1[]", NULL, NULL},
        {"0", NULL, "x", NULL},                         /* nothing is due */
        {"0", "51-[\"m\"," HOLE "]", NULL, "2[\"m\"]"}, /* an attachment is due */
        {"0", "51-[\"m\"," HOLE "]", NULL, "1"},
        {"0", "51-[\"m\"]", NULL, NULL},
        {"0", "52-[\"m\"," HOLE "," HOLE "]", NULL, NULL},
        {"0", "511-[\"m\"," HOLE "]", NULL, NULL},
        {"0", "51-/custom,[\"m\"," HOLE "]", "x", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eio_session *s = open_session(4);

        if (rows[i].first) say(s, rows[i].first);
        cr_expect(!s->is_closed, "row %zu", i);
        if (rows[i].say) say(s, rows[i].say);
        if (rows[i].binary) say_binary(s, rows[i].binary);
        if (rows[i].then) say(s, rows[i].then);
        cr_expect(s->is_closed, "row %zu", i);
        cr_expect_eq(s->why, CLOSE_PARSE_ERROR, "row %zu", i);
        free_session(s);
    }
    cr_expect_eq(metric_get(M_EIO_PARSE_ERRORS), sizeof rows / sizeof rows[0]);
    cr_expect_eq(metric_get(M_SOCKETS), 0);
}

Test(sio_client, holds_no_more_attachment_bytes_than_a_message_may_have)
{
    struct eio_session *s;
    char big[1200];

    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = 0;
    connected(&s, "0");
    say(s, "51-[\"m\"," HOLE "]");
    say_binary(s, big);
    cr_expect_eq(s->why, CLOSE_PARSE_ERROR);
    cr_expect_str_eq(take(&rig.told), "disconnect / 3\n");
    free_session(s);
}

Test(sio_client, closes_who_joins_nothing_in_time)
{
    struct eio_session *s = open_session(4), *t = open_session(4), *u = open_session(4);

    say(t, "0");
    say(t, "1"); /* was here once: may stay */
    say(u, "0/nope,");
    rig_wait(44000);
    cr_expect(!s->is_closed);
    rig_wait(1100);
    cr_expect(s->is_closed);
    cr_expect_eq(s->why, CLOSE_CONNECT_TIMEOUT);
    cr_expect(!t->is_closed);
    cr_expect(u->is_closed);
    free_session(s);
    free_session(t);
    free_session(u);
}

static void close_it(struct sio_socket *s, const struct sio_event *e)
{
    (void)e;
    sio_socket_disconnect(s, true);
}

Test(sio_client, survives_a_handler_that_closes)
{
    struct eio_session *s;

    connected(&s, "0");
    rig.in_event = close_it;
    say(s, "51-[\"m\"," HOLE "]");
    say_binary(s, "x");
    cr_expect(s->is_closed);
    cr_expect_eq(s->why, CLOSE_FORCED_SERVER_CLOSE);
    free_session(s);
}

Test(sio_client, speaks_protocol_4_to_old_clients)
{
    struct eio_session *s = open_session(3);

    cr_expect_str_eq(take(&s->sent), "40\n");
    cr_expect_str_eq(take(&rig.told), "connecting / {}\nconnect /\n");
    cr_expect(str_eq(sio_socket_id(rig.last), STR("sess0000000000000001")));
    say(s, "0/custom?token=a%22b&x=1+2&y,");
    cr_expect_str_eq(take(&s->sent), "40/custom,\n");
    cr_expect_str_eq(
        take(&rig.told),
        "connecting /custom {\"token\":\"a\\\"b\",\"x\":\"1 2\",\"y\":\"\"}\nconnect /custom\n");
    cr_expect(str_eq(sio_socket_id(rig.last), STR("/custom#sess0000000000000001")));
    sio_socket_emit(rig.last, STR("[\"a\",{\"_placeholder\":true,\"num\":0}]"), &STR("bin"), 1);
    cr_expect_str_eq(take(&s->sent),
                     "451-/custom,[\"a\",{\"_placeholder\":true,\"num\":0}]\n#3:bin\n");
    say(s, "0/custom?other=1,");
    cr_expect_eq(s->why, CLOSE_PARSE_ERROR);
    free_session(s);
    s = open_session(3);
    say(s, "0");
    cr_expect(s->is_closed, "the server has connected it already");
    free_session(s);
}
