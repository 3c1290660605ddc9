/* Who is alive: beats of the other nodes, judged by the time of their arrival here. No Redis, no
 * driver: bytes go out through callbacks. Time in which this node could not hear never kills
 * another. */
#ifndef ADAPTER_CLUSTER_H
#define ADAPTER_CLUSTER_H

#include "adapter/message.h"

struct loop;
struct cluster;

struct cluster_conf {
    struct loop *loop;
    struct str node_id; /* copied */
    struct str name;    /* for people; copied */
    uint64_t beat_ms, dead_ms;
    void *ctx;
    void (*say)(void *ctx, struct str bytes);                   /* to all nodes */
    void (*tell)(void *ctx, struct str node, struct str bytes); /* to one */
    void (*on_up)(void *ctx, struct str node);
    void (*on_down)(void *ctx, struct str node);
    /* This node was stopped for DEAD_MS or longer: the others have declared it dead. Everybody is
     * down (on_down was called), and comes up again one by one. */
    void (*on_return)(void *ctx);
};

/* Returns new; cluster_free. Nothing is said before cluster_connected(true). */
struct cluster *cluster_new(const struct cluster_conf *c);
void cluster_free(struct cluster *k); /* calls nothing back */

/* true: HELLO to all, and everybody known gets a fresh period. false: nobody is judged until then.
 */
void cluster_connected(struct cluster *k, bool connected);
void cluster_bye(struct cluster *k); /* tells the others that this node closes */

/* True: m was sent before this node came back from a long stop; whoever sent it has given up on it,
 * so it must not be read. Ask before anything else is done with a message. */
bool cluster_is_stale(struct cluster *k, const struct message *m);

/* HELLO, BEAT, BYE or LOST arrived. Another node with this node's own id is logged and counted once
 * per instance: its sids are still its own (they hold 96 more random bits), but polls may be
 * forwarded to the wrong one of the two. */
void cluster_receive(struct cluster *k, const struct message *m);

uint64_t
cluster_instance(const struct cluster *k); /* random, tells this process from an earlier one */
bool cluster_is_alive(const struct cluster *k, struct str node); /* own id: true */
bool cluster_is_lost(const struct cluster *k,
                     struct str node); /* declared dead for its silence, not heard since */
unsigned cluster_count(const struct cluster *k); /* this one included */
void cluster_each(const struct cluster *k, void (*fn)(void *ctx, struct str node), void *ctx);

#endif
