/* How many forms an address may send: FORMS_PER_HOUR over all nodes, one bucket in Redis for each.
 * Without Redis each node counts for itself. Addresses of LIMITS_EXEMPT have no limit. */
#ifndef CONTACTS_DESK_FORMS_H
#define CONTACTS_DESK_FORMS_H

#include <stdint.h>
#include "base/str.h"

struct adapter;
struct conf;
struct forms;

struct forms *forms_new(const struct conf *c, struct adapter *a); /* a may be NULL. Returns new */
void forms_free(struct forms *f); /* open questions are told nothing any more */

/* told is called once, now or later, unless forms_free comes first: 0, or the milliseconds after
 * which the next form is taken. */
void forms_take(struct forms *f, struct str address, void (*told)(void *ctx, uint64_t wait_ms),
                void (*dropped)(void *ctx), void *ctx);

/* One that was taken was none: the same form came twice at one time. */
void forms_give_back(struct forms *f, struct str address);

#endif
