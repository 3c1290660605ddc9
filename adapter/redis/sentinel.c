/* See sentinel.h. The way to the answer is the one of Redis' "Guidelines for Redis clients with
 * support for Redis Sentinel": ask one after the other, check ROLE afterwards (link.c), listen to
 * +switch-master. A table of states; only move() changes it. */
#include "adapter/redis/sentinel.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "adapter/redis/dial_priv.h"
#include "adapter/redis/out_priv.h"
#include "adapter/redis/push.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/forbid.h"

enum {
    OUT_MAX_BYTES = 65536,
    IN_MAX_BYTES = 65536, /* of one unfinished reply */
    READ_BYTES = 4096,
    HOST_MAX_BYTES = 255,
};

enum state { IDLE, RESOLVING, CONNECTING, ASKING, WATCHING, PAUSED, STATE_COUNT };

static const struct state_row {
    const char *name;
    unsigned next; /* bits of the states that may follow */
} states[STATE_COUNT] = {
    [IDLE] = {"idle", 1U << RESOLVING},
    [RESOLVING] = {"resolving", 1U << CONNECTING | 1U << RESOLVING | 1U << PAUSED | 1U << IDLE},
    [CONNECTING] = {"connecting", 1U << ASKING | 1U << RESOLVING | 1U << PAUSED | 1U << IDLE},
    [ASKING] = {"asking", 1U << WATCHING | 1U << RESOLVING | 1U << PAUSED | 1U << IDLE},
    [WATCHING] = {"watching", 1U << PAUSED | 1U << IDLE},
    [PAUSED] = {"paused", 1U << RESOLVING | 1U << IDLE}, /* of watching, not of asking */
};

struct lookup { /* outlives its asker when the answer is late */
    struct redis_sentinel *sentinel;
};

struct redis_sentinel {
    struct redis_sentinel_conf conf;
    enum state state;
    unsigned at;               /* index of the sentinel whose turn it is */
    unsigned tries;            /* of this asking */
    bool is_asked;             /* on_master is owed */
    bool wants_auth;           /* the reply to AUTH comes first */
    uint32_t epoch;            /* counts connections */
    uint64_t heard_ms;         /* from the one that is watched */
    struct redis_place master; /* last answer */
    int fd;
    struct loop_fd *watch;
    struct redisReader *reader;
    struct redis_out out;
    struct lookup *lookup;
    struct timer timer; /* deadline of an asking, heartbeat of a watching, end of a pause */
    struct loop_task free;
};

static const struct redis_place *place(const struct redis_sentinel *s)
{
    return &s->conf.url->sentinels[s->at];
}

static void move(struct redis_sentinel *s, enum state next)
{
    assert(states[s->state].next & 1U << next);
    LOG_DEBUG("redis.sentinel", LOG_Z("host", place(s)->host), LOG_U("port", place(s)->port),
              LOG_Z("state", states[next].name));
    s->state = next;
}

/* ---- end of a connection ---- */

static void disconnect(struct redis_sentinel *s)
{
    s->epoch++;
    loop_fd_free(s->watch);
    s->watch = NULL;
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
    if (s->reader) redisReaderFree(s->reader);
    s->reader = NULL;
    if (s->lookup) s->lookup->sentinel = NULL;
    s->lookup = NULL;
    redis_out_fini(&s->out);
    loop_timer_stop(s->conf.loop, &s->timer);
}

static void begin(struct redis_sentinel *s);

/* This sentinel is of no use now: the next one. While nobody waits for an answer, slowly. */
static void fail(struct redis_sentinel *s, struct str why)
{
    LOG_DEBUG("redis.sentinel_failed", LOG_Z("host", place(s)->host), LOG_U("port", place(s)->port),
              LOG_S("why", why));
    disconnect(s);
    s->at = (s->at + 1) % s->conf.url->sentinels_count;
    if (!s->is_asked) {
        uint32_t half = (uint32_t)(s->conf.timeout_ms / 2) + 1;

        move(s, PAUSED);
        loop_timer(s->conf.loop, &s->timer, half + rand_below(half));
    } else if (++s->tries < s->conf.url->sentinels_count) {
        begin(s);
    } else {
        move(s, IDLE);
        s->is_asked = false;
        s->conf.on_master(s->conf.ctx, NULL, why);
    }
}

/* ---- what a sentinel says ---- */

static bool is_known(const struct redis_sentinel *s, struct str host, uint64_t port)
{
    return port == s->master.port && str_eq(host, str_z(s->master.host));
}

static void on_moved(struct redis_sentinel *s)
{
    disconnect(s);
    move(s, IDLE);
    s->conf.on_moved(s->conf.ctx);
}

static void beat(struct redis_sentinel *s)
{
    uint64_t half = s->conf.timeout_ms / 2;

    loop_timer(s->conf.loop, &s->timer, half > TIMER_TICK_MS ? half : TIMER_TICK_MS);
}

/* Reply to SENTINEL get-master-addr-by-name. */
static void take_address(struct redis_sentinel *s, const struct redisReply *r)
{
    struct str host = STR_NONE, port = STR_NONE;
    uint64_t n = 0;

    if (r->type == REDIS_REPLY_ARRAY && r->elements == 2) {
        host = redis_push_text(r->element[0]);
        port = redis_push_text(r->element[1]);
    }
    if (r->type == REDIS_REPLY_ERROR) {
        fail(s, redis_push_text(r));
    } else if (!host.n || host.n > HOST_MAX_BYTES || str_u64(port, UINT16_MAX, &n) != OK || !n) {
        fail(s, STR("no sentinel knows a master of this name"));
    } else if (!s->is_asked && !is_known(s, host, n)) {
        on_moved(s);
    } else {
        bool is_news = !is_known(s, host, n);

        move(s, WATCHING);
        s->heard_ms = clock_ms();
        beat(s);
        if (is_news) {
            LOG_INFO("redis.master", LOG_Z("name", s->conf.url->master), LOG_S("host", host),
                     LOG_U("port", n));
            mem_free(s->master.host);
            s->master = (struct redis_place){str_dup(host), (uint16_t)n};
        }
        if (!s->is_asked) return;
        s->is_asked = false;
        s->conf.on_master(s->conf.ctx, &s->master, STR_NONE);
    }
}

/* "name old-host old-port new-host new-port" */
static void take_switch(struct redis_sentinel *s, struct str text)
{
    struct str words[5] = {STR_NONE};
    uint64_t port;

    for (unsigned i = 0; i < 5; i++)
        if (!str_next(&text, ' ', &words[i])) return;
    if (!str_eq(words[0], str_z(s->conf.url->master))) return;
    if (str_u64(words[4], UINT16_MAX, &port) != OK || is_known(s, words[3], port)) return;
    on_moved(s);
}

static void on_reply(struct redis_sentinel *s, const struct redisReply *r)
{
    struct redis_push p;

    if (s->state == ASKING && s->wants_auth) {
        s->wants_auth = false;
        if (r->type == REDIS_REPLY_ERROR) fail(s, redis_push_text(r));
    } else if (s->state == ASKING) {
        take_address(s, r);
    } else if (r->type == REDIS_REPLY_ERROR) { /* SUBSCRIBE is forbidden: asking now and then is
                                                  left */
        fail(s, redis_push_text(r));
    } else {
        p = redis_push_read(r);
        s->heard_ms = clock_ms();
        if (p.kind == REDIS_PUSH_MESSAGE) take_switch(s, p.payload);
    }
}

/* ---- the connection ---- */

static void feed(struct redis_sentinel *s, const char *bytes, size_t n)
{
    uint32_t epoch = s->epoch;
    int rc = redisReaderFeed(s->reader, bytes, n);

    while (rc == REDIS_OK) {
        void *reply = NULL;

        rc = redisReaderGetReply(s->reader, &reply);
        if (rc != REDIS_OK || !reply) break;
        on_reply(s, reply);
        freeReplyObject(reply);
        if (s->epoch != epoch) return; /* the reader is gone with its connection */
    }
    if (rc != REDIS_OK || s->reader->len - s->reader->pos > IN_MAX_BYTES)
        fail(s, STR("the sentinel's reply is not of Redis' protocol"));
}

static void read_some(struct redis_sentinel *s)
{
    char bytes[READ_BYTES];
    ssize_t n = read(s->fd, bytes, sizeof bytes);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0)
        fail(s, STR("the sentinel closed the connection"));
    else
        feed(s, bytes, (size_t)n);
}

static void write_some(struct redis_sentinel *s)
{
    int rc = redis_out_write(&s->out, s->fd);

    if (rc == ERR_IO)
        fail(s, STR("the sentinel closed the connection"));
    else
        loop_fd_want(s->watch, rc == ERR_AGAIN ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

/* All in one write: no fail-over fits between the answer and the subscription. */
static int queue_questions(struct redis_sentinel *s)
{
    const struct redis_url *u = s->conf.url;
    struct str auth[3] = {STR("AUTH"), str_z(u->sentinel_user), str_z(u->sentinel_password)};
    struct str ask[3] = {STR("SENTINEL"), STR("get-master-addr-by-name"), str_z(u->master)};
    struct str watch[2] = {STR("SUBSCRIBE"), STR("+switch-master")};
    int rc = OK;

    s->wants_auth = u->sentinel_password != NULL;
    if (!u->sentinel_user) auth[1] = auth[2];
    if (s->wants_auth) rc = redis_out_put(&s->out, auth, u->sentinel_user ? 3 : 2, OUT_MAX_BYTES);
    if (rc == OK) rc = redis_out_put(&s->out, ask, 3, OUT_MAX_BYTES);
    if (rc == OK) rc = redis_out_put(&s->out, watch, 2, OUT_MAX_BYTES);
    return rc;
}

static void on_connected(struct redis_sentinel *s)
{
    socklen_t size = sizeof(int);
    int error = 0;

    getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        fail(s, STR("no sentinel can be reached"));
        return;
    }
    move(s, ASKING);
    if (queue_questions(s) == OK)
        write_some(s);
    else
        fail(s, STR("the questions to the sentinel are too long"));
}

static void on_fd(void *ctx, int what)
{
    struct redis_sentinel *s = ctx;
    uint32_t epoch = s->epoch;

    if (s->state == CONNECTING) {
        on_connected(s);
        return;
    }
    if (what & LOOP_WRITE) write_some(s);
    if (what & LOOP_READ && s->epoch == epoch) read_some(s);
}

static void on_address(void *ctx, int rc, const char *address)
{
    struct lookup *l = ctx;
    struct redis_sentinel *s = l->sentinel;

    mem_free(l);
    if (!s) return;
    s->lookup = NULL;
    if (rc == OK) rc = redis_dial_tcp(address, place(s)->port, &s->fd);
    if (rc == OK) s->reader = redisReaderCreate();
    if (!s->reader) {
        fail(s, STR("no sentinel can be reached"));
        return;
    }
    move(s, CONNECTING);
    s->watch = loop_fd_new(s->conf.loop, s->fd, on_fd, s);
    loop_fd_want(s->watch, LOOP_WRITE);
}

/* A round through all of them fits into the time-out, with a rest for the master's name. */
static void begin(struct redis_sentinel *s)
{
    uint64_t share = s->conf.timeout_ms / (s->conf.url->sentinels_count + 1);

    s->lookup = MEM_NEW(struct lookup);
    s->lookup->sentinel = s;
    move(s, RESOLVING);
    loop_timer(s->conf.loop, &s->timer, share > TIMER_TICK_MS ? share : TIMER_TICK_MS);
    loop_resolve(s->conf.loop, place(s)->host, on_address, s->lookup);
}

static void on_timer(struct timer *t)
{
    struct redis_sentinel *s = LIST_OWNER(t, struct redis_sentinel, timer);
    struct str ping = STR("PING");

    if (s->state == PAUSED) {
        begin(s);
    } else if (s->state != WATCHING) {
        fail(s, STR("no sentinel answered in time"));
    } else if (clock_ms() - s->heard_ms >= 2 * s->conf.timeout_ms ||
               redis_out_put(&s->out, &ping, 1, OUT_MAX_BYTES) != OK) {
        fail(s, STR("the sentinel went silent"));
    } else {
        beat(s);
        write_some(s);
    }
}

/* ---- the face ---- */

static void free_now(struct loop_task *t)
{
    struct redis_sentinel *s = LIST_OWNER(t, struct redis_sentinel, free);

    mem_free(s->master.host);
    mem_free(s);
}

struct redis_sentinel *redis_sentinel_new(const struct redis_sentinel_conf *c)
{
    struct redis_sentinel *s = MEM_NEW(struct redis_sentinel);

    assert(c->url->sentinels_count);
    s->conf = *c;
    s->fd = -1;
    s->at = c->url->sentinels_count - 1; /* the first asking begins with the first */
    timer_init(&s->timer, on_timer);
    loop_task_init(&s->free, free_now);
    return s;
}

void redis_sentinel_stop(struct redis_sentinel *s)
{
    if (!s || s->state == IDLE) return;
    disconnect(s);
    move(s, IDLE);
    s->is_asked = false;
}

void redis_sentinel_free(struct redis_sentinel *s)
{
    if (!s) return;
    redis_sentinel_stop(s);
    loop_free_at_end(s->conf.loop, &s->free);
}

void redis_sentinel_ask(struct redis_sentinel *s)
{
    redis_sentinel_stop(s);
    s->at = (s->at + 1) % s->conf.url->sentinels_count;
    s->tries = 0;
    s->is_asked = true;
    begin(s);
}

bool redis_sentinel_is_master(const struct redisReply *role)
{
    return role->type == REDIS_REPLY_ARRAY && role->elements > 0 &&
           str_eq(redis_push_text(role->element[0]), STR("master"));
}

bool redis_sentinel_is_demoted(const struct redisReply *r)
{
    struct str text;

    if (r->type != REDIS_REPLY_ERROR) return false;
    text = redis_push_text(r);
    /* Redis 6 puts what a script met behind words of its own. */
    return str_starts(text, STR("READONLY ")) || str_contains(text, STR(" -READONLY "));
}
