/* Schemas and features joined: which row answers an event of a namespace. Made once at start. */
#ifndef NODE_EVENT_REGISTRY_H
#define NODE_EVENT_REGISTRY_H

#include "base/map.h"
#include "node/event/event.h"

enum { REGISTRY_NSPS_MAX = 8 };

struct registry_row {
    const struct event_schema *schema;
    event_handle *handle; /* NULL: an echo */
    unsigned feature_i;
    bool is_askable;
};

struct registry_nsp {
    struct str name;
    struct map rows; /* event name → struct registry_row */
};

struct registry {
    struct registry_row rows[EVENT_COUNT]; /* by event_id; schema NULL: not of this program */
    struct str nsp;                        /* main namespace of the program */
    struct registry_nsp nsps[REGISTRY_NSPS_MAX];
    unsigned nsps_count;
};

/* nsp: main namespace of the program, for the events that every program answers; borrowed for ever.
 * features ends with NULL. mistakes: one line for every gap and double. Errors: ERR_CONFIG.
 * registry_fini always. */
MUST_USE int registry_init(struct registry *r, struct str nsp,
                           const struct feature *const features[], struct sb *mistakes);
void registry_fini(struct registry *r);

const struct registry_nsp *registry_nsp(const struct registry *r, struct str name);       /* NULL */
const struct registry_row *registry_find(const struct registry_nsp *n, struct str event); /* NULL */

#endif
