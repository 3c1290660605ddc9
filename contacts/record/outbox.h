/* What others have to be told (struct outbox of record.h). */
#ifndef CONTACTS_RECORD_OUTBOX_H
#define CONTACTS_RECORD_OUTBOX_H

#include "contacts/record/record.h"

#define OUTBOX_DUE STR("due")
#define OUTBOX_DEAD STR("dead") /* given up; outbox_retry wakes it */

bool outbox_is_dead(const struct outbox *o);

/* Appends the entry as staff is shown it: {"contactId":…,"id":…,…}. */
void outbox_put(struct str contact_id, const struct outbox *o, struct sb *out);

#endif
