/* Token buckets by class. A bucket holds one minute's tokens and fills evenly. See rate.h. */
#include "node/event/rate.h"

#include "base/conf.h"

#define MINUTE_US UINT64_C(60000000)

enum { MINUTE_MS = 60000 };

struct rate_limits rate_limits_of(const struct conf *c)
{
    return (struct rate_limits){
        .interval_us =
            {
                [EVENT_RATE_EVENT] = MINUTE_US / c->rate_events,
                [EVENT_RATE_PRESENCE] = MINUTE_US / c->rate_presence,
                [EVENT_RATE_TYPING] = MINUTE_US / c->rate_typing,
                [EVENT_RATE_PING] = MINUTE_US / c->rate_pings,
                [EVENT_RATE_ECHO] = MINUTE_US / c->rate_echoes,
            },
        .strikes = (uint32_t)c->rate_strikes,
    };
}

uint64_t rate_take(struct rate *r, const struct rate_limits *l, enum event_rate rate,
                   uint64_t now_ms)
{
    uint64_t now_us = now_ms * 1000;
    uint64_t full_at_us = r->full_at_us[rate] > now_us ? r->full_at_us[rate] : now_us;

    full_at_us += l->interval_us[rate];
    if (full_at_us - now_us > MINUTE_US) return (full_at_us - now_us - MINUTE_US + 999) / 1000;
    r->full_at_us[rate] = full_at_us;
    return 0;
}

bool rate_strike(struct rate *r, const struct rate_limits *l, uint64_t now_ms)
{
    if (!r->strikes || now_ms - r->strikes_from_ms >= MINUTE_MS) {
        r->strikes = 0;
        r->strikes_from_ms = now_ms;
    }
    r->strikes++;
    return r->strikes >= l->strikes;
}
