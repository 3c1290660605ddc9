/* See ask.h. Between two questions the connection may stand still for as long as it takes. */
#include "adapter/redis/ask.h"

#include <assert.h>
#include "adapter/redis/hub_priv.h"
#include "adapter/redis/once_priv.h"
#include "adapter/redis/store.h"
#include "base/conf.h"
#include "base/mem.h"
#include "base/forbid.h"

struct redis_ask {
    struct redis_once once;
    struct redis_ask_conf conf;
    uint64_t timeout_ms;
    redis_told_fn *told; /* of the question under way */
    void *told_ctx;
};

static struct redis_ask *ask_of(struct redis_once *once)
{
    return LIST_OWNER(once, struct redis_ask, once);
}

static void ask_free(struct redis_once *once)
{
    redis_url_fini(&once->url);
    mem_free(ask_of(once));
}

static void on_answer(void *ctx, int rc, const struct redisReply *r)
{
    struct redis_once *once = ctx;
    struct redis_ask *a = ask_of(once);
    redis_told_fn *told = a->told;

    if (!redis_once_is_answer(once, rc, r)) return;
    loop_timer_stop(once->loop, &once->deadline);
    a->told = NULL;
    redis_store_texts(r, told, a->told_ctx);
}

void redis_ask(struct redis_ask *a, const struct redis_visit *v, redis_told_fn *told, void *ctx)
{
    assert(!a->told);
    a->told = told;
    a->told_ctx = ctx;
    loop_timer(a->once.loop, &a->once.deadline, a->timeout_ms);
    if (redis_visit_send(a->once.hub, v, on_answer, &a->once) != OK)
        redis_once_end(&a->once, ERR_UNAVAILABLE, 0, STR("Redis went away"));
}

void redis_ask_end(struct redis_ask *a)
{
    redis_once_end(&a->once, OK, 0, STR_NONE);
}

static void go(struct redis_once *once)
{
    struct redis_ask *a = ask_of(once);

    once->is_sent = true;
    loop_timer_stop(once->loop, &once->deadline);
    a->conf.up(a->conf.ctx);
}

int redis_ask_open(struct loop *l, const struct conf *c, const struct redis_ask_conf *conf,
                   struct redis_ask **out, char **why)
{
    struct redis_ask *a = MEM_NEW(struct redis_ask);
    int rc = redis_url_parse(str_z(c->redis_url), &a->once.url, why);

    if (rc != OK) {
        ask_free(&a->once);
        return rc;
    }
    a->conf = *conf;
    a->timeout_ms = c->redis_timeout_ms;
    a->once.doubt = "not all was read";
    a->once.go = go;
    a->once.free = ask_free;
    *out = a;
    redis_once_open(&a->once, l, c, "ingoma-ask", conf->done, conf->ctx);
    return OK;
}
