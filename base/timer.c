/* Timer wheel. A timer sits on the level of the highest digit (base 64) in which its tick differs
 * from now, in the slot of that digit; when the wheel reaches the slot, it moves down or fires.
 * Never reads a clock. Invariant: everything due at or before now_tick has fired. */
#include "base/timer.h"

#include "base/forbid.h"

#define SLOT_BITS 6
#define SLOT_MASK (TIMER_SLOTS - 1)
#define LEVEL_TOP (TIMER_LEVELS - 1)

void timers_init(struct timers *w, uint64_t now_ms)
{
    w->now_tick = now_ms / TIMER_TICK_MS;
    w->count = 0;
    for (unsigned level = 0; level < TIMER_LEVELS; level++) {
        w->used[level] = 0;
        for (unsigned slot = 0; slot < TIMER_SLOTS; slot++)
            list_init(&w->slots[level][slot]);
    }
}

/* Digits above the top level share the top: such a timer is looked at once a round and put back. */
static void place(struct timers *w, struct timer *t)
{
    uint64_t differs = (t->due_tick ^ w->now_tick) | SLOT_MASK;
    unsigned level = (unsigned)(63 - __builtin_clzll(differs)) / SLOT_BITS;
    unsigned slot;

    if (level > LEVEL_TOP) level = LEVEL_TOP;
    slot = (unsigned)(t->due_tick >> (level * SLOT_BITS)) & SLOT_MASK;
    w->used[level] |= (uint64_t)1 << slot;
    list_push(&w->slots[level][slot], &t->node);
}

void timer_start(struct timers *w, struct timer *t, uint64_t now_ms, uint64_t delay_ms)
{
    uint64_t due_ms;

    timer_stop(w, t);
    if (__builtin_add_overflow(now_ms, delay_ms, &due_ms)) due_ms = UINT64_MAX;
    t->due_tick = due_ms / TIMER_TICK_MS + (due_ms % TIMER_TICK_MS != 0);
    if (t->due_tick <= w->now_tick) t->due_tick = w->now_tick + 1;
    w->count++;
    place(w, t);
}

void timer_stop(struct timers *w, struct timer *t)
{
    bool is_last = t->node.next == t->node.prev;
    uintptr_t at = (uintptr_t)t->node.next - (uintptr_t)w->slots;

    if (!timer_is_set(t)) return;
    list_unlink(&t->node);
    w->count--;
    /* The only neighbour is the slot's head, or the list that timers_run is just emptying. */
    if (is_last && at < sizeof w->slots) {
        size_t i = at / sizeof(struct list);

        w->used[i / TIMER_SLOTS] &= ~((uint64_t)1 << (i % TIMER_SLOTS));
    }
}

/* The next slot that may hold timers: the lowest level comes first, for all of it lies within one
 * slot of the level above. False when nothing is set. */
static bool next_slot(const struct timers *w, unsigned *level, unsigned *slot, uint64_t *tick)
{
    for (unsigned l = 0; l < TIMER_LEVELS; l++) {
        uint64_t now = w->now_tick >> (l * SLOT_BITS), used = w->used[l];
        unsigned from = (unsigned)(now + 1) & SLOT_MASK, ahead;

        if (!used) continue;
        used = used >> from | (from ? used << (TIMER_SLOTS - from) : 0);
        ahead = (unsigned)__builtin_ctzll(used);
        *level = l;
        *slot = (from + ahead) & SLOT_MASK;
        *tick = (now + 1 + ahead) << (l * SLOT_BITS);
        return true;
    }
    return false;
}

void timers_run(struct timers *w, uint64_t now_ms)
{
    uint64_t target = now_ms / TIMER_TICK_MS, tick;
    unsigned level, slot;

    if (target <= w->now_tick) return;
    while (next_slot(w, &level, &slot, &tick) && tick <= target) {
        struct list taken, *node;

        list_init(&taken);
        list_splice(&taken, &w->slots[level][slot]);
        w->used[level] &= ~((uint64_t)1 << slot);
        w->now_tick = tick;
        while ((node = list_shift(&taken)) != NULL) {
            struct timer *t = LIST_OWNER(node, struct timer, node);

            if (t->due_tick > tick) {
                place(w, t);
                continue;
            }
            w->count--;
            t->fire(t); /* may free t, start and stop others */
        }
    }
    w->now_tick = target;
}

uint64_t timers_next_ms(const struct timers *w, uint64_t now_ms)
{
    uint64_t tick, due_ms;
    unsigned level, slot;

    if (!next_slot(w, &level, &slot, &tick)) return UINT64_MAX;
    due_ms = tick * TIMER_TICK_MS;
    return due_ms > now_ms ? due_ms - now_ms : 0;
}
