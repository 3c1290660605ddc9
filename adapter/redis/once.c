/* See once_priv.h. */
#include "adapter/redis/once_priv.h"

#include <hiredis/hiredis.h>

#include "adapter/redis/hub_priv.h"
#include "base/conf.h"
#include "base/forbid.h"

static void free_now(struct loop_task *t)
{
    struct redis_once *o = LIST_OWNER(t, struct redis_once, free_task);

    o->free(o);
}

void redis_once_end(struct redis_once *o, int rc, unsigned count, struct str why)
{
    redis_once_done_fn *done = o->done;

    if (!done) return;
    o->done = NULL;
    loop_timer_stop(o->loop, &o->deadline);
    redis_hub_close(o->hub);
    loop_free_at_end(o->loop, &o->free_task);
    done(o->ctx, rc, count, why);
}

/* Nobody knows whether it was carried out. */
static void end_in_doubt(struct redis_once *o, const char *what)
{
    struct sb why = {0};

    sb_printf(&why, "%s; %s", what, o->doubt);
    redis_once_end(o, ERR_TIMEOUT, 0, sb_view(&why));
    sb_fini(&why);
}

bool redis_once_is_answer(struct redis_once *o, int rc, const struct redisReply *r)
{
    if (!o->done) return false;
    if (rc != OK)
        end_in_doubt(o, "Redis went away");
    else if (r->type == REDIS_REPLY_ERROR)
        redis_once_end(o, ERR_FORBIDDEN, 0, str_of(r->str, r->len));
    else
        return true;
    return false;
}

static void on_deadline(struct timer *t)
{
    struct redis_once *o = LIST_OWNER(t, struct redis_once, deadline);

    if (o->is_sent)
        end_in_doubt(o, "Redis did not answer in time");
    else
        redis_once_end(o, ERR_UNAVAILABLE, 0, STR("Redis cannot be reached"));
}

static void on_up(void *ctx)
{
    struct redis_once *o = ctx;

    if (!o->is_sent && o->done) o->go(o);
}

static void on_down(void *ctx)
{
    (void)ctx;
}

void redis_once_open(struct redis_once *o, struct loop *l, const struct conf *c, const char *name,
                     redis_once_done_fn *done, void *ctx)
{
    struct redis_hub_conf hub = {.loop = l,
                                 .url = &o->url,
                                 .name = name,
                                 .timeout_ms = c->redis_timeout_ms,
                                 .queue_bytes = c->redis_queue_bytes,
                                 .ctx = o,
                                 .on_up = on_up,
                                 .on_down = on_down};

    o->loop = l;
    o->done = done;
    o->ctx = ctx;
    loop_task_init(&o->free_task, free_now);
    timer_init(&o->deadline, on_deadline);
    loop_timer(l, &o->deadline, c->redis_timeout_ms);
    o->hub = redis_hub_open(&hub);
}
