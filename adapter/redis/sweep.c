/* See sweep.h. One page at a time: its keys are visited, then the next one is asked for. */
#include "adapter/redis/sweep.h"

#include <hiredis/hiredis.h>

#include "adapter/redis/hub_priv.h"
#include "adapter/redis/once_priv.h"
#include "adapter/redis/store.h"
#include "base/conf.h"
#include "base/mem.h"
#include "base/forbid.h"

#define PAGE "200" /* keys looked at for one answer */

enum { CURSOR_SIZE = 24 };

struct sweep {
    struct redis_once once;
    struct redis_sweep_conf conf;
    uint64_t timeout_ms;
    unsigned server, pattern; /* where it is */
    char cursor[CURSOR_SIZE];
    size_t cursor_n;
    unsigned waits; /* answers of visits */
    unsigned count;
};

static struct sweep *sweep_of(struct redis_once *once)
{
    return LIST_OWNER(once, struct sweep, once);
}

static void sweep_free(struct redis_once *once)
{
    redis_url_fini(&once->url);
    mem_free(sweep_of(once));
}

static void set_cursor(struct sweep *s, struct str cursor)
{
    s->cursor_n = cursor.n < CURSOR_SIZE ? cursor.n : 0;
    memcpy(s->cursor, cursor.p, s->cursor_n);
}

static void next_page(struct sweep *s);

/* ---- visits ---- */

static void end_visits(struct sweep *s)
{
    if (s->once.done && !s->waits) next_page(s);
}

static void on_visited(void *ctx, int rc, const struct redisReply *r)
{
    struct redis_once *once = ctx;
    struct sweep *s = sweep_of(once);

    s->waits--;
    if (!redis_once_is_answer(once, rc, r)) return;
    loop_timer(once->loop, &once->deadline, s->timeout_ms);
    if (r->type == REDIS_REPLY_INTEGER)
        s->count += (unsigned)r->integer;
    else if (s->conf.on_reply)
        redis_store_texts(r, s->conf.on_reply, s->conf.ctx);
    end_visits(s);
}

static void visit(struct sweep *s, const struct redis_visit *v)
{
    s->waits++;
    if (redis_visit_send(s->once.hub, v, on_visited, &s->once) == OK) return;
    s->waits--;
    redis_once_end(&s->once, ERR_UNAVAILABLE, 0, STR("Redis went away; a part was done"));
}

/* ---- pages ---- */

/* The nth server that has keys; NULL: there are no more. */
static struct redis_server *server_at(const struct redis_hub *h, unsigned n)
{
    LIST_EACH(node, &h->servers)
    {
        struct redis_server *server = LIST_OWNER(node, struct redis_server, node);

        if (server->is_owner && !n--) return server;
    }
    return NULL;
}

static bool is_page(const struct redisReply *r)
{
    return r->type == REDIS_REPLY_ARRAY && r->elements == 2 &&
           r->element[0]->type == REDIS_REPLY_STRING && r->element[1]->type == REDIS_REPLY_ARRAY;
}

static void on_page(void *ctx, int rc, const struct redisReply *r)
{
    struct redis_once *once = ctx;
    struct sweep *s = sweep_of(once);
    const struct redisReply *keys;

    if (!redis_once_is_answer(once, rc, r)) return;
    if (!is_page(r)) {
        redis_once_end(once, ERR_FORBIDDEN, 0, STR("the answer to SCAN was none"));
        return;
    }
    keys = r->element[1];
    set_cursor(s, str_of(r->element[0]->str, r->element[0]->len));
    if (str_eq(str_of(s->cursor, s->cursor_n), STR("0"))) s->pattern++;
    for (size_t i = 0; i < keys->elements && once->done; i++) {
        struct redis_visit v = {0};

        if (s->conf.on_key(s->conf.ctx, str_of(keys->element[i]->str, keys->element[i]->len), &v))
            visit(s, &v);
    }
    end_visits(s);
}

static void next_page(struct sweep *s)
{
    struct str argv[] = {STR("SCAN"), STR_NONE, STR("MATCH"), STR_NONE, STR("COUNT"), STR(PAGE)};
    struct redis_server *server;

    if (s->pattern == s->conf.patterns_count) {
        s->pattern = 0;
        s->server++;
    }
    server = server_at(s->once.hub, s->server);
    if (!server) {
        redis_once_end(&s->once, OK, s->count, STR_NONE);
        return;
    }
    argv[1] = str_of(s->cursor, s->cursor_n);
    argv[3] = s->conf.patterns[s->pattern];
    loop_timer(s->once.loop, &s->once.deadline, s->timeout_ms);
    if (redis_link_send(server->commands, argv, 6, on_page, &s->once) != OK)
        redis_once_end(&s->once, ERR_UNAVAILABLE, 0, STR("Redis went away; a part was done"));
}

static void go(struct redis_once *once)
{
    once->is_sent = true;
    next_page(sweep_of(once));
}

int redis_sweep(struct loop *l, const struct conf *c, const struct redis_sweep_conf *conf,
                redis_sweep_done_fn *done, void *ctx, char **why)
{
    struct sweep *s = MEM_NEW(struct sweep);
    int rc = redis_url_parse(str_z(c->redis_url), &s->once.url, why);

    if (rc != OK) {
        sweep_free(&s->once);
        return rc;
    }
    s->conf = *conf;
    s->timeout_ms = c->redis_timeout_ms;
    set_cursor(s, STR("0"));
    s->once.doubt = "a part was done";
    s->once.go = go;
    s->once.free = sweep_free;
    redis_once_open(&s->once, l, c, "ingoma-sweep", done, ctx);
    return OK;
}
