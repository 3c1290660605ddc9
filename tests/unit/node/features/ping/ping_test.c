#include "tests/unit/support/fake_events.inc"

#include "node/features/ping/ping.h"

static const struct feature *const features[] = {&feature_ping, NULL};

static void up(void)
{
    fake_up(features, false);
}

TestSuite(ping, .init = up, .fini = fake_down);

Test(ping, gives_the_fields_back_with_the_servers_time)
{
    static const struct {
        const char *payload, *want;
    } rows[] = {
        {",{\"timestamp\":1795397279711}",
         "{\"timestamp\":1795397279711,\"serverTime\":\"2023-11-14T22:13:20.000Z\"}"},
        {",{ \"a\" : {\"b\":[1,2]} }",
         "{\"a\" : {\"b\":[1,2]},\"serverTime\":\"2023-11-14T22:13:20.000Z\"}"},
        {",{\"serverTime\":1}",
         "{\"serverTime\":1,\"serverTime\":\"2023-11-14T22:13:20.000Z\"}"}, /* ours is last */
        {",{}", "{\"serverTime\":\"2023-11-14T22:13:20.000Z\"}"},
        {",{ }", "{\"serverTime\":\"2023-11-14T22:13:20.000Z\"}"},
        {"", "{\"serverTime\":\"2023-11-14T22:13:20.000Z\"}"},
        {",null", "{\"serverTime\":\"2023-11-14T22:13:20.000Z\"}"},
        {",7", "{\"serverTime\":\"2023-11-14T22:13:20.000Z\"}"},
        {",[1]", "{\"serverTime\":\"2023-11-14T22:13:20.000Z\"}"},
    };
    struct eio_session *s = fake_client(NULL);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char packet[200], want[300];

        snprintf(packet, sizeof packet, "2[\"ping\"%s]", rows[i].payload);
        snprintf(want, sizeof want, "42[\"pong\",%s]\n", rows[i].want);
        say(s, packet);
        cr_expect_str_eq(take(&s->sent), want, "row %zu", i);
    }
    free_session(s);
}

Test(ping, answers_nobody_else)
{
    struct eio_session *s = fake_client(NULL), *other = fake_client(NULL);

    say(s, "2[\"ping\",{}]");
    cr_expect_str_eq(take(&other->sent), "");
    free_session(s);
    free_session(other);
}

Test(ping, gives_a_clients_latency_back_to_it_alone)
{
    static const struct {
        const char *sent, *want;
    } rows[] = {
        {"2[\"latencyUpdate\",{\"latency\":42}]", "42[\"latencyUpdate\",{\"latency\":42}]\n"},
        {"2[\"latencyUpdate\",42]", "42[\"latencyUpdate\",42]\n"},
        {"2[\"latencyUpdate\"]", "42[\"latencyUpdate\"]\n"},
        {"27[\"latencyUpdate\",{}]", "42[\"latencyUpdate\",{}]\n437[{\"ok\":true}]\n"},
    };
    struct eio_session *s = fake_client(NULL), *other = fake_client(NULL);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        say(s, rows[i].sent);
        cr_expect_str_eq(take(&s->sent), rows[i].want, "row %zu", i);
        cr_expect_str_eq(take(&other->sent), "");
    }
    free_session(s);
    free_session(other);
}
