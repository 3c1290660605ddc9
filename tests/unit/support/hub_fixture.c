/* See hub_fixture.h. */
#include "tests/unit/support/hub_fixture.h"

#include <assert.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include "base/clock.h"
#include "base/mem.h"

#define PATIENCE_US 30000000

static void on_up(void *ctx)
{
    ((struct hub_fixture *)ctx)->ups++;
}

static void on_down(void *ctx)
{
    ((struct hub_fixture *)ctx)->downs++;
}

static void on_subscriber_up(void *ctx, struct redis_link *k)
{
    (void)k;
    ((struct hub_fixture *)ctx)->subscriber_ups++;
}

static void on_subscriber_down(void *ctx, struct redis_link *k)
{
    (void)k;
    ((struct hub_fixture *)ctx)->subscriber_downs++;
}

static void on_push(void *ctx, struct redis_link *k, const struct redis_push *p)
{
    (void)ctx, (void)k, (void)p;
}

static void on_map(void *ctx)
{
    ((struct hub_fixture *)ctx)->maps++;
}

static void start(struct hub_fixture *f, const char *url)
{
    struct redis_hub_conf c = {.url = &f->url,
                               .name = "test",
                               .timeout_ms = 2000,
                               .queue_bytes = HUB_FIXTURE_QUEUE_BYTES,
                               .has_subscribers = true,
                               .ctx = f,
                               .on_up = on_up,
                               .on_down = on_down,
                               .on_subscriber_up = on_subscriber_up,
                               .on_subscriber_down = on_subscriber_down,
                               .on_push = on_push,
                               .on_map = on_map};
    char *why = NULL;
    int rc = redis_url_parse(str_z(url), &f->url, &why);

    assert(rc == OK);
    f->loop = c.loop = loop_new();
    f->hub = redis_hub_open(&c);
}

bool hub_fixture_open(struct hub_fixture *f)
{
    if (!redis_fixture_is_there()) return false;
    *f = (struct hub_fixture){0};
    redis_cluster_fixture_open(&f->cluster);
    start(f, f->cluster.url);
    return true;
}

bool hub_fixture_open_plain(struct hub_fixture *f)
{
    char url[64];

    if (!redis_fixture_is_there()) return false;
    *f = (struct hub_fixture){.plain = {.has_tcp = true}};
    redis_fixture_open(&f->plain);
    (void)snprintf(url, sizeof url, "redis+cluster://127.0.0.1:%d", f->plain.port);
    start(f, url);
    return true;
}

void hub_fixture_close(struct hub_fixture *f)
{
    redis_hub_close(f->hub);
    loop_turn(f->loop, false);
    loop_free(f->loop);
    redis_url_fini(&f->url);
    if (f->plain.has_tcp)
        redis_fixture_close(&f->plain);
    else
        redis_cluster_fixture_close(&f->cluster);
}

bool hub_fixture_await(struct hub_fixture *f, const unsigned *number, unsigned want)
{
    uint64_t end = clock_us() + PATIENCE_US;

    while (*number < want && clock_us() < end)
        loop_turn(f->loop, true);
    return *number >= want;
}

bool hub_fixture_await_that(struct hub_fixture *f, const struct redis_hub *h,
                            bool (*is_so)(const struct redis_hub *h))
{
    uint64_t end = clock_us() + PATIENCE_US;

    while (!is_so(h) && clock_us() < end)
        loop_turn(f->loop, true);
    return is_so(h);
}

bool hub_fixture_is_waiting(const struct redis_hub *h)
{
    return !list_is_empty(&h->cluster->later);
}

void hub_fixture_on_reply(void *ctx, int rc, const struct redisReply *r)
{
    struct hub_fixture *f = ctx;

    f->replies++;
    f->errors += rc != OK || r->type == REDIS_REPLY_ERROR;
}

int hub_fixture_say(struct hub_fixture *f, const char *key, const char *words)
{
    struct str argv[8], rest = str_z(words);
    unsigned argc = 0;

    while (argc < 8 && str_next(&rest, ' ', &argv[argc])) {
        if (str_eq(argv[argc], STR("%s"))) argv[argc] = str_z(key);
        argc++;
    }
    return redis_hub_send(f->hub, str_z(key), argv, argc, hub_fixture_on_reply, f);
}
