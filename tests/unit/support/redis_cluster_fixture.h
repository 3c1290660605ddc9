/* Three private redis-servers that are one Redis Cluster, a third of the slots each. Blocks: for
 * tests only. */
#ifndef TESTS_UNIT_SUPPORT_REDIS_CLUSTER_FIXTURE_H
#define TESTS_UNIT_SUPPORT_REDIS_CLUSTER_FIXTURE_H

#include "tests/unit/support/redis_fixture.h"

#define REDIS_CLUSTER_SIZE 3

struct redis_cluster_fixture {
    struct redis_fixture servers[REDIS_CLUSTER_SIZE];
    char url[96];
};

void redis_cluster_fixture_open(struct redis_cluster_fixture *c); /* all slots are served */
void redis_cluster_fixture_close(struct redis_cluster_fixture *c);

/* One command with up to six words, to one server; its raw reply. */
const char *redis_cluster_fixture_say(struct redis_cluster_fixture *c, int server,
                                      const char *words);

/* Who has the key: a number of servers[]. */
int redis_cluster_fixture_owner(struct redis_cluster_fixture *c, const char *key);

/* The key's slot goes to another server, in the steps of redis-cli; a slot without keys needs the
 * last one only. In between, keys that are not there any more are redirected with ASK. */
void redis_cluster_fixture_begin_move(struct redis_cluster_fixture *c, const char *key, int to);
void redis_cluster_fixture_move_key(struct redis_cluster_fixture *c, const char *key, int from,
                                    int to);
void redis_cluster_fixture_end_move(struct redis_cluster_fixture *c, const char *key, int to);

#endif
