/* POST /revoke on fake pipes; the list of the denied is the real one, without a cluster. */
#include <criterion/criterion.h>
#include "base/clock.h"
#include "base/loop.h"
#include "base/metric.h"
#include "node/ops/revoke.h"
#include "tests/unit/support/fake_edge.h"

#define TOKEN "0123456789abcdef0123456789abcdef"
#define HEAD "POST /revoke\nAuthorization: Bearer " TOKEN "\n"

static char token[] = TOKEN, prefix[] = "p", none[] = "";
static struct conf conf;
static struct loop *loop;
static struct denied *d;
static struct ops_revoke *v;
static struct fake_edge edge;

static void on_request(void *ctx, struct pipe *p, const struct http_request *r)
{
    (void)ctx;
    ops_revoke_on_request(v, p, r);
}

static void on_body(void *ctx, struct pipe *p, int rc, struct str body)
{
    (void)ctx;
    ops_revoke_on_body(v, p, rc, body);
}

static void on_gone(void *ctx, struct pipe *p, int code)
{
    (void)ctx, (void)p, (void)code;
}

static void on_new(void *ctx)
{
    (void)ctx;
}

static void up(void)
{
    static const struct edge_handler handler = {
        .on_request = on_request, .on_body = on_body, .on_gone = on_gone};

    clock_freeze(1000, UINT64_C(1700000000000));
    metric_reset_for_test();
    conf = (struct conf){.revoke_token = token, .revoke_seconds = 1000, .adapter_prefix = prefix};
    loop = loop_new();
    d = denied_new(loop, &conf, on_new, NULL);
    v = ops_revoke_new(&conf, d, NULL);
    fake_edge_init(&edge, &handler, NULL);
}

static void down(void)
{
    fake_edge_fini(&edge);
    ops_revoke_free(v);
    denied_free(d);
    loop_free(loop);
}

TestSuite(ops_revoke, .init = up, .fini = down);

static struct fake_pipe *post(const char *body)
{
    return fake_post(&edge, HEAD, str_z(body));
}

Test(ops_revoke, revokes_users_and_tokens)
{
    struct fake_pipe *p = post("{\"user\":\"u\\u0037\"}");

    cr_expect_eq(p->status, 202);
    cr_expect_str_eq(fake_body_z(p), "{\"ok\":true}");
    cr_expect_eq(denied_left_ms(d, DENIED_USER, STR("u7"), 0), 1000000);
    cr_expect_eq(post("{\"jti\":\"t\",\"until\":1700000050}")->status, 202);
    cr_expect_eq(denied_left_ms(d, DENIED_JTI, STR("t"), 0), 50000);
    cr_expect_eq(post("{\"user\":4711}")->status, 202);
    cr_expect_gt(denied_left_ms(d, DENIED_USER, STR("4711"), 0), 0);
    cr_expect_eq(post("{\"jti\":\"old\",\"until\":1600000000}")->status, 202);
    cr_expect_eq(denied_count(d), 3, "what has expired needs no entry");
}

Test(ops_revoke, refuses_what_it_does_not_understand)
{
    static const struct {
        const char *body, *want;
    } rows[] = {
        {"{", "the body is not JSON: malformed data for this protocol"},
        {"[]", "the body must be a JSON object"},
        {"{}", "user or jti: is missing"},
        {"{\"user\":\"\"}", "user: must be a text of 1 to 128 bytes, or a number"},
        {"{\"user\":null}", "user: must be a text of 1 to 128 bytes, or a number"},
        {"{\"user\":{\"$ne\":1}}", "user: must be a text of 1 to 128 bytes, or a number"},
        {"{\"jti\":true}", "jti: must be a text of 1 to 128 bytes, or a number"},
        {"{\"user\":\"a\",\"jti\":\"b\"}", "user and jti: give one of them, once"},
        {"{\"user\":\"a\",\"user\":\"b\"}", "user and jti: give one of them, once"},
        {"{\"user\":\"a\",\"until\":\"x\"}", "until: must be a whole number of seconds since 1970"},
        {"{\"user\":\"a\",\"until\":-1}", "until: must be a whole number of seconds since 1970"},
        {"{\"user\":\"a\",\"until\":1.5}", "until: must be a whole number of seconds since 1970"},
        {"{\"users\":\"a\"}", "not understood; known are user, jti, until"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fake_pipe *p = post(rows[i].body);

        cr_expect_eq(p->status, 400, "row %zu", i);
        cr_expect(strstr(fake_body_z(p), rows[i].want), "row %zu: %s", i, fake_body_z(p));
    }
    cr_expect_eq(denied_count(d), 0);
}

Test(ops_revoke, only_the_token_opens)
{
    cr_expect_eq(fake_post(&edge, "POST /revoke\n", STR("{\"user\":\"a\"}"))->status, 401);
    cr_expect_eq(
        fake_post(&edge, "POST /revoke\nAuthorization: Bearer x\n", STR("{\"user\":\"a\"}"))
            ->status,
        401);
    cr_expect_eq(fake_request(&edge, "GET /revoke\n")->status, 405);
    cr_expect_eq(fake_request(&edge, HEAD)->status, 400, "no body");
    cr_expect_eq(denied_count(d), 0);
    cr_expect_eq(metric_get_at(M_REVOKES, 1), 2);
    conf.revoke_token = none;
    cr_expect_null(ops_revoke_new(&conf, d, NULL));
}
