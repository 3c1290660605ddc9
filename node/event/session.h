/* How long a socket's token carries it: exp, auth:refresh, revocations and bans. The user of a live
 * socket never changes. */
#ifndef NODE_EVENT_SESSION_H
#define NODE_EVENT_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

struct events;
struct event_peer;
struct identity;

/* May this token (identity_guest without one) connect from this address? OK, ERR_REVOKED, or
 * ERR_BANNED with the milliseconds that are left. */
int session_check(const struct events *e, const struct identity *who, struct str address,
                  uint64_t *left_ms);

void session_start(struct event_peer *p); /* from here on exp is watched */
void session_stop(struct event_peer *p);  /* frees what session_refresh made */

/* False: the token ran out too long ago; the connection is closed. For a loop that was too busy for
 * the timer. */
bool session_is_live(struct event_peer *p);

/* The list of the denied has grown: looks at all sockets within a second, some thousand a step. */
void session_look_again(struct events *e);
void session_walk_init(struct events *e);
void session_walk_stop(struct events *e);

/* Too many refused events: tells, disconnects, and shuts the user, or a guest's address, out for
 * BAN_SECONDS. */
void session_ban(struct event_peer *p);

#endif
