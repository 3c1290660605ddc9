/* Asking a provider for its keys. What it gave before stays until something better comes: a
 * provider that is away, or answers nonsense, locks nobody out. Never logs a key. */
#include "node/auth/jwks.h"

#include "base/conf.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/outbound.h"
#include "base/rand.h"

enum { TIMEOUT_MS = 5000, WANT_MS = 10000, RETRY_MS = 5000, SET_MAX = 65536 };

struct auth_jwks {
    struct loop *loop;
    struct outbound *out;
    struct outbound_call *call; /* under way, or NULL */
    struct auth_keys *keys;
    const char *url;
    uint64_t refresh_ms, retry_ms, asked_ms;
    struct timer timer;
    bool is_settled;
};

static void ask(struct auth_jwks *j);

/* A tenth more or less: the nodes of a cluster do not come all at once. */
static void wait(struct auth_jwks *j, uint64_t ms)
{
    uint64_t tenth = ms / 10;

    loop_timer(j->loop, &j->timer, ms - tenth + rand_below((uint32_t)(2 * tenth + 1)));
}

static void on_answer(void *ctx, const struct outbound_answer *a)
{
    struct auth_jwks *j = ctx;
    int rc = a->rc == OK && a->status != 200 ? ERR_UNAVAILABLE : a->rc;

    j->call = NULL;
    j->is_settled = true;
    if (rc == OK) rc = auth_keys_take_set(j->keys, a->body);
    metric_add_at(M_JWKS, rc != OK, 1);
    if (rc == OK) {
        LOG_DEBUG("auth.jwks_read", LOG_U("bytes", a->body.n));
        j->retry_ms = RETRY_MS;
        wait(j, j->refresh_ms);
        return;
    }
    LOG_WARN("auth.jwks_failed", LOG_Z("why", a->why ? a->why : err_wire(rc)),
             LOG_U("status", a->status));
    wait(j, j->retry_ms);
    j->retry_ms = j->retry_ms * 2 < j->refresh_ms ? j->retry_ms * 2 : j->refresh_ms;
}

static void ask(struct auth_jwks *j)
{
    static const char *const headers[] = {"Accept: application/jwk-set+json, application/json",
                                          NULL};
    const struct outbound_request r = {
        .url = j->url, .headers = headers, .timeout_ms = TIMEOUT_MS, .max_bytes = SET_MAX};

    j->asked_ms = clock_ms();
    loop_timer_stop(j->loop, &j->timer);
    j->call = outbound_http(j->out, &r, on_answer, j);
}

static void on_timer(struct timer *t)
{
    ask(LIST_OWNER(t, struct auth_jwks, timer));
}

struct auth_jwks *auth_jwks_new(struct loop *l, const struct conf *c, struct auth_keys *k)
{
    static const char *const results[] = {"ok", "failed"};
    struct auth_jwks *j;

    if (!c->jwks_url || !c->jwks_url[0]) return NULL;
    metric_labels(M_JWKS, results, 2);
    j = MEM_NEW(struct auth_jwks);
    j->loop = l;
    j->out = outbound_new(l, c->outbound_ca_file);
    j->keys = k;
    j->url = c->jwks_url;
    j->refresh_ms = c->jwks_refresh_s * 1000;
    j->retry_ms = RETRY_MS;
    timer_init(&j->timer, on_timer);
    ask(j);
    return j;
}

void auth_jwks_free(struct auth_jwks *j)
{
    if (!j) return;
    loop_timer_stop(j->loop, &j->timer);
    outbound_free(j->out);
    mem_free(j);
}

bool auth_jwks_is_settled(const struct auth_jwks *j)
{
    return !j || j->is_settled;
}

void auth_jwks_want(struct auth_jwks *j)
{
    if (j && !j->call && clock_ms() - j->asked_ms >= WANT_MS) ask(j);
}
