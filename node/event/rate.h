/* How often a socket may send: one bucket a class, and strikes for what was refused. Pure: time is
 * passed in. */
#ifndef NODE_EVENT_RATE_H
#define NODE_EVENT_RATE_H

#include <stdbool.h>
#include <stdint.h>
#include "events_in.h"

struct conf;

struct rate_limits {
    uint64_t interval_us[EVENT_RATE_COUNT]; /* one token each */
    uint32_t strikes;                       /* in a minute; at so many the connection is closed */
};

/* A bucket is one number: the instant at which it is full again (the virtual scheduling form of a
 * token bucket, ITU-T I.371 annex A). Zero is a full bucket. */
struct rate {
    uint64_t full_at_us[EVENT_RATE_COUNT];
    uint64_t strikes_from_ms;
    uint32_t strikes;
};

struct rate_limits rate_limits_of(const struct conf *c);

/* Takes one token. Returns 0, or the milliseconds (1 or more) after which there is one; then
 * nothing is taken. */
uint64_t rate_take(struct rate *r, const struct rate_limits *l, enum event_rate rate,
                   uint64_t now_ms);

/* One refused event. True from the strike on that uses up the limit. */
bool rate_strike(struct rate *r, const struct rate_limits *l, uint64_t now_ms);

#endif
