/* What other servers ask of the sockets of this node. Four sockets; 1 and 2 are in a, 2 and 3 in b.
 */
#include "tests/unit/support/fake_eio.inc"
#include "node/sio/remote.h"

static struct eio_session *s[4];
static struct sio_socket *o[4];
static struct adapter_question *const question = (struct adapter_question *)&rig;

static void join(struct sio_socket *socket, const char *room)
{
    cr_assert_eq(sio_socket_join(socket, str_z(room)), OK);
}

static void up(void)
{
    rig_up();
    for (int i = 0; i < 4; i++)
        o[i] = connected(&s[i], "0");
    join(o[0], "a");
    join(o[1], "a");
    join(o[1], "b");
    join(o[2], "b");
    rig.cluster.n = 0;
}

static void down(void)
{
    for (int i = 0; i < 4; i++)
        free_session(s[i]);
    rig_down();
}

TestSuite(sio_remote, .init = up, .fini = down);

static const struct str a[] = {STR("a")}, b[] = {STR("b")}, ab[] = {STR("a"), STR("b")},
                        xy[] = {STR("x"), STR("y")}, third[] = {STR("node0000000000000003")};
static const struct adapter_target all = {.nsp = STR("/")},
                                   in_a = {.nsp = STR("/"), .rooms = a, .rooms_count = 1},
                                   in_ab_but_b = {.nsp = STR("/"),
                                                  .rooms = ab,
                                                  .rooms_count = 2,
                                                  .except = b,
                                                  .except_count = 1},
                                   only_third = {.nsp = STR("/"), .rooms = third, .rooms_count = 1},
                                   elsewhere = {.nsp = STR("/nowhere")};

static const char *members(const char *room)
{
    static char text[4][5];
    static unsigned turn;
    char *out = text[turn++ % 4];

    for (int i = 0; i < 4; i++)
        out[i] = sio_socket_is_connected(o[i]) && sio_socket_is_in(o[i], str_z(room)) ? '1' : '0';
    return out;
}

Test(sio_remote, join_and_leave_move_exactly_the_matching_sockets)
{
    sio_remote_join(rig.sio, &in_a, xy, 2);
    cr_expect_str_eq(members("x"), "1100");
    cr_expect_str_eq(members("y"), "1100");
    sio_remote_leave(rig.sio, &in_ab_but_b, xy, 1);
    cr_expect_str_eq(members("x"), "0100");
    sio_remote_join(rig.sio, &only_third, xy, 1);
    sio_remote_join(rig.sio, &all, xy + 1, 1);
    cr_expect_str_eq(members("x"), "0110");
    cr_expect_str_eq(members("y"), "1111");
    sio_remote_leave(rig.sio, &in_a, a, 1); /* the very room that selects */
    cr_expect_str_eq(members("a"), "0000");
    sio_remote_join(rig.sio, &elsewhere, xy, 1);
    sio_remote_leave(rig.sio, &in_a, xy, 2);
    cr_expect_null(strstr(take(&rig.cluster), "join"), "nothing is told to the others");
}

Test(sio_remote, disconnect_ends_the_sockets_or_their_connections)
{
    sio_remote_disconnect(rig.sio, &only_third, false);
    cr_expect_not(sio_socket_is_connected(o[2]));
    cr_expect_not(s[2]->is_closed);
    cr_expect_str_eq(take(&s[2]->sent), "41\n");
    sio_remote_disconnect(rig.sio, &in_a, true);
    cr_expect(s[0]->is_closed && s[1]->is_closed);
    cr_expect(sio_socket_is_connected(o[3]));
    sio_remote_disconnect(rig.sio, &elsewhere, true);
    loop_turn(rig.loop, false);
}

Test(sio_remote, fetch_gives_an_array_of_the_matching_sockets)
{
    struct sb out = {0};

    sio_remote_fetch(rig.sio, &elsewhere, &out);
    cr_expect_str_eq(take(&out), "[]");
    sio_remote_fetch(rig.sio, &in_ab_but_b, &out);
    cr_expect(str_starts(sb_view(&out), STR("[{\"id\":\"node0000000000000001\",")));
    cr_expect(str_contains(sb_view(&out), STR("\"rooms\":[\"node0000000000000001\",\"a\"]")));
    cr_expect_not(str_contains(sb_view(&out), STR("node0000000000000002")));
    sb_fini(&out);
}

static const struct adapter_cast ask_a = {
    .nsp = STR("/"), .rooms = a, .rooms_count = 1, .array = STR("[\"q\"]")};

Test(sio_remote, a_cast_with_ack_counts_first_and_hands_on_first_arguments)
{
    sio_remote_cast_ack(rig.sio, &ask_a, 1000, question);
    cr_expect_str_eq(take(&rig.cluster), "answer-count 2\n");
    cr_expect_str_eq(take(&s[0]->sent), "420[\"q\"]\n");
    cr_expect_str_eq(take(&s[1]->sent), "420[\"q\"]\n", "one id for everybody");
    cr_expect_str_eq(take(&s[2]->sent), "");
    say(s[0], "30[{\"a\":[1]},2]");
    say(s[0], "30[\"again\"]");
    say(s[2], "30[\"not asked\"]");
    cr_expect_str_eq(take(&rig.cluster), "answer {\"a\":[1]} +0\n");
    say(s[1], "30[]");
    cr_expect_str_eq(take(&rig.cluster), "answer  +0\nanswer-end\n");
    say(s[1], "30[\"late\"]");
    cr_expect_str_eq(take(&rig.cluster), "");
    cr_expect_not(s[2]->is_closed);
}

Test(sio_remote, a_cast_with_ack_ends_when_nobody_can_answer_any_more)
{
    struct adapter_cast nobody = ask_a;

    nobody.rooms = xy;
    sio_remote_cast_ack(rig.sio, &nobody, 1000, question);
    cr_expect_str_eq(take(&rig.cluster), "answer-count 0\nanswer-end\n");
    nobody.nsp = STR("/nowhere");
    sio_remote_cast_ack(rig.sio, &nobody, 1000, question);
    cr_expect_str_eq(take(&rig.cluster), "answer-count 0\nanswer-end\n");
    sio_remote_cast_ack(rig.sio, &ask_a, 1000, question);
    eio_session_close(s[0], CLOSE_TRANSPORT_CLOSE);
    cr_expect_null(strstr(take(&rig.cluster), "answer-end"));
    eio_session_close(s[1], CLOSE_TRANSPORT_CLOSE);
    cr_expect_not_null(strstr(take(&rig.cluster), "answer-end\n"));
}

Test(sio_remote, a_cast_with_ack_ends_at_its_deadline)
{
    sio_remote_cast_ack(rig.sio, &ask_a, 1000, question);
    say(s[0], "30[1]");
    (void)take(&rig.cluster);
    rig_wait(990);
    cr_expect_str_eq(take(&rig.cluster), "");
    rig_wait(20);
    cr_expect_str_eq(take(&rig.cluster), "answer-end\n");
    say(s[1], "30[2]");
    cr_expect_str_eq(take(&rig.cluster), "");
}

Test(sio_remote, a_server_side_emit_reaches_the_application)
{
    sio_remote_server_emit(rig.sio, STR("/"), STR("[\"e\",1]"), NULL);
    sio_remote_server_emit(rig.sio, STR("/"), STR("[\"e\",2]"), question);
    cr_expect_str_eq(take(&rig.told), "server-emit / [\"e\",1]\nserver-emit / [\"e\",2] asks\n");
    sio_remote_server_emit(rig.sio, STR("/nowhere"), STR("[\"e\"]"), NULL);
    sio_remote_server_emit(rig.sio, STR("/nowhere"), STR("[\"e\"]"), question);
    cr_expect_str_eq(take(&rig.cluster), "answer-end\n");
}
