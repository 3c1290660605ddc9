/* What a back end may order from outside: one event to some rooms, as JSON (schemas/ops/emit.json).
 * Pure; read by POST /emit (emit.c) and by the command line (tools/emit.c), so both refuse the same
 * things in the same words. */
#ifndef NODE_OPS_EMIT_ORDER_H
#define NODE_OPS_EMIT_ORDER_H

#include <stdbool.h>
#include "base/str.h"
#include "node/sio/sio.h"

#define OPS_EMIT_NAME_MAX 256 /* bytes of an event, a room or a namespace; rooms: as in sio.h */

struct ops_emit_order {
    struct str nsp;                   /* "/" when it was left out */
    struct str rooms[SIO_CAST_ROOMS]; /* the user's is among them; none: the whole namespace */
    struct str except[SIO_CAST_ROOMS];
    unsigned rooms_count, except_count;
    bool is_volatile;
    struct str array; /* raw JSON `["event",…]` */
};

/* out borrows from body and scratch; what scratch held before is lost. why: on failure one sentence
 * for people, appended. Errors: ERR_PROTO, ERR_UTF8, ERR_DEPTH not JSON of ours; ERR_SCHEMA. */
MUST_USE int ops_emit_order_decode(struct str body, struct sb *scratch, struct ops_emit_order *out,
                                   struct sb *why);

#endif
