/* POST /emit on fake pipes: who is let in, what is answered, and which cast is made. The server of
 * node/sio is a stand-in that writes the casts down. */
#include <criterion/criterion.h>
#include <stdio.h>
#include "base/conf.h"
#include "base/metric.h"
#include "node/ops/emit.h"
#include "tests/unit/support/fake_edge.h"

#define TOKEN "0123456789abcdef0123456789abcdef"
#define AUTH "Authorization: Bearer " TOKEN "\n"

static char token[] = TOKEN, no_token[] = "";
static struct conf conf;
static struct ops_emit *emit;
static struct fake_edge edge;
static struct sb casts;              /* "/ rooms=a,b except=c flags=1 [\"x\"]\n" */
static bool is_connected;            /* the adapter */
static char server, nsp, adapter_of; /* only their addresses count */
static uint64_t members;             /* delivered by each cast */

struct sio_nsp *sio_nsp_get(struct sio *s, struct str name)
{
    cr_expect_eq((void *)s, (void *)&server);
    return str_eq(name, STR("/")) ? (struct sio_nsp *)(void *)&nsp : NULL;
}

static void put_list(const char *name, const struct str *items, unsigned count)
{
    sb_z(&casts, name);
    for (unsigned i = 0; i < count; i++) {
        if (i) sb_char(&casts, ',');
        sb_str(&casts, items[i]);
    }
}

void sio_cast_emit(const struct sio_cast *c, struct str array, const struct str *attachments,
                   unsigned n)
{
    cr_expect_null(attachments);
    cr_expect_eq(n, 0);
    cr_expect_eq((void *)c->nsp, (void *)&nsp);
    put_list("rooms=", c->rooms, c->rooms_count);
    put_list(" except=", c->except, c->except_count);
    sb_printf(&casts, " flags=%u ", c->flags);
    sb_str(&casts, array);
    sb_char(&casts, '\n');
    metric_add(M_DELIVERIES, members);
}

bool adapter_is_connected(const struct adapter *a)
{
    cr_expect_eq((const void *)a, (const void *)&adapter_of);
    return is_connected;
}

static void on_request(void *ctx, struct pipe *p, const struct http_request *r)
{
    (void)ctx;
    ops_emit_on_request(emit, p, r);
}

static void on_body(void *ctx, struct pipe *p, int rc, struct str body)
{
    (void)ctx;
    ops_emit_on_body(emit, p, rc, body);
}

static void on_gone(void *ctx, struct pipe *p, int code)
{
    (void)ctx, (void)p, (void)code;
}

static void open_emit(bool has_adapter)
{
    ops_emit_free(emit);
    emit = ops_emit_new(&conf, (struct sio *)(void *)&server,
                        has_adapter ? (struct adapter *)(void *)&adapter_of : NULL);
}

static void set_up(void)
{
    static const struct edge_handler handler = {
        .on_request = on_request, .on_body = on_body, .on_gone = on_gone};

    metric_reset_for_test();
    conf.emit_token = token;
    is_connected = true;
    members = 3;
    open_emit(true);
    fake_edge_init(&edge, &handler, NULL);
}

static void tear_down(void)
{
    fake_edge_fini(&edge);
    ops_emit_free(emit);
    sb_fini(&casts);
}

TestSuite(ops_emit, .init = set_up, .fini = tear_down);

static struct fake_pipe *post(const char *body)
{
    return fake_post(&edge, "POST /emit\n" AUTH, str_z(body));
}

static const char *casts_z(void)
{
    sb_char(&casts, 0);
    casts.n = 0;
    return casts.p;
}

Test(ops_emit, is_off_without_a_token)
{
    conf.emit_token = no_token;
    cr_expect_null(ops_emit_new(&conf, NULL, NULL));
    conf.emit_token = NULL;
    cr_expect_null(ops_emit_new(&conf, NULL, NULL));
}

Test(ops_emit, casts_what_was_ordered_and_tells_how_many_were_here)
{
    struct fake_pipe *p = post("{\"event\":\"x\",\"data\":{\"a\":1},\"rooms\":[\"r\",\"s\"],"
                               "\"user\":\"u\",\"except\":[\"t\"],\"volatile\":true}");

    cr_expect_eq(p->status, 202);
    cr_expect_str_eq(fake_body_z(p), "{\"ok\":true,\"local\":3}");
    cr_expect(str_eq(sb_view(&p->type), STR("application/json")));
    cr_expect_str_eq(casts_z(), "rooms=r,s,user-u except=t flags=1 [\"x\",{\"a\":1}]\n");
    members = 0;
    cr_expect_str_eq(fake_body_z(post("{\"event\":\"y\"}")), "{\"ok\":true,\"local\":0}");
    cr_expect_str_eq(casts_z(), "rooms= except= flags=0 [\"y\"]\n");
    cr_expect_eq(metric_get_at(M_EMITS, 0), 2);
}

Test(ops_emit, says_when_the_other_nodes_cannot_be_told)
{
    is_connected = false;
    cr_expect_str_eq(fake_body_z(post("{\"event\":\"x\"}")),
                     "{\"ok\":true,\"local\":3,\"degraded\":true}");
    open_emit(false);
    cr_expect_str_eq(fake_body_z(post("{\"event\":\"x\"}")), "{\"ok\":true,\"local\":3}");
}

Test(ops_emit, waits_for_a_body_and_forgets_who_leaves)
{
    struct fake_pipe *p = fake_post_head(&edge, "POST /emit\n" AUTH, 13);

    cr_expect(fake_is_pending(p));
    fake_body(&edge, p, OK, STR("{\"event\":\"x\"}"));
    cr_expect_eq(p->status, 202);
    p = fake_post_head(&edge, "POST /emit\n" AUTH, 13);
    fake_gone(&edge, p, 0);
    cr_expect_eq(p->replies, 0);
    cr_expect_eq(metric_get(M_EMITS), 1);
}

Test(ops_emit, only_the_token_opens)
{
    static const struct {
        const char *header;
        int status;
    } rows[] = {
        {AUTH, 202},
        {"authorization: bearer   " TOKEN " \n", 202},
        {"", 401},
        {"Authorization: \n", 401},
        {"Authorization: Bearer\n", 401},
        {"Authorization: Bearer \n", 401},
        {"Authorization: " TOKEN "\n", 401},
        {"Authorization: Basic " TOKEN "\n", 401},
        {"Authorization: Bearer " TOKEN "f\n", 401},
        {"Authorization: Bearer 0123456789abcdef0123456789abcde\n", 401},
        {"Authorization: Bearer 0123456789abcdef0123456789abcdeF\n", 401},
        {"Authorization: Bearer 1123456789abcdef0123456789abcdef\n", 401},
        {"Authorization: Bearer " TOKEN TOKEN "\n", 401}, /* its bytes all fit */
        {"X-Token: " TOKEN "\n", 401},
    };
    int64_t refused = 0;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char head[256];
        struct fake_pipe *p;

        (void)snprintf(head, sizeof head, "POST /emit?token=" TOKEN "\n%s", rows[i].header);
        p = fake_post(&edge, head, STR("{\"event\":\"x\"}"));
        cr_expect_eq(p->status, rows[i].status, "row %zu: %d", i, p->status);
        cr_expect_eq(p->replies, 1, "row %zu", i);
        cr_expect_eq(p->late_orders, 0, "row %zu", i);
        if (rows[i].status == 202) continue;
        refused++;
        cr_expect(str_contains(sb_view(&p->body), STR("\"code\":\"auth_invalid\"")));
        cr_expect_not(str_contains(sb_view(&p->body), STR(TOKEN)));
        cr_expect_not_null(strstr(fake_headers_z(p), "WWW-Authenticate: Bearer\r\n"));
    }
    cr_expect_eq(metric_get_at(M_EMITS, 1), refused);
}

Test(ops_emit, refuses_with_a_sentence_and_a_code)
{
    static const struct {
        const char *body;
        int status;
        const char *want;
    } rows[] = {
        {"", 400, "{\"error\":\"the body is empty\",\"code\":\"bad_request\"}"},
        {"{", 400,
         "{\"error\":\"the body is not JSON: malformed data for this protocol\","
         "\"code\":\"bad_request\"}"},
        {"{}", 400, "{\"error\":\"event: is missing\",\"code\":\"invalid_payload\"}"},
        {"{\"event\":\"connect\"}", 400,
         "{\"error\":\"event: \\\"connect\\\" is reserved by Socket.IO\","
         "\"code\":\"invalid_payload\"}"},
        {"{\"event\":\"x\",\"namespace\":\"/other\"}", 400,
         "{\"error\":\"namespace: \\\"/other\\\" is not served here\",\"code\":\"not_found\"}"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fake_pipe *p =
            rows[i].body[0] ? post(rows[i].body) : fake_request(&edge, "POST /emit\n" AUTH);

        cr_expect_eq(p->status, rows[i].status, "row %zu", i);
        cr_expect_str_eq(fake_body_z(p), rows[i].want, "row %zu", i);
        cr_expect_eq(p->replies, 1, "row %zu", i);
    }
    cr_expect_eq(casts.n, 0, "nothing was emitted");
    cr_expect_eq(metric_get_at(M_EMITS, 2), 5);
}

Test(ops_emit, a_body_over_the_limit_is_413)
{
    struct fake_pipe *p = fake_post_head(&edge, "POST /emit\n" AUTH, 5000000);

    fake_body(&edge, p, ERR_TOO_BIG, STR_NONE);
    cr_expect_eq(p->status, 413);
    cr_expect_str_eq(fake_body_z(p), "{\"error\":\"the body is larger than MAX_PAYLOAD_BYTES\","
                                     "\"code\":\"payload_too_large\"}");
    cr_expect_eq(metric_get_at(M_EMITS, 3), 1);
}

Test(ops_emit, other_methods_are_405_even_with_a_token)
{
    static const char *const heads[] = {"GET /emit\n" AUTH, "HEAD /emit\n" AUTH, "PUT /emit\n" AUTH,
                                        "OPTIONS /emit\n", "DELETE /emit\n"};

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct fake_pipe *p = fake_request(&edge, heads[i]);

        cr_expect_eq(p->status, 405, "row %zu", i);
        cr_expect_not_null(strstr(fake_headers_z(p), "Allow: POST\r\n"), "row %zu", i);
    }
}

Test(ops_emit, bodies_of_other_pipes_are_none_of_its_business)
{
    struct fake_pipe *p = post("{\"event\":\"x\"}");

    ops_emit_on_body(emit, &p->pipe, OK, STR("{\"event\":\"x\"}"));
    cr_expect_eq(p->replies, 1);
    cr_expect_eq(p->late_orders, 0);
    cr_expect_eq(metric_get(M_EMITS), 1);
}
