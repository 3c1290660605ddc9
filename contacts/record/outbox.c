/* Entries of the outbox. See outbox.h. */
#include "contacts/record/outbox.h"

#include "base/forbid.h"

bool outbox_is_dead(const struct outbox *o)
{
    return str_eq(o->state, OUTBOX_DEAD);
}
