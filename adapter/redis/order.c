/* A script from outside. EVAL, not EVALSHA: it runs once. What may have been carried out is not
 * repeated by us; who calls may, its scripts can be run twice. */
#include "adapter/redis/order.h"

#include <hiredis/hiredis.h>

#include "adapter/channel.h"
#include "adapter/message.h"
#include "adapter/redis/hub_priv.h"
#include "base/conf.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/forbid.h"

enum { WORDS_MAX = 16, TEXT_MAX = 4096 };

struct order {
    struct loop *loop;
    struct redis_url url;
    struct redis_hub *hub;
    struct sb text; /* of argv; never moves */
    struct str argv[WORDS_MAX];
    unsigned argc;
    struct sb channel, payload;
    struct timer deadline;
    struct loop_task free;
    redis_order_done_fn *done; /* NULL: was called */
    void *ctx;
    bool is_sent;
};

static void free_now(struct loop_task *t)
{
    struct order *o = LIST_OWNER(t, struct order, free);

    redis_url_fini(&o->url);
    sb_fini(&o->text);
    sb_fini(&o->channel);
    sb_fini(&o->payload);
    mem_free(o);
}

static void finish(struct order *o, int rc, unsigned nodes, struct str why)
{
    redis_order_done_fn *done = o->done;

    if (!done) return;
    o->done = NULL;
    loop_timer_stop(o->loop, &o->deadline);
    redis_hub_close(o->hub);
    loop_free_at_end(o->loop, &o->free);
    done(o->ctx, rc, nodes, why);
}

static void on_deadline(struct timer *t)
{
    struct order *o = LIST_OWNER(t, struct order, deadline);

    if (o->is_sent)
        finish(o, ERR_TIMEOUT, 0, STR("Redis did not answer in time; it may have been done"));
    else
        finish(o, ERR_UNAVAILABLE, 0, STR("Redis cannot be reached"));
}

/* Errors of Redis end it; true: r is an answer. */
static bool is_answer(struct order *o, int rc, const struct redisReply *r)
{
    if (rc != OK)
        finish(o, ERR_TIMEOUT, 0, STR("Redis went away; it may have been done"));
    else if (r->type == REDIS_REPLY_ERROR)
        finish(o, ERR_FORBIDDEN, 0, str_of(r->str, r->len));
    else
        return true;
    return false;
}

static void on_told(void *ctx, int rc, const struct redisReply *r)
{
    struct order *o = ctx;

    if (o->done && is_answer(o, rc, r))
        finish(o, OK, r->type == REDIS_REPLY_INTEGER ? (unsigned)r->integer : 0, STR_NONE);
}

/* As redis_carrier_say: in a Redis Cluster our own channels are shard channels. */
static void on_done(void *ctx, int rc, const struct redisReply *r)
{
    struct order *o = ctx;
    const struct str argv[] = {o->url.seeds_count ? STR("SPUBLISH") : STR("PUBLISH"),
                               sb_view(&o->channel), sb_view(&o->payload)};

    if (!o->done || !is_answer(o, rc, r)) return;
    if (redis_hub_send(o->hub, argv[1], argv, 3, on_told, o) != OK)
        finish(o, ERR_UNAVAILABLE, 0, STR("it was done, but the nodes could not be told"));
}

static void on_up(void *ctx)
{
    struct order *o = ctx;

    if (o->is_sent || !o->done) return;
    o->is_sent = true;
    if (redis_hub_send(o->hub, o->argv[3], o->argv, o->argc, on_done, o) != OK)
        finish(o, ERR_UNAVAILABLE, 0, STR("REDIS_QUEUE_BYTES is too small"));
}

static void on_down(void *ctx)
{
    (void)ctx;
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
    struct redis_hub_conf hub = {.loop = l,
                                 .url = &o->url,
                                 .name = "ingoma-order",
                                 .timeout_ms = c->redis_timeout_ms,
                                 .queue_bytes = c->redis_queue_bytes,
                                 .ctx = o,
                                 .on_up = on_up,
                                 .on_down = on_down};
    int rc = redis_url_parse(str_z(c->redis_url), &o->url, why);

    loop_task_init(&o->free, free_now);
    if (rc != OK) {
        free_now(&o->free);
        return rc;
    }
    fill(o, c, from);
    o->loop = l;
    o->done = done;
    o->ctx = ctx;
    timer_init(&o->deadline, on_deadline);
    loop_timer(l, &o->deadline, c->redis_timeout_ms);
    o->hub = redis_hub_open(&hub);
    return OK;
}
