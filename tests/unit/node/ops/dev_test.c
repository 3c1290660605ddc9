/* POST /dev/token and /dev/kill on fake pipes; signing and dying are stand-ins that count. */
#include <criterion/criterion.h>
#include "base/clock.h"
#include "node/ops/dev.h"
#include "tests/unit/support/fake_edge.h"

#define TOKEN "POST /dev/token\nHost: here:3001\n"
#define KILL "POST /dev/kill\nHost: here:3001\n"

static struct conf conf;
static struct ops_dev *dev;
static struct fake_edge edge;
static unsigned deaths, strangers; /* strangers: bodies and requests that are somebody else's */

static bool token_of(void *ctx, struct str name, struct sb *out)
{
    cr_expect_eq(ctx, (void *)&edge);
    sb_z(out, "token of ");
    sb_str(out, name);
    return true;
}

static void die(void *ctx)
{
    cr_expect_eq(ctx, (void *)&edge);
    deaths++;
}

static void on_request(void *ctx, struct pipe *p, const struct http_request *r)
{
    struct http_reply none = {.status = 404};

    (void)ctx;
    if (ops_dev_on_request(dev, p, r)) return;
    strangers++;
    if (!r->has_body) pipe_reply(p, &none);
}

static void on_body(void *ctx, struct pipe *p, int rc, struct str body)
{
    (void)ctx;
    if (!ops_dev_on_body(dev, p, rc, body)) strangers++;
}

static void on_gone(void *ctx, struct pipe *p, int code)
{
    (void)ctx, (void)p, (void)code;
}

static void up_with(bool is_dev, bool is_demo)
{
    static const struct edge_handler handler = {
        .on_request = on_request, .on_body = on_body, .on_gone = on_gone};
    static const struct ops_dev_hands hands = {.token = token_of, .die = die, .ctx = &edge};

    clock_freeze(1000, UINT64_C(1700000000000));
    deaths = strangers = 0;
    conf = (struct conf){.dev = is_dev, .demo = is_demo};
    dev = ops_dev_new(&conf, STR("AbC1"), &hands);
    fake_edge_init(&edge, &handler, NULL);
}

static void up(void)
{
    up_with(true, true);
}

static void down(void)
{
    fake_edge_fini(&edge);
    ops_dev_free(dev);
}

TestSuite(ops_dev, .init = up, .fini = down);

static int post(const char *head, const char *body)
{
    return fake_post(&edge, head, str_z(body))->status;
}

Test(ops_dev, a_name_gives_a_token)
{
    struct fake_pipe *p = fake_post(&edge, TOKEN, STR("{\"name\":\" Ann \"}"));

    cr_expect_eq(p->status, 200);
    cr_expect_str_eq(fake_body_z(p), "{\"ok\":true,\"token\":\"token of Ann\"}");
    cr_expect(str_contains(sb_view(&p->headers), STR("no-store")));
}

Test(ops_dev, what_is_no_name_is_refused)
{
    static const char *const bodies[] = {
        "",
        "x",
        "[]",
        "{}",
        "{\"name\":\"\"}",
        "{\"name\":7}",
        "{\"name\":\"  \"}",
        "{\"name\":\"12345678901234567890123456789012345678901234567890123456789012345\"}"};

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        cr_expect_eq(post(TOKEN, bodies[i]), 400, "%s", bodies[i]);
    cr_expect_eq(fake_request(&edge, TOKEN)->status, 400, "no body");
    cr_expect_eq(fake_request(&edge, "GET /dev/token\n")->status, 405);
}

Test(ops_dev, tokens_come_thirty_at_once_and_ten_a_second)
{
    for (int i = 0; i < 30; i++)
        cr_assert_eq(post(TOKEN, "{\"name\":\"a\"}"), 200, "%d", i);
    cr_expect_eq(post(TOKEN, "{\"name\":\"a\"}"), 429);
    clock_advance(99);
    cr_expect_eq(post(TOKEN, "{\"name\":\"a\"}"), 429);
    clock_advance(1);
    cr_expect_eq(post(TOKEN, "{\"name\":\"a\"}"), 200);
    cr_expect_eq(post(TOKEN, "{\"name\":\"a\"}"), 429);
}

Test(ops_dev, the_node_that_is_meant_dies_after_its_answer)
{
    struct fake_pipe *p = fake_post(&edge, KILL, STR("{\"node\":\"AbC1\"}"));

    cr_expect_str_eq(fake_body_z(p), "{\"ok\":true,\"node\":\"AbC1\"}");
    cr_expect(p->reply_close);
    cr_expect_eq(deaths, 1);
    cr_expect_eq(post(KILL, "{}"), 200, "whichever takes it");
    cr_expect_eq(deaths, 2);
}

Test(ops_dev, another_node_lives_and_says_who_it_is_on_a_connection_that_ends)
{
    struct fake_pipe *p = fake_post(&edge, KILL, STR("{\"node\":\"XyZ9\"}"));

    cr_expect_eq(p->status, 200);
    cr_expect_str_eq(fake_body_z(p), "{\"ok\":false,\"node\":\"AbC1\"}");
    cr_expect(p->reply_close);
    cr_expect_eq(deaths, 0);
}

Test(ops_dev, pages_of_other_sites_are_refused)
{
    cr_expect_eq(post(KILL "Origin: http://evil.example\n", "{}"), 403);
    cr_expect_eq(post(KILL "Origin: null\n", "{}"), 403);
    cr_expect_eq(post(TOKEN "Origin: http://here:3002\n", "{\"name\":\"a\"}"), 403);
    cr_expect_eq(deaths, 0);
    cr_expect_eq(post(TOKEN "Origin: http://here:3001\n", "{\"name\":\"a\"}"), 200);
}

Test(ops_dev, a_body_that_is_too_large_is_refused)
{
    struct fake_pipe *p = fake_post_head(&edge, KILL, 10);

    fake_body(&edge, p, ERR_TOO_BIG, STR_NONE);
    cr_expect_eq(p->status, 413);
    cr_expect_eq(deaths, 0);
}

Test(ops_dev, a_pipe_is_known_while_it_waits_for_its_body)
{
    struct fake_pipe *p = fake_post_head(&edge, KILL, 10),
                     *other = fake_post_head(&edge, "POST /x\n", 1);

    cr_expect(ops_dev_owns(dev, &p->pipe));
    cr_expect_not(ops_dev_owns(dev, &other->pipe));
    fake_body(&edge, p, OK, STR("{\"node\":\"b\"}"));
    cr_expect_not(ops_dev_owns(dev, &p->pipe));
    cr_expect_not(ops_dev_owns(NULL, &p->pipe));
    fake_gone(&edge, other, 0);
}

Test(ops_dev, other_paths_and_bodies_are_left_to_others)
{
    cr_expect_eq(fake_request(&edge, "GET /dev/else\n")->status, 404);
    (void)fake_post(&edge, "POST /socket.io/\n", STR("4"));
    cr_expect_eq(strangers, 3, "two requests and a body");
}

Test(ops_dev, is_not_there_unless_both_options_are_on)
{
    for (int i = 0; i < 3; i++) {
        down();
        up_with(i & 1, i & 2);
        cr_expect_null(dev);
        cr_expect_eq(fake_request(&edge, TOKEN)->status, 404);
        cr_expect_eq(fake_request(&edge, KILL)->status, 404);
        cr_expect_eq(deaths, 0);
    }
}
