/* See link.h. The connection is a table of states; only move() changes it and only drop() ends it.
 */
#include "adapter/redis/link.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "adapter/redis/dial_priv.h"
#include "adapter/redis/out_priv.h"
#include "adapter/redis/ring_priv.h"
#include "adapter/redis/sentinel.h"
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

enum state { DOWN, RESOLVING, CONNECTING, GREETING, UP, CLOSED, STATE_COUNT };

static const struct state_row {
    const char *name;
    unsigned next; /* bits of the states that may follow */
} states[STATE_COUNT] = {
    [DOWN] = {"down", 1U << RESOLVING | 1U << CONNECTING | 1U << CLOSED},
    [RESOLVING] = {"resolving", 1U << CONNECTING | 1U << DOWN | 1U << CLOSED},
    [CONNECTING] = {"connecting", 1U << GREETING | 1U << DOWN | 1U << CLOSED},
    [GREETING] = {"greeting", 1U << UP | 1U << DOWN | 1U << CLOSED},
    [UP] = {"up", 1U << DOWN | 1U << CLOSED},
    [CLOSED] = {"closed", 0},
};

struct lookup { /* outlives the link when the answer is late */
    struct redis_link *link;
    uint16_t port;
};

struct redis_link {
    struct redis_link_conf conf;
    char *name;
    enum state state;
    uint64_t since_ms; /* in this state */
    uint32_t epoch;    /* counts connections: whoever calls back compares */
    int fd;
    struct loop_fd *watch;
    struct redisReader *reader;
    struct lookup *lookup;
    struct redis_sentinel *sentinel; /* NULL: the address is the one of the URL */
    struct redis_ring waiting;       /* commands without their reply */
    struct redis_out out;
    struct timer retry, check;
    struct loop_task flush, free;
    uint64_t heard_ms, checked_ms;
    unsigned failures; /* in a row */
    bool was_up;       /* ever */
};

static void move(struct redis_link *k, enum state next)
{
    assert(states[k->state].next & 1U << next);
    LOG_DEBUG("redis.state", LOG_Z("link", k->conf.name), LOG_Z("state", states[next].name));
    if (k->state == UP) metric_shift(M_REDIS_CONNECTED, -1);
    if (next == UP) metric_shift(M_REDIS_CONNECTED, 1);
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

static void drop(struct redis_link *k, int rc, struct str why)
{
    bool was_up = k->state == UP;

    if (was_up && clock_ms() - k->since_ms >= STEADY_MS) k->failures = 0;
    if (k->failures++ == 0) LOG_WARN("redis.down", LOG_Z("link", k->conf.name), LOG_S("why", why));
    move(k, DOWN);
    disconnect(k);
    loop_timer(k->conf.loop, &k->retry, backoff_ms(k->failures));
    answer_waiting(k, rc);
    if (was_up && k->state != CLOSED) k->conf.on_down(k->conf.ctx);
}

static void drop_errno(struct redis_link *k, const char *what, int error)
{
    char text[128], message[64];
    struct sb b = {0};

    sb_printf(&b, "%s: %s", what, strerror_r(error, message, sizeof message));
    memcpy(text, b.p, b.n < sizeof text ? b.n : sizeof text);
    drop(k, ERR_UNAVAILABLE, str_of(text, b.n < sizeof text ? b.n : sizeof text));
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

static int queue_command(struct redis_link *k, const struct str *argv, unsigned argc,
                         redis_link_reply_fn *done, void *ctx)
{
    return queue_item(k, argv, argc, &(struct redis_ring_item){.done = done, .ctx = ctx});
}

static void on_flush(struct loop_task *t)
{
    struct redis_link *k = LIST_OWNER(t, struct redis_link, flush);
    int rc;

    if (k->state != GREETING && k->state != UP) return;
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
        drop(k, ERR_UNAVAILABLE, STR("an answer without its subscription"));
    else
        k->conf.on_push(k->conf.ctx, &p);
    return true;
}

static void on_reply(struct redis_link *k, const struct redisReply *r)
{
    struct redis_ring_item w;

    if (k->conf.is_subscriber && take_push(k, r)) return;
    if (!redis_ring_shift(&k->waiting, &w)) {
        drop(k, ERR_UNAVAILABLE, STR("a reply without a command"));
        return;
    }
    metric_observe_us(M_REDIS_SECONDS, clock_us() - w.sent_us);
    if (w.done) w.done(w.ctx, OK, r);
    if (k->state == UP && k->sentinel && redis_sentinel_is_demoted(r))
        drop(k, ERR_UNAVAILABLE, STR("a replica by now"));
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
            drop(k, ERR_UNAVAILABLE, STR("the reply is not of Redis' protocol"));
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
            drop(k, ERR_UNAVAILABLE, STR("closed by Redis"));
            return;
        }
        k->heard_ms = clock_ms();
        metric_add(M_REDIS_BYTES_IN, (uint64_t)n);
        if (!feed(k, bytes, (size_t)n) || (size_t)n < sizeof bytes) return;
    }
}

/* ---- greeting ---- */

static void on_greeted(void *ctx, int rc, const struct redisReply *r)
{
    struct redis_link *k = ctx;

    if (rc != OK || k->state != GREETING || r->type != REDIS_REPLY_ERROR) return;
    LOG_ERROR("redis.refused", LOG_Z("link", k->conf.name), LOG_S("why", redis_push_text(r)));
    drop(k, ERR_UNAVAILABLE, redis_push_text(r));
}

static void on_role(void *ctx, int rc, const struct redisReply *r)
{
    struct redis_link *k = ctx;

    if (rc != OK || (k->state != GREETING && k->state != UP) || redis_sentinel_is_master(r)) return;
    drop(k, ERR_UNAVAILABLE,
         r->type == REDIS_REPLY_ERROR ? redis_push_text(r) : STR("not the master"));
}

/* At sentinels an idle link asks for the role; subscribers may not (RESP2). */
static int ask_role(struct redis_link *k)
{
    struct str role = STR("ROLE");

    return queue_command(k, &role, 1, on_role, k);
}

static void on_ready(void *ctx, int rc, const struct redisReply *r)
{
    struct redis_link *k = ctx;

    if (rc != OK || k->state != GREETING) return;
    if (r->type != REDIS_REPLY_STATUS ||
        !str_eq(redis_push_text(r), STR("PONG"))) { /* -LOADING, -NOAUTH */
        drop(k, ERR_UNAVAILABLE, redis_push_text(r));
        return;
    }
    move(k, UP);
    if (k->was_up) metric_add(M_REDIS_RECONNECTS, 1);
    k->was_up = true;
    LOG_INFO("redis.up", LOG_Z("link", k->conf.name));
    k->conf.on_up(k->conf.ctx);
}

static int greet(struct redis_link *k)
{
    const struct redis_url *u = k->conf.url;
    struct str auth[3] = {STR("AUTH"), str_z(u->user), str_z(u->password)};
    struct str name[3] = {STR("CLIENT"), STR("SETNAME"), str_z(k->conf.name)};
    struct str ping = STR("PING"), select[2] = {STR("SELECT")};
    struct sb db = {0};
    int rc = OK;

    if (!u->user) auth[1] = auth[2];
    if (u->password) rc = queue_command(k, auth, u->user ? 3 : 2, on_greeted, k);
    if (rc == OK && u->db) {
        sb_u64(&db, u->db);
        select[1] = sb_view(&db);
        rc = queue_command(k, select, 2, on_greeted, k);
        sb_fini(&db);
    }
    if (rc == OK) rc = queue_command(k, name, 3, NULL, NULL); /* for people; may be forbidden */
    if (rc == OK && k->sentinel) rc = ask_role(k);
    if (rc == OK) rc = queue_command(k, &ping, 1, on_ready, k);
    return rc;
}

/* ---- connecting ---- */

static void on_fd(void *ctx, int what)
{
    struct redis_link *k = ctx;
    socklen_t size = sizeof(int);
    int error = 0;

    if (k->state == CONNECTING) {
        getsockopt(k->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) {
            drop_errno(k, "connect", error);
            return;
        }
        move(k, GREETING);
        loop_fd_want(k->watch, LOOP_READ);
        if (greet(k) != OK) drop(k, ERR_UNAVAILABLE, STR("REDIS_QUEUE_BYTES is too small"));
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

    move(k, CONNECTING);
    if (rc != OK) {
        drop_errno(k, "connect", error);
        return;
    }
    k->fd = fd;
    k->reader = redisReaderCreate();
    if (!k->reader) {
        drop(k, ERR_UNAVAILABLE, STR("no memory"));
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
        drop(k, ERR_UNAVAILABLE, STR("the host's name cannot be resolved"));
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
        drop(k, ERR_UNAVAILABLE, why);
}

static void on_moved(void *ctx)
{
    drop(ctx, ERR_UNAVAILABLE, STR("the sentinels name another master"));
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
    move(k, RESOLVING);
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

    if ((asks_role ? ask_role(k) : queue_command(k, &ping, 1, NULL, NULL)) != OK)
        LOG_DEBUG("redis.queue_full", LOG_Z("link", k->conf.name));
}

static void on_check(struct timer *t)
{
    struct redis_link *k = LIST_OWNER(t, struct redis_link, check);
    uint64_t now = clock_ms(), timeout = k->conf.timeout_ms,
             oldest = redis_ring_oldest_us(&k->waiting);

    if (now - k->checked_ms > timeout / 2 + TIMER_TICK_MS) {
        excuse(k);
    } else if (k->state != UP && now - k->since_ms >= timeout) {
        drop(k, ERR_TIMEOUT, STR("no connection in time"));
        return;
    } else if (k->state == UP && oldest && clock_us() - oldest >= timeout * 1000) {
        drop(k, ERR_TIMEOUT, STR("no reply in time"));
        return;
    } else if (k->state == UP && !oldest && now - k->heard_ms >= timeout / 2) {
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
    if (!k || k->state == CLOSED) return;
    if (k->state == UP) say_last_words(k);
    move(k, CLOSED);
    disconnect(k);
    redis_sentinel_free(k->sentinel);
    k->sentinel = NULL;
    answer_waiting(k, ERR_UNAVAILABLE);
    loop_free_at_end(k->conf.loop, &k->free);
}

bool redis_link_is_up(const struct redis_link *k)
{
    return k->state == UP;
}

int redis_link_send(struct redis_link *k, const struct str *argv, unsigned argc,
                    redis_link_reply_fn *done, void *ctx)
{
    if (k->state != UP) return ERR_UNAVAILABLE;
    return queue_command(k, argv, argc, done, ctx);
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

    return k->state == UP ? queue_item(k, argv, 2, &w) : ERR_UNAVAILABLE;
}
