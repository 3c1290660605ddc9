#include "tests/unit/support/fake_events.inc"

#include "base/order.h"

static struct sb log_text;
static int state_a, state_b;

static void note(const char *what, const void *state)
{
    sb_printf(&log_text, "%s %s\n", what, state == &state_a ? "a" : state == &state_b ? "b" : "?");
}

static void *open_a(struct events *e)
{
    cr_expect_eq(events_sio(e), rig.sio);
    cr_expect_eq(events_loop(e), rig.loop);
    cr_expect_eq(events_conf(e), &rig.conf);
    note("open", &state_a);
    return &state_a;
}

static void *open_b(struct events *e)
{
    (void)e;
    note("open", &state_b);
    return &state_b;
}

static void close_any(void *state)
{
    note("close", state);
}

static void connect_any(void *state, struct sio_socket *s, const struct identity *who)
{
    cr_expect_eq(event_identity(s), who);
    note(who->name.n ? "connect somebody" : "connect guest", state);
}

static void leave_any(void *state, struct sio_socket *s, const struct identity *who)
{
    cr_expect(sio_socket_is_in(s, sio_socket_id(s)));
    note(who->name.n ? "leave somebody" : "leave guest", state);
}

static void lost_any(void *state, struct str node)
{
    cr_expect(str_eq(node, STR("abcd")));
    note("lost", state);
}

static void up_any(void *state, struct str node)
{
    cr_expect(str_eq(node, STR("abcd")));
    note("up", state);
}

static void state_any(void *state, bool connected)
{
    note(connected ? "connected" : "away", state);
}

static void message_any(void *state, struct str from, struct str payload)
{
    cr_expect(str_eq(from, STR("nod2")));
    sb_printf(&log_text, "message " STR_FMT "\n", STR_ARG(payload));
    (void)state;
}

static void on_sent(void *ctx, int rc)
{
    *(int *)ctx = rc;
}

static void order_any(void *state, const struct order *o)
{
    note("order", state);
    o->ticket.answer(o->ticket.to, &(struct order_reply){.status = 200});
}

static void on_ordered(void *to, const struct order_reply *r)
{
    *(int *)to = r->status;
}

static const struct feature a = {.name = "a",
                                 .open = open_a,
                                 .close = close_any,
                                 .on_connect = connect_any,
                                 .on_leave = leave_any,
                                 .on_node_lost = lost_any,
                                 .on_node_up = up_any,
                                 .on_state = state_any,
                                 .on_message = message_any,
                                 .on_order = order_any};
static const struct feature b = {.name = "b", .open = open_b, .close = close_any};
static const struct feature *const features[] = {&a, &b, NULL};

static void up(void)
{
    fake_up(features, false);
}

static void down(void)
{
    fake_down();
    sb_fini(&log_text);
}

TestSuite(event, .init = up, .fini = down);

Test(event, opens_features_in_order_and_closes_them_backwards)
{
    cr_expect_str_eq(take(&log_text), "open a\nopen b\n");
    events_detach(fake.events);
    cr_expect_str_eq(take(&log_text), "close b\nclose a\n");
    events_detach(fake.events);
    cr_expect_str_eq(take(&log_text), "", "once");
}

Test(event, hands_hooks_to_the_features_that_want_them)
{
    log_text.n = 0;
    events_on_node_up(fake.events, STR("abcd"));
    events_on_node_lost(fake.events, STR("abcd"));
    events_on_state(fake.events, false);
    events_on_state(fake.events, true);
    cr_expect_str_eq(take(&log_text), "up a\nlost a\naway a\nconnected a\n");
}

Test(event, hands_what_a_feature_says_to_itself_elsewhere)
{
    static const char *const rows[] = {"a", "c x", "b x", "", " x", "aa x"};
    int rc = OK;

    log_text.n = 0;
    events_on_message(fake.events, STR("nod2"), STR("a to you"));
    cr_expect_str_eq(take(&log_text), "message to you\n");
    events_on_message(fake.events, STR("nod2"), str_z(rows[0]));
    cr_expect_str_eq(take(&log_text), "message \n");
    for (size_t i = 1; i < sizeof rows / sizeof rows[0]; i++)
        events_on_message(fake.events, STR("nod2"), str_z(rows[i]));
    cr_expect_str_eq(take(&log_text), "");
    events_send(fake.events, "a", STR("nod2"), STR("x"), on_sent, &rc);
    cr_expect_eq(rc, ERR_UNAVAILABLE, "there is no adapter");
    events_send(fake.events, "a", STR("nod2"), STR("x"), NULL, NULL);
    cr_expect_str_eq(take(&fake.mail), "");
}

Test(event, hands_orders_to_the_feature_they_name)
{
    int status = 0;
    struct order o = {.path = STR("/a/x"), .ticket = {on_ordered, &status}};

    log_text.n = 0;
    events_order(fake.events, &o);
    cr_expect_eq(status, 200);
    cr_expect_str_eq(take(&log_text), "order a\n");
    o.path = STR("/b");
    events_order(fake.events, &o);
    cr_expect_eq(status, 404, "it takes none");
    events_detach(fake.events);
    log_text.n = 0;
    o.path = STR("/a");
    events_order(fake.events, &o);
    cr_expect_eq(status, 503);
    cr_expect_eq(log_text.n, 0);
}

Test(event, knows_who_connects_and_who_leaves)
{
    struct eio_session *guest, *bob;

    log_text.n = 0;
    guest = fake_client(NULL);
    bob = fake_client("\"id\":7,\"name\":\"Bob\"");
    cr_expect_str_eq(take(&log_text), "connect guest a\nconnect somebody a\n");
    free_session(guest);
    free_session(bob);
    cr_expect_str_eq(take(&log_text), "leave guest a\nleave somebody a\n");
}

Test(event, takes_the_token_from_the_query_and_the_header_too)
{
    struct eio_session *s = open_session(4);
    char query[5000], header[5000];

    snprintf(query, sizeof query, "EIO=4&token=%s", fake_token("\"id\":1,\"name\":\"Ann\""));
    log_text.n = 0;
    s->handshake.query = str_z(query);
    say(s, "0");
    cr_expect_str_eq(take(&log_text), "connect somebody a\n");
    free_session(s);
    s = open_session(4);
    snprintf(header, sizeof header, "Bearer %s", fake_token("\"id\":1,\"name\":\"Ann\""));
    s->handshake.authorization = str_z(header);
    say(s, "0");
    cr_expect_str_eq(take(&log_text), "leave somebody a\nconnect somebody a\n");
    free_session(s);
}

Test(event, tells_a_bad_token_and_goes_on_as_guest)
{
    static const struct {
        const char *claims, *want;
    } rows[] = {
        {"\"id\":\"u7\",\"exp\":1600000000",
         "42[\"authError\",{\"code\":\"auth_expired\",\"message\":\"the token has expired\"}]"},
        {"\"name\":\"nobody\"",
         "42[\"authError\",{\"code\":\"auth_invalid\",\"message\":\"the token is not valid\"}]"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eio_session *s = open_session(4);
        char connect[5000];

        log_text.n = 0;
        snprintf(connect, sizeof connect, "0{\"token\":\"%s\"}", fake_token(rows[i].claims));
        say(s, connect);
        cr_expect(strstr(take(&s->sent), rows[i].want), "row %zu", i);
        cr_expect_str_eq(take(&log_text), "connect guest a\n", "row %zu", i);
        free_session(s);
    }
}

Test(event, says_nothing_to_those_without_a_token)
{
    struct eio_session *s = open_session(4);

    say(s, "0{\"token\":\"\"}");
    cr_expect_null(strstr(take(&s->sent), "authError"));
    free_session(s);
}

Test(event, refuses_guests_where_a_token_is_required)
{
    struct eio_session *s = open_session(4);
    char connect[5000];

    rig.conf.auth_required = true;
    say(s, "0");
    cr_expect_str_eq(take(&s->sent),
                     "44{\"message\":\"AUTH_REQUIRED\",\"data\":{\"code\":\"auth_required\"}}\n");
    say(s, "0{\"token\":\"garbage\"}");
    cr_expect_str_eq(take(&s->sent),
                     "44{\"message\":\"AUTH_INVALID\",\"data\":{\"code\":\"auth_invalid\"}}\n");
    snprintf(connect, sizeof connect, "0{\"token\":\"%s\"}",
             fake_token("\"id\":\"u7\",\"exp\":1600000000"));
    say(s, connect);
    cr_expect_str_eq(take(&s->sent),
                     "44{\"message\":\"AUTH_EXPIRED\",\"data\":{\"code\":\"auth_expired\"}}\n");
    snprintf(connect, sizeof connect, "0{\"token\":\"%s\"}", fake_token("\"id\":\"u7\""));
    say(s, connect);
    cr_expect(strstr(take(&s->sent), "40{\"sid\":"));
    free_session(s);
}

Test(event, has_no_events_in_a_namespace_without_rows)
{
    struct eio_session *s = open_session(4);

    say(s, "0/custom,");
    s->sent.n = 0;
    say(s, "2/custom,1[\"serverStats\"]");
    cr_expect_str_eq(
        take(&s->sent),
        "43/custom,1[{\"ok\":false,\"code\":\"unknown_event\",\"message\":\"no such event\"}]\n");
    free_session(s);
}

static const struct feature nameless = {.name = "ping"};

Test(event, refuses_features_that_leave_an_event_unanswered)
{
    static const struct feature *const bad[] = {&nameless, NULL};

    cr_expect_null(events_new(rig.loop, &rig.conf, fake.auth, STR("/"), bad));
}
