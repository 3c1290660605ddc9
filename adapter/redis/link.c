/* See link.h. The connection is a table of states; only redis_link_move changes it and only
 * redis_link_drop ends it.
 */
#include "adapter/redis/link_priv.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "adapter/redis/dial_priv.h"
#include "adapter/redis/slots.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/rand.h"
#include "base/forbid.h"

enum {
    BACKOFF_MIN_MS = 50,
    BACKOFF_MAX_MS = 1000,
    STEADY_MS = 1000,   /* up for so long: the next failure is a first one again */
    READ_BYTES = 65536, /* of one read */
    READS_PER_TURN = 8,
    FEED_BYTES = 8192,      /* hiredis moves what is left after each reply: small meals */
    IN_MAX_BYTES = 1 << 28, /* of one unfinished reply */
};

static const struct state_row {
    const char *name;
    unsigned next; /* bits of the states that may follow */
} states[LINK_STATES] = {
    [LINK_DOWN] = {"down", 1U << LINK_RESOLVING | 1U << LINK_CONNECTING | 1U << LINK_CLOSED},
    [LINK_RESOLVING] = {"resolving", 1U << LINK_CONNECTING | 1U << LINK_DOWN | 1U << LINK_CLOSED},
    [LINK_CONNECTING] = {"connecting", 1U << LINK_GREETING | 1U << LINK_DOWN | 1U << LINK_CLOSED},
    [LINK_GREETING] = {"greeting", 1U << LINK_UP | 1U << LINK_DOWN | 1U << LINK_CLOSED},
    [LINK_UP] = {"up", 1U << LINK_DOWN | 1U << LINK_CLOSED},
    [LINK_CLOSED] = {"closed", 0},
};

void redis_link_move(struct redis_link *k, enum link_state next)
{
    assert(states[k->state].next & 1U << next);
    LOG_DEBUG("redis.state", LOG_Z("link", k->conf.name), LOG_Z("state", states[next].name));
    if (k->state == LINK_UP) metric_shift(M_REDIS_CONNECTED, -1);
    if (next == LINK_UP) metric_shift(M_REDIS_CONNECTED, 1);
    k->state = next;
    k->since_ms = clock_ms();
}

/* ---- end of a connection ---- */

static void disconnect(struct redis_link *k)
{
    k->epoch++;
    loop_fd_free(k->watch);
    k->watch = NULL;
    if (k->fd >= 0) close(k->fd);
    k->fd = -1;
    if (k->reader) redisReaderFree(k->reader);
    k->reader = NULL;
    if (k->lookup) k->lookup->link = NULL;
    k->lookup = NULL;
    redis_sentinel_stop(k->sentinel);
    redis_out_fini(&k->out); /* also gives back what a burst has grown */
    loop_task_cancel(&k->flush);
    loop_timer_stop(k->conf.loop, &k->check);
    loop_timer_stop(k->conf.loop, &k->retry);
}

/* The oldest gets rc, the others behind it were not refused by themselves. */
static void answer_waiting(struct redis_link *k, int rc)
{
    struct redis_ring gone = k->waiting;
    struct redis_ring_item w;

    k->waiting = (struct redis_ring){0};
    while (redis_ring_shift(&gone, &w)) {
        if (w.done) w.done(w.ctx, rc, NULL);
        rc = ERR_UNAVAILABLE;
    }
    redis_ring_fini(&gone);
}

static uint64_t backoff_ms(unsigned failures)
{
    uint64_t d = BACKOFF_MIN_MS;

    while (failures-- > 1 && d < BACKOFF_MAX_MS)
        d *= 2;
    if (d > BACKOFF_MAX_MS) d = BACKOFF_MAX_MS;
    return d / 2 + rand_below((uint32_t)(d / 2) + 1);
}

void redis_link_drop(struct redis_link *k, int rc, struct str why)
{
    bool was_up = k->state == LINK_UP;

    if (was_up && clock_ms() - k->since_ms >= STEADY_MS) k->failures = 0;
    if (k->failures++ == 0) LOG_WARN("redis.down", LOG_Z("link", k->conf.name), LOG_S("why", why));
    redis_link_move(k, LINK_DOWN);
    disconnect(k);
    loop_timer(k->conf.loop, &k->retry, backoff_ms(k->failures));
    answer_waiting(k, rc);
    if (was_up && k->state != LINK_CLOSED) k->conf.on_down(k->conf.ctx);
}

static void drop_errno(struct redis_link *k, const char *what, int error)
{
    char text[128], message[64];
    struct sb b = {0};

    sb_printf(&b, "%s: %s", what, strerror_r(error, message, sizeof message));
    memcpy(text, b.p, b.n < sizeof text ? b.n : sizeof text);
    redis_link_drop(k, ERR_UNAVAILABLE, str_of(text, b.n < sizeof text ? b.n : sizeof text));
    sb_fini(&b);
}

/* ---- writing ---- */

static int queue_item(struct redis_link *k, const struct str *argv, unsigned argc,
                      struct redis_ring_item *w)
{
    int rc = redis_out_put(&k->out, argv, argc, k->conf.queue_bytes);

    if (rc != OK) return rc;
    w->sent_us = clock_us();
    redis_ring_push(&k->waiting, w);
    loop_at_end(k->conf.loop, &k->flush);
    return OK;
}

int redis_link_put(struct redis_link *k, const struct str *argv, unsigned argc,
                   redis_link_reply_fn *done, void *ctx)
{
    return queue_item(k, argv, argc, &(struct redis_ring_item){.done = done, .ctx = ctx});
}

static void on_flush(struct loop_task *t)
{
    struct redis_link *k = LIST_OWNER(t, struct redis_link, flush);
    int rc;

    if (k->state != LINK_GREETING && k->state != LINK_UP) return;
    rc = redis_out_write(&k->out, k->fd);
    if (rc == ERR_IO) {
        drop_errno(k, "write", errno);
        return;
    }
    loop_fd_want(k->watch, rc == ERR_AGAIN ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

/* ---- reading ---- */

/* False: it is the reply to a command. True: it is dealt with, or the connection is over. */
static bool take_push(struct redis_link *k, const struct redisReply *r)
{
    const struct redis_ring_item *w = redis_ring_first(&k->waiting);
    struct redis_push p = redis_push_read(r);
    bool is_answer = p.kind == REDIS_PUSH_ENTERED || p.kind == REDIS_PUSH_LEFT;

    if (p.kind == REDIS_PUSH_NONE) return false;
    if (is_answer && w && w->is_leaving == (p.kind == REDIS_PUSH_LEFT) &&
        str_eq(w->channel, p.channel))
        return false;
    if (p.kind == REDIS_PUSH_ENTERED)
        redis_link_drop(k, ERR_UNAVAILABLE, STR("an answer without its subscription"));
    else
        k->conf.on_push(k->conf.ctx, &p);
    return true;
}

/* Redis took a channel from us just before we gave it up: that word passed for the answer to
 * SUNSUBSCRIBE, and this is the answer. */
static bool is_late_refusal(const struct redis_ring_item *w, const struct redisReply *r)
{
    struct redis_moved m;

    return r->type == REDIS_REPLY_ERROR && w && w->channel.n &&
           redis_moved_read(redis_push_text(r), &m) && m.slot != redis_slot(w->channel);
}

static void on_reply(struct redis_link *k, const struct redisReply *r)
{
    struct redis_ring_item w;

    if (k->conf.is_subscriber && take_push(k, r)) return;
    if (is_late_refusal(redis_ring_first(&k->waiting), r)) return;
    if (!redis_ring_shift(&k->waiting, &w)) {
        redis_link_drop(k, ERR_UNAVAILABLE, STR("a reply without a command"));
        return;
    }
    if (!k->conf.is_blocking) metric_observe_us(M_REDIS_SECONDS, clock_us() - w.sent_us);
    if (w.done) w.done(w.ctx, OK, r);
    if (k->state == LINK_UP && k->sentinel && redis_sentinel_is_demoted(r))
        redis_link_drop(k, ERR_UNAVAILABLE, STR("a replica by now"));
}

/* False: this connection is over. */
static bool feed(struct redis_link *k, const char *p, size_t n)
{
    uint32_t epoch = k->epoch;
    void *reply = NULL;

    while (n) {
        size_t meal = n < FEED_BYTES ? n : FEED_BYTES;
        int rc = redisReaderFeed(k->reader, p, meal);

        while (rc == REDIS_OK) {
            rc = redisReaderGetReply(k->reader, &reply);
            if (rc != REDIS_OK || !reply) break;
            on_reply(k, reply);
            freeReplyObject(reply);
            if (k->epoch != epoch) return false; /* the reader is gone with its connection */
        }
        if (rc != REDIS_OK || k->reader->len - k->reader->pos > IN_MAX_BYTES) {
            redis_link_drop(k, ERR_UNAVAILABLE, STR("the reply is not of Redis' protocol"));
            return false;
        }
        p += meal;
        n -= meal;
    }
    return true;
}

static void read_some(struct redis_link *k)
{
    static char bytes[READ_BYTES]; /* one thread, copied at once */

    for (int i = 0; i < READS_PER_TURN; i++) {
        ssize_t n = read(k->fd, bytes, sizeof bytes);

        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (n < 0) {
            drop_errno(k, "read", errno);
            return;
        }
        if (n == 0) {
            redis_link_drop(k, ERR_UNAVAILABLE, STR("closed by Redis"));
            return;
        }
        k->heard_ms = clock_ms();
        metric_add(M_REDIS_BYTES_IN, (uint64_t)n);
        if (!feed(k, bytes, (size_t)n) || (size_t)n < sizeof bytes) return;
    }
}

/* ---- connecting ---- */

static void on_fd(void *ctx, int what)
{
    struct redis_link *k = ctx;
    socklen_t size = sizeof(int);
    int error = 0;

    if (k->state == LINK_CONNECTING) {
        getsockopt(k->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) {
            drop_errno(k, "connect", error);
            return;
        }
        redis_link_move(k, LINK_GREETING);
        loop_fd_want(k->watch, LOOP_READ);
        if (redis_greet(k) != OK)
            redis_link_drop(k, ERR_UNAVAILABLE, STR("REDIS_QUEUE_BYTES is too small"));
        return;
    }
    if (what & LOOP_WRITE) loop_at_end(k->conf.loop, &k->flush);
    if (what & LOOP_READ) read_some(k);
}

static void start_check(struct redis_link *k)
{
    uint64_t quarter = k->conf.timeout_ms / 4;

    k->checked_ms = clock_ms();
    loop_timer(k->conf.loop, &k->check, quarter > TIMER_TICK_MS ? quarter : TIMER_TICK_MS);
}

/* The socket is there, or rc says why not. */
static void watch_connecting(struct redis_link *k, int rc, int fd)
{
    int error = errno;

    redis_link_move(k, LINK_CONNECTING);
    if (rc != OK) {
        drop_errno(k, "connect", error);
        return;
    }
    k->fd = fd;
    k->reader = redisReaderCreate();
    if (!k->reader) {
        redis_link_drop(k, ERR_UNAVAILABLE, STR("no memory"));
        return;
    }
    k->watch = loop_fd_new(k->conf.loop, k->fd, on_fd, k);
    loop_fd_want(k->watch, LOOP_WRITE);
}

static void on_address(void *ctx, int rc, const char *address)
{
    struct lookup *l = ctx;
    struct redis_link *k = l->link;
    uint16_t port = l->port;
    int fd = -1;

    mem_free(l);
    if (!k) return;
    k->lookup = NULL;
    if (rc != OK) {
        redis_link_drop(k, ERR_UNAVAILABLE, STR("the host's name cannot be resolved"));
        return;
    }
    rc = redis_dial_tcp(address, port, &fd);
    watch_connecting(k, rc, fd);
}

static void resolve(struct redis_link *k, const char *host, uint16_t port)
{
    struct lookup *l = MEM_NEW(struct lookup);

    l->link = k;
    l->port = port;
    k->lookup = l;
    loop_resolve(k->conf.loop, host, on_address, l);
}

static void on_master(void *ctx, const struct redis_place *m, struct str why)
{
    struct redis_link *k = ctx;

    if (m)
        resolve(k, m->host, m->port);
    else
        redis_link_drop(k, ERR_UNAVAILABLE, why);
}

static void on_moved(void *ctx)
{
    redis_link_drop(ctx, ERR_UNAVAILABLE, STR("the sentinels name another master"));
}

static void dial(struct redis_link *k)
{
    int fd = -1, rc;

    start_check(k);
    if (k->conf.url->path) {
        rc = redis_dial_unix(k->conf.url->path, &fd);
        watch_connecting(k, rc, fd);
        return;
    }
    redis_link_move(k, LINK_RESOLVING);
    if (k->sentinel)
        redis_sentinel_ask(k->sentinel);
    else
        resolve(k, k->conf.url->host, k->conf.url->port);
}

static void on_retry(struct timer *t)
{
    dial(LIST_OWNER(t, struct redis_link, retry));
}

/* ---- deadlines ---- */

/* We were stopped, not Redis: what it sent meanwhile is still to be read. */
static void excuse(struct redis_link *k)
{
    k->since_ms = k->heard_ms = clock_ms();
    redis_ring_touch(&k->waiting, clock_us());
}

static void probe(struct redis_link *k)
{
    struct str ping = STR("PING");
    bool asks_role = k->sentinel && !k->conf.is_subscriber;

    if ((asks_role ? redis_greet_role(k) : redis_link_put(k, &ping, 1, NULL, NULL)) != OK)
        LOG_DEBUG("redis.queue_full", LOG_Z("link", k->conf.name));
}

static void on_check(struct timer *t)
{
    struct redis_link *k = LIST_OWNER(t, struct redis_link, check);
    uint64_t now = clock_ms(), timeout = k->conf.timeout_ms,
             oldest = redis_ring_oldest_us(&k->waiting);

    if (now - k->checked_ms > timeout / 2 + TIMER_TICK_MS) {
        excuse(k);
    } else if (k->state != LINK_UP && now - k->since_ms >= timeout) {
        redis_link_drop(k, ERR_TIMEOUT, STR("no connection in time"));
        return;
    } else if (k->state == LINK_UP && oldest && clock_us() - oldest >= timeout * 1000) {
        redis_link_drop(k, ERR_TIMEOUT, STR("no reply in time"));
        return;
    } else if (k->state == LINK_UP && !oldest && now - k->heard_ms >= timeout / 2) {
        probe(k);
    }
    start_check(k);
}

/* ---- the face ---- */

static void free_now(struct loop_task *t)
{
    struct redis_link *k = LIST_OWNER(t, struct redis_link, free);

    redis_ring_fini(&k->waiting);
    redis_out_fini(&k->out);
    mem_free(k->name);
    mem_free(k);
}

struct redis_link *redis_link_open(const struct redis_link_conf *c)
{
    struct redis_link *k = MEM_NEW(struct redis_link);
    struct redis_sentinel_conf sentinel = {.loop = c->loop,
                                           .url = c->url,
                                           .timeout_ms = c->timeout_ms,
                                           .ctx = k,
                                           .on_master = on_master,
                                           .on_moved = on_moved};

    if (c->url->master) k->sentinel = redis_sentinel_new(&sentinel);
    k->conf = *c;
    k->conf.name = k->name = str_dup(str_z(c->name));
    k->fd = -1;
    timer_init(&k->retry, on_retry);
    timer_init(&k->check, on_check);
    loop_task_init(&k->flush, on_flush);
    loop_task_init(&k->free, free_now);
    loop_timer(c->loop, &k->retry, 0);
    return k;
}

/* Unread bytes at close make the kernel reset the connection, and Redis may lose our last words. */
static void say_last_words(struct redis_link *k)
{
    char bytes[4096];

    if (redis_out_write(&k->out, k->fd) == OK) shutdown(k->fd, SHUT_WR);
    for (int i = 0; i < 16 && read(k->fd, bytes, sizeof bytes) > 0; i++)
        ;
}

void redis_link_close(struct redis_link *k)
{
    if (!k || k->state == LINK_CLOSED) return;
    if (k->state == LINK_UP) say_last_words(k);
    redis_link_move(k, LINK_CLOSED);
    disconnect(k);
    redis_sentinel_free(k->sentinel);
    k->sentinel = NULL;
    answer_waiting(k, ERR_UNAVAILABLE);
    loop_free_at_end(k->conf.loop, &k->free);
}

bool redis_link_is_up(const struct redis_link *k)
{
    return k->state == LINK_UP;
}

int redis_link_send(struct redis_link *k, const struct str *argv, unsigned argc,
                    redis_link_reply_fn *done, void *ctx)
{
    if (k->state != LINK_UP) return ERR_UNAVAILABLE;
    return redis_link_put(k, argv, argc, done, ctx);
}

int redis_link_subscribe(struct redis_link *k, enum redis_link_sub how, struct str channel,
                         redis_link_reply_fn *done, void *ctx)
{
    static const struct str words[] = {[REDIS_SUBSCRIBE] = STR("SUBSCRIBE"),
                                       [REDIS_PSUBSCRIBE] = STR("PSUBSCRIBE"),
                                       [REDIS_SSUBSCRIBE] = STR("SSUBSCRIBE"),
                                       [REDIS_SUNSUBSCRIBE] = STR("SUNSUBSCRIBE")};
    struct str argv[2] = {words[how], channel};
    struct redis_ring_item w = {
        .done = done, .ctx = ctx, .channel = channel, .is_leaving = how == REDIS_SUNSUBSCRIBE};

    return k->state == LINK_UP ? queue_item(k, argv, 2, &w) : ERR_UNAVAILABLE;
}
