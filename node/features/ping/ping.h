/* Feature: the application's round trip, ping → pong. */
#ifndef NODE_FEATURES_PING_PING_H
#define NODE_FEATURES_PING_PING_H

#include "node/event/event.h"

extern const struct feature feature_ping;

#endif
