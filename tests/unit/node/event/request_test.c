#include "tests/unit/support/fake_events.inc"

#include "node/guard/denied.h"

static const struct feature *const features[] = {&feature_auth, NULL};
static const struct identity *who;
static uint64_t wait_ms;

static void up(void)
{
    fake_up(features, true);
    who = NULL;
    wait_ms = 0;
}

TestSuite(events_request, .init = up, .fini = fake_down);

static int ask(const char *claims, const char *address)
{
    const char *token = claims ? fake_token(claims) : "";
    int rc = events_request(fake.events, str_z(token), str_z(address), &who, &wait_ms);

    if (rc == OK) identity_free(who);
    return rc;
}

Test(events_request, knows_whose_token_it_is)
{
    cr_assert_eq(events_request(fake.events, str_z(fake_token("\"id\":\"u7\",\"role\":\"Admin\"")),
                                STR("10.0.0.1"), &who, &wait_ms),
                 OK);
    cr_expect(str_eq(who->id_text, STR("u7")));
    cr_expect_eq(who->role, ROLE_ADMIN);
    identity_free(who);
    cr_expect_eq(ask(NULL, "10.0.0.1"), OK);
    cr_expect_eq(who, identity_guest());
}

Test(events_request, a_bad_token_is_not_a_guests)
{
    cr_expect_eq(events_request(fake.events, STR("a.b.c"), STR("10.0.0.1"), &who, &wait_ms),
                 ERR_AUTH);
    cr_expect_eq(ask("\"id\":\"u7\",\"exp\":1699999999", "10.0.0.1"), ERR_EXPIRED);
    cr_expect_null(who);
}

Test(events_request, shuts_out_whom_the_sockets_shut_out)
{
    cr_assert_eq(denied_add(events_denied(fake.events), DENIED_USER, STR("u7"), 60, NULL, NULL),
                 OK);
    cr_assert_eq(
        denied_add(events_denied(fake.events), DENIED_BAN_ADDRESS, STR("10.0.0.9"), 60, NULL, NULL),
        OK);
    cr_expect_eq(ask("\"id\":\"u7\"", "10.0.0.1"), ERR_REVOKED);
    cr_expect_eq(ask("\"id\":\"u8\"", "10.0.0.1"), OK);
    cr_expect_eq(ask(NULL, "10.0.0.9"), ERR_BANNED);
    cr_expect_gt(wait_ms, 50000);
}

Test(events_request, counts_addresses_and_users)
{
    struct events *others = fake.events;
    uint64_t left = 0;

    rig.conf.rate_ip_events = 60;
    rig.conf.rate_user_events = 30;
    fake.events = events_new(rig.loop, &rig.conf, fake.auth, STR("/"), features);
    while (left < 10000 && ask(NULL, "10.0.0.1") == OK)
        left++;
    cr_expect_eq(left, rig.conf.rate_ip_events);
    cr_expect_eq(ask(NULL, "10.0.0.1"), ERR_RATE);
    cr_expect_gt(wait_ms, 0);
    cr_expect_eq(ask(NULL, "10.0.0.2"), OK, "another address");
    for (left = 0; left < 10000 && ask("\"id\":\"u7\"", "10.0.0.3") == OK;)
        left++;
    cr_expect_eq(left, rig.conf.rate_user_events);
    cr_expect_eq(ask("\"id\":\"u8\"", "10.0.0.3"), OK, "another user");
    events_free(fake.events);
    fake.events = others;
}
