/* The other nodes: who is alive, casts to them, messages to one of them. Public face of adapter/.
 * Drivers: redis and redis-sharded (the wires of @socket.io/redis-adapter 8), redis-streams
 * (@socket.io/redis-streams-adapter 0.3), local (nodes of one process, for tests and
 * ADAPTER=local). Everything is best effort and at most once, as in Socket.IO; local effects never
 * wait for it. */
#ifndef ADAPTER_ADAPTER_H
#define ADAPTER_ADAPTER_H

#include <stdbool.h>
#include <stdint.h>
#include "adapter/key.h"
#include "base/str.h"

#define ADAPTER_NODE_ID_SIZE 4
#define ADAPTER_SCRIPT_KEYS 5

enum {
    ADAPTER_VOLATILE = 1,
    ADAPTER_NO_COMPRESS = 2,
};

struct adapter_cast { /* all borrows */
    struct str nsp;
    const struct str *rooms, *except;
    unsigned rooms_count, except_count;
    unsigned flags;   /* ADAPTER_* */
    struct str array; /* raw JSON of the packet's data; binary as {"_placeholder":true,"num":N} */
    const struct str *attachments; /* by number */
    unsigned attachments_count;
    struct str offset; /* where it is kept, for who comes back later; empty: nowhere */
};

/* Kinds of node messages: what travels between two nodes of ours. The payload is opaque here. */
enum adapter_kind {
    ADAPTER_PIPE = 1,    /* eio/remote.c */
    ADAPTER_PEOPLE = 2,  /* people/people.c */
    ADAPTER_FEATURE = 3, /* event/event.c */
    ADAPTER_DENIED = 4,  /* to all, without a payload: node/guard/denied.c */
};

/* ---- requests between nodes: what socket.io calls remote sockets, server-side emit, broadcast
 * with ack ---- */

struct adapter_target { /* which sockets; all borrows. rooms empty: the whole namespace */
    struct str nsp;
    const struct str *rooms, *except;
    unsigned rooms_count, except_count;
};

/* One answer that this node owes to another node's question. Values borrow until the call returns.
 * Calls after the asker's deadline do nothing. */
struct adapter_question;
/* JSON text of one value (an ack's first argument, a server-side answer); attachments as in a cast.
 */
void adapter_answer(struct adapter_question *q, struct str json, const struct str *attachments,
                    unsigned attachments_count);
/* Broadcast with ack: how many sockets of this node got the event; once, before their answers. */
void adapter_answer_count(struct adapter_question *q, unsigned count);
/* Nothing more is to come; takes q. Due exactly once for every question, also after its deadline
 * and after adapter_close. */
void adapter_answer_end(struct adapter_question *q);

/* Result of a question of this node. missing: node ids (or adapter uids of Node peers, when known)
 * that did not answer. */
struct adapter_result {
    int rc; /* OK complete, ERR_TIMEOUT partial, ERR_UNAVAILABLE without the cluster */
    unsigned asked, answered;
    const struct str *missing;
    unsigned missing_count;
};

struct adapter_handler {
    void (*on_cast)(void *ctx, const struct adapter_cast *c);
    /* from: id of the sending node. payload borrows. */
    void (*on_message)(void *ctx, struct str from, enum adapter_kind kind, struct str payload);
    /* Requests of other nodes. May be NULL: a program without sockets. */
    void (*on_join)(void *ctx, const struct adapter_target *t, const struct str *rooms,
                    unsigned count);
    void (*on_leave)(void *ctx, const struct adapter_target *t, const struct str *rooms,
                     unsigned count);
    void (*on_disconnect)(void *ctx, const struct adapter_target *t, bool close);
    /* Appends a JSON array of {id, handshake, rooms, data} of the matching sockets of this node. */
    void (*on_fetch)(void *ctx, const struct adapter_target *t, struct sb *out);
    /* Broadcast with ack: deliver, adapter_answer_count, then an adapter_answer per client ack,
     * then adapter_answer_end. */
    void (*on_cast_ack)(void *ctx, const struct adapter_cast *c, uint64_t timeout_ms,
                        struct adapter_question *q);
    /* Server-side emit; q NULL: no answer wanted. array: raw JSON `["name",args…]`. */
    void (*on_server_emit)(void *ctx, struct str nsp, struct str array, struct adapter_question *q);
    void (*on_node_up)(void *ctx, struct str node);
    void (*on_node_down)(void *ctx, struct str node);
    /* connected false: degraded; true: everything is subscribed (again) and was seen to work. true
     * is also said again when this node was stopped for so long that the others declared it dead:
     * what they held for it may be gone. */
    void (*on_state)(void *ctx, bool connected);
};

struct loop;
struct conf;
struct adapter;

/* Driver by conf->adapter. node_id: ADAPTER_NODE_ID_SIZE characters, copied. *out: returns new;
 * on_state(true) comes later. Errors: ERR_CONFIG (why: one sentence, returned new; mem_free). */
MUST_USE int adapter_open(struct loop *l, const struct conf *c, struct str node_id,
                          const struct adapter_handler *h, void *ctx, struct adapter **out,
                          char **why);

/* Says BYE to the others (they forget this node at once) and frees. */
void adapter_close(struct adapter *a);

/* Namespaces in use on this node: opened once each, before the first cast. */
void adapter_nsp_open(struct adapter *a, struct str nsp);

/* A room got its first member here, or lost its last: drivers with channels per room subscribe (a
 * later issue). */
void adapter_room_open(struct adapter *a, struct str nsp, struct str room);
void adapter_room_close(struct adapter *a, struct str nsp, struct str room);

/* done is called once: when casts of other nodes to this open room arrive here, or when nobody can
 * say so soon (Redis is away, the room was closed, the adapter closes). At once, within the call,
 * when that is so already: always with drivers that have no channels per room. */
void adapter_room_ready(struct adapter *a, struct str nsp, struct str room, void (*done)(void *ctx),
                        void *ctx);

/* To all other nodes. Never blocks and never fails: without Redis it is counted and dropped. */
void adapter_publish(struct adapter *a, const struct adapter_cast *c);

/* sent: OK when Redis has taken what was published before, so that the others hear of it whatever
 * becomes of this node; ERR_UNAVAILABLE when some of it may be lost. Casts to a slot that moves to
 * another master in that moment may still be on their way. One round trip; never within the call.
 */
void adapter_flush(struct adapter *a, void (*sent)(void *ctx, int rc), void *ctx);

/* With RECOVERY_MS, to all nodes: it comes back by on_cast with its offset, in the order in which
 * all have it. False: it will not, nobody keeps casts, or not now; whoever says it delivers it
 * himself.
 */
bool adapter_keep(struct adapter *a, const struct adapter_cast *c);

/* All casts up to this offset were given to on_cast. Empty: casts are not kept. Borrows until the
 * next call. */
struct str adapter_offset(struct adapter *a, struct str nsp);

/* Remote join, leave, disconnect on all other nodes: no confirmation, in the order of the calls and
 * of adapter_publish. The local effect is the caller's. */
void adapter_join(struct adapter *a, const struct adapter_target *t, const struct str *rooms,
                  unsigned count);
void adapter_leave(struct adapter *a, const struct adapter_target *t, const struct str *rooms,
                   unsigned count);
void adapter_disconnect(struct adapter *a, const struct adapter_target *t, bool close);

/* Questions to all other nodes. each is called per answer (JSON text of one value; for fetch: one
 * socket object), done once, never within the call. timeout_ms 0: the default (5,000). A node that
 * dies is no longer waited for. */
typedef void adapter_each_fn(void *ctx, struct str json, const struct str *attachments,
                             unsigned count);
typedef void adapter_done_fn(void *ctx, const struct adapter_result *r);
struct adapter_ask {
    uint64_t timeout_ms;
    adapter_each_fn *each;
    void (*on_count)(
        void *ctx,
        unsigned clients); /* broadcast with ack: clients reached by one other node; may be NULL */
    adapter_done_fn *done;
    void *ctx;
};
void adapter_fetch(struct adapter *a, const struct adapter_target *t,
                   const struct adapter_ask *ask);
void adapter_publish_ack(struct adapter *a, const struct adapter_cast *c,
                         const struct adapter_ask *ask);
void adapter_server_emit(struct adapter *a, struct str nsp, struct str array,
                         const struct adapter_ask *ask); /* ask NULL: no answers */
/* Servers in a namespace, Node peers included, this one too (estimate of the driver). done: rc,
 * count. */
void adapter_server_count(struct adapter *a, struct str nsp,
                          void (*done)(void *ctx, int rc, unsigned count), void *ctx);

/* To one node. sent is called with OK when the node's subscription took it, ERR_NOT_FOUND when
 * nobody listens (dead or unknown), ERR_UNAVAILABLE without Redis. sent may be NULL. One round
 * trip. */
void adapter_send(struct adapter *a, struct str node, enum adapter_kind kind, struct str payload,
                  void (*sent)(void *ctx, int rc), void *ctx);

/* To all other nodes, without a payload; best effort. */
void adapter_say(struct adapter *a, enum adapter_kind kind);

struct str adapter_node_id(const struct adapter *a);             /* borrows */
bool adapter_is_alive(const struct adapter *a, struct str node); /* beats seen within DEAD_MS */
bool adapter_is_lost(const struct adapter *a,
                     struct str node); /* declared dead for its silence, not heard since */
unsigned adapter_nodes(const struct adapter *a); /* alive, this one included */
bool adapter_is_connected(const struct adapter *a);
unsigned adapter_connects(const struct adapter *a); /* how often on_state(true) was said */
void adapter_each_node(const struct adapter *a, void (*fn)(void *ctx, struct str node), void *ctx);

/* Runs a Lua script (adapter/redis/store.h); done is called exactly once: OK with the reply,
 * ERR_UNAVAILABLE, ERR_TIMEOUT. ints and bulk strings of the reply come as text. Keys carry a {hash
 * tag}. The local driver answers ERR_UNAVAILABLE: callers fall back to what this node knows. Calls
 * run in their order, but one whose script Redis has not heard yet runs behind those it knows: what
 * must come second waits for the answer to the first. */
struct adapter_script {
    const char *name, *text; /* text lives for the whole process */
    /* KEYS of every call, in order (adapter/key.h); adapter_eval asserts it. None: a script for one
     * look, whose keys nobody checks. */
    enum key keys[ADAPTER_SCRIPT_KEYS];
    unsigned keys_count;
    char sha[41]; /* filled at first use */
};
void adapter_eval(struct adapter *a, struct adapter_script *s, const struct str *keys,
                  unsigned keys_count, const struct str *args, unsigned args_count,
                  void (*done)(void *ctx, int rc, const struct str *reply, unsigned reply_count),
                  void *ctx);

#endif
