/* See trim.h. */
#include "base/trim.h"

#include "base/buf.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/forbid.h"

static void on_timer(struct timer *timer)
{
    LIST_OWNER(timer, struct trim, timer)->freed = 0;
    buf_pool_trim();
    mem_trim();
}

void trim_init(struct trim *t, struct loop *l, uint32_t enough)
{
    *t = (struct trim){.loop = l, .enough = enough};
    timer_init(&t->timer, on_timer);
}

void trim_fini(struct trim *t)
{
    loop_timer_stop(t->loop, &t->timer);
}

void trim_freed(struct trim *t)
{
    if (++t->freed < t->enough || timer_is_set(&t->timer)) return;
    loop_timer(t->loop, &t->timer, TRIM_MS);
}
