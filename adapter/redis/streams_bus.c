/* The redis-streams driver: the wire of @socket.io/redis-streams-adapter 0.3 over carrier_priv.h.
 * Broadcasts and orders are entries of a stream, so a node that was away for a moment reads them
 * late instead of never; questions and answers are publications. All of one namespace keeps its
 * order (reference 10.17): a question waits in stream_gate.c until what was in the stream before it
 * has been read. */
#include "adapter/redis/carrier_priv.h"
#include "adapter/redis/stream_gate_priv.h"
#include "adapter/redis/stream_reader_priv.h"
#include "adapter/redis/stream_restore_priv.h"
#include "adapter/sharded.h"
#include "adapter/streams.h"
#include "adapter/uid.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/forbid.h"

#define RESTORE_STEPS 4 /* deadlines of Redis that a client may wait for what it missed */

struct bus;

struct stream { /* one that a namespace of this node lives in */
    struct list node;
    struct bus *bus;
    struct redis_stream_reader *reader;
    struct stream_gate gate;
    struct stream_restores restores;
    bool was_ready;
    struct str name; /* follows the struct */
};

struct bus {
    struct redis_carrier carrier; /* first: its calls get a bus */
    struct driver_up up;          /* adapter.c's; the carrier's own calls come to us */
    struct list streams;
    struct sharded message; /* that is being read */
    struct streams entry;
    struct sb name, words, offset; /* scratch */
    bool keeps;                    /* casts, for clients that come back: RECOVERY_MS */
    bool is_carried;               /* the carrier is connected */
    bool is_connected;             /* as we have said it */
    struct loop_task free;
};

static struct stream *stream_in(const struct redis_nsp *n)
{
    return n->more;
}

static bool can_send(const struct bus *b)
{
    return redis_carrier_is_up(&b->carrier);
}

/* argv[1] is the key. */
static int send_command(struct bus *b, const struct str *argv, unsigned argc,
                        redis_link_reply_fn *done, void *ctx)
{
    return redis_hub_send(b->carrier.hub, argv[1], argv, argc, done, ctx);
}

/* ---- publishing ---- */

static int add_entry(struct bus *b, const struct redis_nsp *n, const struct wire *w)
{
    struct streams_add add = {.stream = stream_in(n)->name, .uid = w->uid, .nsp = w->nsp};
    struct str argv[STREAMS_ADD_WORDS];
    size_t maxlen_size;
    int rc = streams_encode(w, &b->carrier.payload);

    if (rc != OK) return rc;
    b->words.n = 0;
    sb_u64(&b->words, b->carrier.conf.conf->adapter_stream_maxlen);
    maxlen_size = b->words.n;
    sb_u64(&b->words, wire_data_number(w));
    add.maxlen = str_head(sb_view(&b->words), maxlen_size);
    add.type = str_skip(sb_view(&b->words), maxlen_size);
    add.data = sb_view(&b->carrier.payload);
    streams_add(&add, argv);
    rc = send_command(b, argv, STREAMS_ADD_WORDS, redis_carrier_published, &b->carrier);
    metric_add(rc == OK ? M_REDIS_PUBLISHED : M_REDIS_DROPPED, 1);
    return rc == OK ? OK : ERR_UNAVAILABLE;
}

static int publish_message(struct bus *b, const struct redis_nsp *n, const struct wire *w)
{
    struct redis_carrier *k = &b->carrier;
    enum channel c = w->to.n ? CHANNEL_STREAM_OWN : CHANNEL_STREAM;
    struct channel_parts parts = redis_carrier_parts_of(&b->carrier, n);
    int rc = sharded_encode_packed(w, &k->payload);

    if (rc != OK) return rc;
    parts.uid = w->to;
    rc = redis_carrier_publish(k, c, false, &parts, sb_view(&k->payload), redis_carrier_published,
                               k);
    return rc == OK ? OK : ERR_UNAVAILABLE;
}

static int bus_wire(void *driver, const struct wire *what)
{
    struct bus *b = driver;
    const struct redis_nsp *n = redis_nsp_find(&b->carrier.nsps, what->nsp);
    struct wire w = *what;

    if (!n) return ERR_NOT_FOUND;
    if (!can_send(b)) return ERR_UNAVAILABLE;
    w.uid = n->uid;
    b->carrier.payload.n = 0;
    return w.to.n || streams_is_ephemeral(&w) ? publish_message(b, n, &w) : add_entry(b, n, &w);
}

static void bus_publish(void *driver, const struct adapter_cast *c)
{
    redis_carrier_cast(driver, c, bus_wire);
}

/* ---- keeping ---- */

static bool bus_keep(void *driver, const struct adapter_cast *c)
{
    const struct bus *b = driver;
    const struct wire w = {.type = WIRE_CAST, .nsp = c->nsp, .cast = *c};
    int rc = b->keeps ? bus_wire(driver, &w) : ERR_UNAVAILABLE;

    if (b->keeps && rc != OK && !can_send(b)) metric_add(M_REDIS_DROPPED, 1);
    return rc == OK;
}

static struct str bus_offset(void *driver, struct str nsp)
{
    struct bus *b = driver;
    const struct redis_nsp *n = redis_nsp_find(&b->carrier.nsps, nsp);

    if (!b->keeps || !n || !stream_in(n)->was_ready) return STR_NONE;
    b->offset.n = 0;
    streams_id_put(redis_stream_reader_position(stream_in(n)->reader), &b->offset);
    return sb_view(&b->offset);
}

static int bus_restore(void *driver, struct str nsp, struct str pid, struct str offset,
                       const struct session_restore *r)
{
    const struct bus *b = driver;
    const struct redis_nsp *n = redis_nsp_find(&b->carrier.nsps, nsp);

    if (!b->keeps || !n) return ERR_UNAVAILABLE;
    return stream_restores_begin(&stream_in(n)->restores, nsp, pid, offset, r);
}

static int bus_count(void *driver, struct str nsp, driver_count_fn *done, void *ctx)
{
    struct bus *b = driver;
    const struct redis_nsp *n = redis_nsp_find(&b->carrier.nsps, nsp);
    struct channel_parts parts;

    if (!n) return ERR_NOT_FOUND;
    parts = redis_carrier_parts_of(&b->carrier, n);
    return redis_carrier_count(&b->carrier, CHANNEL_STREAM, false, &parts, done, ctx);
}

/* ---- receiving ---- */

/* Of this node's own: what bus_keep did not give to anybody. */
static bool was_kept(const struct wire *w)
{
    return w->type == WIRE_CAST && !(w->cast.flags & ADAPTER_VOLATILE);
}

static void give_entry(struct stream *s, struct wire *w)
{
    struct bus *b = s->bus;

    if (b->keeps && w->type == WIRE_CAST) {
        b->offset.n = 0;
        streams_id_put(redis_stream_reader_position(s->reader), &b->offset);
        w->cast.offset = sb_view(&b->offset);
        stream_restores_heard(&s->restores, &w->cast);
    }
    redis_carrier_give(&b->up, w);
}

static void on_entry(void *ctx, const struct str *fields, unsigned count)
{
    struct stream *s = ctx;
    struct bus *b = s->bus;
    struct streams_entry e;
    const struct redis_nsp *n;
    bool is_own = false;
    int rc = streams_entry_read(fields, count, &e);

    if (rc == OK) {
        n = redis_nsp_find(&b->carrier.nsps, e.nsp);
        is_own = n && str_eq(e.uid, n->uid);
        if (!n || (is_own && !b->keeps)) return;
        rc = streams_decode(&e, &b->entry);
    }
    if (rc == OK && (!is_own || was_kept(&b->entry.data.wire)))
        give_entry(s, &b->entry.data.wire);
    else if (rc != OK && rc != ERR_NOT_FOUND)
        metric_add(M_REDIS_GARBAGE, 1);
}

static int decode(struct bus *b, const struct redis_nsp *n, struct str payload)
{
    return sharded_decode(payload, n->uid, n->name, &b->message);
}

/* Out of the gate: what was in the stream before it has been read. */
static void on_passed(void *ctx, const void *owner, struct str payload)
{
    struct bus *b = ((struct stream *)ctx)->bus;

    if (!b->carrier.closed && decode(b, owner, payload) == OK)
        redis_carrier_give(&b->up, &b->message.data.wire);
}

/* Where the stream ends now is asked on the connection of the commands: the reader's is blocked. */
static int ask_end(void *ctx, redis_link_reply_fn *done, void *done_ctx)
{
    struct stream *s = ctx;
    const struct str argv[] = {STR("XREVRANGE"), s->name,      STR("+"),
                               STR("-"),         STR("COUNT"), STR("1")};

    return send_command(s->bus, argv, 6, done, done_ctx);
}

static void on_push(void *driver, const struct redis_sub *sub, const struct redis_push *p)
{
    struct bus *b = driver;
    const struct redis_nsp *n = sub->owner;
    int rc = decode(b, n, p->payload);

    if (rc == ERR_CLOSED || rc == ERR_NOT_FOUND) return;
    if (rc != OK)
        metric_add(M_REDIS_GARBAGE, 1);
    else if (sub->kind == CHANNEL_STREAM_OWN)
        redis_carrier_give(&b->up, &b->message.data.wire);
    else
        stream_gate_put(&stream_in(n)->gate, n, p->payload);
}

/* ---- state ---- */

/* Connected: the carrier is, and nothing that is added to a stream from now on is missed. A stream
 * that joins later does not take it back. */
static void say_state(struct bus *b)
{
    bool connected = b->is_carried;

    LIST_EACH(node, &b->streams)
    {
        const struct stream *s = LIST_OWNER(node, struct stream, node);
        bool counts = s->was_ready || !b->is_connected;

        if (counts && !redis_stream_reader_is_ready(s->reader)) connected = false;
    }
    if (b->carrier.closed || connected == b->is_connected) return;
    b->is_connected = connected;
    b->up.on_state(b->up.ctx, connected);
}

static void on_moved(void *ctx)
{
    struct stream *s = ctx;
    bool is_ready = redis_stream_reader_is_ready(s->reader);

    s->was_ready |= is_ready;
    stream_gate_open(&s->gate, is_ready, redis_stream_reader_position(s->reader));
    stream_restores_moved(&s->restores, is_ready, redis_stream_reader_position(s->reader));
    say_state(s->bus);
}

static void on_carried(void *ctx, bool connected)
{
    struct bus *b = ctx;

    b->is_carried = connected;
    say_state(b);
}

static void on_bytes(void *ctx, struct str bytes)
{
    struct bus *b = ctx;

    b->up.on_bytes(b->up.ctx, bytes);
}

/* ---- namespaces and their streams ---- */

static struct redis_stream_reader *open_reader(struct stream *s)
{
    const struct redis_carrier *k = &s->bus->carrier;
    struct redis_stream_reader *reader;
    struct sb link_name = {0};

    sb_printf(&link_name, "ingoma-" STR_FMT "-reader", STR_ARG(k->conf.node_id));
    sb_char(&link_name, 0);
    reader = redis_stream_reader_open(
        &(struct redis_stream_reader_conf){.loop = k->conf.loop,
                                           .url = &k->url,
                                           .stream = s->name,
                                           .link_name = link_name.p,
                                           .timeout_ms = k->conf.conf->redis_timeout_ms,
                                           .queue_bytes = k->conf.conf->redis_queue_bytes,
                                           .ctx = s,
                                           .on_entry = on_entry,
                                           .on_moved = on_moved});
    sb_fini(&link_name);
    return reader;
}

/* Only streams that a namespace of ours lives in are read, those with negative numbers, too, which
 * Node writes and does not read (reference 10.30). */
static struct stream *stream_of(struct bus *b, struct str nsp)
{
    const struct conf *c = b->carrier.conf.conf;
    struct stream *s;

    b->name.n = 0;
    streams_name(str_z(c->adapter_stream_name), (unsigned)c->adapter_stream_count, nsp, &b->name);
    LIST_EACH(node, &b->streams)
    {
        s = LIST_OWNER(node, struct stream, node);
        if (str_eq(s->name, sb_view(&b->name))) return s;
    }
    s = mem_new(1, sizeof *s + b->name.n);
    memcpy(s + 1, b->name.p, b->name.n);
    s->name = str_of(s + 1, b->name.n);
    s->bus = b;
    s->gate = (struct stream_gate){.ctx = s, .ask_end = ask_end, .on_passed = on_passed};
    stream_gate_init(&s->gate);
    s->restores = (struct stream_restores){.loop = b->carrier.conf.loop,
                                           .hub = b->carrier.hub,
                                           .stream = s->name,
                                           .timeout_ms = RESTORE_STEPS * c->redis_timeout_ms};
    stream_restores_init(&s->restores);
    s->reader = open_reader(s);
    list_push(&b->streams, &s->node);
    return s;
}

static void bus_nsp_open(void *driver, struct str name)
{
    struct bus *b = driver;
    struct channel_parts parts;
    char uid[UID_HEX_SIZE];
    struct redis_nsp *n;

    if (redis_nsp_find(&b->carrier.nsps, name)) return;
    uid_make_hex(b->carrier.conf.node_id, uid);
    n = redis_nsp_add(&b->carrier.nsps, name, str_of(uid, sizeof uid));
    n->more = stream_of(b, n->name);
    parts = redis_carrier_parts_of(&b->carrier, n);
    redis_carrier_subscribe(&b->carrier, REDIS_SUB_CHANNEL, CHANNEL_STREAM, &parts, n);
    redis_carrier_subscribe(&b->carrier, REDIS_SUB_CHANNEL, CHANNEL_STREAM_OWN, &parts, n);
}

/* ---- opening and closing ---- */

static void free_now(struct loop_task *t)
{
    struct bus *b = LIST_OWNER(t, struct bus, free);

    redis_carrier_fini(&b->carrier);
    LIST_EACH_SAFE(node, after, &b->streams)
    {
        struct stream *s = LIST_OWNER(node, struct stream, node);

        stream_gate_fini(&s->gate);
        mem_free(s);
    }
    sharded_fini(&b->message);
    streams_fini(&b->entry);
    sb_fini(&b->name);
    sb_fini(&b->words);
    sb_fini(&b->offset);
    mem_free(b);
}

/* A reader would have to follow its stream from server to server. */
static int refuse_cluster(const struct conf *c, char **why)
{
    if (!str_starts_nocase(str_z(c->redis_url), STR("redis+cluster://"))) return OK;
    *why = str_dup(STR("ADAPTER=redis-streams needs one Redis (redis://) or sentinels "
                       "(redis+sentinel://); on a Redis Cluster use ADAPTER=redis-sharded"));
    return ERR_CONFIG;
}

static int bus_open(const struct driver_conf *c, void **driver, char **why)
{
    struct bus *b = MEM_NEW(struct bus);
    struct driver_conf own = *c;
    int rc = refuse_cluster(c->conf, why);

    if (rc != OK) {
        mem_free(b);
        return rc;
    }
    b->up = c->up;
    b->keeps = c->conf->recovery_ms != 0;
    own.up = (struct driver_up){.ctx = b, .on_bytes = on_bytes, .on_state = on_carried};
    rc = redis_carrier_open(&b->carrier, &own, on_push, why);
    if (rc != OK) {
        mem_free(b);
        return rc;
    }
    list_init(&b->streams);
    loop_task_init(&b->free, free_now);
    *driver = b;
    return OK;
}

static void bus_close(void *driver)
{
    struct bus *b = driver;

    LIST_EACH(node, &b->streams)
    {
        stream_restores_close(&LIST_OWNER(node, struct stream, node)->restores);
    }
    redis_carrier_close(&b->carrier);
    LIST_EACH(node, &b->streams)
    {
        redis_stream_reader_close(LIST_OWNER(node, struct stream, node)->reader);
    }
    loop_free_at_end(b->carrier.conf.loop, &b->free);
}

const struct driver_ops redis_streams_bus_driver = {
    .name = "redis-streams",
    .open = bus_open,
    .close = bus_close,
    .nsp_open = bus_nsp_open,
    .publish = bus_publish,
    .say = redis_carrier_say,
    .send = redis_carrier_send,
    .flush = redis_carrier_flush,
    .eval = redis_carrier_eval,
    .wire = bus_wire,
    .count = bus_count,
    .keep = bus_keep,
    .offset = bus_offset,
    .restore = bus_restore,
};
