/* How a call ends. A refusal is {code, message, retryAfterMs?} with the status of its code; this is
 * the only place that knows statuses. */
#include "contacts/rest/rest_priv.h"

#include "base/mem.h"
#include "base/metric.h"
#include "node/event/event.h"
#include "base/forbid.h"

static const struct {
    int rc, status;
} statuses[] = {
    {ERR_SCHEMA, 400},    {ERR_PROTO, 400},   {ERR_UTF8, 400},      {ERR_DEPTH, 400},
    {ERR_AUTH, 401},      {ERR_EXPIRED, 401}, {ERR_REVOKED, 401},   {ERR_AUTH_REQUIRED, 401},
    {ERR_FORBIDDEN, 403}, {ERR_BANNED, 403},  {ERR_NOT_FOUND, 404}, {ERR_CONFLICT, 409},
    {ERR_EXISTS, 409},    {ERR_CLOSED, 409},  {ERR_CLAIMED, 409},   {ERR_RESOLVED, 409},
    {ERR_LIMIT, 409},     {ERR_TOO_BIG, 413}, {ERR_RATE, 429},      {ERR_UNAVAILABLE, 503},
    {ERR_TIMEOUT, 504},
};

static int status_of(int rc)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (statuses[i].rc == rc) return statuses[i].status;
    return 500;
}

void rest_call_free(struct rest_call *call)
{
    if (list_is_linked(&call->node)) list_unlink(&call->node);
    if (call->rest) call->rest->calls_count--;
    if (call->drop && call->op) call->drop(call->op);
    identity_free(call->who);
    sb_fini(&call->cors);
    sb_fini(&call->input);
    sb_fini(&call->scratch);
    arena_fini(&call->mem);
    mem_free(call);
}

static void answer(struct rest_call *call, const struct http_reply *r)
{
    if (call->pipe) pipe_reply(call->pipe, r);
    rest_call_free(call);
}

static void put_common(struct sb *lines)
{
    sb_z(lines, "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
}

void rest_json(struct rest_call *call, int status, struct str body)
{
    struct http_reply r = {.status = status, .content_type = STR("application/json"), .body = body};

    put_common(&call->cors);
    r.headers = sb_view(&call->cors);
    answer(call, &r);
}

void rest_page(struct rest_call *call, const struct store_result *r, struct sb *body)
{
    if (r->has_more) {
        sb_z(body, ",\"cursor\":");
        sb_json(body, r->cursor);
    }
    sb_char(body, '}');
    rest_json(call, 200, sb_view(body));
    sb_fini(body);
}

void rest_text(struct rest_call *call, struct str type, struct str headers, struct str body)
{
    struct http_reply r = {.status = 200, .content_type = type, .body = body};

    put_common(&call->cors);
    sb_str(&call->cors, headers);
    r.headers = sb_view(&call->cors);
    answer(call, &r);
}

static void put_error(struct sb *out, const struct event_answer *a)
{
    sb_z(out, "{\"code\":");
    sb_json(out, str_z(err_wire(a->rc)));
    sb_z(out, ",\"message\":");
    sb_json(out, a->why.n ? a->why : str_z(err_text(a->rc)));
    if (a->retry_after_ms)
        sb_printf(out, ",\"retryAfterMs\":%llu", (unsigned long long)a->retry_after_ms);
    if (a->members.n) sb_char(out, ',');
    sb_str(out, a->members);
    sb_char(out, '}');
}

static void refuse(struct rest_call *call, int status, const struct event_answer *a)
{
    struct sb body = {0};
    struct event_answer out = *a;
    uint64_t wait_ms = a->rc == ERR_UNAVAILABLE && !a->retry_after_ms ? 1000 : a->retry_after_ms;

    out.retry_after_ms = wait_ms;
    metric_add(M_REST_REFUSED, 1);
    put_error(&body, &out);
    if (status == 401) sb_z(&call->cors, "WWW-Authenticate: Bearer\r\n");
    if (wait_ms)
        sb_printf(&call->cors, "Retry-After: %llu\r\n", (unsigned long long)(wait_ms + 999) / 1000);
    rest_json(call, status, sb_view(&body));
    sb_fini(&body);
}

void rest_refuse(struct rest_call *call, int rc, struct str why, uint64_t wait_ms)
{
    rest_refuse_as(call, status_of(rc), rc, why, wait_ms);
}

void rest_refuse_as(struct rest_call *call, int status, int rc, struct str why, uint64_t wait_ms)
{
    refuse(call, status, &(struct event_answer){.rc = rc, .why = why, .retry_after_ms = wait_ms});
}

void rest_refuse_answer(struct rest_call *call, const struct event_answer *a)
{
    refuse(call, status_of(a->rc), a);
}

void rest_turn_away(struct pipe *p, int status, int rc, struct str why, struct str headers)
{
    struct sb body = {0}, lines = {0};
    struct http_reply r = {.status = status, .content_type = STR("application/json")};

    put_error(&body, &(struct event_answer){.rc = rc, .why = why});
    put_common(&lines);
    sb_str(&lines, headers);
    r.body = sb_view(&body);
    r.headers = sb_view(&lines);
    pipe_reply(p, &r);
    sb_fini(&body);
    sb_fini(&lines);
}

bool rest_is_over(struct rest_call *call, const struct store_result *r)
{
    if (!call->rest) { /* rest_free has answered */
        rest_call_free(call);
        return true;
    }
    if (r->rc == OK) return false;
    rest_refuse(call, r->rc, r->rc == ERR_UNAVAILABLE ? STR("the store is away") : STR(""), 0);
    return true;
}
