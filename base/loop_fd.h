/* Descriptors of a loop: an epoll instance of our own that libevent watches as one descriptor.
 * libevent keeps a record for every descriptor number for ever and 130 bytes an event; with
 * thousands of connections that memory never came back and its bookkeeping showed in profiles.
 * Included only by base/loop.c. */
#ifndef BASE_LOOP_FD_H
#define BASE_LOOP_FD_H

#include "base/loop.h"

struct loop_fds {
    int epoll;
    struct loop_fd
        *dead; /* freed in this turn: later events of the batch may still point to them */
};

void loop_fds_open(struct loop_fds *f);
void loop_fds_close(struct loop_fds *f);
void loop_fds_run(struct loop_fds *f);  /* calls back for what is ready now, a bounded batch */
void loop_fds_reap(struct loop_fds *f); /* end of the turn */

struct loop_fds *loop_fds_of(struct loop *l);

#endif
