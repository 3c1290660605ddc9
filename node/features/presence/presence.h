/* Feature: presence. Who is online, away or busy, told to old clients as lists and to new ones as
 * differences; invisible users are offline to everybody. */
#ifndef NODE_FEATURES_PRESENCE_PRESENCE_H
#define NODE_FEATURES_PRESENCE_PRESENCE_H

#include "node/event/event.h"

extern const struct feature feature_presence;

#endif
