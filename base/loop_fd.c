/* Descriptors of a loop; see loop_fd.h. Level-triggered: what a callback leaves unread comes again.
 */
#include "base/loop_fd.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/forbid.h"

#define BATCH                                                                                      \
    512 /* events of one turn; the rest waits for timers and writes to have their turn             \
         */

struct loop_fd {
    struct loop_fds *owner;
    void (*cb)(void *ctx, int what); /* NULL: freed, waiting for the end of the turn */
    void *ctx;
    struct loop_fd *next_dead;
    int fd;
    int want;
};

void loop_fds_open(struct loop_fds *f)
{
    f->dead = NULL;
    f->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (f->epoll < 0) abort();
}

void loop_fds_close(struct loop_fds *f)
{
    loop_fds_reap(f);
    close(f->epoll);
}

void loop_fds_reap(struct loop_fds *f)
{
    while (f->dead) {
        struct loop_fd *w = f->dead;

        f->dead = w->next_dead;
        mem_free(w);
    }
}

void loop_fds_run(struct loop_fds *f)
{
    struct epoll_event events[BATCH];
    int n = epoll_wait(f->epoll, events, BATCH, 0);

    for (int i = 0; i < n; i++) {
        struct loop_fd *w = events[i].data.ptr;
        uint32_t e = events[i].events;
        int what = (e & EPOLLIN ? LOOP_READ : 0) | (e & EPOLLOUT ? LOOP_WRITE : 0);

        if (e & (EPOLLERR | EPOLLHUP))
            what |= w->want; /* whoever reads or writes will see the error */
        if (w->cb && what) w->cb(w->ctx, what);
    }
}

struct loop_fd *loop_fd_new(struct loop *l, int fd, void (*cb)(void *ctx, int what), void *ctx)
{
    struct loop_fd *w = MEM_NEW(struct loop_fd);

    w->owner = loop_fds_of(l);
    w->cb = cb;
    w->ctx = ctx;
    w->fd = fd;
    return w;
}

void loop_fd_want(struct loop_fd *w, int what)
{
    struct epoll_event e = {.events = (what & LOOP_READ ? (uint32_t)EPOLLIN : 0u) |
                                      (what & LOOP_WRITE ? (uint32_t)EPOLLOUT : 0u),
                            .data.ptr = w};
    int op = !what ? EPOLL_CTL_DEL : w->want ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (what == w->want) return;
    if (epoll_ctl(w->owner->epoll, op, w->fd, &e) != 0 && what)
        abort(); /* our own mistake or no memory */
    w->want = what;
}

void loop_fd_free(struct loop_fd *w)
{
    if (!w) return;
    loop_fd_want(w, 0);
    w->cb = NULL;
    w->next_dead = w->owner->dead;
    w->owner->dead = w;
}
