/* Who gets a cast: 3 of the wire reference, "Target selection". Four sockets; a1 = in a, ab2 = in a
 * and b, b3, n4. */
#include "tests/unit/support/fake_eio.inc"

static struct eio_session *s[4];
static struct sio_socket *o[4];

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
}

static void down(void)
{
    for (int i = 0; i < 4; i++)
        free_session(s[i]);
    rig_down();
}

TestSuite(sio_cast, .init = up, .fini = down);

/* How often each session was sent something, "1100", and forgets it. */
static const char *got(void)
{
    static char text[4][5];
    static unsigned turn;
    char *out = text[turn++ % 4];

    for (int i = 0; i < 4; i++) {
        out[i] = '0';
        for (size_t j = 0; j < s[i]->sent.n; j++)
            out[i] = (char)(out[i] + (s[i]->sent.p[j] == '\n'));
        s[i]->sent.n = 0;
    }
    return out;
}

Test(sio_cast, reaches_each_member_once)
{
    static const struct {
        const char *rooms[4], *except[4], *want;
    } rows[] = {
        {{NULL}, {NULL}, "1111"},
        {{"a"}, {NULL}, "1100"},
        {{"none"}, {NULL}, "0000"},
        {{"node0000000000000003"}, {NULL}, "0010"},
        {{"a", "b"}, {NULL}, "1110"}, /* 2 is in both */
        {{"a", "none", "node0000000000000004"}, {NULL}, "1101"},
        {{"a", "a"}, {NULL}, "1100"},
        {{"a"}, {"node0000000000000001"}, "0100"},
        {{NULL}, {"node0000000000000001"}, "0111"},
        {{"node0000000000000001"}, {"node0000000000000001"}, "0000"},
        {{"a"}, {"node0000000000000009"}, "1100"}, /* of another node */
        {{"a"}, {"b"}, "1000"},
        {{NULL}, {"b"}, "1001"},
        {{"a", "b"}, {"node0000000000000002"}, "1010"},
        {{NULL}, {"a", "node0000000000000004"}, "0010"},
        {{"a", "b"}, {"a", "b"}, "0000"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sio_cast c = sio_cast_all(rig.main);

        while (rows[i].rooms[c.rooms_count]) {
            c.rooms[c.rooms_count] = str_z(rows[i].rooms[c.rooms_count]);
            c.rooms_count++;
        }
        while (rows[i].except[c.except_count]) {
            c.except[c.except_count] = str_z(rows[i].except[c.except_count]);
            c.except_count++;
        }
        sio_cast_emit(&c, STR("[\"x\"]"), NULL, 0);
        cr_expect_str_eq(got(), rows[i].want, "row %zu", i);
    }
    cr_expect_eq(metric_get(M_CASTS), sizeof rows / sizeof rows[0]);
}

Test(sio_cast, has_short_forms)
{
    struct sio_cast c = sio_cast_room(rig.main, STR("a"));

    sio_cast_emit(&c, STR("[\"x\",1]"), NULL, 0);
    cr_expect_str_eq(take(&s[0]->sent), "42[\"x\",1]\n");
    cr_expect_str_eq(got(), "0100");
    c = sio_cast_room_but(o[0], STR("a"));
    sio_cast_emit(&c, STR("[\"x\"]"), NULL, 0);
    cr_expect_str_eq(got(), "0100");
    c = sio_cast_self(o[3]);
    sio_cast_emit(&c, STR("[\"x\"]"), NULL, 0);
    cr_expect_str_eq(got(), "0001");
    cr_expect_eq(metric_get(M_DELIVERIES), 4);
}

Test(sio_cast, stays_in_its_namespace)
{
    struct sio_cast c = sio_cast_all(rig.custom);

    say(s[0], "0/custom");
    s[0]->sent.n = 0;
    sio_cast_emit(&c, STR("[\"x\"]"), NULL, 0);
    cr_expect_str_eq(take(&s[0]->sent), "42/custom,[\"x\"]\n");
    cr_expect_str_eq(got(), "0000");
}

Test(sio_cast, shares_one_encoding)
{
    struct sio_cast c = sio_cast_all(rig.main);

    sio_cast_emit(&c, STR("[\"x\"]"), NULL, 0);
    for (int i = 0; i < 4; i++) {
        cr_expect_eq(s[i]->last, s[0]->last);
        cr_expect(s[i]->last->flags & BUF_COMPRESS);
    }
    cr_expect_eq(s[0]->last->refs, 4);
    c.flags = SIO_NO_COMPRESS;
    sio_cast_emit(&c, STR("[\"x\"]"), NULL, 0);
    cr_expect(!(s[0]->last->flags & BUF_COMPRESS));
}

Test(sio_cast, sends_attachments_after_their_packet_in_the_form_of_each_protocol)
{
    struct eio_session *old = open_session(3);
    struct sio_cast c = sio_cast_all(rig.main);
    const struct str parts[] = {STR("one"), STR("two")};

    old->sent.n = 0;
    sio_cast_emit(
        &c, STR("[\"x\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]"),
        parts, 2);
    cr_expect_eq(s[0]->last, s[3]->last, "binary frames are shared too");
    cr_expect_neq(s[0]->last, old->last);
    cr_expect_str_eq(take(&old->sent), "452-[\"x\",{\"_placeholder\":true,\"num\":0},{\"_"
                                       "placeholder\":true,\"num\":1}]\n#3:one\n#3:two\n");
    cr_expect_str_eq(take(&s[0]->sent), "452-[\"x\",{\"_placeholder\":true,\"num\":0},{\"_"
                                        "placeholder\":true,\"num\":1}]\n#4:one\n#4:two\n");
    free_session(old);
}

Test(sio_cast, drops_volatile_for_those_who_cannot_take_it_now)
{
    struct sio_cast c = sio_cast_room(rig.main, STR("a"));

    s[0]->is_busy = true;
    c.flags = SIO_VOLATILE;
    sio_cast_emit(&c, STR("[\"x\"]"), NULL, 0);
    cr_expect_str_eq(got(), "0100");
    cr_expect_eq(metric_get(M_VOLATILE_DROPPED), 1);
    c.flags = 0;
    sio_cast_emit(&c, STR("[\"x\"]"), NULL, 0);
    cr_expect_str_eq(got(), "1100");
}

Test(sio_cast, is_published_unless_it_is_local)
{
    struct sio_cast c = sio_cast_room_but(o[0], STR("a"));

    sio_cast_emit(&c, STR("[\"x\"]"), NULL, 0); /* no adapter yet */
    rig_with_adapter();
    c.flags = SIO_VOLATILE | SIO_NO_COMPRESS;
    sio_cast_emit(&c, STR("[\"x\"]"), &STR("b"), 1);
    cr_expect_str_eq(take(&rig.cluster),
                     "publish / to a but node0000000000000001 flags 3 [\"x\"] +1\n");
    c = sio_cast_all(rig.main);
    sio_cast_emit(&c, STR("[\"y\"]"), NULL, 0);
    cr_expect_str_eq(take(&rig.cluster), "publish / to but flags 0 [\"y\"] +0\n");
    c.flags = SIO_LOCAL;
    sio_cast_emit(&c, STR("[\"y\"]"), NULL, 0);
    c = sio_cast_self(o[0]);
    sio_cast_emit(&c, STR("[\"y\"]"), NULL, 0);
    cr_expect_str_eq(take(&rig.cluster), "");
}

Test(sio_cast, of_another_node_is_delivered_and_not_published)
{
    const struct str rooms[] = {STR("a"), STR("b")}, except[] = {STR("node0000000000000001")};
    struct adapter_cast c = {.nsp = STR("/"),
                             .rooms = rooms,
                             .rooms_count = 2,
                             .except = except,
                             .except_count = 1,
                             .array = STR("[\"x\"]")};

    rig_with_adapter();
    sio_cast_deliver(rig.sio, &c);
    cr_expect_str_eq(got(), "0110");
    c.flags = ADAPTER_VOLATILE | ADAPTER_NO_COMPRESS;
    s[1]->is_busy = true;
    sio_cast_deliver(rig.sio, &c);
    cr_expect_str_eq(got(), "0010");
    cr_expect(!(s[2]->last->flags & BUF_COMPRESS));
    c.nsp = STR("/unknown");
    sio_cast_deliver(rig.sio, &c);
    cr_expect_str_eq(got(), "0000");
    cr_expect_str_eq(take(&rig.cluster), "");
}

static void tell_others(struct sio_socket *gone)
{
    struct sio_cast c = sio_cast_all(sio_socket_nsp(gone));

    c.rooms[0] = STR("a");
    c.rooms[1] = STR("b");
    c.rooms_count = 2;
    sio_cast_emit(&c, STR("[\"gone\"]"), NULL, 0);
}

/* A slow reader is closed in the middle of a cast; its leaving is told to the rooms in a cast
 * within the cast. */
Test(sio_cast, goes_on_when_a_recipient_ends)
{
    struct sio_cast c = sio_cast_all(rig.main);

    rig.in_disconnect = tell_others;
    s[0]->close_after = 1;
    sio_cast_emit(&c, STR("[\"x\"]"), NULL, 0);
    cr_expect(s[0]->is_closed);
    cr_expect_str_eq(got(), "1221"); /* x to all, gone to 2 and 3 */
    s[1]->close_after = 1;
    c.rooms[0] = STR("a");
    c.rooms[1] = STR("b");
    c.rooms_count = 2;
    sio_cast_emit(&c, STR("[\"x\"]"), NULL, 0);
    cr_expect_str_eq(got(), "0120");
    cr_expect_eq(sio_nsp_sockets(rig.main), 2);
    cr_expect_eq(sio_room_count(rig.main, STR("a")), 0);
    rig.in_disconnect = NULL;
}
