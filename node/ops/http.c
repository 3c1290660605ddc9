/* Routes of ops: health for people and balancers, readiness for orchestrators, metrics for
 * Prometheus, the demo page, emitting for back ends. */
#include "node/ops/ops.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/proc.h"
#include "node/ops/emit.h"
#include "node/ops/files.h"
#include "node/ops/orders.h"
#include "node/ops/revoke.h"

struct ops {
    const struct conf *conf;
    struct ops_sources from;
    char node_id[EIO_NODE_ID_SIZE];
    uint64_t started_ms;
    bool draining, was_connected;
    struct ops_files *files;
    struct ops_emit *emit;     /* NULL: off */
    struct ops_revoke *revoke; /* NULL: off */
    struct ops_dev *dev;       /* NULL: off */
    struct ops_orders *orders; /* NULL: off */
};

struct ops *ops_new(const struct conf *c, struct str node_id, const struct ops_sources *from)
{
    struct ops *o = MEM_NEW(struct ops);

    o->conf = c;
    o->from = *from;
    memcpy(o->node_id, node_id.p, sizeof o->node_id);
    o->started_ms = clock_ms();
    if (c->demo && c->static_dir[0]) o->files = ops_files_new(c->static_dir);
    if (from->sio) o->emit = ops_emit_new(c, from->sio, from->adapter);
    o->from.dev.ctx = from->ctx;
    o->dev = ops_dev_new(c, node_id, &o->from.dev);
    if (from->denied) o->revoke = ops_revoke_new(c, from->denied, from->adapter);
    if (from->order) o->orders = ops_orders_new(c, from->order, from->ctx);
    return o;
}

void ops_free(struct ops *o)
{
    if (!o) return;
    ops_files_free(o->files);
    ops_emit_free(o->emit);
    ops_revoke_free(o->revoke);
    ops_dev_free(o->dev);
    ops_orders_free(o->orders);
    mem_free(o);
}

void ops_set_draining(struct ops *o)
{
    o->draining = true;
    metric_set(M_DRAINING, 1);
}

static bool is_redis_away(const struct ops *o)
{
    return o->from.adapter && !adapter_is_connected(o->from.adapter);
}

/* NULL: there is none. */
static const char *part_state(const struct ops *o)
{
    return o->from.part ? o->from.part_state(o->from.ctx) : NULL;
}

static bool is_degraded(const struct ops *o)
{
    const char *part = part_state(o);

    return is_redis_away(o) || (part && strcmp(part, "up") != 0);
}

void ops_set_connected(struct ops *o)
{
    o->was_connected = true;
}

/* Not before the cluster was reached once; away from it later the node still serves its own
 * clients: degraded. */
bool ops_is_ready(const struct ops *o)
{
    return !o->draining && (o->was_connected || !o->from.adapter);
}

static void answer(struct pipe *p, int status, struct str type, const struct sb *body)
{
    struct http_reply r = {
        .status = status,
        .content_type = type,
        .body = sb_view(body),
        .headers = STR("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n")};

    pipe_reply(p, &r);
}

static void put_status(const struct ops *o, struct sb *out)
{
    const char *status = o->draining ? "draining" : is_degraded(o) ? "degraded" : "ok";
    const char *part = part_state(o);

    sb_z(out, "{\"status\":\"");
    sb_z(out, status);
    sb_z(out, "\",\"service\":");
    sb_json(out, str_z(o->from.program));
    sb_z(out, ",\"version\":\"" INGOMA_VERSION "\",\"node\":");
    sb_json(out, str_of(o->node_id, sizeof o->node_id));
    sb_z(out, ",\"name\":");
    sb_json(out, str_z(o->conf->node_name));
    if (part) sb_printf(out, ",\"%s\":\"%s\"", o->from.part, part);
}

/* The rates of the last interval of serverStats. */
static void put_rates(struct sb *out, bool is_cluster)
{
    static const struct {
        const char *name;
        enum metric node, cluster;
    } rows[] = {
        {"eventsPerMinute", M_NODE_EVENTS, M_CLUSTER_EVENTS},
        {"deliveriesPerMinute", M_NODE_DELIVERIES, M_CLUSTER_DELIVERIES},
        {"errorsPerMinute", M_NODE_ERRORS, M_CLUSTER_ERRORS},
        {"eventMicroseconds", M_NODE_EVENT_US, M_CLUSTER_EVENT_US},
        {"redisMicroseconds", M_NODE_REDIS_US, M_CLUSTER_REDIS_US},
        {"cpuPermille", M_NODE_CPU, M_CLUSTER_CPU},
    };

    sb_z(out, "\"rates\":{");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        sb_printf(out, "%s\"%s\":%lld", i ? "," : "", rows[i].name,
                  (long long)metric_get(is_cluster ? rows[i].cluster : rows[i].node));
    sb_char(out, '}');
}

static void put_cluster(const struct ops *o, struct sb *out)
{
    sb_printf(out,
              "\"cluster\":{\"nodes\":%u,\"sockets\":%lld,\"socketsTotal\":%lld,"
              "\"socketsPeak\":%lld,",
              o->from.adapter ? adapter_nodes(o->from.adapter) : 1,
              (long long)metric_get(M_CLUSTER_SOCKETS),
              (long long)metric_get(M_CLUSTER_SOCKETS_TOTAL),
              (long long)metric_get(M_CLUSTER_SOCKETS_PEAK));
    sb_printf(out, "\"onlineUsers\":%lld,\"rooms\":%lld,\"quizSessions\":%lld,\"memory\":%lld,",
              (long long)metric_get(M_USERS_ONLINE), (long long)metric_get(M_CLUSTER_ROOMS),
              (long long)metric_get(M_QUIZ_SESSIONS), (long long)metric_get(M_CLUSTER_MEMORY));
    put_rates(out, true);
    sb_char(out, '}');
}

static void answer_health(const struct ops *o, struct pipe *p)
{
    char now[CLOCK_ISO_SIZE];
    struct sb body = {0};

    clock_iso(clock_wall_ms(), now);
    put_status(o, &body);
    sb_printf(&body, ",\"uptime\":%llu,\"connections\":%lld,\"sessions\":%lld,\"sockets\":%lld",
              (unsigned long long)(clock_ms() - o->started_ms) / 1000,
              (long long)metric_get(M_CONNECTIONS), (long long)metric_get(M_SESSIONS),
              (long long)metric_get(M_SOCKETS));
    sb_printf(&body,
              ",\"rooms\":%lld,\"nodes\":%u,\"redis\":\"%s\",\"memory\":{\"rss\":%llu},"
              "\"users\":%lld,",
              (long long)metric_get(M_ROOMS), o->from.adapter ? adapter_nodes(o->from.adapter) : 1,
              !o->from.adapter   ? "none"
              : is_redis_away(o) ? "away"
                                 : "connected",
              (unsigned long long)proc_resident_bytes(), (long long)metric_get(M_USERS_HERE));
    put_rates(&body, false);
    sb_char(&body, ',');
    put_cluster(o, &body);
    sb_printf(&body, ",\"dev\":%s,\"timestamp\":\"%s\"}", o->dev ? "true" : "false", now);
    answer(p, 200, STR("application/json"), &body);
    sb_fini(&body);
}

static void answer_ready(const struct ops *o, struct pipe *p)
{
    struct sb body = {0};

    put_status(o, &body);
    sb_printf(&body, ",\"ready\":%s,\"degraded\":%s}", ops_is_ready(o) ? "true" : "false",
              is_degraded(o) ? "true" : "false");
    answer(p, ops_is_ready(o) ? 200 : 503, STR("application/json"), &body);
    sb_fini(&body);
}

static void answer_metrics(const struct ops *o, struct pipe *p)
{
    uint64_t bufs, bytes;
    struct sb body = {0};

    buf_stats(&bufs, &bytes);
    metric_set(M_BUFS, (int64_t)bufs);
    metric_set(M_UPTIME, (int64_t)((clock_ms() - o->started_ms) / 1000));
    metric_set(M_MEMORY, (int64_t)proc_resident_bytes());
    metric_set(M_DEGRADED, is_redis_away(o));
    metric_print(&body);
    answer(p, 200, STR("text/plain; version=0.0.4; charset=utf-8"), &body);
    sb_fini(&body);
}

static void answer_not_found(struct pipe *p)
{
    struct sb body = {0};

    sb_z(&body, "{\"error\":\"not found\"}");
    answer(p, 404, STR("application/json"), &body);
    sb_fini(&body);
}

static bool is_read(const struct http_request *r)
{
    return r->method == HTTP_GET || r->method == HTTP_HEAD;
}

static void answer_token(const struct ops *o, struct pipe *p, const struct http_request *r)
{
    struct sb name = {0}, body = {0}, token = {0};
    struct str raw;

    if (str_query(r->query, STR("name"), &raw)) sb_percent_decode(&name, raw);
    if (name.n && name.n <= 64 && str_is_utf8(sb_view(&name)) &&
        o->from.demo_token(o->from.ctx, sb_view(&name), &token)) {
        sb_z(&body, "{\"token\":");
        sb_json(&body, sb_view(&token));
        sb_z(&body, "}");
        answer(p, 200, STR("application/json"), &body);
    } else {
        sb_z(&body, "{\"error\":\"a name of 1 to 64 bytes is needed\"}");
        answer(p, 400, STR("application/json"), &body);
    }
    sb_fini(&name);
    sb_fini(&body);
    sb_fini(&token);
}

/* GET /socket.io/socket.io.js, as Node's serveClient does. */
static bool serve_bundle(const struct ops *o, struct pipe *p, const struct http_request *r)
{
    struct str prefix = str_z(o->conf->socket_path);
    struct str name = str_skip(r->path, prefix.n);

    if (!o->files || !str_starts(r->path, prefix) || !str_starts(name, STR("socket.io.")))
        return false;
    if (str_eq(name, STR("socket.io.js"))) name = STR("socket.io.min.js");
    return ops_files_serve(o->files, name, p, r);
}

bool ops_public(struct ops *o, struct pipe *p, const struct http_request *r)
{
    if (is_read(r) && (str_eq(r->path, STR("/health")) || str_eq(r->path, STR("/api/health")))) {
        answer_health(o, p);
        return true;
    }
    if (ops_dev_on_request(o->dev, p, r)) return true;
    if (!o->files) return false;
    if (is_read(r) && str_eq(r->path, STR("/demo/token")) && o->from.demo_token) {
        answer_token(o, p, r);
        return true;
    }
    if (serve_bundle(o, p, r)) return true;
    return ops_files_serve(o->files, r->path.n == 1 ? STR("index.html") : str_skip(r->path, 1), p,
                           r);
}

bool ops_public_owns(const struct ops *o, const struct pipe *p)
{
    return ops_dev_owns(o->dev, p);
}

bool ops_public_body(struct ops *o, struct pipe *p, int rc, struct str body)
{
    return ops_dev_on_body(o->dev, p, rc, body);
}

void ops_private(struct ops *o, struct pipe *p, const struct http_request *r)
{
    if (o->emit && str_eq(r->path, STR("/emit")))
        ops_emit_on_request(o->emit, p, r);
    else if (o->revoke && str_eq(r->path, STR("/revoke")))
        ops_revoke_on_request(o->revoke, p, r);
    else if (o->orders && ops_orders_on_request(o->orders, p, r))
        return;
    else if (!is_read(r))
        answer_not_found(p);
    else if (str_eq(r->path, STR("/metrics")))
        answer_metrics(o, p);
    else if (str_eq(r->path, STR("/ready")) || str_eq(r->path, STR("/readyz")))
        answer_ready(o, p);
    else if (str_eq(r->path, STR("/health")) || str_eq(r->path, STR("/livez")))
        answer_health(o, p);
    else
        answer_not_found(p);
}

void ops_private_body(struct ops *o, struct pipe *p, int rc, struct str body)
{
    if (o->emit) ops_emit_on_body(o->emit, p, rc, body);
    if (o->revoke) ops_revoke_on_body(o->revoke, p, rc, body);
    if (o->orders) ops_orders_on_body(o->orders, p, rc, body);
}

void ops_private_gone(struct ops *o, struct pipe *p)
{
    if (o->orders) ops_orders_on_gone(o->orders, p);
}

void ops_private_cut(struct ops *o)
{
    if (o && o->orders) ops_orders_cut(o->orders);
}
