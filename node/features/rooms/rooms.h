/* Feature: rooms. Who is in, what is said, who is typing; counts over all nodes. */
#ifndef NODE_FEATURES_ROOMS_ROOMS_H
#define NODE_FEATURES_ROOMS_ROOMS_H

#include "node/event/event.h"

extern const struct feature feature_rooms;

#endif
