#include <criterion/criterion.h>
#include <jwt.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/conf.h"
#include "base/loop.h"
#include "base/metric.h"
#include "node/auth/token.h"
#include "tests/unit/support/http_fixture.h"
#include "tests/unit/support/key_pair.h"

#define NOW_S 1700000000

static char secret[] = "a secret of more than thirty-two bytes, for tests", no_secret[] = "";

static struct auth *make(char *key)
{
    struct conf c = {.jwt_secret = key};

    return auth_new(&c);
}

static const char *sign(const char *claims, jwt_alg_t alg, const char *key)
{
    static char out[20000];
    jwt_t *jwt = NULL;
    char *text;

    cr_assert_eq(jwt_new(&jwt), 0);
    cr_assert_eq(jwt_add_grants_json(jwt, claims), 0, "%s", claims);
    cr_assert_eq(jwt_set_alg(jwt, alg, (const unsigned char *)key, key ? (int)strlen(key) : 0), 0);
    text = jwt_encode_str(jwt);
    cr_assert_lt(strlen(text), sizeof out);
    snprintf(out, sizeof out, "%s", text);
    free(text);
    jwt_free(jwt);
    return out;
}

static int check(const struct auth *a, const char *token, struct identity **who)
{
    return auth_token_check(a, str_z(token), UINT64_C(1000) * NOW_S, who);
}

Test(auth_token, turns_a_good_token_into_an_identity)
{
    struct auth *a = make(secret);
    struct identity *who = NULL;

    cr_assert_eq(
        check(a,
              sign("{\"_id\":\"u7\",\"name\":\"Bob\",\"role\":\"Admin\",\"exp\":1700000060}",
                   JWT_ALG_HS256, secret),
              &who),
        OK);
    cr_expect(str_eq(who->id, STR("\"u7\"")));
    cr_expect(str_eq(who->name, STR("Bob")));
    cr_expect_eq(who->role, ROLE_ADMIN);
    cr_expect_eq(who->expires_s, 1700000060);
    identity_free(who);
    auth_free(a);
}

Test(auth_token, checks_the_times)
{
    static const struct {
        const char *claims;
        int want;
    } rows[] = {
        {"{\"id\":1}", OK}, /* without an end, as today's tokens may be */
        {"{\"id\":1,\"exp\":1700000001}", OK},
        {"{\"id\":1,\"exp\":1700000000.5}", OK},
        {"{\"id\":1,\"exp\":1700000000}", ERR_EXPIRED},
        {"{\"id\":1,\"exp\":1699999999}", ERR_EXPIRED},
        {"{\"id\":1,\"exp\":0}", ERR_EXPIRED},
        {"{\"id\":1,\"exp\":-1}", ERR_EXPIRED},
        {"{\"id\":1,\"exp\":9223372036854775807}", OK},
        {"{\"id\":1,\"exp\":\"1900000000\"}", ERR_AUTH},
        {"{\"id\":1,\"exp\":null}", ERR_AUTH},
        {"{\"id\":1,\"exp\":true}", ERR_AUTH},
        {"{\"id\":1,\"nbf\":1700000030}", OK}, /* clocks differ */
        {"{\"id\":1,\"nbf\":1700000031}", ERR_AUTH},
        {"{\"id\":1,\"nbf\":\"0\"}", ERR_AUTH},
        {"{\"name\":\"nobody\"}", ERR_AUTH},
    };
    struct auth *a = make(secret);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct identity *who = NULL;

        cr_expect_eq(check(a, sign(rows[i].claims, JWT_ALG_HS256, secret), &who), rows[i].want,
                     "row %zu", i);
        identity_free(who);
    }
    auth_free(a);
}

Test(auth_token, refuses_other_algorithms_and_keys)
{
    static const struct {
        jwt_alg_t alg;
        const char *key;
    } rows[] = {
        {JWT_ALG_NONE, NULL},    {JWT_ALG_HS384, secret},
        {JWT_ALG_HS512, secret}, {JWT_ALG_HS256, "another secret of thirty-two bytes"},
        {JWT_ALG_HS256, "a"},
    };
    struct auth *a = make(secret);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct identity *who = NULL;

        cr_expect_eq(check(a, sign("{\"id\":\"u7\"}", rows[i].alg, rows[i].key), &who), ERR_AUTH,
                     "row %zu", i);
        cr_expect_null(who);
    }
    auth_free(a);
}

Test(auth_token, refuses_everything_that_is_no_token)
{
    struct auth *a = make(secret);
    char good[2000], spoilt[2100];
    struct identity *who = NULL;
    const char *const rows[] = {"",           ".",
                                "..",         "...",
                                "a.b.c",      "null",
                                "undefined",  "[object Object]",
                                "eyJ9.eyJ9.", "\xff.\xff.\xff"};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(check(a, rows[i], &who), ERR_AUTH, "row %zu", i);
    snprintf(good, sizeof good, "%s", sign("{\"id\":\"u7\"}", JWT_ALG_HS256, secret));
    for (size_t i = 0; good[i]; i++) { /* each byte taken away */
        snprintf(spoilt, sizeof spoilt, "%.*s%s", (int)i, good, good + i + 1);
        cr_expect_eq(check(a, spoilt, &who), ERR_AUTH, "byte %zu", i);
    }
    snprintf(spoilt, sizeof spoilt, "%s=", good);
    cr_expect_eq(check(a, spoilt, &who), ERR_AUTH, "padding");
    snprintf(spoilt, sizeof spoilt, "%s\n", good);
    cr_expect_eq(check(a, spoilt, &who), ERR_AUTH, "a new line");
    snprintf(spoilt, sizeof spoilt, "%s.x", good);
    cr_expect_eq(check(a, spoilt, &who), ERR_AUTH, "a fourth part");
    auth_free(a);
}

Test(auth_token, refuses_more_than_four_kilobytes)
{
    struct auth *a = make(secret);
    char claims[5000];
    struct identity *who = NULL;

    snprintf(claims, sizeof claims, "{\"id\":\"u7\",\"x\":\"%02900d\"}", 0);
    cr_expect_eq(check(a, sign(claims, JWT_ALG_HS256, secret), &who), OK);
    identity_free(who);
    who = NULL;
    snprintf(claims, sizeof claims, "{\"id\":\"u7\",\"x\":\"%03100d\"}", 0);
    cr_expect_eq(check(a, sign(claims, JWT_ALG_HS256, secret), &who), ERR_AUTH);
    auth_free(a);
}

Test(auth_token, believes_nobody_without_a_secret)
{
    struct auth *a = make(no_secret);
    struct identity *who = NULL;

    cr_expect_not(auth_has_secret(a));
    cr_expect_eq(check(a, sign("{\"id\":\"u7\"}", JWT_ALG_NONE, NULL), &who), ERR_UNAVAILABLE);
    cr_expect_null(who);
    auth_free(a);
}

Test(auth_token, counts_results)
{
    struct auth *a;
    struct identity *who = NULL;

    metric_reset_for_test();
    a = make(secret);
    cr_expect_eq(check(a, sign("{\"id\":1}", JWT_ALG_HS256, secret), &who), OK);
    identity_free(who);
    cr_expect_eq(check(a, "x", &who), ERR_AUTH);
    cr_expect_eq(check(a, sign("{\"id\":1,\"exp\":1}", JWT_ALG_HS256, secret), &who), ERR_EXPIRED);
    for (unsigned i = 0; i < 3; i++)
        cr_expect_eq(metric_get_at(M_AUTH_TOKENS, i), 1, "result %u", i);
    auth_free(a);
}

Test(auth_token, signs_guests_of_the_demo)
{
    struct auth *a = make(secret), *none = make(no_secret);
    struct identity *who = NULL;
    struct sb token = {0};

    cr_assert_eq(auth_token_sign_guest(a, STR("Zo\xc3\xab \"Z\""), UINT64_C(1000) * NOW_S, &token),
                 OK);
    cr_assert_eq(auth_token_check(a, sb_view(&token), UINT64_C(1000) * NOW_S, &who), OK);
    cr_expect(str_eq(who->name, STR("Zo\xc3\xab \"Z\"")));
    cr_expect(str_starts(who->id_text, STR("guest-")));
    cr_expect_eq(who->role, ROLE_USER);
    cr_expect_gt(who->expires_s, NOW_S);
    identity_free(who);
    cr_expect_eq(auth_token_sign_guest(none, STR("Ann"), 0, &token), ERR_UNAVAILABLE);
    sb_fini(&token);
    auth_free(a);
    auth_free(none);
}

Test(auth_token, signs_one_user_for_one_name)
{
    static const char *const names[] = {"Zo\xc3\xab B", "zo\xc3\xab b", "Bob"};
    struct auth *a = make(secret);
    struct identity *who[3] = {NULL};

    for (int i = 0; i < 3; i++) {
        struct sb token = {0};

        cr_assert_eq(auth_token_sign_named(a, str_z(names[i]), UINT64_C(1000) * NOW_S, &token), OK);
        cr_assert_eq(auth_token_check(a, sb_view(&token), UINT64_C(1000) * NOW_S, &who[i]), OK);
        cr_expect(str_eq(who[i]->name, str_z(names[i])));
        sb_fini(&token);
    }
    cr_expect(str_eq(who[0]->id_text, STR("demo-zo\xc3\xab b")));
    cr_expect(str_eq(who[0]->id, who[1]->id));
    cr_expect_not(str_eq(who[0]->id, who[2]->id));
    for (int i = 0; i < 3; i++)
        identity_free(who[i]);
    auth_free(a);
}

Test(auth_token_find, looks_in_auth_then_query_then_header)
{
    static const struct {
        const char *auth, *query, *header, *want; /* want NULL: none */
    } rows[] = {
        {"{\"token\":\"a\"}", "token=b", "Bearer c", "a"},
        {"{}", "EIO=4&token=b", "Bearer c", "b"},
        {"{}", "EIO=4", "Bearer c", "c"},
        {"{}", "", "c", "c"},
        {"{}", "", "bearer  c ", "c"},
        {"{\"token\":\"Bearer a\"}", "", "", "a"},
        {"{\"token\":\"a\\u0062\"}", "", "", "ab"},
        {"{}", "token=a%2Eb", "", "a.b"},
        {"{\"token\":\"\"}", "token=b", "", "b"},
        {"{\"token\":null}", "token=", "c", "c"},
        {"{\"token\":{\"a\":1}}", "", "", NULL},
        {"{}", "", "", NULL},
        {"", "", "", NULL},
        {"[]", "tokens=b", "Bearer ", NULL},
        {"{}", "", "Basic dXNlcjpwYXNz", NULL}, /* a proxy's, not ours */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sb scratch = {0};
        struct str token = STR_NONE;
        bool found = auth_token_find(str_z(rows[i].auth), str_z(rows[i].query),
                                     str_z(rows[i].header), &scratch, &token);

        cr_expect_eq(found, rows[i].want != NULL, "row %zu", i);
        cr_expect(str_eq(token, str_z(rows[i].want)), "row %zu: " STR_FMT, i, STR_ARG(token));
        sb_fini(&scratch);
    }
}

/* ---- public keys ---- */

static struct key_pair rsa, ec;
static char pem_path[64];

static struct auth *make_public(const char *pem, char *shared)
{
    static struct conf conf;
    struct conf *c = &conf;
    FILE *f;
    int fd;

    snprintf(pem_path, sizeof pem_path, "/tmp/token-key-XXXXXX");
    fd = mkstemp(pem_path);
    cr_assert_geq(fd, 0);
    f = fdopen(fd, "w");
    fputs(pem, f);
    fclose(f);
    c->jwt_secret = shared;
    c->jwt_public_key_file = pem_path;
    return auth_new(c);
}

static void make_pairs(void)
{
    rsa = key_pair_new(true, 2048);
    ec = key_pair_new(false, 0);
}

static void free_pairs(void)
{
    key_pair_free(&rsa);
    key_pair_free(&ec);
    unlink(pem_path);
}

TestSuite(auth_token_keys, .init = make_pairs, .fini = free_pairs);

Test(auth_token_keys, takes_rs256_and_es256_by_their_public_key)
{
    const struct {
        const struct key_pair *pair;
        jwt_alg_t alg;
    } rows[] = {{&rsa, JWT_ALG_RS256}, {&ec, JWT_ALG_ES256}};

    for (size_t i = 0; i < 2; i++) {
        struct auth *a = make_public(rows[i].pair->public_pem, no_secret);
        struct identity *who = NULL;

        cr_expect(auth_has_keys(a));
        cr_expect_not(auth_has_secret(a));
        cr_expect_eq(
            check(a, sign("{\"id\":\"u7\"}", rows[i].alg, rows[i].pair->private_pem), &who), OK,
            "row %zu", i);
        identity_free(who);
        unlink(pem_path);
        auth_free(a);
    }
}

Test(auth_token_keys, never_uses_a_key_for_another_algorithm)
{
    struct auth *a = make_public(rsa.public_pem, secret);
    struct identity *who = NULL;
    const struct {
        jwt_alg_t alg;
        const char *key;
    } rows[] = {
        {JWT_ALG_HS256, rsa.public_pem}, /* the classic confusion: anybody knows that "secret" */
        {JWT_ALG_HS384, rsa.public_pem},
        {JWT_ALG_HS512, secret},
        {JWT_ALG_NONE, NULL},
        {JWT_ALG_RS384, rsa.private_pem},
        {JWT_ALG_RS512, rsa.private_pem},
        {JWT_ALG_ES256, ec.private_pem}, /* no key for it */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(check(a, sign("{\"id\":\"u7\"}", rows[i].alg, rows[i].key), &who), ERR_AUTH,
                     "row %zu", i);
    cr_expect_eq(check(a, sign("{\"id\":1}", JWT_ALG_HS256, secret), &who), OK);
    identity_free(who);
    cr_expect_eq(check(a, sign("{\"id\":1}", JWT_ALG_RS256, rsa.private_pem), &who), OK);
    identity_free(who);
    auth_free(a);
}

static char *url64(const char *text, size_t n)
{
    static char out[8][6000];
    static unsigned turn;
    char *at = out[turn++ % 8];
    struct sb b = {0};

    sb_base64(&b, str_of(text, n));
    while (b.n && b.p[b.n - 1] == '=')
        b.n--;
    for (size_t i = 0; i < b.n; i++)
        at[i] = b.p[i] == '+' ? '-' : b.p[i] == '/' ? '_' : b.p[i];
    at[b.n] = 0;
    sb_fini(&b);
    return at;
}

Test(auth_token_keys, refuses_forged_signatures_and_headers)
{
    static const char zeros[64] = {0};
    struct auth *a = make_public(ec.public_pem, secret);
    struct identity *who = NULL;
    char token[8000], long_signature[3600];
    const char *const headers[] = {
        "{\"alg\":\"none\"}",
        "{\"alg\":\"None\"}",
        "{}",
        "{\"alg\":5}",
        "[]",
        "{\"alg\":\"ES256\",\"crit\":[\"exp\"]}",
        "{\"alg\":\"ES256\",\"kid\":7}",
        "{\"alg\":\"ES256\",\"kid\":\"../../dev/null\"}",
        "{\"alg\":\"ES256\",\"jku\":\"http://127.0.0.1:1/\",\"x5u\":\"http://127.0.0.1:1/\"}",
        "{\"alg\":\"ES256\"}",
        "{\"alg\":\"HS256\"}",
    };

    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) { /* r = s = 0, and others */
        snprintf(token, sizeof token, "%s.%s.%s", url64(headers[i], strlen(headers[i])),
                 url64("{\"id\":1}", 8), url64(zeros, 64));
        cr_expect_eq(check(a, token, &who), ERR_AUTH, "row %zu", i);
        snprintf(token, sizeof token, "%s.%s.%s", url64(headers[i], strlen(headers[i])),
                 url64("{\"id\":1}", 8), url64(zeros, 32));
        cr_expect_eq(check(a, token, &who), ERR_AUTH, "row %zu", i);
    }
    memset(long_signature, 'A', sizeof long_signature - 1);
    long_signature[sizeof long_signature - 1] = 0;
    snprintf(token, sizeof token, "%s.%s.%s", url64("{\"alg\":\"ES256\"}", 15),
             url64("{\"id\":1}", 8), long_signature);
    cr_expect_eq(check(a, token, &who), ERR_AUTH, "a signature that is none");
    auth_free(a);
}

Test(auth_token_keys, takes_the_previous_secret_too)
{
    static char old[] = "the secret before, also of more than thirty-two bytes";
    struct conf c = {.jwt_secret = secret, .jwt_secret_previous = old};
    struct auth *a = auth_new(&c);
    struct identity *who = NULL;

    cr_expect_eq(check(a, sign("{\"id\":1}", JWT_ALG_HS256, old), &who), OK);
    identity_free(who);
    auth_free(a);
}

Test(auth_token, compares_issuer_and_audience)
{
    static char issuer[] = "https://quizblog.rw", audience[] = "ingoma";
    struct conf c = {.jwt_secret = secret, .jwt_issuer = issuer, .jwt_audience = audience};
    struct auth *a = auth_new(&c);
    static const struct {
        const char *claims;
        int want;
    } rows[] = {
        {"{\"id\":1,\"iss\":\"https://quizblog.rw\",\"aud\":\"ingoma\"}", OK},
        {"{\"id\":1,\"iss\":\"https://quizblog.rw\",\"aud\":[\"x\",\"ingoma\"]}", OK},
        {"{\"id\":1,\"iss\":\"https://quizblog.rw\",\"aud\":[]}", ERR_AUTH},
        {"{\"id\":1,\"iss\":\"https://quizblog.rw\",\"aud\":[[\"ingoma\"]]}", ERR_AUTH},
        {"{\"id\":1,\"iss\":\"https://quizblog.rw\"}", ERR_AUTH},
        {"{\"id\":1,\"iss\":[\"https://quizblog.rw\"],\"aud\":\"ingoma\"}", ERR_AUTH},
        {"{\"id\":1,\"iss\":\"https://quizblog.rw/\",\"aud\":\"ingoma\"}", ERR_AUTH},
        {"{\"id\":1,\"aud\":\"ingoma\"}", ERR_AUTH},
        {"{\"id\":1,\"iss\":\"https://quizblog.rw\",\"aud\":\"Ingoma\"}", ERR_AUTH},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct identity *who = NULL;

        cr_expect_eq(check(a, sign(rows[i].claims, JWT_ALG_HS256, secret), &who), rows[i].want,
                     "row %zu", i);
        identity_free(who);
    }
    auth_free(a);
}

Test(auth_token, refuses_a_critical_header_behind_a_good_signature)
{
    struct auth *a = make(secret);
    const char *const headers[] = {"{\"crit\":[\"exp\"]}", "{\"kid\":7}", "{\"kid\":\"x\"}"};
    const int want[] = {ERR_AUTH, ERR_AUTH, OK};

    for (size_t i = 0; i < 3; i++) {
        struct identity *who = NULL;
        jwt_t *jwt = NULL;
        char *text;

        cr_assert_eq(jwt_new(&jwt), 0);
        cr_assert_eq(jwt_add_grants_json(jwt, "{\"id\":\"u7\"}"), 0);
        cr_assert_eq(jwt_add_headers_json(jwt, headers[i]), 0);
        cr_assert_eq(
            jwt_set_alg(jwt, JWT_ALG_HS256, (const unsigned char *)secret, (int)strlen(secret)), 0);
        text = jwt_encode_str(jwt);
        cr_expect_eq(check(a, text, &who), want[i], "row %zu", i);
        identity_free(who);
        free(text);
        jwt_free(jwt);
    }
    auth_free(a);
}

static char *sign_with_kid(const char *kid)
{
    jwt_t *jwt;
    char *token;

    cr_assert_eq(jwt_new(&jwt), 0);
    cr_assert_eq(jwt_add_grants_json(jwt, "{\"id\":\"u7\"}"), 0);
    cr_assert_eq(jwt_add_header(jwt, "kid", kid), 0);
    cr_assert_eq(jwt_set_alg(jwt, JWT_ALG_ES256, (const unsigned char *)ec.private_pem,
                             (int)strlen(ec.private_pem)),
                 0);
    token = jwt_encode_str(jwt);
    jwt_free(jwt);
    return token;
}

static void await_answers(struct loop *l, int64_t count)
{
    for (int i = 0; i < 20000 && metric_get(M_JWKS) < count; i++) {
        if (i < 20) clock_advance(TIMER_TICK_MS);
        loop_turn(l, i >= 20);
    }
    cr_assert_eq(metric_get(M_JWKS), count);
}

Test(auth_token_keys, asks_the_url_for_a_key_that_it_does_not_know, .timeout = 20)
{
    static struct http_fixture server;
    struct sb set = {0}, answer = {0};
    struct conf c = {.jwt_secret = no_secret, .jwks_refresh_s = 300};
    struct identity *who = NULL;
    char *token = sign_with_kid("new"), *invented = sign_with_kid("");
    struct loop *l;
    struct auth *a;

    metric_reset_for_test();
    clock_freeze(1000000, UINT64_C(1000) * NOW_S);
    l = loop_new();
    http_fixture_open(&server, l);
    sb_printf(&set, "{\"keys\":[{\"kid\":\"old\",%s]}", rsa.jwk + 1);
    sb_char(&set, 0);
    http_fixture_json(&server, &answer, set.p);
    c.jwks_url = server.url;
    a = auth_new(&c);
    auth_watch(a, l);
    cr_expect(auth_has_keys(a), "they may still come");
    await_answers(l, 1);
    cr_expect_eq(check(a, token, &who), ERR_AUTH);
    set.n = 0;
    sb_printf(&set, "{\"keys\":[{\"kid\":\"new\",%s]}", ec.jwk + 1);
    sb_char(&set, 0);
    http_fixture_json(&server, &answer, set.p);
    clock_advance(10000);
    cr_expect_eq(check(a, invented, &who), ERR_AUTH);
    cr_expect_eq(check(a, token, &who), ERR_AUTH, "it is not waited for");
    await_answers(l, 2);
    cr_expect_eq(check(a, token, &who), OK);
    identity_free(who);
    clock_advance(10000);
    cr_expect_eq(check(a, invented, &who), ERR_AUTH);
    loop_turn(l, false);
    cr_expect_eq(server.requests, 2, "a token without kid is no reason");
    auth_free(a);
    http_fixture_close(&server);
    loop_free(l);
    sb_fini(&set);
    sb_fini(&answer);
    free(token);
    free(invented);
}

static uint64_t own_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Whoever sends bad tokens by the thousand must not get a core for it. */
Test(auth_token, takes_200_microseconds_at_the_most)
{
    enum { CHECKS = 200, TRIES = 5 };
    struct auth *a = make(secret);
    const char *rows[] = {NULL, NULL};
    char good[2000], bad[2000];
    uint64_t least = UINT64_MAX;

    snprintf(good, sizeof good, "%s",
             sign("{\"id\":\"u7\",\"exp\":1700000060}", JWT_ALG_HS256, secret));
    snprintf(bad, sizeof bad, "%s",
             sign("{\"id\":\"u7\"}", JWT_ALG_HS256, "another secret of 32 bytes or so"));
    rows[0] = good;
    rows[1] = bad;
    for (int i = 0; i < TRIES; i++) { /* processor time: the machine may be busy */
        uint64_t start = own_us(), took;

        for (int k = 0; k < CHECKS; k++) {
            struct identity *who = NULL;

            cr_expect_eq(check(a, rows[k % 2], &who), k % 2 ? ERR_AUTH : OK);
            identity_free(who);
        }
        took = own_us() - start;
        if (took < least) least = took;
    }
    cr_expect_leq(least / CHECKS, 200, "%llu us", (unsigned long long)least / CHECKS);
    auth_free(a);
}
