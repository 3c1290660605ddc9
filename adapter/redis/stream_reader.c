/* See stream_reader_priv.h. Redis tells how many entries a stream ever had and how many it holds
 * (entries-added and length, Redis 7): from these, and from how many were read, follows how many
 * were trimmed unread. Older servers tell it less exactly, by the first entry alone. */
#include "adapter/redis/stream_reader_priv.h"

#include <hiredis/hiredis.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/forbid.h"

enum {
    BATCH_MAX = 100, /* entries of one XREAD, as Node's readCount */
    FIELDS_MAX = 64, /* of one entry, names and values; peers write eight */
};

struct redis_stream_reader {
    struct redis_stream_reader_conf conf;
    struct redis_link *link;
    struct timer retry; /* of what was refused */
    struct loop_task free;
    struct sb position_text, count_text, block_text; /* words of XREAD */
    struct streams_id position;
    uint64_t seen; /* entries that were ever added, up to the position */
    unsigned batch;
    bool has_position, is_ready, is_behind, closed;
    bool at_entry; /* the position is that of an entry that was read */
};

struct info { /* of XINFO STREAM */
    struct streams_id first, last;
    uint64_t added, length;
    bool has_first, has_last, has_added;
};

static void ask(struct redis_stream_reader *r);

static void moved(struct redis_stream_reader *r)
{
    if (!r->closed) r->conf.on_moved(r->conf.ctx);
}

static void unready(struct redis_stream_reader *r)
{
    if (!r->is_ready) return;
    r->is_ready = false;
    moved(r);
}

static void refused(struct redis_stream_reader *r, struct str why)
{
    LOG_WARN("redis.stream_refused", LOG_S("stream", r->conf.stream), LOG_S("why", why));
    loop_timer(r->conf.loop, &r->retry, r->conf.timeout_ms);
    unready(r);
}

static void on_retry(struct timer *t)
{
    struct redis_stream_reader *r = LIST_OWNER(t, struct redis_stream_reader, retry);

    if (redis_link_is_up(r->link)) ask(r);
}

/* ---- reading on ---- */

static struct str number_text(struct sb *b, uint64_t n)
{
    b->n = 0;
    sb_u64(b, n);
    return sb_view(b);
}

static bool read_fields(const struct redisReply *r, struct str *fields)
{
    if (r->type != REDIS_REPLY_ARRAY || r->elements > FIELDS_MAX) return false;
    for (size_t i = 0; i < r->elements; i++)
        fields[i] = redis_push_text(r->element[i]);
    return true;
}

/* [id, [field, value, …]] */
static void take_entry(struct redis_stream_reader *r, const struct redisReply *e)
{
    struct str fields[FIELDS_MAX];

    metric_add(M_REDIS_RECEIVED, 1);
    if (e->type != REDIS_REPLY_ARRAY || e->elements != 2 ||
        streams_id_read(redis_push_text(e->element[0]), &r->position) != OK) {
        metric_add(M_REDIS_GARBAGE, 1);
        return;
    }
    r->at_entry = true;
    r->seen++;
    if (read_fields(e->element[1], fields))
        r->conf.on_entry(r->conf.ctx, fields, (unsigned)e->element[1]->elements);
    else
        metric_add(M_REDIS_GARBAGE, 1);
}

/* [[stream, [entry, …]]]; NULL: something else. */
static const struct redisReply *entries_of(const struct redisReply *r)
{
    const struct redisReply *stream, *entries;

    if (r->type != REDIS_REPLY_ARRAY || r->elements != 1) return NULL;
    stream = r->element[0];
    if (stream->type != REDIS_REPLY_ARRAY || stream->elements != 2) return NULL;
    entries = stream->element[1];
    return entries->type == REDIS_REPLY_ARRAY ? entries : NULL;
}

static void read_on(struct redis_stream_reader *r);

static void on_entries(void *ctx, int rc, const struct redisReply *reply)
{
    struct redis_stream_reader *r = ctx;
    const struct redisReply *entries;
    unsigned asked = r->batch;

    if (r->closed) return;
    if (rc != OK) { /* perhaps it was too much for one deadline, or for one reply */
        if (r->batch > 1) r->batch /= 2;
        return;
    }
    if (reply->type == REDIS_REPLY_NIL) {
        read_on(r);
        return;
    }
    entries = entries_of(reply);
    if (!entries) {
        refused(r, redis_push_text(reply));
        return;
    }
    for (size_t i = 0; i < entries->elements && !r->closed; i++)
        take_entry(r, entries->element[i]);
    r->batch = 2 * asked < BATCH_MAX ? 2 * asked : BATCH_MAX;
    moved(r);
    if (r->closed) return;
    if (r->is_behind || entries->elements >= asked)
        ask(r);
    else
        read_on(r);
}

static void read_on(struct redis_stream_reader *r)
{
    uint64_t block_ms = r->conf.timeout_ms / 2; /* the link's own deadline watches the reader */
    struct str argv[8] = {STR("XREAD"),  STR("COUNT"), number_text(&r->count_text, r->batch),
                          STR("BLOCK"),  STR_NONE,     STR("STREAMS"),
                          r->conf.stream};

    argv[4] = number_text(&r->block_text, block_ms ? block_ms : 1); /* 0 is for ever */
    r->position_text.n = 0;
    streams_id_put(r->position, &r->position_text);
    argv[7] = sb_view(&r->position_text);
    if (redis_link_send(r->link, argv, 8, on_entries, r) != OK)
        refused(r, STR("the queue of the connection is full"));
}

/* ---- where to go on ---- */

static void read_id(const struct redisReply *r, struct streams_id *out, bool *has)
{
    *has = streams_id_read(redis_push_text(r), out) == OK;
}

static void read_number(const struct redisReply *r, uint64_t *out)
{
    if (r->type == REDIS_REPLY_INTEGER && r->integer >= 0) *out = (uint64_t)r->integer;
}

/* [name, value, …]; "no such key" is a stream that never was. False: neither. */
static bool read_info(const struct redisReply *r, struct info *out)
{
    *out = (struct info){.has_last = true};
    if (str_starts(redis_push_text(r), STR("ERR no such key"))) return true;
    if (r->type != REDIS_REPLY_ARRAY) return false;
    out->has_last = false;
    for (size_t i = 0; i + 1 < r->elements; i += 2) {
        struct str name = redis_push_text(r->element[i]);
        const struct redisReply *v = r->element[i + 1];

        if (str_eq(name, STR("length"))) read_number(v, &out->length);
        if (str_eq(name, STR("last-generated-id"))) read_id(v, &out->last, &out->has_last);
        if (str_eq(name, STR("first-entry")) && v->type == REDIS_REPLY_ARRAY && v->elements)
            read_id(v->element[0], &out->first, &out->has_first);
        if (str_eq(name, STR("entries-added"))) {
            read_number(v, &out->added);
            out->has_added = true;
        }
    }
    return out->has_last;
}

static void begin_at(struct redis_stream_reader *r, const struct info *i)
{
    r->position = i->last;
    r->seen = i->added;
    r->at_entry = false;
    r->has_position = true;
}

static void say_gap(struct redis_stream_reader *r, uint64_t missed) /* 0: nobody knows how many */
{
    metric_add(M_REDIS_STREAM_MISSED, missed ? missed : 1);
    LOG_WARN("adapter.stream_gap", LOG_S("stream", r->conf.stream), LOG_U("missed", missed));
}

/* Entries are trimmed from the oldest on: those behind the position are gone when more of them are
 * gone than were seen, or, at the end, when more were added than were seen. */
static void count_missed(struct redis_stream_reader *r, const struct info *i, bool at_end)
{
    uint64_t gone = i->added >= i->length ? i->added - i->length : 0;
    uint64_t least = at_end ? i->added : gone;

    if (i->added < r->seen) { /* another stream of this name, or fewer of its entries */
        bool is_new = i->has_first && streams_id_compare(i->first, r->position) > 0;

        r->seen = is_new ? 0 : least;
    }
    if (least <= r->seen) return;
    say_gap(r, least - r->seen);
    r->seen = least;
}

static void settle(struct redis_stream_reader *r, const struct info *i)
{
    int order = streams_id_compare(r->position, i->last);

    if (!r->has_position) {
        begin_at(r, i);
    } else if (order > 0) { /* Redis lost data, or its clock: new entries would be below ours */
        LOG_WARN("adapter.stream_reset", LOG_S("stream", r->conf.stream));
        begin_at(r, i);
    } else if (i->has_added) {
        count_missed(r, i, order == 0);
    } else if (r->at_entry && i->has_first && streams_id_compare(i->first, r->position) > 0) {
        say_gap(r, 0);
        r->at_entry = false; /* said once; XREAD goes on with the first that is left */
    }
    r->is_behind = streams_id_compare(r->position, i->last) < 0;
}

static void on_info(void *ctx, int rc, const struct redisReply *reply)
{
    struct redis_stream_reader *r = ctx;
    struct info info;

    if (rc != OK || r->closed) return;
    if (!read_info(reply, &info)) {
        refused(r, redis_push_text(reply));
        return;
    }
    settle(r, &info);
    if (!r->is_ready) {
        r->is_ready = true;
        moved(r);
    }
    if (!r->closed) read_on(r);
}

static void ask(struct redis_stream_reader *r)
{
    const struct str argv[] = {STR("XINFO"), STR("STREAM"), r->conf.stream};

    if (redis_link_send(r->link, argv, 3, on_info, r) != OK)
        refused(r, STR("the queue of the connection is full"));
}

/* ---- opening and closing ---- */

static void on_up(void *ctx)
{
    ask(ctx);
}

static void on_down(void *ctx)
{
    struct redis_stream_reader *r = ctx;

    loop_timer_stop(r->conf.loop, &r->retry);
    unready(r);
}

static void on_push(void *ctx, const struct redis_push *p)
{
    (void)ctx, (void)p;
}

static struct redis_link *open_link(struct redis_stream_reader *r)
{
    const struct redis_link_conf c = {.loop = r->conf.loop,
                                      .url = r->conf.url,
                                      .name = r->conf.link_name,
                                      .timeout_ms = r->conf.timeout_ms,
                                      .queue_bytes = r->conf.queue_bytes,
                                      .is_blocking = true,
                                      .ctx = r,
                                      .on_up = on_up,
                                      .on_down = on_down,
                                      .on_push = on_push};

    return redis_link_open(&c);
}

static void free_now(struct loop_task *t)
{
    struct redis_stream_reader *r = LIST_OWNER(t, struct redis_stream_reader, free);

    sb_fini(&r->position_text);
    sb_fini(&r->count_text);
    sb_fini(&r->block_text);
    mem_free(r);
}

struct redis_stream_reader *redis_stream_reader_open(const struct redis_stream_reader_conf *c)
{
    struct redis_stream_reader *r = mem_new(1, sizeof *r + c->stream.n + 1);

    memcpy(r + 1, c->stream.p, c->stream.n);
    r->conf = *c;
    r->conf.stream = str_of(r + 1, c->stream.n);
    r->batch = BATCH_MAX;
    timer_init(&r->retry, on_retry);
    loop_task_init(&r->free, free_now);
    r->link = open_link(r);
    return r;
}

void redis_stream_reader_close(struct redis_stream_reader *r)
{
    if (r->closed) return;
    r->closed = true;
    r->is_ready = false;
    loop_timer_stop(r->conf.loop, &r->retry);
    redis_link_close(r->link);
    loop_free_at_end(r->conf.loop, &r->free);
}

bool redis_stream_reader_is_ready(const struct redis_stream_reader *r)
{
    return r->is_ready;
}

struct streams_id redis_stream_reader_position(const struct redis_stream_reader *r)
{
    return r->position;
}
