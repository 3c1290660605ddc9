/* Orders on fake pipes; the feature is a note of what it was given. */
#include <criterion/criterion.h>
#include "base/err.h"
#include "base/metric.h"
#include "node/ops/orders.h"
#include "tests/unit/support/fake_edge.h"

#define TOKEN "0123456789abcdef0123456789abcdef"
#define AUTH "Authorization: Bearer " TOKEN "\n"

static char token[] = TOKEN, none[] = "";
static struct conf conf;
static struct ops_orders *o;
static struct fake_edge edge;
static struct sb taken;
static struct order_ticket ticket; /* of the last one */

static void take(void *ctx, const struct order *order)
{
    (void)ctx;
    sb_printf(&taken, "%s " STR_FMT " " STR_FMT " " STR_FMT "\n", order->is_post ? "POST" : "GET",
              STR_ARG(order->path), STR_ARG(order->query), STR_ARG(order->body));
    ticket = order->ticket;
}

static void answer(int status, const char *headers)
{
    const struct order_reply r = {
        .status = status, .type = STR("text/csv"), .body = STR("a,b"), .headers = str_z(headers)};

    ticket.answer(ticket.to, &r);
}

static void on_request(void *ctx, struct pipe *p, const struct http_request *r)
{
    (void)ctx;
    if (!ops_orders_on_request(o, p, r)) pipe_close(p, 0);
}

static void on_body(void *ctx, struct pipe *p, int rc, struct str body)
{
    (void)ctx;
    ops_orders_on_body(o, p, rc, body);
}

static void on_gone(void *ctx, struct pipe *p, int code)
{
    (void)ctx, (void)code;
    ops_orders_on_gone(o, p);
}

static void up(void)
{
    static const struct edge_handler handler = {
        .on_request = on_request, .on_body = on_body, .on_gone = on_gone};

    metric_reset_for_test();
    conf = (struct conf){.quiz_token = token};
    o = ops_orders_new(&conf, take, NULL);
    fake_edge_init(&edge, &handler, NULL);
}

static void down(void)
{
    fake_edge_fini(&edge);
    ops_orders_free(o);
    sb_fini(&taken);
}

TestSuite(ops_orders, .init = up, .fini = down);

static const char *taken_z(void)
{
    sb_char(&taken, 0);
    taken.n = 0;
    return taken.p;
}

Test(ops_orders, are_handed_on_and_answered_when_the_feature_has_the_answer)
{
    struct fake_pipe *p = fake_request(&edge, "GET /quiz/m/results.csv?from=3\n" AUTH), *q;

    cr_expect_str_eq(taken_z(), "GET /quiz/m/results.csv from=3 \n");
    cr_expect(fake_is_pending(p));
    answer(200, "X-A: b\r\n");
    cr_expect_eq(p->status, 200);
    cr_expect_str_eq(fake_body_z(p), "a,b");
    cr_expect(strstr(fake_headers_z(p), "no-store\r\n"));
    cr_expect(strstr(fake_headers_z(p), "X-A: b\r\n"));
    q = fake_post(&edge, "POST /quiz\n" AUTH, STR("{}"));
    cr_expect_str_eq(taken_z(), "POST /quiz  {}\n");
    answer(409, "");
    cr_expect_eq(q->status, 409);
    fake_request(&edge, "POST /quiz/m/end\n" AUTH);
    cr_expect_str_eq(taken_z(), "POST /quiz/m/end  \n", "without a body");
    answer(200, "");
    cr_expect_eq(metric_get_at(M_ORDERS, 0), 2);
    cr_expect_eq(metric_get_at(M_ORDERS, 2), 1);
}

Test(ops_orders, an_answer_for_who_has_gone_goes_nowhere)
{
    struct fake_pipe *p = fake_request(&edge, "GET /quiz/m\n" AUTH);

    fake_gone(&edge, p, 0);
    answer(200, "");
    cr_expect_eq(p->replies, 0);
    cr_expect_eq(p->late_orders, 0);
    p = fake_request(&edge, "GET /quiz/m\n" AUTH);
    ops_orders_cut(o);
    answer(200, "");
    cr_expect_eq(p->replies, 0);
    p = fake_post_head(&edge, "POST /quiz\n" AUTH, 10); /* its body never comes */
    taken.n = 0;
    fake_gone(&edge, p, 0);
    cr_expect_eq(taken.n, 0);
    fake_post_head(&edge, "POST /quiz\n" AUTH, 10); /* nor this one's: freed at the end */
}

Test(ops_orders, only_the_token_opens)
{
    static const struct {
        const char *head;
        int status;
    } rows[] = {
        {"GET /quiz/m\n", 401},
        {"GET /quiz/m\nAuthorization: Bearer x\n", 401},
        {"GET /quiz/m\nAuthorization: Basic " TOKEN "\n", 401},
        {"DELETE /quiz/m\n" AUTH, 405},
    };
    struct fake_pipe *p;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(fake_request(&edge, rows[i].head)->status, rows[i].status, "row %zu", i);
    p = fake_post_head(&edge, "POST /quiz\n" AUTH, 10);
    fake_body(&edge, p, ERR_TOO_BIG, STR_NONE);
    cr_expect_eq(p->status, 413);
    cr_expect(fake_request(&edge, "GET /quizzes\n" AUTH)->is_cut, "another's path");
    cr_expect_eq(taken.n, 0);
    cr_expect_eq(metric_get_at(M_ORDERS, 1), 3);
    conf.quiz_token = none;
    cr_expect_null(ops_orders_new(&conf, take, NULL));
}
