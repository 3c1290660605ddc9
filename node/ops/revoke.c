/* Orders to log somebody out, checked to the last member: a slip must not look like a success. */
#include "node/ops/revoke.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "node/ops/bearer.h"

enum result { RESULT_OK, RESULT_AUTH, RESULT_REFUSED };

struct ops_revoke {
    const struct conf *conf;
    struct denied *denied;
    const struct adapter *adapter;
    struct str token; /* of the options */
};

struct ops_revoke *ops_revoke_new(const struct conf *c, struct denied *d,
                                  const struct adapter *adapter)
{
    static const char *const results[] = {
        [RESULT_OK] = "ok", [RESULT_AUTH] = "auth_invalid", [RESULT_REFUSED] = "refused"};
    struct ops_revoke *v;

    if (!c->revoke_token || !c->revoke_token[0]) return NULL;
    v = MEM_NEW(struct ops_revoke);
    *v = (struct ops_revoke){c, d, adapter, str_z(c->revoke_token)};
    metric_labels(M_REVOKES, results, 3);
    return v;
}

void ops_revoke_free(struct ops_revoke *v)
{
    mem_free(v);
}

static void refuse(struct pipe *p, int status, int code, struct str why)
{
    struct sb body = {0};

    metric_add_at(M_REVOKES, status == 401 ? RESULT_AUTH : RESULT_REFUSED, 1);
    sb_z(&body, "{\"error\":");
    sb_json(&body, why);
    sb_z(&body, ",\"code\":");
    sb_json(&body, str_z(err_wire(code)));
    sb_z(&body, "}");
    ops_bearer_answer(p, status,
                      status == 401   ? "WWW-Authenticate: Bearer\r\n"
                      : status == 405 ? "Allow: POST\r\n"
                                      : "",
                      &body);
    sb_fini(&body);
}

void ops_revoke_on_request(struct ops_revoke *v, struct pipe *p, const struct http_request *r)
{
    struct str given = ops_bearer_of(r);

    if (r->method != HTTP_POST)
        refuse(p, 405, ERR_PROTO, STR("POST is the only method here"));
    else if (!given.n)
        refuse(p, 401, ERR_AUTH, STR("a token is needed: Authorization: Bearer ..."));
    else if (!ops_bearer_fits(v->token, given))
        refuse(p, 401, ERR_AUTH, str_z(err_text(ERR_AUTH)));
    else if (!r->has_body)
        refuse(p, 400, ERR_PROTO, STR("the body is empty"));
    else
        p->user = v; /* waits for its body */
}

/* ---- the order ---- */

static int say(struct sb *why, const char *sentence)
{
    sb_z(why, sentence);
    return ERR_SCHEMA;
}

static int read_name(struct json v, const char *bad, struct sb *scratch, struct str *out,
                     struct sb *why)
{
    if (v.type == JSON_NUMBER)
        *out = v.raw; /* ids of the platform may be numbers */
    else if (json_text(v, scratch, out) != OK)
        return say(why, bad);
    return out->n && out->n <= DENIED_NAME_MAX ? OK : say(why, bad);
}

static int read_member(struct str key, struct json v, struct sb *scratch,
                       struct ops_revoke_order *out, struct sb *why)
{
    int64_t until;
    bool is_user = json_key_is(key, STR("user"));

    if (is_user || json_key_is(key, STR("jti"))) {
        if (out->name.p) return say(why, "user and jti: give one of them, once");
        out->kind = is_user ? DENIED_USER : DENIED_JTI;
        return read_name(v,
                         is_user ? "user: must be a text of 1 to 128 bytes, or a number"
                                 : "jti: must be a text of 1 to 128 bytes, or a number",
                         scratch, &out->name, why);
    }
    if (!json_key_is(key, STR("until")))
        return say(why, "not understood; known are user, jti, until");
    if (v.type != JSON_NUMBER || !json_i64(v, &until) || until <= 0)
        return say(why, "until: must be a whole number of seconds since 1970");
    out->until_s = (uint64_t)until;
    return OK;
}

int ops_revoke_decode(struct str body, struct sb *scratch, struct ops_revoke_order *out,
                      struct sb *why)
{
    struct json order, v;
    struct str rest, key;
    int rc = json_parse(body, &order);

    *out = (struct ops_revoke_order){.name = STR_NONE};
    sb_reserve(scratch, body.n + 16);
    if (rc != OK) {
        sb_z(why, "the body is not JSON: ");
        sb_z(why, err_text(rc));
        return rc;
    }
    if (order.type != JSON_OBJECT) return say(why, "the body must be a JSON object");
    rest = json_begin(order);
    while (rc == OK && json_next_member(&rest, &key, &v))
        rc = read_member(key, v, scratch, out, why);
    if (rc == OK && !out->name.p) rc = say(why, "user or jti: is missing");
    return rc;
}

static void accept(struct ops_revoke *v, struct pipe *p)
{
    bool is_away = v->adapter && !adapter_is_connected(v->adapter);
    struct sb body = {0};

    metric_add_at(M_REVOKES, RESULT_OK, 1);
    sb_z(&body, "{\"ok\":true");
    if (is_away) sb_z(&body, ",\"degraded\":true"); /* the others are told when Redis is back */
    sb_z(&body, "}");
    ops_bearer_answer(p, 202, "", &body);
    sb_fini(&body);
}

void ops_revoke_on_body(struct ops_revoke *v, struct pipe *p, int rc, struct str body)
{
    struct ops_revoke_order o;
    struct sb scratch = {0}, why = {0};
    uint64_t now_s = clock_wall_ms() / 1000, ttl_s = v->conf->revoke_seconds;

    if (p->user != v) return;
    p->user = NULL;
    if (rc != OK) {
        refuse(p, 413, ERR_TOO_BIG, STR("the body is larger than MAX_PAYLOAD_BYTES"));
        return;
    }
    rc = ops_revoke_decode(body, &scratch, &o, &why);
    if (rc == OK && o.until_s) ttl_s = o.until_s > now_s ? o.until_s - now_s : 0;
    if (rc == OK && ttl_s) rc = denied_add(v->denied, o.kind, o.name, ttl_s, NULL, NULL);
    if (rc == OK)
        accept(v, p);
    else
        refuse(p, 400, rc, sb_view(&why));
    sb_fini(&scratch);
    sb_fini(&why);
}
