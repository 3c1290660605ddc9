/* Feature: private messages. Stored before the ack, delivered in their order to all devices, now or
 * at the next connect; docs/private.md has the promises. */
#ifndef NODE_FEATURES_PRIVATE_PRIVATE_H
#define NODE_FEATURES_PRIVATE_PRIVATE_H

#include "node/event/event.h"

extern const struct feature feature_private;

#endif
