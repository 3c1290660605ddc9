#include <criterion/criterion.h>
#include <stdio.h>
#include "base/clock.h"
#include "base/conf.h"
#include "base/metric.h"
#include "node/auth/jwks.h"
#include "tests/unit/support/http_fixture.h"
#include "tests/unit/support/key_pair.h"

static struct loop *loop;
static struct http_fixture server;
static struct conf conf;
static struct auth_keys *keys;
static struct auth_jwks *jwks;
static struct key_pair one, two;
static struct sb answer, set;

/* The next answer: a set of one key. */
static void publish(const char *kid, const struct key_pair *pair)
{
    set.n = 0;
    sb_printf(&set, "{\"keys\":[{\"kid\":\"%s\",%s]}", kid, pair->jwk + 1);
    sb_char(&set, 0);
    http_fixture_json(&server, &answer, set.p);
}

static void refuse(const char *raw)
{
    server.answer = raw;
}

static bool knows(const char *kid)
{
    struct auth_key key;
    unsigned i = 0;

    return auth_keys_next(keys, JWK_ES256, str_z(kid), &i, &key);
}

static bool has_answered(unsigned count)
{
    return metric_get(M_JWKS) >= (int64_t)count;
}

/* The clock stands still but for the few ticks that a request itself needs. */
static bool await(unsigned answers)
{
    for (int i = 0; i < 20000 && !has_answered(answers); i++) {
        if (i < 20) clock_advance(TIMER_TICK_MS);
        loop_turn(loop, i >= 20);
    }
    return has_answered(answers);
}

static void turn(uint64_t ms)
{
    clock_advance(ms);
    for (int i = 0; i < 3; i++)
        loop_turn(loop, false);
}

static void open_with(const char *path)
{
    static char url[96];

    snprintf(url, sizeof url, "%s%s", server.url, path);
    conf.jwks_url = url;
    conf.jwks_refresh_s = 300;
    keys = auth_keys_new(&conf);
    jwks = auth_jwks_new(loop, &conf, keys);
}

static void up(void)
{
    metric_reset_for_test();
    clock_freeze(1000000, 1700000000000);
    loop = loop_new();
    http_fixture_open(&server, loop);
    one = key_pair_new(false, 0);
    two = key_pair_new(false, 0);
    conf = (struct conf){0};
}

static void down(void)
{
    auth_jwks_free(jwks);
    auth_keys_free(keys);
    http_fixture_close(&server);
    loop_free(loop);
    key_pair_free(&one);
    key_pair_free(&two);
    sb_fini(&answer);
    sb_fini(&set);
}

TestSuite(auth_jwks, .init = up, .fini = down, .timeout = 20);

Test(auth_jwks, asks_at_the_start)
{
    publish("a", &one);
    open_with("/keys");
    cr_expect(auth_keys_any(keys), "they may still come");
    cr_expect_not(auth_jwks_is_settled(jwks));
    cr_assert(await(1));
    cr_expect(auth_jwks_is_settled(jwks));
    cr_expect(knows("a"));
    cr_expect(strstr(server.last.p, "GET /keys HTTP/1.1\r\n") == server.last.p);
    cr_expect_eq(metric_get_at(M_JWKS, 0), 1);
}

Test(auth_jwks, asks_again_from_time_to_time)
{
    publish("a", &one);
    open_with("/");
    cr_assert(await(1));
    publish("b", &two);
    turn(260000); /* 300 s, a tenth more or less */
    cr_expect_eq(server.requests, 1);
    turn(80000);
    cr_assert(await(2));
    cr_expect(knows("b"));
    cr_expect_not(knows("a"), "what is not published any more is no key");
}

Test(auth_jwks, asks_at_once_for_a_key_that_nobody_knows)
{
    publish("a", &one);
    open_with("/");
    auth_jwks_want(jwks);
    cr_assert(await(1));
    auth_jwks_want(jwks);
    turn(9000);
    auth_jwks_want(jwks);
    turn(0);
    cr_expect_eq(server.requests, 1, "once in ten seconds");
    publish("b", &two);
    clock_advance(1000);
    for (int i = 0; i < 10; i++)
        auth_jwks_want(jwks);
    cr_assert(await(2));
    cr_expect(knows("b"));
    turn(4000);
    cr_expect_eq(server.requests, 2);
}

Test(auth_jwks, keeps_its_keys_when_the_answer_is_none)
{
    static const char *const bad[] = {
        "HTTP/1.1 500 Down\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 None\r\nContent-Length: 11\r\n\r\n{\"keys\":[]}",
        "HTTP/1.1 302 There\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<p>!",
        "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"keys\":[]}",
        "HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n{",
    };

    publish("a", &one);
    open_with("/");
    cr_assert(await(1));
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        refuse(bad[i]);
        clock_advance(10000);
        auth_jwks_want(jwks);
        cr_assert(await(i + 2), "row %u", i);
        cr_expect(knows("a"), "row %u", i);
        cr_expect_eq(metric_get_at(M_JWKS, 1), i + 1);
    }
}

Test(auth_jwks, believes_a_good_answer_alone)
{
    publish("a", &one);
    open_with("/");
    cr_assert(await(1));
    publish("b", &two);
    memcpy(answer.p, "HTTP/1.1 500", 12); /* the set would be a good one */
    clock_advance(10000);
    auth_jwks_want(jwks);
    cr_assert(await(2));
    cr_expect(knows("a"));
    cr_expect_not(knows("b"));
}

Test(auth_jwks, tries_again_sooner_and_later_while_the_server_is_away)
{
    http_fixture_close(&server);
    open_with("/");
    cr_assert(await(1));
    cr_expect(auth_jwks_is_settled(jwks), "given up for the time being");
    turn(4400);
    cr_expect_not(has_answered(2));
    turn(1200);
    cr_assert(await(2), "5 s, a tenth more or less");
    turn(8800);
    cr_expect_not(has_answered(3));
    http_fixture_reopen(&server);
    publish("a", &one);
    turn(2400);
    cr_assert(await(3), "then 10 s, up to the interval");
    cr_expect(knows("a"));
}

Test(auth_jwks, may_be_freed_while_it_asks)
{
    open_with("/");
    turn(TIMER_TICK_MS);
    cr_assert(http_fixture_await(&server, &server.requests, 1));
    cr_expect_not(auth_jwks_is_settled(jwks));
    auth_jwks_free(jwks);
    jwks = NULL;
    cr_expect(auth_jwks_is_settled(NULL));
}

Test(auth_jwks, is_nothing_without_a_url)
{
    keys = auth_keys_new(&conf);
    jwks = auth_jwks_new(loop, &conf, keys);
    cr_expect_null(jwks);
    auth_jwks_want(jwks);
    cr_expect_not(auth_keys_any(keys));
}
