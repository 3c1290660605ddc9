/* Connection state recovery: what is kept of a socket in Redis so that its client can come back, to
 * this server or another, and be sent what it missed. The key and its value are those of
 * @socket.io/redis-streams-adapter; members of ours are beside them, which Node passes over.
 * With ADAPTER=redis-streams and RECOVERY_MS only. Source: reference 2.4 and 6.2. */
#ifndef ADAPTER_SESSION_H
#define ADAPTER_SESSION_H

#include "adapter/adapter.h"
#include "base/sha1.h"

#define SESSION_PID_SIZE 20 /* of ours and of Node's */
#define SESSION_ROOMS_MAX 4096
#define SESSION_BYTES_MAX 262144 /* of a value in Redis */

struct session { /* all borrows */
    struct str sid, pid;
    const struct str *rooms; /* its own is among them */
    unsigned rooms_count;
    struct str data;     /* socket.data as MessagePack, of whoever wrote it; empty: {} */
    struct str since;    /* offset at which it was connected; empty: unknown */
    struct str who;      /* whose it is, in the words of the application */
    bool has_who;        /* Node does not say */
    bool is_live;        /* the socket may still be there */
    uint64_t generation; /* another each time somebody comes back: an old socket that goes late
                            leaves the new one's alone; below 2^53. Zero: not told */
};

/* What was written last: a key that another server took or wrote since is left alone. Zero: nothing
 * was, anything is written over. */
struct session_mark {
    unsigned char sum[SHA1_SIZE];
    unsigned connects; /* of the adapter: after an outage the key may be gone for no reason */
    bool is_set;
};

/* Writes it, for so long. Nobody waits for it. */
void session_put(struct adapter *a, const struct session *s, uint64_t ttl_ms,
                 struct session_mark *mark);
void session_drop(struct adapter *a, struct str pid, const struct session_mark *mark);

/* A pid as servers make them. */
bool session_is_pid(struct str pid);

struct session_restore {
    void *ctx;
    /* It was there, and is no longer. False: not this one; done is called with ERR_FORBIDDEN. */
    bool (*on_session)(void *ctx, const struct session *s);
    /* A cast of the namespace after the offset, in order; rooms are not looked at here. is_late:
     * it came while the others were being read, and belongs behind all of them. */
    void (*on_missed)(void *ctx, const struct adapter_cast *c, bool is_late);
    /* Once. OK: that was all until this very moment, what comes now goes to on_cast. Otherwise
     * there is no session (ERR_NOT_FOUND), or nobody can say what was missed (ERR_CLOSED: the
     * adapter closes). */
    void (*done)(void *ctx, int rc);
};

/* Takes the session out of Redis. offset: that of the last event the client has; empty: none, all
 * since it was connected. done is called exactly once, later, or within adapter_close. */
void session_restore(struct adapter *a, struct str nsp, struct str pid, struct str offset,
                     const struct session_restore *r);

#endif
