/* Entries of the outbox. See outbox.h. */
#include "contacts/record/outbox.h"

#include "base/forbid.h"

bool outbox_is_dead(const struct outbox *o)
{
    return str_eq(o->state, OUTBOX_DEAD);
}

void outbox_put(struct str contact_id, const struct outbox *o, struct sb *out)
{
    sb_z(out, "{\"contactId\":");
    sb_json(out, contact_id);
    sb_char(out, ',');
    (void)record_put(&record_outbox, o, RECORD_AGENT, out);
    sb_char(out, '}');
}
