/* The subscriptions of a node: a list that is ours. Each is on one connection, which one the owner
 * of the list says; whatever happens to it, all that was there is sent again; a refused one is
 * tried again; one channel a command, a bounded number of commands under way. It knows nothing of
 * what the channels carry. */
#ifndef ADAPTER_REDIS_SUBS_PRIV_H
#define ADAPTER_REDIS_SUBS_PRIV_H

#include "adapter/channel.h"
#include "adapter/redis/link.h"
#include "base/list.h"
#include "base/map.h"

struct redis_subs;

enum redis_sub_how { REDIS_SUB_CHANNEL, REDIS_SUB_PATTERN, REDIS_SUB_SHARD, REDIS_SUB_HOW_COUNT };

enum redis_sub_state {
    REDIS_SUB_DUE,       /* to be subscribed */
    REDIS_SUB_ASKED,     /* SUBSCRIBE is under way */
    REDIS_SUB_CONFIRMED, /* messages come */
    REDIS_SUB_SPENT,     /* to be unsubscribed */
    REDIS_SUB_LEAVING,   /* SUNSUBSCRIBE is under way */
    REDIS_SUB_REFUSED,   /* or nobody to ask: until redis_subs_retry */
    REDIS_SUB_STATE_COUNT,
};

struct redis_sub_waiter; /* who wants to know that messages come */

struct redis_sub { /* one line of the list; read by the drivers, written by subs.c */
    struct list node;
    struct redis_subs *subs;
    enum redis_sub_how how;
    enum redis_sub_state state;
    enum channel kind;
    bool is_wanted, is_missed; /* missed: without it the list is not settled */
    bool was_heard;            /* confirmed once */
    unsigned moves;            /* in a row; to another connection */
    struct redis_link *link;   /* asked, confirmed or leaving there; NULL: nowhere */
    void *owner;               /* the driver's; NULL: the node's own channels */
    struct list waiters;
    struct str name; /* follows the struct */
};

struct redis_subs {
    struct map by_name[REDIS_SUB_HOW_COUNT];
    struct list lists[REDIS_SUB_STATE_COUNT];
    unsigned flying, missed;
    void *ctx;
    /* Where it belongs; NULL: nobody knows. The link may be down. */
    struct redis_link *(*link_of)(void *ctx, const struct redis_sub *sub);
    void (*on_settled)(void *ctx); /* nothing is missed (again) */
    void (*on_lost)(void *ctx);    /* what was heard is missed, with no link down */
    /* An error in place of a subscription. True: link_of says another link now. */
    bool (*on_moved)(void *ctx, struct redis_link *by, struct str error);
    void (*on_refused)(void *ctx, struct str why);
};

void redis_subs_init(struct redis_subs *s, void *ctx);
void redis_subs_fini(struct redis_subs *s); /* the link is closed; answers the waiters, frees all */

void redis_subs_add(struct redis_subs *s, enum redis_sub_how how, enum channel kind, void *owner,
                    struct str name); /* for good */
struct redis_sub *redis_subs_get(const struct redis_subs *s, enum redis_sub_how how,
                                 struct str name);

/* For channels that come and go while the list is settled (rooms); SHARD only. A name that is
 * subscribed for good as another kind is left alone. */
void redis_subs_enter(struct redis_subs *s, enum channel kind, void *owner, struct str name);
void redis_subs_leave(struct redis_subs *s, enum channel kind, struct str name);

/* done is called once: when the subscription is confirmed, or will not be soon (no connection,
 * refused, given up); at once when that is so already. */
void redis_subs_await(struct redis_sub *sub, void (*done)(void *ctx), void *ctx);

void redis_subs_down(struct redis_subs *s, struct redis_link *k); /* what was there is due again */
void redis_subs_retry(struct redis_subs *s); /* what was refused, or found nobody: a link is up */
void redis_subs_moved(struct redis_subs *s); /* link_of says other links than before */
void redis_subs_close(struct redis_subs *s); /* no link any more: answers the waiters */

/* The line that a push belongs to; NULL: none. A sunsubscribe that nobody asked for (the slot has
 * moved) makes its line due again, and gives NULL. */
const struct redis_sub *redis_subs_take(struct redis_subs *s, struct redis_link *by,
                                        const struct redis_push *p);

#endif
