/* Who is here, as users and not as sockets: each signed-in socket is in the room of its user, and
 * Redis knows on which nodes a user has devices (USER_NODES). Says when the first device of a user
 * over the whole cluster has come and the last one has gone, also when a node dies. Devices are
 * sockets of the program's main namespace. Without Redis all this is so for this node alone. */
#ifndef NODE_PEOPLE_PEOPLE_H
#define NODE_PEOPLE_PEOPLE_H

#include <stdbool.h>
#include <stdint.h>
#include "adapter/tally.h"
#include "base/str.h"

struct loop;
struct conf;
struct adapter;
struct identity;
struct sio_socket;
struct people;
struct person; /* a user with devices on this node */

struct people_user {    /* borrows */
    struct str id_text; /* of struct identity */
    uint64_t at_us;     /* Redis' clock: orders the changes of one user */
};

/* One of all nodes is told of each change, once; again when Redis has lost what it knew. The order
 * of the calls is that of the answers from Redis: at_us decides which change is the later one. */
struct people_hooks {
    void (*on_first_device)(void *ctx, const struct people_user *u);
    void (*on_last_device)(void *ctx, const struct people_user *u);
    void (*on_counted)(void *ctx, const struct people_user *u);    /* here, at last or once more */
    void (*on_hidden)(void *ctx, struct str id_text, bool hidden); /* people_hide changed it here */
};

struct people_conf {
    struct loop *loop;
    const struct conf *conf;
    struct adapter *adapter; /* NULL: none */
    struct str nsp;          /* whose sockets are devices; lives as long as the people */
    struct people_hooks hooks;
    void *ctx;
};

struct people *people_new(const struct people_conf *c);
void people_free(struct people *p); /* waiting questions are told ERR_CLOSED */

/* A connected socket; joins it to the room of its user. NULL: a guest. */
struct person *people_enter(struct people *p, struct sio_socket *s, const struct identity *who);
void people_exit(struct person *who); /* NULL: nothing */

void people_room(struct str id_text, struct sb *out); /* appends user-<id> */
/* Appends the inner room of those whose id is this number: 7 and "7" share user-7, and are told
 * apart by it. */
void people_number_room(struct str id_text, struct sb *out);
bool people_is_room_of(struct str room, struct str id_text);
bool people_is_room(struct str room); /* of some user */

/* How many devices a user has over the nodes. told is called exactly once, now or later. */
void people_count(struct people *p, struct str id_text, tally_told *told, void *ctx);
unsigned people_here(const struct people *p, struct str id_text); /* on this node */

/* When Redis counted a device here that is still there, by its own clock; 0: not yet. Whoever
 * writes of a user writes it with this time: a last device that is told of later outweighs it, one
 * that was told of before does not. */
uint64_t people_counted_us(const struct people *p, struct str id_text);

/* What is done about a last device is not lost with this node: until it is paid, the others find
 * the user in the list of the node that he has left. Debts are paid in the order in which they were
 * made. */
void people_owe(struct people *p);
void people_paid(struct people *p, unsigned debts);

/* Each user with devices here. fn may not let one come or go. */
void people_each(struct people *p, void (*fn)(void *ctx, struct str id_text), void *ctx);

/* Users who are here and must not show, to be set before they are seen. Whoever tells others of
 * them asks first. Forgotten with the last device here. */
void people_hide(struct people *p, struct str id_text, bool hidden);
void people_hide_everywhere(struct people *p, struct str id_text, bool hidden); /* on all nodes */
bool people_is_hidden(const struct people *p, struct str id_text);

void people_on_node_lost(struct people *p, struct str node);
void people_on_message(struct people *p, struct str payload); /* ADAPTER_PEOPLE */
void people_on_state(struct people *p, bool connected);       /* of the adapter */

#endif
