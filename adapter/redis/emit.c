/* A cast from outside: the classic wire as @socket.io/redis-emitter speaks it (reference 4.2), the
 * sharded one, or an entry of a stream as of @socket.io/redis-streams-emitter. Says "emitter" for a
 * uid: every server delivers it, none takes it for a server. */
#include "adapter/redis/emit.h"

#include <hiredis/hiredis.h>

#include "adapter/channel.h"
#include "adapter/classic.h"
#include "adapter/redis/hub_priv.h"
#include "adapter/redis/once_priv.h"
#include "adapter/sharded.h"
#include "adapter/streams.h"
#include "base/conf.h"
#include "base/mem.h"
#include "base/forbid.h"

enum wire_kind { CLASSIC, SHARDED, STREAMS };

static const char *const adapters[] = {
    [CLASSIC] = "redis", [SHARDED] = "redis-sharded", [STREAMS] = "redis-streams"};

struct emit {
    struct redis_once once;
    struct sb channel, payload;
    struct sb stream, nsp, maxlen; /* STREAMS */
    unsigned servers;              /* of the namespace, asked before */
    enum wire_kind kind;
};

static void emit_free(struct redis_once *once)
{
    struct emit *e = LIST_OWNER(once, struct emit, once);

    redis_url_fini(&once->url);
    sb_fini(&e->channel);
    sb_fini(&e->payload);
    sb_fini(&e->stream);
    sb_fini(&e->nsp);
    sb_fini(&e->maxlen);
    mem_free(e);
}

static void refuse(struct emit *e)
{
    redis_once_end(&e->once, ERR_FORBIDDEN, 0, STR("Redis gave an answer that is none"));
}

static void on_reply(void *ctx, int rc, const struct redisReply *r)
{
    struct emit *e = LIST_OWNER(ctx, struct emit, once);

    if (!redis_once_is_answer(&e->once, rc, r)) return;
    if (e->kind != STREAMS && r->type == REDIS_REPLY_INTEGER)
        redis_once_end(&e->once, OK, (unsigned)r->integer, STR_NONE);
    else if (e->kind == STREAMS && r->type == REDIS_REPLY_STRING) /* the entry's id */
        redis_once_end(&e->once, OK, e->servers, STR_NONE);
    else
        refuse(e);
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
    rc = e->kind == STREAMS
             ? redis_hub_send(e->once.hub, add[1], add, STREAMS_ADD_WORDS, on_reply, &e->once)
             : redis_hub_send(e->once.hub, publish[1], publish, 3, on_reply, &e->once);
    e->once.is_sent = true;
    if (rc != OK)
        redis_once_end(&e->once, ERR_UNAVAILABLE, 0, STR("it is larger than REDIS_QUEUE_BYTES"));
}

/* Nobody says who reads an entry: what is counted are the servers that hold the namespace's
 * channel. [channel, count] */
static void on_counted(void *ctx, int rc, const struct redisReply *r)
{
    struct emit *e = LIST_OWNER(ctx, struct emit, once);

    if (rc != OK || e->once.is_sent) return; /* nothing was sent: the next connection asks */
    if (!redis_once_is_answer(&e->once, rc, r)) return;
    if (r->type != REDIS_REPLY_ARRAY || r->elements != 2 ||
        r->element[1]->type != REDIS_REPLY_INTEGER) {
        refuse(e);
        return;
    }
    e->servers = (unsigned)r->element[1]->integer;
    send_cast(e);
}

static void go(struct redis_once *once)
{
    struct emit *e = LIST_OWNER(once, struct emit, once);
    const struct str count[] = {STR("PUBSUB"), STR("NUMSUB"), sb_view(&e->channel)};

    if (e->kind != STREAMS)
        send_cast(e);
    else if (redis_hub_send(once->hub, count[2], count, 3, on_counted, once) != OK)
        redis_once_end(once, ERR_UNAVAILABLE, 0, STR("REDIS_QUEUE_BYTES is too small"));
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
    rc = redis_url_parse(str_z(c->redis_url), &e->once.url, why);
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
    int rc = fill(e, c, cast, why);

    if (rc != OK) {
        emit_free(&e->once);
        return rc;
    }
    e->once.doubt = "it may have gone out";
    e->once.go = go;
    e->once.free = emit_free;
    redis_once_open(&e->once, l, c, "ingoma-emit", done, ctx);
    return OK;
}
