/* Nodes that write down what their adapter tells them, over either driver. */
#ifndef TESTS_UNIT_SUPPORT_ADAPTER_FIXTURE_H
#define TESTS_UNIT_SUPPORT_ADAPTER_FIXTURE_H

#include "adapter/adapter.h"
#include "adapter/local/bus.h"
#include "base/conf.h"
#include "base/loop.h"
#include "base/metric.h"
#include "tests/unit/support/redis_cluster_fixture.h"

#define ADAPTER_FIXTURE_NODES 4

struct fixture_node {
    struct adapter *adapter;
    char id[ADAPTER_NODE_ID_SIZE + 1];
    unsigned casts, messages, ups, downs, connects, disconnects, answers, fences;
    int last_rc;
    /* requests of others: all are logged and counted; answers are "n001", clients times for a cast
     * with ack (default 1). is_silent: the question is kept and nothing is said. */
    unsigned requests, clients;
    bool is_silent;
    struct adapter_question *kept;
    struct sb log;   /* "cast / [\"x\"] rooms=a,b except=c flags=1 att=0102;" "message n001 hi;" */
    struct sb reply; /* of eval: "a,b," */
};

struct adapter_fixture {
    struct conf conf;
    struct loop *loop;
    struct local_bus *bus; /* NULL: redis */
    struct redis_fixture redis;
    struct redis_cluster_fixture cluster;
    bool is_cluster;
    struct timer wake;
    struct fixture_node nodes[ADAPTER_FIXTURE_NODES];
};

/* redis: false when it is not installed. Times are short, but not for a busy machine: beat
 * 100 ms, dead 1500 ms, Redis deadline 2000 ms. */
bool adapter_fixture_open(struct adapter_fixture *f, bool is_redis);
/* The same over a driver by its name; "… cluster": with a Redis Cluster. */
bool adapter_fixture_open_with(struct adapter_fixture *f, const char *driver);
/* What carries the nodes goes away, and comes back with nothing in it. */
void adapter_fixture_break(struct adapter_fixture *f);
void adapter_fixture_mend(struct adapter_fixture *f);
void adapter_fixture_close(struct adapter_fixture *f);
void adapter_fixture_join(struct adapter_fixture *f, int i, const char *nsp); /* nsp may be NULL */
void adapter_fixture_leave(struct adapter_fixture *f, int i);

/* Turns the loop until the number has reached want (true), for ms milliseconds at most; less than
 * fifteen seconds is taken as fifteen seconds. */
bool adapter_fixture_await(struct adapter_fixture *f, const unsigned *number, unsigned want,
                           unsigned ms);
bool adapter_fixture_await_that(struct adapter_fixture *f, bool (*is_so)(void));
/* What one node has said until now has arrived at the other one, unless it never will: before
 * saying that nothing came. Back and forth: also at the one that said it. */
bool adapter_fixture_fence(struct adapter_fixture *f, int from, int to);
/* Lets time pass. Whatever has to happen in it is awaited instead. */
void adapter_fixture_run(struct adapter_fixture *f, unsigned ms);
bool adapter_fixture_await_all(struct adapter_fixture *f,
                               int count); /* connected, and knowing each other */

void adapter_fixture_sent(void *node, int rc);
void adapter_fixture_done(void *node, int rc, const struct str *reply, unsigned count);
const char *
adapter_fixture_log(struct fixture_node *n); /* terminated; emptied by the next event only */

#endif
