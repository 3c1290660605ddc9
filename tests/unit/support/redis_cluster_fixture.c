/* See redis_cluster_fixture.h. */
#include "tests/unit/support/redis_cluster_fixture.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "adapter/redis/slots.h"

#define PATIENCE_TRIES 3000 /* of 10 ms */

const char *redis_cluster_fixture_say(struct redis_cluster_fixture *c, int server,
                                      const char *words)
{
    struct str argv[8], rest = str_z(words);
    unsigned argc = 0;

    while (argc < 8 && str_next(&rest, ' ', &argv[argc]))
        argc++;
    return redis_fixture_say(&c->servers[server], argv, argc);
}

/* Two numbers behind the words; a negative one is left out. */
static const char *say_to(struct redis_cluster_fixture *c, int server, const char *what, int a,
                          int b)
{
    char words[128];
    int n = snprintf(words, sizeof words, "%s %d", what, a);

    if (b >= 0) (void)snprintf(words + n, sizeof words - (size_t)n, " %d", b);
    return redis_cluster_fixture_say(c, server, words);
}

static bool is_ready(struct redis_cluster_fixture *c, int i)
{
    const char *info = redis_cluster_fixture_say(c, i, "CLUSTER INFO");

    return strstr(info, "cluster_state:ok") && strstr(info, "cluster_slots_ok:16384") &&
           strstr(info, "cluster_known_nodes:3");
}

void redis_cluster_fixture_open(struct redis_cluster_fixture *c)
{
    for (int i = 0; i < REDIS_CLUSTER_SIZE; i++) {
        int first = i * REDIS_SLOTS / REDIS_CLUSTER_SIZE,
            last = (i + 1) * REDIS_SLOTS / REDIS_CLUSTER_SIZE - 1;

        c->servers[i].has_tcp = c->servers[i].is_cluster = true;
        redis_fixture_open(&c->servers[i]);
        say_to(c, i, "CLUSTER SET-CONFIG-EPOCH", i + 1, -1);
        say_to(c, i, "CLUSTER ADDSLOTSRANGE", first, last);
        if (i > 0)
            say_to(c, 0, "CLUSTER MEET 127.0.0.1", c->servers[i].port,
                   c->servers[i].port + REDIS_FIXTURE_BUS);
    }
    for (int i = 0, tries = 0; i < REDIS_CLUSTER_SIZE; i += is_ready(c, i), tries++) {
        assert(tries < PATIENCE_TRIES);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    (void)snprintf(c->url, sizeof c->url, "redis+cluster://localhost:%d,127.0.0.1:%d",
                   c->servers[0].port, c->servers[1].port);
}

void redis_cluster_fixture_close(struct redis_cluster_fixture *c)
{
    for (int i = 0; i < REDIS_CLUSTER_SIZE; i++)
        redis_fixture_close(&c->servers[i]);
}

int redis_cluster_fixture_owner(struct redis_cluster_fixture *c, const char *key)
{
    for (int i = 0; i < REDIS_CLUSTER_SIZE; i++) {
        struct str argv[] = {STR("EXISTS"), str_z(key)};

        if (*redis_fixture_say(&c->servers[i], argv, 2) == ':') return i;
    }
    assert(!"a slot without a server");
    return -1;
}

static void set_slot(struct redis_cluster_fixture *c, int server, const char *key, const char *how,
                     int other)
{
    char words[160];
    const char *reply = redis_cluster_fixture_say(c, other, "CLUSTER MYID");

    (void)snprintf(words, sizeof words, "CLUSTER SETSLOT %d %s %.40s", redis_slot(str_z(key)), how,
                   strchr(reply, '\n') + 1);
    reply = redis_cluster_fixture_say(c, server, words);
    assert(str_starts(str_z(reply), STR("+OK")));
}

void redis_cluster_fixture_begin_move(struct redis_cluster_fixture *c, const char *key, int to)
{
    int from = redis_cluster_fixture_owner(c, key);

    set_slot(c, to, key, "IMPORTING", from);
    set_slot(c, from, key, "MIGRATING", to);
}

void redis_cluster_fixture_move_key(struct redis_cluster_fixture *c, const char *key, int from,
                                    int to)
{
    char words[160];
    const char *reply;

    (void)snprintf(words, sizeof words, "MIGRATE 127.0.0.1 %d %s 0 5000", c->servers[to].port, key);
    reply = redis_cluster_fixture_say(c, from, words);
    assert(str_starts(str_z(reply), STR("+OK")));
}

void redis_cluster_fixture_end_move(struct redis_cluster_fixture *c, const char *key, int to)
{
    for (int i = 0; i < REDIS_CLUSTER_SIZE; i++) /* the new owner first */
        set_slot(c, (to + i) % REDIS_CLUSTER_SIZE, key, "NODE", to);
}
