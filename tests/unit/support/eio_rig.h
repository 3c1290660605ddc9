/* One engine on fake pipes, with an application that writes down what it was told. For tests of
 * node/eio. */
#ifndef TESTS_UNIT_SUPPORT_EIO_RIG_H
#define TESTS_UNIT_SUPPORT_EIO_RIG_H

#include "base/conf.h"
#include "base/loop.h"
#include "node/eio/eio.h"
#include "tests/unit/support/fake_edge.h"

struct eio_rig {
    struct loop *loop;
    bool owns_loop;
    struct conf conf;
    struct eio *eio;
    struct fake_edge edge;
    struct eio_cors cors;
    struct sb told;              /* "open\n" "text:hi\n" "bytes:0102\n" "close:parse error\n" */
    struct eio_session *session; /* opened last; NULL once it closed */
    bool is_foreign;             /* cors says: foreign origin */
    bool echoes;                 /* messages go back */
    void (*on_message)(struct eio_rig *r, struct eio_session *s);
    char sid[EIO_ID_SIZE + 1]; /* of the session opened last */
    struct sb line;            /* scratch of rig_head */
};

/* options: "--name=value" separated by blanks, or NULL. The clock is frozen. loop NULL: one of its
 * own. */
void rig_open(struct eio_rig *r, const char *options);
void rig_open_at(struct eio_rig *r, const char *options, const char *node_id, struct loop *loop);
void rig_close(struct eio_rig *r);
void rig_turn(struct eio_rig *r);              /* one turn of the loop */
void rig_wait(struct eio_rig *r, uint64_t ms); /* lets time pass, in small steps */
const char *rig_told(struct eio_rig *r);       /* and forgets */

/* A request head for the session opened last: rig_head(r, "GET", 4, "polling", "b64=1"). */
const char *rig_head(struct eio_rig *r, const char *method, int protocol, const char *transport,
                     const char *more);
struct fake_pipe *rig_poll_open(struct eio_rig *r, int protocol, const char *more); /* handshakes */
struct fake_pipe *rig_ws_open(struct eio_rig *r, int protocol, const char *more);
struct fake_pipe *rig_get(struct eio_rig *r, int protocol);
struct fake_pipe *rig_post(struct eio_rig *r, int protocol, const char *body);
struct fake_pipe *rig_upgrade(struct eio_rig *r,
                              int protocol); /* a WebSocket with the sid; no probe yet */

#endif
