/* A script from outside. EVAL, not EVALSHA: it runs once. Not repeated by us; who calls may, its
 * scripts can be run twice. */
#include "adapter/redis/order.h"

#include <hiredis/hiredis.h>

#include "adapter/channel.h"
#include "adapter/message.h"
#include "adapter/redis/hub_priv.h"
#include "adapter/redis/once_priv.h"
#include "base/conf.h"
#include "base/mem.h"
#include "base/forbid.h"

enum { WORDS_MAX = 16, TEXT_MAX = 4096 };

struct order {
    struct redis_once once;
    struct sb text; /* of argv; never moves */
    struct str argv[WORDS_MAX];
    unsigned argc;
    struct sb channel, payload;
};

static void order_free(struct redis_once *once)
{
    struct order *o = LIST_OWNER(once, struct order, once);

    redis_url_fini(&once->url);
    sb_fini(&o->text);
    sb_fini(&o->channel);
    sb_fini(&o->payload);
    mem_free(o);
}

static void on_told(void *ctx, int rc, const struct redisReply *r)
{
    struct redis_once *once = ctx;

    if (redis_once_is_answer(once, rc, r))
        redis_once_end(once, OK, r->type == REDIS_REPLY_INTEGER ? (unsigned)r->integer : 0,
                       STR_NONE);
}

/* As redis_carrier_say: in a Redis Cluster our own channels are shard channels. */
static void on_done(void *ctx, int rc, const struct redisReply *r)
{
    struct redis_once *once = ctx;
    const struct order *o = LIST_OWNER(once, struct order, once);
    const struct str argv[] = {once->url.seeds_count ? STR("SPUBLISH") : STR("PUBLISH"),
                               sb_view(&o->channel), sb_view(&o->payload)};

    if (!redis_once_is_answer(once, rc, r)) return;
    if (redis_hub_send(once->hub, argv[1], argv, 3, on_told, once) != OK)
        redis_once_end(once, ERR_UNAVAILABLE, 0,
                       STR("it was done, but the nodes could not be told"));
}

static void run_script(struct redis_once *once)
{
    const struct order *o = LIST_OWNER(once, struct order, once);

    once->is_sent = true;
    if (redis_hub_send(once->hub, o->argv[3], o->argv, o->argc, on_done, once) != OK)
        redis_once_end(once, ERR_UNAVAILABLE, 0, STR("REDIS_QUEUE_BYTES is too small"));
}

static void add_word(struct order *o, struct str word)
{
    size_t start = o->text.n;

    sb_str(&o->text, word);
    o->argv[o->argc++] = str_of(o->text.p + start, word.n);
}

static void fill(struct order *o, const struct conf *c, const struct redis_order *from)
{
    const struct channel_parts parts = {.prefix = str_z(c->adapter_prefix)};
    const struct message m = {.kind = (enum message_kind)from->say, .from = STR("----")};
    size_t bytes = TEXT_MAX + strlen(from->script->text);
    struct sb count = {0};

    for (unsigned i = 0; i < from->keys_count; i++)
        bytes += from->keys[i].n;
    for (unsigned i = 0; i < from->args_count; i++)
        bytes += from->args[i].n;
    sb_reserve(&o->text, bytes);
    sb_u64(&count, from->keys_count);
    add_word(o, STR("EVAL"));
    add_word(o, str_z(from->script->text));
    add_word(o, sb_view(&count));
    for (unsigned i = 0; i < from->keys_count; i++)
        add_word(o, from->keys[i]);
    for (unsigned i = 0; i < from->args_count && o->argc < WORDS_MAX; i++)
        add_word(o, from->args[i]);
    sb_fini(&count);
    channel_name(CHANNEL_NODES, &parts, &o->channel);
    message_encode(&m, &o->payload);
}

int redis_order_once(struct loop *l, const struct conf *c, const struct redis_order *from,
                     redis_order_done_fn *done, void *ctx, char **why)
{
    struct order *o = MEM_NEW(struct order);
    int rc = redis_url_parse(str_z(c->redis_url), &o->once.url, why);

    if (rc != OK) {
        order_free(&o->once);
        return rc;
    }
    fill(o, c, from);
    o->once.doubt = "it may have been done";
    o->once.go = run_script;
    o->once.free = order_free;
    redis_once_open(&o->once, l, c, "ingoma-order", done, ctx);
    return OK;
}
