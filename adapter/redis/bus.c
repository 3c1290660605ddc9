/* The redis driver: classic wire of @socket.io/redis-adapter 8 over carrier_priv.h. */
#include "adapter/classic.h"
#include "adapter/classic_request.h"
#include "adapter/redis/carrier_priv.h"
#include "adapter/uid.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/forbid.h"

struct bus {
    struct redis_carrier carrier; /* first: its calls get a bus */
    struct classic classic;
    struct classic_request request;
    struct loop_task free;
};

/* ---- publishing ---- */

static void bus_publish(void *driver, const struct adapter_cast *c)
{
    struct bus *b = driver;
    struct redis_carrier *k = &b->carrier;
    const struct redis_nsp *n = redis_nsp_find(&b->carrier.nsps, c->nsp);
    struct channel_parts parts = redis_carrier_parts(k);
    bool is_one = c->rooms_count == 1;

    if (!redis_carrier_is_up(k) || !n) {
        metric_add(M_REDIS_DROPPED, 1);
        return;
    }
    k->payload.n = 0;
    if (classic_encode(n->uid, c, &k->payload) != OK) {
        LOG_ERROR("adapter.cast_not_json", LOG_S("nsp", c->nsp));
        return;
    }
    parts.nsp = c->nsp;
    if (is_one) parts.room = c->rooms[0];
    (void)redis_carrier_publish(k, is_one ? CHANNEL_CAST_ROOM : CHANNEL_CAST, false, &parts,
                                sb_view(&k->payload), redis_carrier_published, k);
}

/* Answers go to the shared channel, where peers of any age listen; to the asker's own one only a
 * peer with publishOnSpecificResponseChannel would send. */
static int bus_wire(void *driver, const struct wire *w)
{
    struct bus *b = driver;
    struct redis_carrier *k = &b->carrier;
    const struct redis_nsp *n = redis_nsp_find(&b->carrier.nsps, w->nsp);
    struct channel_parts parts = redis_carrier_parts(k);
    struct wire out = *w;
    int rc;

    if (!n) return ERR_NOT_FOUND;
    out.uid = n->uid;
    k->payload.n = 0;
    rc = classic_request_encode(&out, &k->payload);
    if (rc != OK) {
        LOG_ERROR("adapter.wire_not_json", LOG_S("nsp", w->nsp));
        return ERR_PROTO;
    }
    parts.nsp = w->nsp;
    rc = redis_carrier_publish(
        k, classic_request_is_answer(w->type) ? CHANNEL_RESPONSE : CHANNEL_REQUEST, false, &parts,
        sb_view(&k->payload), redis_carrier_published, k);
    return rc == OK ? OK : ERR_UNAVAILABLE;
}

static int bus_count(void *driver, struct str nsp, driver_count_fn *done, void *ctx)
{
    struct redis_carrier *k = &((struct bus *)driver)->carrier;
    struct channel_parts parts = redis_carrier_parts(k);

    parts.nsp = nsp;
    return redis_carrier_count(k, CHANNEL_REQUEST, false, &parts, done, ctx);
}

/* ---- subscriptions ---- */

static void add_sub(struct bus *b, enum channel kind, struct redis_nsp *n)
{
    struct channel_parts parts = redis_carrier_parts_of(&b->carrier, n);

    redis_carrier_subscribe(&b->carrier,
                            kind == CHANNEL_CASTS ? REDIS_SUB_PATTERN : REDIS_SUB_CHANNEL, kind,
                            &parts, n);
}

static void bus_nsp_open(void *driver, struct str name)
{
    static const enum channel kinds[] = {CHANNEL_CASTS, CHANNEL_REQUEST, CHANNEL_RESPONSE,
                                         CHANNEL_RESPONSE_OWN};
    struct bus *b = driver;
    char uid[UID_SHORT_SIZE];
    struct redis_nsp *n;

    if (redis_nsp_find(&b->carrier.nsps, name)) return;
    uid_make_short(b->carrier.conf.node_id, uid);
    n = redis_nsp_add(&b->carrier.nsps, name, str_of(uid, sizeof uid));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        add_sub(b, kinds[i], n);
}

/* ---- receiving ---- */

static void on_cast(struct bus *b, const struct redis_nsp *n, struct str channel,
                    struct str payload)
{
    struct str room;
    int rc;

    if (!channel_room(channel, str_z(b->carrier.conf.conf->adapter_prefix), n->name, &room)) return;
    rc = classic_decode(payload, n->uid, n->name, &b->classic);
    if (rc == OK)
        b->carrier.conf.up.on_cast(b->carrier.conf.up.ctx, &b->classic.cast);
    else if (rc != ERR_CLOSED && rc != ERR_NOT_FOUND)
        metric_add(M_REDIS_GARBAGE, 1);
}

static void on_wire(struct bus *b, const struct redis_nsp *n, bool is_answer, struct str payload)
{
    struct classic_request *r = &b->request;
    int rc = is_answer ? classic_response_decode(payload, n->name, r)
                       : classic_request_decode(payload, n->name, r);

    if (rc == OK && str_eq(r->wire.uid, n->uid)) return; /* our own */
    if (rc == OK)
        b->carrier.conf.up.on_wire(b->carrier.conf.up.ctx, &r->wire);
    else if (rc != ERR_NOT_FOUND)
        metric_add(M_REDIS_GARBAGE, 1);
}

static void on_push(void *driver, const struct redis_sub *s, const struct redis_push *p)
{
    if (s->kind == CHANNEL_CASTS)
        on_cast(driver, s->owner, p->channel, p->payload);
    else
        on_wire(driver, s->owner, s->kind != CHANNEL_REQUEST, p->payload);
}

/* ---- opening and closing ---- */

static void free_now(struct loop_task *t)
{
    struct bus *b = LIST_OWNER(t, struct bus, free);

    classic_fini(&b->classic);
    classic_request_fini(&b->request);
    redis_carrier_fini(&b->carrier);
    mem_free(b);
}

static int bus_open(const struct driver_conf *c, void **driver, char **why)
{
    struct bus *b = MEM_NEW(struct bus);
    int rc = redis_carrier_open(&b->carrier, c, on_push, why);

    if (rc != OK) {
        mem_free(b);
        return rc;
    }
    loop_task_init(&b->free, free_now);
    *driver = b;
    return OK;
}

static void bus_close(void *driver)
{
    struct bus *b = driver;

    redis_carrier_close(&b->carrier);
    loop_free_at_end(b->carrier.conf.loop, &b->free);
}

const struct driver_ops redis_bus_driver = {
    .name = "redis",
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
};
