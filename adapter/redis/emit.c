/* A cast from outside: the classic wire as @socket.io/redis-emitter speaks it (reference 4.2), or
 * the sharded one. Says "emitter" for a uid: every server delivers it, none takes it for a server.
 * Sends once, never again: a cast that may have gone out is not repeated. */
#include "adapter/redis/emit.h"

#include <hiredis/hiredis.h>

#include "adapter/channel.h"
#include "adapter/classic.h"
#include "adapter/redis/hub_priv.h"
#include "adapter/sharded.h"
#include "base/conf.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/forbid.h"

struct emit {
    struct loop *loop;
    struct redis_url url;
    struct redis_hub *hub;
    struct sb channel, payload;
    struct timer deadline;
    struct loop_task free;
    redis_emit_done_fn *done; /* NULL: was called */
    void *ctx;
    bool is_sent, is_sharded;
};

static void free_now(struct loop_task *t)
{
    struct emit *e = LIST_OWNER(t, struct emit, free);

    redis_url_fini(&e->url);
    sb_fini(&e->channel);
    sb_fini(&e->payload);
    mem_free(e);
}

static void finish(struct emit *e, int rc, unsigned servers, struct str why)
{
    redis_emit_done_fn *done = e->done;

    if (!done) return;
    e->done = NULL;
    loop_timer_stop(e->loop, &e->deadline);
    redis_hub_close(e->hub);
    loop_free_at_end(e->loop, &e->free);
    done(e->ctx, rc, servers, why);
}

static void on_deadline(struct timer *t)
{
    struct emit *e = LIST_OWNER(t, struct emit, deadline);

    if (e->is_sent)
        finish(e, ERR_TIMEOUT, 0, STR("Redis did not answer in time; it may have gone out"));
    else
        finish(e, ERR_UNAVAILABLE, 0, STR("Redis cannot be reached"));
}

static void on_reply(void *ctx, int rc, const struct redisReply *r)
{
    struct emit *e = ctx;

    if (rc != OK)
        finish(e, ERR_TIMEOUT, 0, STR("Redis went away; it may have gone out"));
    else if (r->type == REDIS_REPLY_INTEGER)
        finish(e, OK, (unsigned)r->integer, STR_NONE);
    else
        finish(e, ERR_FORBIDDEN, 0,
               r->type == REDIS_REPLY_ERROR ? str_of(r->str, r->len)
                                            : STR("Redis gave an answer that is none"));
}

static void on_up(void *ctx)
{
    struct emit *e = ctx;
    const struct str argv[] = {e->is_sharded ? STR("SPUBLISH") : STR("PUBLISH"),
                               sb_view(&e->channel), sb_view(&e->payload)};

    if (e->is_sent || !e->done) return;
    e->is_sent = true;
    if (redis_hub_send(e->hub, argv[1], argv, 3, on_reply, e) != OK)
        finish(e, ERR_UNAVAILABLE, 0, STR("it is larger than REDIS_QUEUE_BYTES"));
}

static void on_down(void *ctx)
{
    (void)ctx;
}

/* Which channel, as the drivers choose it (bus.c, sharded_bus.c). */
static enum channel channel_of(const struct conf *c, const struct adapter_cast *cast,
                               bool is_sharded)
{
    struct str mode = str_z(c->adapter_subscription_mode);
    bool is_one = cast->rooms_count == 1;

    if (!is_sharded) return is_one ? CHANNEL_CAST_ROOM : CHANNEL_CAST;
    if (!is_one || str_eq(mode, STR("static"))) return CHANNEL_SHARD;
    if (str_eq(mode, STR("dynamic")) && sharded_is_private(cast->nsp, cast->rooms[0]))
        return CHANNEL_SHARD;
    return CHANNEL_SHARD_ROOM;
}

static int encode(struct emit *e, const struct adapter_cast *cast)
{
    const struct str uid = STR("emitter");
    const struct wire w = {.type = WIRE_CAST, .uid = uid, .nsp = cast->nsp, .cast = *cast};

    return e->is_sharded ? sharded_encode(&w, &e->payload) : classic_encode(uid, cast, &e->payload);
}

static int fill(struct emit *e, const struct conf *c, const struct adapter_cast *cast, char **why)
{
    struct channel_parts parts = {.prefix = str_z(c->adapter_prefix), .nsp = cast->nsp};
    int rc;

    e->is_sharded = str_eq(str_z(c->adapter), STR("redis-sharded"));
    if (!e->is_sharded && !str_eq(str_z(c->adapter), STR("redis"))) {
        *why = str_dup(STR("only the wires of ADAPTER=redis and redis-sharded can be spoken from "
                           "outside; POST /emit of a node works with every adapter"));
        return ERR_CONFIG;
    }
    rc = redis_url_parse(str_z(c->redis_url), &e->url, why);
    if (rc != OK) return rc;
    if (cast->rooms_count == 1) parts.room = cast->rooms[0];
    channel_name(channel_of(c, cast, e->is_sharded), &parts, &e->channel);
    rc = encode(e, cast);
    if (rc != OK) *why = str_dup(str_z(err_text(rc)));
    return rc;
}

int redis_emit_once(struct loop *l, const struct conf *c, const struct adapter_cast *cast,
                    redis_emit_done_fn *done, void *ctx, char **why)
{
    struct emit *e = MEM_NEW(struct emit);
    struct redis_hub_conf hub = {.loop = l,
                                 .url = &e->url,
                                 .name = "ingoma-emit",
                                 .timeout_ms = c->redis_timeout_ms,
                                 .queue_bytes = c->redis_queue_bytes,
                                 .ctx = e,
                                 .on_up = on_up,
                                 .on_down = on_down};
    int rc = fill(e, c, cast, why);

    loop_task_init(&e->free, free_now);
    if (rc != OK) {
        free_now(&e->free);
        return rc;
    }
    e->loop = l;
    e->done = done;
    e->ctx = ctx;
    timer_init(&e->deadline, on_deadline);
    loop_timer(l, &e->deadline, c->redis_timeout_ms);
    e->hub = redis_hub_open(&hub);
    return OK;
}
