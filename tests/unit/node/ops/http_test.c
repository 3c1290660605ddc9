/* Routes of ops: what is answered where, and how a drain shows. */
#include <criterion/criterion.h>
#include <stdio.h>
#include "base/json.h"
#include "base/metric.h"
#include "node/ops/ops.h"
#include "tests/unit/support/fake_edge.h"

static struct conf conf;
static struct ops *ops;
static struct fake_edge edge;
static bool is_public;

static void on_request(void *ctx, struct pipe *p, const struct http_request *r)
{
    struct http_reply none = {.status = 404};

    (void)ctx;
    if (!is_public)
        ops_private(ops, p, r);
    else if (!ops_public(ops, p, r))
        pipe_reply(p, &none);
}

static const char *archive; /* its state */

static const char *part_state(void *ctx)
{
    (void)ctx;
    return archive;
}

static void set_up(void)
{
    static const struct edge_handler handler = {.on_request = on_request};
    static const struct ops_sources sources = {
        .program = "gateway", .part = "archive", .part_state = part_state};

    conf.node_name = (char[]){"alpha"};
    conf.static_dir = (char[]){""};
    conf.socket_path = (char[]){"/socket.io/"};
    ops = ops_new(&conf, STR("AbC1"), &sources);
    fake_edge_init(&edge, &handler, NULL);
}

static void tear_down(void)
{
    fake_edge_fini(&edge);
    ops_free(ops);
}

TestSuite(ops_http, .init = set_up, .fini = tear_down);

Test(ops_http, health_is_one_json_object_on_both_ports)
{
    for (int i = 0; i < 2; i++) {
        struct fake_pipe *p;
        struct json v, node;

        is_public = i == 1;
        p = fake_request(&edge, "GET /health\n");
        cr_assert_eq(p->status, 200);
        cr_assert_eq(json_parse(sb_view(&p->body), &v), OK, "%s", fake_body_z(p));
        cr_assert(json_member(v, STR("node"), &node));
        cr_expect(str_eq(node.raw, STR("\"AbC1\"")));
        cr_expect(str_contains(sb_view(&p->body), STR("\"status\":\"ok\"")));
    }
}

Test(ops_http, health_has_figures_of_the_node_and_of_the_cluster)
{
    struct fake_pipe *p;

    is_public = true;
    metric_set(M_NODE_EVENTS, 120);
    metric_set(M_CLUSTER_EVENTS, 240);
    metric_set(M_CLUSTER_CPU, 1500);
    metric_set(M_CLUSTER_ROOMS, 7);
    metric_set(M_CLUSTER_SOCKETS_PEAK, 40);
    p = fake_request(&edge, "GET /api/health\n"); /* its name at the old service */
    cr_assert_eq(p->status, 200);
    cr_expect(
        str_contains(
            sb_view(&p->body),
            STR("\"rates\":{\"eventsPerMinute\":120,\"deliveriesPerMinute\":0,\"errorsPerMinute\":"
                "0,"
                "\"eventMicroseconds\":0,\"redisMicroseconds\":0,\"cpuPermille\":0},"
                "\"cluster\":{\"nodes\":1,\"sockets\":0,\"socketsTotal\":0,\"socketsPeak\":40,"
                "\"onlineUsers\":0,\"rooms\":7,\"quizSessions\":0,\"memory\":0,"
                "\"rates\":{\"eventsPerMinute\":240,")),
        "%s", fake_body_z(p));
    cr_expect(str_contains(sb_view(&p->body),
                           STR("\"cpuPermille\":1500}},\"dev\":false,\"timestamp\":\"")));
}

Test(ops_http, ready_turns_503_when_draining)
{
    cr_expect_eq(fake_request(&edge, "GET /ready\n")->status, 200);
    ops_set_draining(ops);
    cr_expect_eq(fake_request(&edge, "GET /ready\n")->status, 503);
    cr_expect(str_contains(sb_view(&fake_request(&edge, "GET /health\n")->body), STR("draining")));
}

Test(ops_http, metrics_are_many_and_typed)
{
    struct fake_pipe *p = fake_request(&edge, "GET /metrics\n");
    struct str rest = sb_view(&p->body), line;
    int types = 0;

    cr_expect(str_starts(sb_view(&p->type), STR("text/plain; version=0.0.4")));
    while (str_next(&rest, '\n', &line))
        types += str_starts(line, STR("# TYPE ingoma_"));
    cr_expect_geq(types, 40);
}

Test(ops_http, metrics_stay_off_the_public_port)
{
    is_public = true;
    cr_expect_eq(fake_request(&edge, "GET /metrics\n")->status, 404);
    cr_expect_eq(fake_request(&edge, "GET /demo/token?name=a\n")->status, 404,
                 "no demo without DEMO=on");
}

Test(ops_http, other_paths_and_methods_are_not_found)
{
    cr_expect_eq(fake_request(&edge, "GET /nothing\n")->status, 404);
    cr_expect_eq(fake_request(&edge, "DELETE /health\n")->status, 404);
}

Test(ops_http, what_the_program_leans_on_degrades_it_when_it_is_away)
{
    static const struct {
        const char *state, *health, *ready;
    } rows[] = {{"up", "\"status\":\"ok\"", "\"degraded\":false"},
                {"away", "\"status\":\"degraded\"", "\"degraded\":true"}};
    struct fake_pipe *p;

    cr_expect_not(strstr(fake_body_z(fake_request(&edge, "GET /health\n")), "archive"), "not used");
    for (size_t i = 0; i < 2; i++) {
        char member[40];

        archive = rows[i].state;
        snprintf(member, sizeof member, "\"archive\":\"%s\"", archive);
        p = fake_request(&edge, "GET /health\n");
        cr_expect(strstr(fake_body_z(p), member), "%s", fake_body_z(p));
        cr_expect(strstr(fake_body_z(p), rows[i].health), "%s", fake_body_z(p));
        p = fake_request(&edge, "GET /ready\n");
        cr_expect_eq(p->status, 200, "it goes on");
        cr_expect(strstr(fake_body_z(p), member), "%s", fake_body_z(p));
        cr_expect(strstr(fake_body_z(p), rows[i].ready), "%s", fake_body_z(p));
        fake_request(&edge, "GET /metrics\n");
        cr_expect_eq(metric_get(M_DEGRADED), 0, "it is Redis' alone");
    }
}
