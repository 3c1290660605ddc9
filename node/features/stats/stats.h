/* Feature: stats. serverStats every half minute, over the cluster. */
#ifndef NODE_FEATURES_STATS_STATS_H
#define NODE_FEATURES_STATS_STATS_H

#include "node/event/event.h"

extern const struct feature feature_stats;

#endif
