/* The turn: events, timers, what is due to be written, what is due to be freed. The only file that
 * knows libevent. One thread. A callback may find its object closed; it may never find it freed:
 * frees happen at the end of the turn. */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"
#include "base/str.h"
#include "base/timer.h"

struct loop;
struct loop_fd; /* a watched descriptor */

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

/* Something to do once at the end of this turn. Embed it; zero is not a valid state:
 * loop_task_init. A task set while the ends of this turn run is still run in this turn; one that
 * has run already, in the next. */
struct loop_task {
    struct list node;
    void (*run)(struct loop_task *t);
    uint64_t turn; /* in which it ran last; of loop.c */
};

struct loop *loop_new(void);
void loop_free(struct loop *l);
void loop_run(struct loop *l);             /* until loop_stop */
void loop_stop(struct loop *l);            /* after the present turn */
void loop_turn(struct loop *l, bool wait); /* one turn; wait = sleep until something happens */
struct timers *loop_timers(struct loop *l);

/* Watches fd; cb gets LOOP_READ and LOOP_WRITE bits. One watch a descriptor, which stays the
 * caller's. Returns new; loop_fd_free. */
struct loop_fd *loop_fd_new(struct loop *l, int fd, void (*cb)(void *ctx, int what), void *ctx);
void loop_fd_want(struct loop_fd *w, int what); /* bits, 0 = nothing */
void loop_fd_free(struct loop_fd *w);           /* safe within its own callback */

void loop_signal(struct loop *l, int signo, void (*cb)(void *ctx, int signo), void *ctx);

static inline void loop_task_init(struct loop_task *t, void (*run)(struct loop_task *))
{
    list_init(&t->node);
    t->run = run;
    t->turn = 0;
}

void loop_at_end(struct loop *l,
                 struct loop_task *t); /* writes: end of this turn; set twice = once */
void loop_free_at_end(struct loop *l, struct loop_task *t); /* frees: after the writes */
void loop_task_cancel(struct loop_task *t);

static inline void loop_timer(struct loop *l, struct timer *t, uint64_t delay_ms);

/* Resolves a host name without blocking; cb gets a numeric address, or rc != OK. Numeric hosts are
 * answered in this turn. */
void loop_resolve(struct loop *l, const char *host,
                  void (*cb)(void *ctx, int rc, const char *address), void *ctx);

/* Called first in a turn that begins ms or more after the one before it: the process was stopped,
 * what it knew of others may be out of date before it reads on. Who watches has a timer that
 * is shorter than ms, else a long sleep looks the same. Embed it. */
struct loop_pause {
    struct list node;
    uint64_t ms;
    void (*run)(struct loop_pause *p);
};
void loop_pause_watch(struct loop *l, struct loop_pause *p, uint64_t ms,
                      void (*run)(struct loop_pause *p));
void loop_pause_end(struct loop_pause *p); /* not from within run */

uint64_t clock_ms(void);
static inline void loop_timer(struct loop *l, struct timer *t, uint64_t delay_ms)
{
    timer_start(loop_timers(l), t, clock_ms(), delay_ms);
}

static inline void loop_timer_stop(struct loop *l, struct timer *t)
{
    timer_stop(loop_timers(l), t);
}

/* For metrics: microseconds that the last turn took without the waiting. */
uint64_t loop_last_turn_us(const struct loop *l);

#endif
