/* The value of a session in Redis: base64 of the MessagePack of {sid, pid, rooms, data} as Node
 * has it, and behind them since, who, live and generation of ours. Pure. */
#ifndef ADAPTER_SESSION_WIRE_H
#define ADAPTER_SESSION_WIRE_H

#include "adapter/session.h"

void session_wire_encode(const struct session *s, struct sb *out); /* appends */

/* What a read session borrows from; reused from one to the next. Zero-initialise. */
struct session_wire {
    struct session session;
    struct sb bytes;
    struct str *rooms;
    unsigned rooms_cap;
};

/* Fills w->session. Members that it does not know are passed over. Errors: ERR_PROTO, ERR_UTF8,
 * ERR_DEPTH no session; ERR_LIMIT too many rooms or bytes. */
MUST_USE int session_wire_decode(struct str text, struct session_wire *w);
void session_wire_fini(struct session_wire *w);

#endif
