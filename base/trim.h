/* Gives memory back to the system a while after many things were freed: once after a wave, not for
 * each of them. */
#ifndef BASE_TRIM_H
#define BASE_TRIM_H

#include <stdint.h>
#include "base/timer.h"

struct loop;

#define TRIM_MS 2000 /* from the one that made it worth it */

struct trim { /* embed it */
    struct loop *loop;
    struct timer timer;
    uint32_t freed, enough;
};

/* enough: so many things of this kind are worth it. */
void trim_init(struct trim *t, struct loop *l, uint32_t enough);
void trim_fini(struct trim *t);
void trim_freed(struct trim *t); /* one more */

#endif
