/* POST /emit: token at the head, order in the body, an answer at once (202: local sockets are
 * served, the other nodes were told). Must never log or repeat the token. */
#include "node/ops/emit.h"

#include "base/mem.h"
#include "base/metric.h"
#include "node/ops/bearer.h"
#include "node/ops/emit_order.h"

enum result { RESULT_OK, RESULT_AUTH, RESULT_REFUSED, RESULT_TOO_BIG };

struct ops_emit {
    struct sio *sio;
    const struct adapter *adapter;
    struct str token; /* of the options */
};

struct ops_emit *ops_emit_new(const struct conf *c, struct sio *sio, const struct adapter *adapter)
{
    static const char *const results[] = {[RESULT_OK] = "ok",
                                          [RESULT_AUTH] = "auth_invalid",
                                          [RESULT_REFUSED] = "refused",
                                          [RESULT_TOO_BIG] = "payload_too_large"};
    struct ops_emit *e;

    if (!c->emit_token || !c->emit_token[0]) return NULL;
    e = MEM_NEW(struct ops_emit);
    e->sio = sio;
    e->adapter = adapter;
    e->token = str_z(c->emit_token);
    metric_labels(M_EMITS, results, sizeof results / sizeof results[0]);
    return e;
}

void ops_emit_free(struct ops_emit *e)
{
    mem_free(e);
}

/* ---- answers ---- */

struct refusal {
    int status, code; /* code: of err.def */
    enum result result;
    const char *headers;
};

static void refuse(struct pipe *p, const struct refusal *f, struct str why)
{
    struct sb body = {0};

    metric_add_at(M_EMITS, f->result, 1);
    sb_z(&body, "{\"error\":");
    sb_json(&body, why);
    sb_z(&body, ",\"code\":");
    sb_json(&body, str_z(err_wire(f->code)));
    sb_z(&body, "}");
    ops_bearer_answer(p, f->status, f->headers, &body);
    sb_fini(&body);
}

/* ---- the head ---- */

void ops_emit_on_request(struct ops_emit *e, struct pipe *p, const struct http_request *r)
{
    static const struct refusal method = {405, ERR_PROTO, RESULT_REFUSED, "Allow: POST\r\n"};
    static const struct refusal token = {401, ERR_AUTH, RESULT_AUTH,
                                         "WWW-Authenticate: Bearer\r\n"};
    static const struct refusal empty = {400, ERR_PROTO, RESULT_REFUSED, ""};
    struct str given = ops_bearer_of(r);

    if (r->method != HTTP_POST)
        refuse(p, &method, STR("POST is the only method here"));
    else if (!given.n)
        refuse(p, &token, STR("a token is needed: Authorization: Bearer ..."));
    else if (!ops_bearer_fits(e->token, given))
        refuse(p, &token, str_z(err_text(ERR_AUTH)));
    else if (!r->has_body)
        refuse(p, &empty, STR("the body is empty"));
    else
        p->user = e; /* waits for its body */
}

/* ---- the body ---- */

static struct sio_cast cast_of(const struct ops_emit_order *o, struct sio_nsp *nsp)
{
    struct sio_cast c = {.nsp = nsp,
                         .rooms_count = o->rooms_count,
                         .except_count = o->except_count,
                         .flags = o->is_volatile ? SIO_VOLATILE : 0u};

    memcpy(c.rooms, o->rooms, sizeof c.rooms);
    memcpy(c.except, o->except, sizeof c.except);
    return c;
}

static void emit(const struct ops_emit *e, struct pipe *p, const struct ops_emit_order *o,
                 struct sio_nsp *nsp)
{
    struct sio_cast c = cast_of(o, nsp);
    bool is_away = e->adapter && !adapter_is_connected(e->adapter);
    int64_t before = metric_get(M_DELIVERIES); /* which only casts move, and only this one now */
    struct sb body = {0};

    sio_cast_emit(&c, o->array, NULL, 0);
    metric_add_at(M_EMITS, RESULT_OK, 1);
    sb_z(&body, "{\"ok\":true,\"local\":");
    sb_i64(&body, metric_get(M_DELIVERIES) - before);
    if (is_away) sb_z(&body, ",\"degraded\":true");
    sb_z(&body, "}");
    ops_bearer_answer(p, 202, "", &body);
    sb_fini(&body);
}

static void refuse_order(struct pipe *p, int code, struct str why)
{
    struct refusal f = {400, code, RESULT_REFUSED, ""};

    refuse(p, &f, why);
}

void ops_emit_on_body(struct ops_emit *e, struct pipe *p, int rc, struct str body)
{
    static const struct refusal too_big = {413, ERR_TOO_BIG, RESULT_TOO_BIG, ""};
    struct ops_emit_order order;
    struct sb scratch = {0}, why = {0};
    struct sio_nsp *nsp = NULL;

    if (p->user != e) return;
    p->user = NULL;
    if (rc != OK) {
        refuse(p, &too_big, STR("the body is larger than MAX_PAYLOAD_BYTES"));
        return;
    }
    rc = ops_emit_order_decode(body, &scratch, &order, &why);
    if (rc == OK && !(nsp = sio_nsp_get(e->sio, order.nsp))) {
        rc = ERR_NOT_FOUND;
        sb_z(&why, "namespace: ");
        sb_json(&why, order.nsp);
        sb_z(&why, " is not served here");
    }
    if (rc == OK)
        emit(e, p, &order, nsp);
    else
        refuse_order(p, rc, sb_view(&why));
    sb_fini(&scratch);
    sb_fini(&why);
}
