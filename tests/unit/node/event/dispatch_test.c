#include "tests/unit/support/fake_events.inc"

static struct {
    int rc;
    const char *why, *reply;
    uint64_t retry_after_ms;
    bool defer, hold;
    struct event_held *held;
    unsigned stage;
    struct event_later *later;
    unsigned calls;
    struct sb got;
} h;

static int handle(struct event_ctx *c, const union event_in *in)
{
    (void)in;
    h.calls++;
    if (h.why) sb_z(c->why, h.why);
    if (h.reply) sb_z(c->reply, h.reply);
    c->retry_after_ms = h.retry_after_ms;
    if (h.defer) h.later = event_defer(c);
    h.stage = c->stage;
    if (h.hold) h.held = event_hold(c);
    h.hold = false;
    return h.rc;
}

static int handle_ping(struct event_ctx *c, const union event_in *in)
{
    (void)c;
    h.calls++;
    h.got.n = 0;
    sb_str(&h.got, in->ping.raw);
    return h.rc;
}

static const struct event_row room_rows[] = {{EVENT(joinRoom), .handle = handle},
                                             {EVENT(leaveRoom), .handle = handle},
                                             {EVENT(roomMessage), .handle = handle},
                                             {EVENT(typing), .handle = handle, .is_askable = true},
                                             {EVENT(roomHistory), .handle = handle},
                                             {EVENT(roomMembers), .handle = handle},
                                             {EVENT(roomKick), .handle = handle},
                                             {EVENT(roomMute), .handle = handle},
                                             {EVENT(roomSlowMode), .handle = handle},
                                             {EVENT(roomLock), .handle = handle},
                                             {0}};
static const struct event_row ping_rows[] = {
    {EVENT(ping), .handle = handle_ping}, {EVENT(latencyUpdate), .handle = handle_ping}, {0}};
static const struct feature rooms = {.name = "rooms", .events = room_rows};
static const struct feature ping = {.name = "ping", .events = ping_rows};
static const struct feature *const features[] = {&rooms, &ping, NULL};

static void up(void)
{
    fake_up(features, false);
}

static void down(void)
{
    sb_fini(&h.got);
    fake_down();
}

TestSuite(dispatch, .init = up, .fini = down);

Test(dispatch, calls_the_handler_and_acknowledges)
{
    struct eio_session *s = fake_client(NULL);

    say(s, "2[\"joinRoom\",{\"roomId\":\"r\"}]");
    cr_expect_eq(h.calls, 1);
    cr_expect_str_eq(take(&s->sent), "", "nobody asked for an ack");
    say(s, "27[\"joinRoom\",{\"roomId\":\"r\"}]");
    cr_expect_str_eq(take(&s->sent), "437[{\"ok\":true}]\n");
    h.reply = "\"a\":1";
    say(s, "28[\"joinRoom\",\"r\"]");
    cr_expect_str_eq(take(&s->sent), "438[{\"ok\":true,\"a\":1}]\n");
    cr_expect_eq(metric_get_at(M_EVENTS_IN, EVENT_joinRoom), 3);
    cr_expect_eq(metric_get(M_EVENT_SECONDS), 3);
    free_session(s);
}

Test(dispatch, tells_refusals_to_the_error_event_and_to_the_ack)
{
    struct eio_session *s = fake_client(NULL);

    h.rc = ERR_NOT_MEMBER;
    say(s, "21[\"roomMessage\",{\"roomId\":\"r\",\"message\":\"m\"}]");
    cr_expect_str_eq(take(&s->sent), "42[\"messageError\",{\"event\":\"roomMessage\",\"code\":"
                                     "\"not_a_member\",\"error\":\"join the room "
                                     "first\"}]\n431[{\"ok\":false,\"code\":\"not_a_member\","
                                     "\"message\":\"join the room first\"}]\n");
    h.rc = ERR_RATE;
    h.why = "say \"please\"";
    h.retry_after_ms = 1500;
    say(s, "2[\"joinRoom\",\"r\"]");
    cr_expect_str_eq(
        take(&s->sent),
        "42[\"roomError\",{\"event\":\"joinRoom\",\"code\":\"rate_limited\",\"error\":\"say "
        "\\\"please\\\"\",\"retryAfterMs\":1500}]\n");
    cr_expect_eq(metric_get_at(M_EVENTS_REFUSED, (unsigned)-ERR_NOT_MEMBER), 1);
    cr_expect_eq(metric_get_at(M_EVENTS_REFUSED, (unsigned)-ERR_RATE), 1);
    free_session(s);
}

Test(dispatch, refuses_payloads_with_the_exact_reason)
{
    static const struct {
        const char *packet, *why;
    } rows[] = {
        {"2[\"joinRoom\"]", "payload: not an object"},
        {"2[\"joinRoom\",null]", "payload: not an object"},
        {"2[\"joinRoom\",7]", "payload: not an object"},
        {"2[\"joinRoom\",{}]", "roomId: missing"},
        {"2[\"joinRoom\",{\"roomId\":null}]", "roomId: missing"},
        {"2[\"joinRoom\",{\"roomId\":{\"$ne\":null}}]", "roomId: not a string"},
        {"2[\"joinRoom\",\"\"]", "roomId: shorter than 1"},
        {"2[\"joinRoom\",{\"roomId\":\"a\",\"roomId\":7}]",
         "roomId: not a string"}, /* the last one wins */
        {"2[\"joinRoom\",{\"roomI\\u0064\":7}]", "roomId: not a string"},
    };
    struct eio_session *s = fake_client(NULL);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char want[300];

        snprintf(want, sizeof want,
                 "42[\"roomError\",{\"event\":\"joinRoom\",\"code\":\"invalid_payload\",\"error\":"
                 "\"%s\"}]\n",
                 rows[i].why);
        say(s, rows[i].packet);
        cr_expect_str_eq(take(&s->sent), want, "row %zu", i);
    }
    cr_expect_eq(h.calls, 0);
    free_session(s);
}

Test(dispatch, asks_for_the_role_before_it_reads_the_payload)
{
    struct eio_session *guest = fake_client(NULL), *user = fake_client("\"id\":\"u7\"");

    say(guest, "2[\"typing\",7]");
    cr_expect_str_eq(take(&guest->sent), "42[\"roomError\",{\"event\":\"typing\",\"code\":"
                                         "\"forbidden\",\"error\":\"not allowed\"}]\n");
    say(user, "2[\"typing\",{\"roomId\":\"r\"}]");
    cr_expect_str_eq(take(&user->sent), "");
    cr_expect_eq(h.calls, 1);
    free_session(guest);
    free_session(user);
}

Test(dispatch, reads_any_ping_and_refuses_binary)
{
    static const struct {
        const char *packet, *raw;
    } rows[] = {
        {"2[\"ping\",{\"a\": 1}]", "{\"a\": 1}"},
        {"2[\"ping\"]", ""},
        {"2[\"ping\",null]", ""},
        {"2[\"ping\",[1]]", ""},
        {"2[\"ping\",5,{}]", ""},
    };
    struct eio_session *s = fake_client(NULL);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        say(s, rows[i].packet);
        cr_expect(str_eq(sb_view(&h.got), str_z(rows[i].raw)), "row %zu", i);
    }
    cr_expect_eq(h.calls, 5);
    say(s, "51-[\"ping\",{\"_placeholder\":true,\"num\":0}]");
    say_binary(s, "x");
    cr_expect_eq(h.calls, 5);
    cr_expect_str_eq(take(&s->sent),
                     "42[\"eventError\",{\"event\":\"ping\",\"code\":\"invalid_payload\",\"error\":"
                     "\"payload: binary data is not accepted\"}]\n");
    free_session(s);
}

Test(dispatch, ignores_unknown_events_but_answers_their_acks)
{
    static const char *const names[] = {"nope", "error", "__proto__", "toString", "joinroom"};
    struct eio_session *s = fake_client(NULL);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char packet[100];

        snprintf(packet, sizeof packet, "2[\"%s\",{}]", names[i]);
        say(s, packet);
        cr_expect_str_eq(take(&s->sent), "", "%s", names[i]);
    }
    say(s, "2[1,\"x\"]");
    cr_expect_str_eq(take(&s->sent), "");
    say(s, "20[\"nope\"]");
    cr_expect_str_eq(
        take(&s->sent),
        "430[{\"ok\":false,\"code\":\"unknown_event\",\"message\":\"no such event\"}]\n");
    cr_expect_eq(metric_get(M_EVENTS_UNKNOWN), 7);
    free_session(s);
}

Test(dispatch, swallows_echoes_outside_the_bucket)
{
    struct eio_session *s = fake_client(NULL);

    for (int i = 0; i < 1000; i++)
        say(s, "21[\"serverStats\",{\"uptime\":1}]");
    cr_expect_eq(metric_get(M_EVENTS_SWALLOWED), 1000);
    say(s, "22[\"joinRoom\",\"r\"]");
    cr_expect_str_eq(take(&s->sent), "432[{\"ok\":true}]\n",
                     "nothing for the echoes, and the bucket is full");
    free_session(s);
}

Test(dispatch, closes_a_flood_of_echoes_too)
{
    struct eio_session *s = fake_client(NULL);

    for (int i = 0; i < 6300 && !s->is_closed; i++)
        say(s, "2[\"onlineUsers\",{}]");
    cr_expect(s->is_closed);
    cr_expect_str_eq(take(&s->sent), "41\n", "no answer but the end");
    free_session(s);
}

Test(dispatch, limits_events_and_says_when_to_come_back)
{
    struct eio_session *s = fake_client(NULL);

    for (int i = 0; i < 100; i++)
        say(s, "2[\"joinRoom\",\"r\"]");
    cr_expect_eq(h.calls, 100);
    say(s, "2[\"joinRoom\",\"r\"]");
    cr_expect_eq(h.calls, 100);
    cr_expect_str_eq(
        take(&s->sent),
        "42[\"roomError\",{\"event\":\"joinRoom\",\"code\":\"rate_limited\",\"error\":\"too "
        "many events, slow down\",\"retryAfterMs\":600}]\n");
    say(s, "2[\"ping\",{}]");
    cr_expect_eq(h.calls, 101, "ping has a bucket of its own");
    clock_advance(600);
    say(s, "2[\"joinRoom\",\"r\"]");
    cr_expect_eq(h.calls, 102);
    free_session(s);
}

Test(dispatch, counts_unknown_events_in_the_bucket)
{
    struct eio_session *s = fake_client(NULL);

    for (int i = 0; i < 100; i++)
        say(s, "2[\"nope\"]");
    say(s, "2[\"nope\"]");
    cr_expect_str_eq(take(&s->sent), "", "not told: there is no error event");
    say(s, "25[\"nope\"]");
    cr_expect_str_eq(
        take(&s->sent),
        "435[{\"ok\":false,\"code\":\"rate_limited\",\"message\":\"too many events, slow "
        "down\",\"retryAfterMs\":600}]\n");
    free_session(s);
}

Test(dispatch, closes_the_connection_of_those_who_go_on)
{
    struct eio_session *s = fake_client(NULL), *other = fake_client(NULL);

    for (int i = 0; i < 299; i++)
        say(s, "2[\"joinRoom\",\"r\"]");
    cr_expect_not(s->is_closed);
    say(s, "2[\"joinRoom\",\"r\"]");
    cr_expect(s->is_closed);
    cr_expect_eq(metric_get(M_RATE_CLOSED), 1);
    h.calls = 0;
    say(other, "2[\"joinRoom\",\"r\"]");
    cr_expect_eq(h.calls, 1, "others are not disturbed");
    free_session(s);
    free_session(other);
}

Test(dispatch, answers_later)
{
    struct eio_session *s = fake_client(NULL);

    h.defer = true;
    say(s, "29[\"joinRoom\",\"r\"]");
    cr_expect_str_eq(take(&s->sent), "");
    cr_expect_not_null(event_later_socket(h.later));
    event_later_end(h.later, OK, STR("\"n\":2"));
    cr_expect_str_eq(take(&s->sent), "439[{\"ok\":true,\"n\":2}]\n");
    say(s, "210[\"joinRoom\",\"r\"]");
    event_later_end(h.later, ERR_UNAVAILABLE, STR_NONE);
    cr_expect_str_eq(
        take(&s->sent),
        "42[\"roomError\",{\"event\":\"joinRoom\",\"code\":\"unavailable\",\"error\":\"the cluster "
        "cannot be "
        "reached now\"}]\n4310[{\"ok\":false,\"code\":\"unavailable\",\"message\":\"the cluster "
        "cannot be "
        "reached now\"}]\n");
    free_session(s);
}

Test(dispatch, a_refusal_may_say_more)
{
    struct eio_session *s = fake_client(NULL);

    h.defer = true;
    say(s, "29[\"joinRoom\",\"r\"]");
    event_later_refuse_more(h.later, &(struct event_refusal){.code = ERR_RATE,
                                                             .why = STR("not you"),
                                                             .retry_after_ms = 7,
                                                             .more = STR("\"owner\":\"Bob\"")});
    cr_expect_str_eq(
        take(&s->sent),
        "42[\"roomError\",{\"event\":\"joinRoom\",\"code\":\"rate_limited\",\"error\":\"not "
        "you\",\"retryAfterMs\":7,\"owner\":\"Bob\"}]\n"
        "439[{\"ok\":false,\"code\":\"rate_limited\",\"message\":\"not you\",\"retryAfterMs\":7,"
        "\"owner\":\"Bob\"}]\n");
    free_session(s);
}

Test(dispatch, answers_nobody_when_the_socket_has_gone)
{
    struct eio_session *s = fake_client(NULL);

    h.defer = true;
    say(s, "29[\"joinRoom\",\"r\"]");
    free_session(s);
    cr_expect_null(event_later_socket(h.later));
    event_later_end(h.later, OK, STR_NONE);
}

Test(dispatch, handles_a_held_event_again)
{
    struct eio_session *s = fake_client(NULL);

    h.hold = true;
    say(s, "21[\"joinRoom\",{\"roomId\":\"r\"}]");
    cr_expect_str_eq(take(&s->sent), "");
    h.reply = "\"n\":1";
    event_resume(h.held, 3);
    cr_expect_eq(h.calls, 2);
    cr_expect_eq(h.stage, 3);
    cr_expect_str_eq(take(&s->sent), "431[{\"ok\":true,\"n\":1}]\n");
    h.hold = true;
    say(s, "22[\"joinRoom\",{\"roomId\":\"r\"}]");
    h.rc = ERR_FORBIDDEN;
    h.reply = NULL;
    event_resume(h.held, 1);
    cr_expect_not_null(strstr(take(&s->sent), "432[{\"ok\":false,\"code\":\"forbidden\""));
    free_session(s);
}

Test(dispatch, refuses_a_held_event_and_says_when_to_come_back)
{
    struct eio_session *s = fake_client(NULL);

    h.hold = true;
    say(s, "21[\"joinRoom\",{\"roomId\":\"r\"}]");
    event_held_refuse(h.held, ERR_SLOW, 70);
    const char *sent = take(&s->sent);
    cr_expect_not_null(
        strstr(sent, "42[\"roomError\",{\"event\":\"joinRoom\",\"code\":\"slow_mode\""));
    cr_expect_not_null(strstr(sent, "\"retryAfterMs\":70}]\n431[{\"ok\":false"), "%s", sent);
    free_session(s);
}

Test(dispatch, lets_go_of_held_events_of_who_has_gone)
{
    struct eio_session *s = fake_client(NULL);

    h.hold = true;
    say(s, "21[\"joinRoom\",{\"roomId\":\"r\"}]");
    free_session(s);
    event_resume(h.held, 1);
    cr_expect_eq(h.calls, 1);
    s = fake_client(NULL);
    h.hold = true;
    say(s, "21[\"joinRoom\",{\"roomId\":\"r\"}]");
    free_session(s);
    event_held_refuse(h.held, ERR_SLOW, 70);
    s = fake_client(NULL);
    h.hold = true;
    say(s, "21[\"joinRoom\",{\"roomId\":\"r\"}]");
    event_held_drop(h.held);
    cr_expect_str_eq(take(&s->sent), "");
    free_session(s);
}

Test(dispatch, handles_nothing_after_exp_and_thirty_seconds)
{
    struct eio_session *s = fake_client("\"id\":\"u7\",\"exp\":1700000060");

    clock_advance(90 * 1000); /* the loop does not turn: no timer fires */
    say(s, "2[\"typing\",{\"roomId\":\"r\"}]");
    cr_expect_eq(h.calls, 1, "within them");
    clock_advance(1000);
    say(s, "2[\"typing\",{\"roomId\":\"r\"}]");
    cr_expect_eq(h.calls, 1);
    cr_expect_str_eq(
        take(&s->sent),
        "42[\"authError\",{\"code\":\"auth_expired\",\"message\":\"the token has expired\"}]\n");
    cr_expect_eq(metric_get(M_AUTH_EXPIRED_CLOSED), 1);
    free_session(s);
}

/* ---- events_ask ---- */

static struct sb answers; /* "0 members why wait;" */

static void on_told(void *ctx, const struct event_answer *a)
{
    cr_expect_eq(ctx, &answers);
    sb_printf(&answers, "%d " STR_FMT " " STR_FMT " %llu;", a->rc, STR_ARG(a->members),
              STR_ARG(a->why), (unsigned long long)a->retry_after_ms);
}

/* What was told by now. */
static const char *told(void)
{
    sb_char(&answers, 0);
    answers.n--;
    return answers.p;
}

static const char *ask_typing(const struct identity *who)
{
    const union event_in in = {.typing = {.room_id = STR("r"), .is_typing = true}};

    answers.n = 0;
    events_ask(fake.events, &(struct event_ask){.event = EVENT_typing,
                                                .who = who,
                                                .address = STR("192.0.2.7"),
                                                .in = &in,
                                                .told = on_told,
                                                .ctx = &answers});
    return told();
}

Test(dispatch, an_ask_is_answered_as_the_event_of_a_socket)
{
    const struct identity user = {.role = ROLE_USER};

    h.reply = "\"a\":1";
    cr_expect_str_eq(ask_typing(&user), "0 \"a\":1  0;");
    cr_expect_str_eq(ask_typing(identity_guest()), "-6   0;", "its role is wanted here, too");
    cr_expect_eq(h.calls, 1);
    h.reply = NULL;
    h.rc = ERR_SLOW;
    h.why = "slowly";
    h.retry_after_ms = 70;
    cr_expect_str_eq(ask_typing(&user), "-36  slowly 70;");
    sb_fini(&answers);
}

Test(dispatch, an_ask_is_told_once_also_later_and_at_the_end)
{
    const struct identity user = {.role = ROLE_USER};

    h.defer = true;
    cr_expect_str_eq(ask_typing(&user), "");
    cr_expect_null(event_later_socket(h.later));
    event_later_answer(h.later, STR("[\"x\",{\"n\":1}]"));
    cr_expect_str_eq(told(), "0 \"n\":1  0;");
    (void)ask_typing(&user);
    event_later_refuse_more(h.later, &(struct event_refusal){.code = ERR_CLAIMED,
                                                             .why = STR("not you"),
                                                             .more = STR("\"owner\":\"Bob\"")});
    cr_expect_str_eq(told(), "-42 \"owner\":\"Bob\" not you 0;");
    (void)ask_typing(&user);
    event_later_drop(h.later);
    cr_expect_str_eq(told(), "-11   0;", "whoever asks waits for it");
    h.defer = false;
    events_detach(fake.events);
    cr_expect_str_eq(ask_typing(&user), "-11   0;");
    sb_fini(&answers);
}
