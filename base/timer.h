/* Timer wheel: thousands of heartbeats cost nothing until they are due. Start and stop are O(1).
 * Resolution is TIMER_TICK_MS; a timer never fires early. */
#ifndef BASE_TIMER_H
#define BASE_TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"

#define TIMER_TICK_MS 4

struct timer {
    struct list node;
    uint64_t due_tick;
    void (*fire)(struct timer *t);
};

#define TIMER_LEVELS 5
#define TIMER_SLOTS 64

struct timers {
    uint64_t now_tick;
    uint32_t count;
    uint64_t used[TIMER_LEVELS]; /* bit per slot that may hold timers */
    struct list slots[TIMER_LEVELS][TIMER_SLOTS];
};

void timers_init(struct timers *w, uint64_t now_ms);
void timers_run(struct timers *w, uint64_t now_ms); /* fires what is due */

/* Milliseconds until timers_run has something to do; UINT64_MAX when nothing is set. May be early,
 * never late. */
uint64_t timers_next_ms(const struct timers *w, uint64_t now_ms);

static inline void timer_init(struct timer *t, void (*fire)(struct timer *))
{
    list_init(&t->node);
    t->fire = fire;
}

void timer_start(struct timers *w, struct timer *t, uint64_t now_ms,
                 uint64_t delay_ms);                /* again: moves it */
void timer_stop(struct timers *w, struct timer *t); /* not set: nothing happens */

static inline bool timer_is_set(const struct timer *t)
{
    return list_is_linked(&t->node);
}

#endif
