/* The way of a request: path and method, who it is, role, input, handler. A refusal at any of these
 * is one line; nothing is read of a body before its sender may send one. */
#include "contacts/rest/rest_priv.h"

#include "base/mem.h"
#include "base/metric.h"
#include "node/auth/origin.h"
#include "node/auth/token.h"
#include "node/event/event.h"

static rest_handle *const handlers[REST_COUNT] = {
    [REST_listContacts] = rest_list_contacts,   [REST_getContact] = rest_get_contact,
    [REST_deleteContact] = rest_delete_contact, [REST_getTranscript] = rest_get_transcript,
    [REST_listNotices] = rest_list_notices,     [REST_retryNotice] = rest_retry_notice,
    [REST_createContact] = rest_create_contact, [REST_createReply] = rest_create_reply,
    [REST_claimContact] = rest_claim_contact,   [REST_resolveContact] = rest_resolve_contact,
    [REST_reopenContact] = rest_reopen_contact, [REST_rateContact] = rest_rate_contact,
    [REST_getStats] = rest_get_stats,
};

/* ---- the head ---- */

static struct rest_call *call_new(struct rest *r, struct pipe *p, const struct rest_route *route,
                                  const struct http_request *q, struct str id)
{
    struct rest_call *call = MEM_NEW(struct rest_call);

    call->rest = r;
    call->pipe = p;
    call->route = route;
    call->who = identity_guest();
    call->id = arena_str(&call->mem, id);
    call->address = arena_str(&call->mem, q->address);
    (void)auth_origin_headers(r->origins, q, false, &call->cors);
    list_init(&call->node);
    list_push(&r->calls, &call->node);
    r->calls_count++;
    return call;
}

/* A browser asks before it sends: which methods, which headers. */
static void preflight(struct rest *r, struct pipe *p, const struct http_request *q,
                      struct str methods)
{
    struct http_reply reply = {.status = 204};
    struct sb lines = {0};

    (void)auth_origin_headers(r->origins, q, false, &lines);
    sb_z(&lines, "Access-Control-Allow-Methods: ");
    sb_str(&lines, methods);
    sb_z(&lines, "\r\nAccess-Control-Allow-Headers: Content-Type,Authorization\r\n"
                 "Access-Control-Max-Age: 600\r\n");
    reply.headers = sb_view(&lines);
    pipe_reply(p, &reply);
    sb_fini(&lines);
}

/* No row for it: a preflight, another method, or no path of ours. */
static void no_route(struct rest *r, struct pipe *p, const struct http_request *q,
                     struct str methods)
{
    struct sb lines = {0};

    if (q->method == HTTP_OPTIONS && methods.n) {
        preflight(r, p, q, methods);
        return;
    }
    (void)auth_origin_headers(r->origins, q, false, &lines);
    if (methods.n) {
        sb_z(&lines, "Allow: ");
        sb_str(&lines, methods);
        sb_z(&lines, "\r\n");
        rest_turn_away(p, 405, ERR_PROTO, STR("another method is wanted here"), sb_view(&lines));
    } else {
        rest_turn_away(p, 404, ERR_NOT_FOUND, STR("there is nothing at this path"),
                       sb_view(&lines));
    }
    sb_fini(&lines);
}

static bool is_json(struct str type)
{
    struct str word, rest;

    (void)str_cut(type, ';', &word, &rest);
    return str_eq_nocase(str_trim(word), STR("application/json"));
}

/* Whose request it is, and whether it may. True: go on. */
static bool is_let_in(struct rest_call *call, const struct http_request *q)
{
    struct events *events = call->rest->s.events(call->rest->s.ctx);
    struct sb scratch = {0};
    struct str token = STR("");
    uint64_t wait_ms = 0;
    int rc = ERR_UNAVAILABLE;

    (void)auth_token_find(STR(""), STR(""), http_header(q, STR("Authorization")), &scratch, &token);
    if (events) rc = events_request(events, token, q->address, &call->who, &wait_ms);
    if (rc == OK && call->who->role < call->route->role)
        rc = call->who->role == ROLE_GUEST ? ERR_AUTH_REQUIRED : ERR_FORBIDDEN;
    sb_fini(&scratch);
    if (rc != OK) rest_refuse(call, rc, STR(""), wait_ms);
    return rc == OK;
}

/* ---- the input ---- */

static void run(struct rest_call *call)
{
    struct sb why = {0};
    struct json input;
    int rc = OK;

    if (call->route->decode) {
        if (!call->input.n) sb_z(&call->input, "{}"); /* whatever is missing is said by name */
        rc = json_parse(sb_view(&call->input), &input);
        sb_reserve(&call->scratch, call->input.n + 16);
        if (rc == OK) rc = call->route->decode(input, &call->scratch, &call->in, &why);
    }
    if (rc == OK) {
        call->is_running = true;
        metric_add_at(M_REST_REQUESTS, (unsigned)call->route->id, 1);
        handlers[call->route->id](call);
    } else {
        rest_refuse(call, rc, sb_view(&why), 0);
    }
    sb_fini(&why);
}

/* A query is there at once, a body is waited for if it may come. An empty one is an empty object.
 */
static void take(struct rest_call *call, const struct http_request *q)
{
    if (!is_let_in(call, q)) return;
    if (!call->route->has_body) {
        rest_route_query(q->query, call->route->bare, &call->input);
        run(call);
    } else if (!q->has_body) {
        run(call);
    } else if (q->content_length != UINT64_MAX && q->content_length > REST_BODY_MAX) {
        rest_refuse(call, ERR_TOO_BIG, STR(""), 0);
    } else if (q->content_length && !is_json(http_header(q, STR("Content-Type")))) {
        rest_refuse_as(call, 415, ERR_PROTO, STR("Content-Type: application/json is wanted"), 0);
    }
}

bool rest_on_request(struct rest *r, struct pipe *p, const struct http_request *q)
{
    struct sb others = {0};
    const struct rest_route *route;
    struct str id;

    if (!str_starts(q->path, STR("/api/"))) return false;
    route = rest_route_find(q->path, q->method_text, &id, &others);
    if (!route) {
        no_route(r, p, q, sb_view(&others));
    } else if (r->calls_count >= REST_CALLS_MAX) {
        rest_turn_away(p, 503, ERR_UNAVAILABLE, STR("too many requests at one time"),
                       STR("Retry-After: 1\r\n"));
    } else {
        take(call_new(r, p, route, q, id), q);
    }
    sb_fini(&others);
    return true;
}

/* ---- bodies, and those who left ---- */

static struct rest_call *call_of(struct rest *r, const struct pipe *p)
{
    LIST_EACH(node, &r->calls)
    {
        struct rest_call *call = LIST_OWNER(node, struct rest_call, node);

        if (call->pipe == p) return call;
    }
    return NULL;
}

bool rest_on_body(struct rest *r, struct pipe *p, int rc, struct str body)
{
    struct rest_call *call = call_of(r, p);

    if (!call) return false;
    if (rc != OK || body.n > REST_BODY_MAX) {
        rest_refuse(call, ERR_TOO_BIG, STR(""), 0);
        return true;
    }
    sb_str(&call->input, body);
    run(call);
    return true;
}

bool rest_on_gone(struct rest *r, struct pipe *p)
{
    struct rest_call *call = call_of(r, p);

    if (!call) return false;
    call->pipe = NULL;
    if (!call->is_running) rest_call_free(call);
    return true;
}

/* ---- the whole ---- */

static void label_metrics(void)
{
    static const char *names[REST_COUNT];

    for (unsigned i = 0; i < REST_COUNT; i++)
        names[i] = rest_routes[i].name;
    metric_labels(M_REST_REQUESTS, names, REST_COUNT);
}

struct rest *rest_new(const struct rest_seams *s)
{
    struct rest *r = MEM_NEW(struct rest);

    r->s = *s;
    r->origins = auth_origins_new(s->conf);
    token_keys_init(&r->keys, s->conf->jwt_secret, s->conf->jwt_secret_previous);
    list_init(&r->calls);
    label_metrics();
    return r;
}

void rest_free(struct rest *r)
{
    if (!r) return;
    LIST_EACH_SAFE(node, after, &r->calls)
    {
        struct rest_call *call = LIST_OWNER(node, struct rest_call, node);
        struct pipe *p = call->pipe;

        list_unlink(&call->node);
        call->rest = NULL;
        call->pipe = NULL;
        if (p)
            rest_turn_away(p, 503, ERR_UNAVAILABLE, STR("this node is ending"),
                           STR("Retry-After: 1\r\n"));
        if (!call->is_running) rest_call_free(call); /* else the store still answers to it */
    }
    auth_origins_free(r->origins);
    mem_free(r);
}
