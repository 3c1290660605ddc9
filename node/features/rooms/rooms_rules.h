/* What moderators have decided about a room: a lock, slow mode, mutes and kicks with their ends. As
 * text it comes from Redis' script and travels to the other nodes:
 *   <microsecond of Redis> <1: locked> <slow mode, ms>\n  then  <m|k> <ms left> <member's key>\n …
 * The newest one counts. Here it is read and asked; pure but for the clock. */
#ifndef NODE_FEATURES_ROOMS_ROOMS_RULES_H
#define NODE_FEATURES_ROOMS_ROOMS_RULES_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

#define ROOMS_BARS_MAX 1000

struct rooms_rules {
    uint64_t as_of_us; /* 0: never read */
    bool is_locked;
    uint64_t slow_ms;
    struct rooms_bar *bars;
    unsigned bars_count;
    struct sb text; /* what the bars point to */
};

struct rooms_bar {
    char kind;         /* m, k */
    uint64_t until_ms; /* clock_ms */
    struct str key;
};

void rooms_rules_fini(struct rooms_rules *r);

/* False: it is older than what is known, or garbage; nothing has changed. */
bool rooms_rules_take(struct rooms_rules *r, struct str text);

/* Milliseconds for which this member is muted (m), or may not come in (k). */
uint64_t rooms_rules_left_ms(const struct rooms_rules *r, char kind, struct str key);

#endif
