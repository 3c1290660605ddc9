/* The words of one script call, gathered in one builder; its answer comes exactly once, ERR_CLOSED
 * when the feature is being closed. */
#ifndef NODE_FEATURES_ROOMS_ROOMS_CALL_H
#define NODE_FEATURES_ROOMS_ROOMS_CALL_H

#include <stdint.h>
#include "adapter/adapter.h"
#include "base/str.h"

enum { ROOMS_WORDS = 128 };

struct rooms;

struct rooms_call { /* zero is empty */
    struct sb text;
    size_t ends[ROOMS_WORDS];
    unsigned words, keys;
};

typedef void rooms_call_told(void *ctx, int rc, const struct str *reply, unsigned count);

void rooms_call_key(struct rooms_call *c, enum key k, struct str name); /* keys come first */
void rooms_call_arg(struct rooms_call *c, struct str arg);
void rooms_call_u64(struct rooms_call *c, uint64_t arg);
/* Takes what c holds. Without a cluster: ERR_UNAVAILABLE, within the call. told NULL: never mind.
 */
void rooms_call_run(struct rooms *r, struct rooms_call *c, struct adapter_script *s,
                    rooms_call_told *told, void *ctx);

#endif
