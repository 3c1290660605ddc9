/* A cast from outside: the classic wire as @socket.io/redis-emitter speaks it (reference 4.2), the
 * sharded one, or an entry of a stream as of @socket.io/redis-streams-emitter. Says "emitter" for a
 * uid: every server delivers it, none takes it for a server. Sends once, never again: a cast that
 * may have gone out is not repeated. */
#include "adapter/redis/emit.h"

#include <hiredis/hiredis.h>

#include "adapter/channel.h"
#include "adapter/classic.h"
#include "adapter/redis/hub_priv.h"
#include "adapter/sharded.h"
#include "adapter/streams.h"
#include "base/conf.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/forbid.h"

enum wire_kind { CLASSIC, SHARDED, STREAMS };

static const char *const adapters[] = {
    [CLASSIC] = "redis", [SHARDED] = "redis-sharded", [STREAMS] = "redis-streams"};

struct emit {
    struct loop *loop;
    struct redis_url url;
    struct redis_hub *hub;
    struct sb channel, payload;
    struct sb stream, nsp, maxlen; /* STREAMS */
    unsigned servers;              /* of the namespace, asked before */
    struct timer deadline;
    struct loop_task free;
    redis_emit_done_fn *done; /* NULL: was called */
    void *ctx;
    enum wire_kind kind;
    bool is_sent;
};

static void free_now(struct loop_task *t)
{
    struct emit *e = LIST_OWNER(t, struct emit, free);

    redis_url_fini(&e->url);
    sb_fini(&e->channel);
    sb_fini(&e->payload);
    sb_fini(&e->stream);
    sb_fini(&e->nsp);
    sb_fini(&e->maxlen);
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

static void refuse(struct emit *e, const struct redisReply *r)
{
    finish(e, ERR_FORBIDDEN, 0,
           r->type == REDIS_REPLY_ERROR ? str_of(r->str, r->len)
                                        : STR("Redis gave an answer that is none"));
}

static void on_reply(void *ctx, int rc, const struct redisReply *r)
{
    struct emit *e = ctx;

    if (rc != OK)
        finish(e, ERR_TIMEOUT, 0, STR("Redis went away; it may have gone out"));
    else if (e->kind != STREAMS && r->type == REDIS_REPLY_INTEGER)
        finish(e, OK, (unsigned)r->integer, STR_NONE);
    else if (e->kind == STREAMS && r->type == REDIS_REPLY_STRING) /* the entry's id */
        finish(e, OK, e->servers, STR_NONE);
    else
        refuse(e, r);
}

static void send_cast(struct emit *e)
{
    const struct str publish[] = {e->kind == SHARDED ? STR("SPUBLISH") : STR("PUBLISH"),
                                  sb_view(&e->channel), sb_view(&e->payload)};
    const struct streams_add entry = {.stream = sb_view(&e->stream),
                                      .maxlen = sb_view(&e->maxlen),
                                      .uid = STR("emitter"),
                                      .nsp = sb_view(&e->nsp),
                                      .type = STR("3"),
                                      .data = sb_view(&e->payload)};
    struct str add[STREAMS_ADD_WORDS];
    int rc;

    streams_add(&entry, add);
    rc = e->kind == STREAMS ? redis_hub_send(e->hub, add[1], add, STREAMS_ADD_WORDS, on_reply, e)
                            : redis_hub_send(e->hub, publish[1], publish, 3, on_reply, e);
    e->is_sent = true;
    if (rc != OK) finish(e, ERR_UNAVAILABLE, 0, STR("it is larger than REDIS_QUEUE_BYTES"));
}

/* Nobody says who reads an entry: what is counted are the servers that hold the namespace's
 * channel. [channel, count] */
static void on_counted(void *ctx, int rc, const struct redisReply *r)
{
    struct emit *e = ctx;

    if (rc != OK || !e->done || e->is_sent) return; /* nothing was sent: the next connection asks */
    if (r->type != REDIS_REPLY_ARRAY || r->elements != 2 ||
        r->element[1]->type != REDIS_REPLY_INTEGER) {
        refuse(e, r);
        return;
    }
    e->servers = (unsigned)r->element[1]->integer;
    send_cast(e);
}

static void on_up(void *ctx)
{
    struct emit *e = ctx;
    const struct str count[] = {STR("PUBSUB"), STR("NUMSUB"), sb_view(&e->channel)};

    if (e->is_sent || !e->done) return;
    if (e->kind != STREAMS)
        send_cast(e);
    else if (redis_hub_send(e->hub, count[2], count, 3, on_counted, e) != OK)
        finish(e, ERR_UNAVAILABLE, 0, STR("REDIS_QUEUE_BYTES is too small"));
}

static void on_down(void *ctx)
{
    (void)ctx;
}

/* Which channel, as the drivers choose it (bus.c, sharded_bus.c). */
static enum channel channel_of(const struct conf *c, const struct adapter_cast *cast,
                               enum wire_kind kind)
{
    struct str mode = str_z(c->adapter_subscription_mode);
    bool is_one = cast->rooms_count == 1;

    if (kind == STREAMS) return CHANNEL_STREAM;
    if (kind == CLASSIC) return is_one ? CHANNEL_CAST_ROOM : CHANNEL_CAST;
    if (!is_one || str_eq(mode, STR("static"))) return CHANNEL_SHARD;
    if (str_eq(mode, STR("dynamic")) && sharded_is_private(cast->nsp, cast->rooms[0]))
        return CHANNEL_SHARD;
    return CHANNEL_SHARD_ROOM;
}

static int encode(struct emit *e, const struct adapter_cast *cast)
{
    const struct str uid = STR("emitter");
    const struct wire w = {.type = WIRE_CAST, .uid = uid, .nsp = cast->nsp, .cast = *cast};

    if (e->kind == STREAMS) return streams_encode(&w, &e->payload);
    return e->kind == SHARDED ? sharded_encode(&w, &e->payload)
                              : classic_encode(uid, cast, &e->payload);
}

static int read_kind(const struct conf *c, enum wire_kind *out, char **why)
{
    for (int i = CLASSIC; i <= STREAMS; i++)
        if (str_eq(str_z(c->adapter), str_z(adapters[i]))) {
            *out = (enum wire_kind)i;
            return OK;
        }
    *why = str_dup(STR("only the wires of ADAPTER=redis, redis-sharded and redis-streams can be "
                       "spoken from outside; POST /emit of a node works with every adapter"));
    return ERR_CONFIG;
}

static int fill(struct emit *e, const struct conf *c, const struct adapter_cast *cast, char **why)
{
    struct channel_parts parts = {.prefix = str_z(c->adapter_prefix), .nsp = cast->nsp};
    int rc = read_kind(c, &e->kind, why);

    if (rc != OK) return rc;
    rc = redis_url_parse(str_z(c->redis_url), &e->url, why);
    if (rc != OK) return rc;
    if (cast->rooms_count == 1) parts.room = cast->rooms[0];
    channel_name(channel_of(c, cast, e->kind), &parts, &e->channel);
    streams_name(str_z(c->adapter_stream_name), (unsigned)c->adapter_stream_count, cast->nsp,
                 &e->stream);
    sb_str(&e->nsp, cast->nsp);
    sb_u64(&e->maxlen, c->adapter_stream_maxlen);
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
