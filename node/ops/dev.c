/* Tokens for any name and the end of the node, for developers. See dev.h. */
#include "node/ops/dev.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "node/eio/eio.h"
#include "node/ops/bearer.h"

enum { NAME_BYTES = 64, TOKEN_EVERY_MS = 100, TOKENS_AT_ONCE = 30 };

struct action { /* of a path */
    struct str path;
    void (*run)(struct ops_dev *d, struct pipe *p, struct json order);
};

struct ops_dev {
    struct ops_dev_hands hands;
    char node_id[EIO_NODE_ID_SIZE];
    uint64_t full_at_ms; /* of the bucket of tokens, see event/rate.h */
};

struct ops_dev *ops_dev_new(const struct conf *c, struct str node_id,
                            const struct ops_dev_hands *hands)
{
    struct ops_dev *d;

    if (!c->dev || !c->demo) return NULL;
    d = MEM_NEW(struct ops_dev);
    d->hands = *hands;
    memcpy(d->node_id, node_id.p, sizeof d->node_id);
    LOG_WARN("ops.dev_open", LOG_Z("why", "DEV and DEMO are on: never so in production"),
             LOG_Z("token", "/dev/token signs in anybody under any name"),
             LOG_Z("kill", "/dev/kill lets anybody end this node"));
    return d;
}

void ops_dev_free(struct ops_dev *d)
{
    mem_free(d);
}

static void refuse(struct pipe *p, int status, int code, const char *headers)
{
    struct sb body = {0};

    sb_z(&body, "{\"ok\":false,\"code\":");
    sb_json(&body, str_z(err_wire(code)));
    sb_z(&body, ",\"message\":");
    sb_json(&body, str_z(err_text(code)));
    sb_z(&body, "}");
    ops_bearer_answer(p, status, headers, &body);
    sb_fini(&body);
}

/* A text member of the order; STR_NONE when absent or something else. */
static struct str text_of(struct json order, struct str name, struct sb *scratch)
{
    struct json v;
    struct str text;

    if (!json_member(order, name, &v) || json_text(v, scratch, &text) != OK) return STR_NONE;
    return str_trim(text);
}

/* ---- tokens ---- */

static bool may_sign(struct ops_dev *d)
{
    uint64_t now = clock_ms();
    uint64_t full = d->full_at_ms > now ? d->full_at_ms : now;

    if (full + TOKEN_EVERY_MS > now + (uint64_t)TOKEN_EVERY_MS * TOKENS_AT_ONCE) return false;
    d->full_at_ms = full + TOKEN_EVERY_MS;
    return true;
}

static void sign(struct ops_dev *d, struct pipe *p, struct json order)
{
    struct sb scratch = {0}, token = {0}, body = {0};
    struct str name = text_of(order, STR("name"), &scratch);

    if (!name.n || name.n > NAME_BYTES) {
        refuse(p, 400, ERR_SCHEMA, "");
    } else if (!may_sign(d)) {
        refuse(p, 429, ERR_RATE, "Retry-After: 1\r\n");
    } else if (!d->hands.token || !d->hands.token(d->hands.ctx, name, &token)) {
        refuse(p, 503, ERR_UNAVAILABLE, "");
    } else {
        sb_z(&body, "{\"ok\":true,\"token\":");
        sb_json(&body, sb_view(&token));
        sb_z(&body, "}");
        ops_bearer_answer(p, 200, "", &body);
    }
    sb_fini(&scratch);
    sb_fini(&token);
    sb_fini(&body);
}

/* ---- the end ---- */

/* One port may be that of several nodes: who names one asks again, on another connection, until it
 * is met. An answer that is no error, so that no browser writes it to its console. */
static void end(struct ops_dev *d, struct pipe *p, struct json order)
{
    struct sb scratch = {0}, body = {0};
    struct str wanted = text_of(order, STR("node"), &scratch);
    struct str own = str_of(d->node_id, sizeof d->node_id);
    bool is_meant = !wanted.n || str_eq(wanted, own);
    struct http_reply r = {.status = 200,
                           .content_type = STR("application/json"),
                           .headers = STR("Cache-Control: no-store\r\n"),
                           .close = true};

    if (!d->hands.die) {
        refuse(p, 503, ERR_UNAVAILABLE, "");
    } else {
        sb_z(&body, is_meant ? "{\"ok\":true,\"node\":" : "{\"ok\":false,\"node\":");
        sb_json(&body, own);
        sb_z(&body, "}");
        r.body = sb_view(&body);
        pipe_reply(p, &r);
        if (is_meant) {
            LOG_WARN("ops.dev_kill", LOG_S("id", own));
            d->hands.die(d->hands.ctx);
        }
    }
    sb_fini(&scratch);
    sb_fini(&body);
}

/* ---- requests ---- */

static const struct action actions[] = {{STR("/dev/token"), sign}, {STR("/dev/kill"), end}};
enum { ACTIONS = sizeof actions / sizeof actions[0] };

/* A page of another site may post here, too: its browser says where it comes from. */
static bool is_foreign(const struct http_request *r)
{
    struct str origin = http_header(r, STR("origin")), scheme, none, host;

    if (!origin.n) return false;
    if (!str_cut(origin, '/', &scheme, &none) || !str_cut(none, '/', &none, &host)) return true;
    return !str_eq(host, http_header(r, STR("host")));
}

static const struct action *action_at(struct str path)
{
    for (const struct action *a = actions; a < actions + ACTIONS; a++)
        if (str_eq(path, a->path)) return a;
    return NULL;
}

bool ops_dev_on_request(struct ops_dev *d, struct pipe *p, const struct http_request *r)
{
    const struct action *a = action_at(r->path);

    if (!d || !a) return false;
    if (r->method != HTTP_POST)
        refuse(p, 405, ERR_PROTO, "Allow: POST\r\n");
    else if (is_foreign(r))
        refuse(p, 403, ERR_FORBIDDEN, "");
    else if (!r->has_body)
        refuse(p, 400, ERR_SCHEMA, "");
    else
        p->user = (void *)(uintptr_t)a; /* const; waits for its body */
    return true;
}

static const struct action *action_of(const struct pipe *p)
{
    for (const struct action *a = actions; a < actions + ACTIONS; a++)
        if (p->user == a) return a;
    return NULL;
}

bool ops_dev_owns(const struct ops_dev *d, const struct pipe *p)
{
    return d && action_of(p);
}

bool ops_dev_on_body(struct ops_dev *d, struct pipe *p, int rc, struct str body)
{
    const struct action *a = action_of(p);
    struct json order;

    if (!d || !a) return false;
    p->user = NULL;
    if (rc != OK)
        refuse(p, 413, ERR_TOO_BIG, "");
    else if (json_parse(body, &order) != OK || order.type != JSON_OBJECT)
        refuse(p, 400, ERR_SCHEMA, "");
    else
        a->run(d, p, order);
    return true;
}
