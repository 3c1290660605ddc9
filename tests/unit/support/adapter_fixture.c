/* See adapter_fixture.h. */
#include "tests/unit/support/adapter_fixture.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/mem.h"

#define PATIENCE_MS 15000 /* of a wait that should be over long before: machines are busy */

static void put_list(struct sb *b, const char *key, const struct str *items, unsigned count)
{
    sb_printf(b, " %s=", key);
    for (unsigned i = 0; i < count; i++)
        sb_printf(b, "%s" STR_FMT, i ? "," : "", STR_ARG(items[i]));
}

static void on_cast(void *ctx, const struct adapter_cast *c)
{
    struct fixture_node *n = ctx;

    n->casts++;
    sb_printf(&n->log, "cast " STR_FMT " " STR_FMT, STR_ARG(c->nsp), STR_ARG(c->array));
    put_list(&n->log, "rooms", c->rooms, c->rooms_count);
    put_list(&n->log, "except", c->except, c->except_count);
    sb_printf(&n->log, " flags=%u att=", c->flags);
    for (unsigned i = 0; i < c->attachments_count; i++) {
        for (size_t j = 0; j < c->attachments[i].n; j++)
            sb_printf(&n->log, "%02x", (unsigned char)c->attachments[i].p[j]);
        sb_char(&n->log, '.');
    }
    sb_char(&n->log, ';');
}

static void put_target(struct fixture_node *n, const char *what, const struct adapter_target *t)
{
    n->requests++;
    sb_printf(&n->log, "%s " STR_FMT, what, STR_ARG(t->nsp));
    put_list(&n->log, "rooms", t->rooms, t->rooms_count);
    put_list(&n->log, "except", t->except, t->except_count);
}

static void on_join(void *ctx, const struct adapter_target *t, const struct str *rooms,
                    unsigned count)
{
    struct fixture_node *n = ctx;

    put_target(n, "join", t);
    put_list(&n->log, "more", rooms, count);
    sb_char(&n->log, ';');
}

static void on_leave(void *ctx, const struct adapter_target *t, const struct str *rooms,
                     unsigned count)
{
    struct fixture_node *n = ctx;

    put_target(n, "leave", t);
    put_list(&n->log, "more", rooms, count);
    sb_char(&n->log, ';');
}

static void on_disconnect(void *ctx, const struct adapter_target *t, bool close)
{
    struct fixture_node *n = ctx;

    put_target(n, "disconnect", t);
    sb_z(&n->log, close ? " close;" : ";");
}

static void on_fetch(void *ctx, const struct adapter_target *t, struct sb *out)
{
    struct fixture_node *n = ctx;

    put_target(n, "fetch", t);
    sb_char(&n->log, ';');
    sb_printf(out, "[{\"id\":\"%s\",\"rooms\":[\"a\"]}]", n->id);
}

static void keep(struct fixture_node *n, struct adapter_question *q)
{
    if (n->kept) adapter_answer_end(n->kept);
    n->kept = q;
}

static void answer(struct fixture_node *n, struct adapter_question *q)
{
    char text[16];

    snprintf(text, sizeof text, "\"%s\"", n->id);
    adapter_answer(q, str_z(text), NULL, 0);
}

static void on_cast(void *ctx, const struct adapter_cast *c);

static void on_cast_ack(void *ctx, const struct adapter_cast *c, uint64_t timeout_ms,
                        struct adapter_question *q)
{
    struct fixture_node *n = ctx;

    n->requests++;
    sb_printf(&n->log, "%u ms ", (unsigned)timeout_ms);
    on_cast(ctx, c);
    if (n->is_silent) {
        keep(n, q);
        return;
    }
    adapter_answer_count(q, n->clients);
    for (unsigned i = 0; i < n->clients; i++)
        answer(n, q);
    adapter_answer_end(q);
}

static void on_server_emit(void *ctx, struct str nsp, struct str array, struct adapter_question *q)
{
    struct fixture_node *n = ctx;

    n->requests++;
    sb_printf(&n->log, "emit " STR_FMT " " STR_FMT "%s;", STR_ARG(nsp), STR_ARG(array),
              q ? " asks" : "");
    if (n->is_silent && q) {
        keep(n, q);
    } else if (q) {
        answer(n, q);
        adapter_answer_end(q);
    }
}

static void on_message(void *ctx, struct str from, enum adapter_kind kind, struct str payload)
{
    struct fixture_node *n = ctx;

    if (str_eq(payload, STR("fence"))) {
        n->fences++;
        return;
    }
    n->messages++;
    sb_printf(&n->log, "message " STR_FMT " %d ", STR_ARG(from), kind);
    if (payload.n < 64)
        sb_str(&n->log, payload);
    else
        sb_printf(&n->log, "%zu bytes", payload.n);
    sb_char(&n->log, ';');
}

static void on_node_up(void *ctx, struct str node)
{
    (void)node;
    ((struct fixture_node *)ctx)->ups++;
}

static void on_node_down(void *ctx, struct str node)
{
    (void)node;
    ((struct fixture_node *)ctx)->downs++;
}

static void on_state(void *ctx, bool connected)
{
    struct fixture_node *n = ctx;

    if (connected)
        n->connects++;
    else
        n->disconnects++;
}

static const struct adapter_handler handler = {.on_cast = on_cast,
                                               .on_message = on_message,
                                               .on_join = on_join,
                                               .on_leave = on_leave,
                                               .on_disconnect = on_disconnect,
                                               .on_fetch = on_fetch,
                                               .on_cast_ack = on_cast_ack,
                                               .on_server_emit = on_server_emit,
                                               .on_node_up = on_node_up,
                                               .on_node_down = on_node_down,
                                               .on_state = on_state};

void adapter_fixture_sent(void *node, int rc)
{
    struct fixture_node *n = node;

    n->answers++;
    n->last_rc = rc;
}

void adapter_fixture_done(void *node, int rc, const struct str *reply, unsigned count)
{
    struct fixture_node *n = node;

    n->answers++;
    n->last_rc = rc;
    n->reply.n = 0;
    for (unsigned i = 0; i < count; i++) {
        sb_str(&n->reply, reply[i].p ? reply[i] : STR("(nil)"));
        sb_char(&n->reply, ',');
    }
    sb_char(&n->reply, 0);
}

static char *no_env(const char *name)
{
    (void)name;
    return NULL;
}

static void set_text(char **field, const char *value)
{
    mem_free(*field);
    *field = str_dup(str_z(value));
}

static void on_wake(struct timer *t)
{
    struct adapter_fixture *f = LIST_OWNER(t, struct adapter_fixture, wake);

    loop_timer(f->loop, t, 5);
}

bool adapter_fixture_open(struct adapter_fixture *f, bool is_redis)
{
    struct sb mistakes = {0};
    char *argv[] = {(char[]){"test"}, NULL};

    if (is_redis && !redis_fixture_is_there()) return false;
    assert(conf_read(&f->conf, 1, argv, no_env, &mistakes) == OK);
    sb_fini(&mistakes);
    f->loop = loop_new();
    f->conf.beat_ms = 100;
    f->conf.dead_ms = 1500;
    f->conf.redis_timeout_ms = 2000;
    if (f->is_cluster) {
        redis_cluster_fixture_open(&f->cluster);
        set_text(&f->conf.redis_url, f->cluster.url);
    } else if (is_redis) {
        set_text(&f->conf.adapter, "redis");
        redis_fixture_open(&f->redis);
        set_text(&f->conf.redis_url, f->redis.url);
    } else {
        set_text(&f->conf.adapter, "local");
        f->bus = local_bus_new(f->loop);
    }
    timer_init(&f->wake, on_wake);
    loop_timer(f->loop, &f->wake, 5);
    return true;
}

void adapter_fixture_join(struct adapter_fixture *f, int i, const char *nsp)
{
    struct fixture_node *n = &f->nodes[i];
    char *why = NULL;
    int rc = OK;

    n->clients = 1;
    memcpy(n->id, "n00", 3);
    n->id[3] = (char)('0' + i);
    if (f->bus)
        n->adapter = local_bus_join(f->bus, &f->conf, str_z(n->id), &handler, n);
    else
        rc = adapter_open(f->loop, &f->conf, str_z(n->id), &handler, n, &n->adapter, &why);
    assert(rc == OK);
    if (nsp) adapter_nsp_open(n->adapter, str_z(nsp));
}

bool adapter_fixture_open_with(struct adapter_fixture *f, const char *driver)
{
    struct str name, where;
    char *z;

    f->is_cluster = str_cut(str_z(driver), ' ', &name, &where);
    if (!adapter_fixture_open(f, !str_eq(name, STR("local")))) return false;
    z = str_dup(name);
    set_text(&f->conf.adapter, z);
    mem_free(z);
    return true;
}

void adapter_fixture_break(struct adapter_fixture *f)
{
    if (f->bus) local_bus_break(f->bus, true);
    for (int i = 0; f->is_cluster && i < REDIS_CLUSTER_SIZE; i++)
        redis_fixture_kill(&f->cluster.servers[i]);
    if (!f->bus && !f->is_cluster) redis_fixture_kill(&f->redis);
}

void adapter_fixture_mend(struct adapter_fixture *f)
{
    if (f->bus) local_bus_break(f->bus, false);
    for (int i = 0; f->is_cluster && i < REDIS_CLUSTER_SIZE; i++)
        redis_fixture_start(&f->cluster.servers[i]);
    if (!f->bus && !f->is_cluster) redis_fixture_start(&f->redis);
}

void adapter_fixture_leave(struct adapter_fixture *f, int i)
{
    adapter_close(f->nodes[i].adapter);
    f->nodes[i].adapter = NULL;
    loop_turn(f->loop, false);
}

void adapter_fixture_close(struct adapter_fixture *f)
{
    for (int i = 0; i < ADAPTER_FIXTURE_NODES; i++) {
        adapter_close(f->nodes[i].adapter);
        sb_fini(&f->nodes[i].log);
        sb_fini(&f->nodes[i].reply);
        if (f->nodes[i].kept) adapter_answer_end(f->nodes[i].kept);
    }
    loop_timer_stop(f->loop, &f->wake);
    loop_turn(f->loop, false);
    if (f->bus)
        local_bus_free(f->bus);
    else if (f->is_cluster)
        redis_cluster_fixture_close(&f->cluster);
    else
        redis_fixture_close(&f->redis);
    loop_free(f->loop);
    conf_fini(&f->conf);
}

bool adapter_fixture_await(struct adapter_fixture *f, const unsigned *number, unsigned want,
                           unsigned ms)
{
    uint64_t end = clock_us() + (ms > PATIENCE_MS ? ms : PATIENCE_MS) * 1000ULL;

    while (*number < want && clock_us() < end)
        loop_turn(f->loop, true);
    return *number >= want;
}

bool adapter_fixture_await_that(struct adapter_fixture *f, bool (*is_so)(void))
{
    uint64_t end = clock_us() + PATIENCE_MS * 1000ULL;
    bool ok;

    while (!(ok = is_so()) && clock_us() < end)
        loop_turn(f->loop, true);
    return ok;
}

bool adapter_fixture_fence(struct adapter_fixture *f, int from, int to)
{
    struct fixture_node *n = &f->nodes[to];
    unsigned want = n->fences + 1;

    adapter_send(f->nodes[from].adapter, str_z(n->id), ADAPTER_PIPE, STR("fence"), NULL, NULL);
    return adapter_fixture_await(f, &n->fences, want, 0);
}

void adapter_fixture_run(struct adapter_fixture *f, unsigned ms)
{
    uint64_t end = clock_us() + ms * 1000ULL;

    while (clock_us() < end)
        loop_turn(f->loop, true);
    loop_turn(f->loop, false); /* what has become due in the meantime */
}

bool adapter_fixture_await_all(struct adapter_fixture *f, int count)
{
    bool ok = true;

    for (int i = 0; i < count; i++) {
        ok &= adapter_fixture_await(f, &f->nodes[i].connects, 1, 0);
        ok &= adapter_fixture_await(f, &f->nodes[i].ups, (unsigned)count - 1, 0);
    }
    return ok;
}

const char *adapter_fixture_log(struct fixture_node *n)
{
    sb_char(&n->log, 0);
    n->log.n = 0;
    return n->log.p;
}
