/* Token at the head, order in the path and the body, the answer when the feature has it. A pipe is
 * kept meanwhile; it may go before the answer comes. Must never log or repeat the token. */
#include "node/ops/orders.h"

#include "base/err.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/metric.h"
#include "node/ops/bearer.h"

enum result { RESULT_OK, RESULT_AUTH, RESULT_REFUSED };

struct ops_orders {
    struct str token; /* of the options */
    void (*take)(void *ctx, const struct order *o);
    void *ctx;
    struct list held;
};

struct held { /* from the head to the answer */
    struct list node;
    struct ops_orders *orders;
    struct pipe *pipe; /* NULL: gone */
    size_t path_n;
    bool is_post, is_taken; /* taken: the feature has it */
    struct sb text;         /* path, query */
};

struct ops_orders *ops_orders_new(const struct conf *c,
                                  void (*take)(void *ctx, const struct order *o), void *ctx)
{
    static const char *const results[] = {
        [RESULT_OK] = "ok", [RESULT_AUTH] = "auth_invalid", [RESULT_REFUSED] = "refused"};
    struct ops_orders *o;

    if (!c->quiz_token || !c->quiz_token[0]) return NULL;
    o = MEM_NEW(struct ops_orders);
    o->token = str_z(c->quiz_token);
    o->take = take;
    o->ctx = ctx;
    list_init(&o->held);
    metric_labels(M_ORDERS, results, sizeof results / sizeof results[0]);
    return o;
}

static void held_free(struct held *h)
{
    list_unlink(&h->node);
    sb_fini(&h->text);
    mem_free(h);
}

void ops_orders_free(struct ops_orders *o)
{
    if (!o) return;
    while (!list_is_empty(&o->held)) /* never taken: no ticket is out for it */
        held_free(LIST_OWNER(o->held.next, struct held, node));
    mem_free(o);
}

static struct held *held_of(struct ops_orders *o, const struct pipe *p)
{
    LIST_EACH(node, &o->held)
    {
        struct held *h = LIST_OWNER(node, struct held, node);

        if (h->pipe == p) return h;
    }
    return NULL;
}

/* ---- answers ---- */

static void reply(struct pipe *p, const struct order_reply *r)
{
    struct sb lines = {0};
    struct http_reply http = {.status = r->status, .content_type = r->type, .body = r->body};

    metric_add_at(M_ORDERS,
                  r->status < 300    ? RESULT_OK
                  : r->status == 401 ? RESULT_AUTH
                                     : RESULT_REFUSED,
                  1);
    sb_z(&lines, "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
    sb_str(&lines, r->headers);
    http.headers = sb_view(&lines);
    http.close = r->status == 413;
    pipe_reply(p, &http);
    sb_fini(&lines);
}

static void refuse(struct pipe *p, int status, int code, struct str why, struct str headers)
{
    struct order_reply r = {.status = status, .type = STR("application/json"), .headers = headers};
    struct sb body = {0};

    sb_z(&body, "{\"error\":");
    sb_json(&body, why);
    sb_z(&body, ",\"code\":");
    sb_json(&body, str_z(err_wire(code)));
    sb_z(&body, "}");
    r.body = sb_view(&body);
    reply(p, &r);
    sb_fini(&body);
}

static void on_answer(void *to, const struct order_reply *r)
{
    struct held *h = to;

    if (h->pipe) reply(h->pipe, r);
    held_free(h);
}

/* ---- requests ---- */

static void take(struct held *h, struct str body)
{
    struct str text = sb_view(&h->text);
    const struct order o = {.is_post = h->is_post,
                            .path = str_head(text, h->path_n),
                            .query = str_skip(text, h->path_n),
                            .body = body,
                            .ticket = {on_answer, h}};

    h->is_taken = true;
    h->orders->take(h->orders->ctx, &o);
}

static void keep(struct ops_orders *o, struct pipe *p, const struct http_request *r)
{
    struct held *h = MEM_NEW(struct held);

    h->orders = o;
    h->pipe = p;
    h->is_post = r->method == HTTP_POST;
    sb_str(&h->text, r->path);
    h->path_n = h->text.n;
    sb_str(&h->text, r->query);
    list_init(&h->node);
    list_push(&o->held, &h->node);
    if (!r->has_body) take(h, STR_NONE); /* else it waits for its body */
}

bool ops_orders_on_request(struct ops_orders *o, struct pipe *p, const struct http_request *r)
{
    struct str prefix = STR("/quiz"), given = ops_bearer_of(r);
    struct str challenge = STR("WWW-Authenticate: Bearer\r\n");

    if (!str_eq(r->path, prefix) && !str_starts(r->path, STR("/quiz/"))) return false;
    if (r->method != HTTP_POST && r->method != HTTP_GET)
        refuse(p, 405, ERR_PROTO, STR("GET and POST are the methods here"),
               STR("Allow: GET, POST\r\n"));
    else if (!given.n)
        refuse(p, 401, ERR_AUTH, STR("a token is needed: Authorization: Bearer ..."), challenge);
    else if (!ops_bearer_fits(o->token, given))
        refuse(p, 401, ERR_AUTH, str_z(err_text(ERR_AUTH)), challenge);
    else
        keep(o, p, r);
    return true;
}

void ops_orders_on_body(struct ops_orders *o, struct pipe *p, int rc, struct str body)
{
    struct held *h = held_of(o, p);

    if (!h || h->is_taken) return;
    if (rc == OK) {
        take(h, body);
        return;
    }
    refuse(p, 413, ERR_TOO_BIG, STR("the body is larger than MAX_PAYLOAD_BYTES"), STR_NONE);
    held_free(h);
}

void ops_orders_on_gone(struct ops_orders *o, struct pipe *p)
{
    struct held *h = held_of(o, p);

    if (h && h->is_taken)
        h->pipe = NULL;
    else if (h)
        held_free(h);
}

void ops_orders_cut(struct ops_orders *o)
{
    LIST_EACH(node, &o->held)
    {
        LIST_OWNER(node, struct held, node)->pipe = NULL;
    }
}
