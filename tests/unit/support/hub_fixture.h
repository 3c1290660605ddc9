/* A hub of a Redis Cluster that counts what it is told. */
#ifndef TESTS_UNIT_SUPPORT_HUB_FIXTURE_H
#define TESTS_UNIT_SUPPORT_HUB_FIXTURE_H

#include "adapter/redis/hub_priv.h"
#include "base/metric.h"
#include "tests/unit/support/redis_cluster_fixture.h"

#define HUB_FIXTURE_QUEUE_BYTES 1048576

struct hub_fixture {
    struct redis_cluster_fixture cluster;
    struct redis_fixture plain; /* hub_fixture_open_plain */
    struct redis_url url;
    struct loop *loop;
    struct redis_hub *hub;
    unsigned ups, downs, subscriber_ups, subscriber_downs, maps;
    unsigned replies, errors; /* of all commands; errors: replies of that kind, and none at all */
};

bool hub_fixture_open(struct hub_fixture *f);       /* false: redis-server is not installed */
bool hub_fixture_open_plain(struct hub_fixture *f); /* REDIS_URL of a cluster, but it is none */
void hub_fixture_close(struct hub_fixture *f);

/* Turns the loop until the number has reached want; false after half a minute. */
bool hub_fixture_await(struct hub_fixture *f, const unsigned *number, unsigned want);
bool hub_fixture_await_that(struct hub_fixture *f, const struct redis_hub *h,
                            bool (*is_so)(const struct redis_hub *h));
bool hub_fixture_is_waiting(const struct redis_hub *h); /* a command for its next try */

/* A command whose words stand between blanks; %s is the key. */
int hub_fixture_say(struct hub_fixture *f, const char *key, const char *words);
void hub_fixture_on_reply(void *f, int rc, const struct redisReply *r);

#endif
