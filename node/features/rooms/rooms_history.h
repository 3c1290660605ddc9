/* What was said in a room: the last ROOM_HISTORY messages, kept in Redis until a minute after the
 * last member has left. Rooms of types that keep it (rooms_type.c). Best effort: a message is cast
 * whether it could be kept or not. */
#ifndef NODE_FEATURES_ROOMS_ROOMS_HISTORY_H
#define NODE_FEATURES_ROOMS_ROOMS_HISTORY_H

#include "node/event/event.h"

struct rooms_room;

/* event: {members} of a roomMessage. */
void rooms_history_keep(struct rooms_room *m, struct str event);

/* roomHistory of a member: the ack, or the event of that name when none was asked for. Errors:
 * ERR_SCHEMA a cursor that was never given, ERR_UNAVAILABLE. */
int rooms_history_ask(struct event_ctx *c, const struct in_room_history *h);

/* The newest ones, for newcomers: array is the event roomHistory. Calls told exactly once, perhaps
 * at once; with an error when the room keeps nothing, or Redis cannot be asked. */
typedef void rooms_history_told(void *ctx, int rc, struct str array);
void rooms_history_newest(struct rooms_room *m, rooms_history_told *told, void *ctx);

#endif
