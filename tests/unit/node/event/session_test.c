#include "tests/unit/support/fake_events.inc"

#include "node/guard/denied.h"

#define EXP "\"exp\":1700000060" /* the frozen clock says 1700000000 */

static unsigned handled;
static const struct identity *last_who; /* who connected last */

static int handle(struct event_ctx *c, const union event_in *in)
{
    (void)c, (void)in;
    handled++;
    return OK;
}

static void on_connect(void *state, struct sio_socket *s, const struct identity *who)
{
    (void)state, (void)s;
    last_who = who;
}

static const struct event_row rows[] = {{EVENT(joinRoom), .handle = handle},
                                        {EVENT(leaveRoom), .handle = handle},
                                        {EVENT(roomMessage), .handle = handle},
                                        {EVENT(typing), .handle = handle},
                                        {EVENT(roomHistory), .handle = handle},
                                        {EVENT(roomMembers), .handle = handle},
                                        {EVENT(roomKick), .handle = handle},
                                        {EVENT(roomMute), .handle = handle},
                                        {EVENT(roomSlowMode), .handle = handle},
                                        {EVENT(roomLock), .handle = handle},
                                        {0}};
static const struct feature rooms = {.name = "rooms", .events = rows, .on_connect = on_connect};
static const struct feature *const features[] = {&feature_auth, &rooms, NULL};

static void up(void)
{
    fake_up(features, true);
    rig.conf.auth_grace_ms = 25000;
    rig.conf.ban_seconds = 60;
    handled = 0;
}

TestSuite(session, .init = up, .fini = fake_down);

static void refresh(struct eio_session *s, const char *claims)
{
    char packet[9000];

    snprintf(packet, sizeof packet, "21[\"auth:refresh\",\"%s\"]", fake_token(claims));
    say(s, packet);
}

static void say_typing(struct eio_session *s)
{
    say(s, "2[\"typing\",{\"roomId\":\"r\"}]");
}

#define EXPIRED                                                                                    \
    "42[\"authError\",{\"code\":\"auth_expired\",\"message\":\"the token has expired\"}]\n"

Test(session, is_told_at_exp_and_ends_after_the_grace)
{
    struct eio_session *s = fake_client("\"id\":\"u7\"," EXP);

    rig_wait(59 * 1000);
    cr_expect_str_eq(take(&s->sent), "");
    rig_wait(1100);
    cr_expect_str_eq(take(&s->sent), EXPIRED);
    say_typing(s);
    cr_expect_eq(handled, 1, "still served");
    rig_wait(24 * 1000);
    cr_expect_eq(metric_get(M_AUTH_EXPIRED_CLOSED), 0);
    rig_wait(1000);
    cr_expect_eq(metric_get(M_AUTH_EXPIRED_CLOSED), 1);
    cr_expect_str_eq(take(&s->sent), "", "no DISCONNECT: the client may come back");
    say_typing(s);
    cr_expect_eq(handled, 1);
    free_session(s);
}

Test(session, waits_for_an_exp_that_is_far_away)
{
    struct eio_session *s = fake_client("\"id\":\"u7\",\"exp\":1700200000");

    for (int i = 0; i < 55; i++)
        rig_wait(3600 * 1000);
    cr_expect_str_eq(take(&s->sent), "");
    rig_wait(2100 * 1000);
    cr_expect_str_eq(take(&s->sent), EXPIRED);
    free_session(s);
}

Test(session, goes_on_after_a_refresh)
{
    struct eio_session *s = fake_client("\"id\":\"u7\",\"role\":\"admin\"," EXP);

    rig_wait(61 * 1000);
    cr_expect_str_eq(take(&s->sent), EXPIRED);
    refresh(s, "\"id\":\"u7\",\"exp\":1700000120");
    cr_expect_str_eq(take(&s->sent), "431[{\"ok\":true,\"expiresAt\":1700000120}]\n");
    rig_wait(40 * 1000);
    say_typing(s);
    cr_expect_eq(handled, 1);
    cr_expect_str_eq(take(&s->sent), "");
    rig_wait(20 * 1000);
    cr_expect_str_eq(take(&s->sent), EXPIRED, "told again");
    refresh(s, "\"id\":\"u7\"");
    cr_expect_str_eq(take(&s->sent), "431[{\"ok\":true,\"expiresAt\":null}]\n");
    rig_wait(3600 * 1000);
    say_typing(s);
    cr_expect_eq(handled, 2);
    free_session(s);
}

Test(session, refuses_a_refresh_that_is_none)
{
    static const struct {
        const char *claims, *code;
    } bad[] = {
        {"\"id\":\"u8\"", "forbidden"},
        {"\"id\":7", "forbidden"},
        {"\"id\":\"u7\",\"exp\":1600000000", "auth_expired"},
        {"\"name\":\"nobody\"", "auth_invalid"},
    };
    struct eio_session *s = fake_client("\"id\":\"u7\"," EXP), *guest = fake_client(NULL);
    char want[60];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        refresh(s, bad[i].claims);
        snprintf(want, sizeof want, "431[{\"ok\":false,\"code\":\"%s\"", bad[i].code);
        cr_expect(strstr(take(&s->sent), want), "row %zu", i);
    }
    refresh(guest, "\"id\":\"u7\"");
    cr_expect(strstr(take(&guest->sent), "431[{\"ok\":false,\"code\":\"forbidden\""));
    rig_wait(90 * 1000);
    cr_expect_eq(metric_get(M_AUTH_EXPIRED_CLOSED), 1, "nothing was put off");
    free_session(s);
    free_session(guest);
}

Test(session, takes_the_role_of_the_new_token)
{
    struct eio_session *s = fake_client("\"id\":\"u7\",\"role\":\"admin\"");
    const struct identity *who = last_who;

    cr_expect_eq(who->role, ROLE_ADMIN);
    refresh(s, "\"id\":\"u7\",\"role\":\"user\"");
    cr_expect_eq(who->role, ROLE_USER, "features hold this very identity");
    free_session(s);
}

#define REVOKED                                                                                    \
    "42[\"authError\",{\"code\":\"auth_revoked\",\"message\":\"the token was revoked\"}]\n41\n"

Test(session, ends_when_its_user_or_token_is_revoked)
{
    struct eio_session *user = fake_client("\"id\":\"u7\""), *other = fake_client("\"id\":\"u8\""),
                       *jti = fake_client("\"id\":\"u8\",\"jti\":\"t1\""),
                       *guest = fake_client(NULL);

    cr_assert_eq(denied_add(events_denied(fake.events), DENIED_USER, STR("u7"), 60, NULL, NULL),
                 OK);
    cr_assert_eq(denied_add(events_denied(fake.events), DENIED_JTI, STR("t1"), 60, NULL, NULL), OK);
    rig_wait(70);
    cr_expect_str_eq(take(&user->sent), REVOKED);
    cr_expect_str_eq(take(&jti->sent), REVOKED);
    cr_expect_str_eq(take(&other->sent), "");
    cr_expect_str_eq(take(&guest->sent), "");
    cr_expect_eq(metric_get(M_DENIED_CLOSED), 2);
    free_session(user);
    free_session(other);
    free_session(jti);
    free_session(guest);
}

Test(session, is_known_by_the_jti_of_its_last_token)
{
    struct eio_session *s = fake_client("\"id\":\"u7\",\"jti\":\"t1\"");

    refresh(s, "\"id\":\"u7\",\"jti\":\"t2\"");
    (void)take(&s->sent);
    cr_assert_eq(denied_add(events_denied(fake.events), DENIED_JTI, STR("t1"), 60, NULL, NULL), OK);
    rig_wait(70);
    cr_expect_str_eq(take(&s->sent), "", "that one is not in use any more");
    cr_assert_eq(denied_add(events_denied(fake.events), DENIED_JTI, STR("t2"), 60, NULL, NULL), OK);
    rig_wait(70);
    cr_expect_str_eq(take(&s->sent), REVOKED);
    free_session(s);
}

Test(session, revoked_tokens_come_back_as_guests_banned_users_not_at_all)
{
    struct eio_session *s;
    char connect[9000];

    cr_assert_eq(denied_add(events_denied(fake.events), DENIED_USER, STR("u7"), 60, NULL, NULL),
                 OK);
    cr_assert_eq(denied_add(events_denied(fake.events), DENIED_BAN_USER, STR("u8"), 60, NULL, NULL),
                 OK);
    s = open_session(4);
    snprintf(connect, sizeof connect, "0{\"token\":\"%s\"}", fake_token("\"id\":\"u7\""));
    say(s, connect);
    cr_expect(strstr(take(&s->sent), "\"auth_revoked\""));
    cr_expect_eq(last_who->role, ROLE_GUEST);
    free_session(s);
    s = open_session(4);
    snprintf(connect, sizeof connect, "0{\"token\":\"%s\"}", fake_token("\"id\":\"u8\""));
    say(s, connect);
    cr_expect_str_eq(take(&s->sent), "44{\"message\":\"BANNED\",\"data\":{\"code\":\"banned\","
                                     "\"retryAfterMs\":60000}}\n");
    free_session(s);
}

Test(session, walks_in_steps_over_many_sockets)
{
    enum { MANY = 9000 };
    static struct eio_session *all[MANY];

    for (int i = 0; i < MANY; i++)
        all[i] = fake_client(i % 3000 == 2999 ? "\"id\":\"u7\"" : NULL);
    cr_assert_eq(denied_add(events_denied(fake.events), DENIED_USER, STR("u7"), 60, NULL, NULL),
                 OK);
    for (int i = 0; i < 20; i++)
        rig_wait(10);
    cr_expect_eq(metric_get(M_DENIED_CLOSED), 3);
    for (int i = 0; i < MANY; i++)
        free_session(all[i]);
}

Test(session, bans_who_was_struck_out)
{
    struct eio_session *s = fake_client("\"id\":\"u7\"");
    const char *sent;

    for (int i = 0; i < 400 && !metric_get(M_RATE_CLOSED); i++) {
        s->sent.n = 0;
        say_typing(s);
    }
    sent = take(&s->sent);
    cr_expect(strstr(
        sent,
        "\"code\":\"rate_limited\",\"error\":\"too many events, slow down\",\"retryAfterMs\":"));
    cr_expect(strstr(sent, "42[\"authError\",{\"code\":\"banned\",\"message\":\"shut out for a "
                           "while\",\"retryAfterMs\":60000}]\n41\n"));
    cr_expect_gt(denied_left_ms(events_denied(fake.events), DENIED_BAN_USER, STR("u7"), 0), 0);
    free_session(s);
}
