/* What was said in a room: the last ROOM_HISTORY messages, kept in Redis for an hour after the last
 * of them. Rooms of type chat, or of none; not the personal ones. Best effort: a message is cast
 * whether it could be kept or not. */
#ifndef NODE_FEATURES_ROOMS_ROOMS_HISTORY_H
#define NODE_FEATURES_ROOMS_ROOMS_HISTORY_H

#include "node/event/event.h"

/* event: {members} of a roomMessage. */
void rooms_history_keep(struct events *e, struct str nsp, struct str room, struct str event);

/* roomHistory of a member: the ack, or the event of that name when none was asked for. Errors:
 * ERR_SCHEMA a cursor that was never given, ERR_UNAVAILABLE. */
int rooms_history_ask(struct event_ctx *c, const struct in_room_history *h);

#endif
